"""Which files that a COPY takes are the data of a service: no code, whatever git knows of it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from freshd.config.compose.model import ComposeBuild, ComposeMount, ComposeService
from freshd.mapping.service_data import ServiceData
from freshd.mapping.service_map import MapResult, build_map

Make = Callable[..., Path]
WORK = {"Dockerfile": "FROM x\nCOPY . /app\n", "main.py": "", "static/site.css": "", "logo.png": ""}
STORE = {"data/pg/base.1": "", "data/pg/postgresql.conf": "", "data/pg/wal.log": ""}


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A project: files, those that git tracks (None: there is no git), and what git ignores."""

    def made(files: dict[str, str], tracked: dict[str, str] | None, ignored: str = "") -> Path:
        names = {**(tracked or {}), **files, ".gitignore": ignored}
        for name, text in names.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        if tracked is not None:
            subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
            subprocess.run(["git", "add", "-f", *tracked], cwd=tmp_path, check=True)
        return tmp_path

    return made


def web(root: Path, *mounts: ComposeMount) -> ComposeService:
    return ComposeService("web", "shop-web", ComposeBuild(str(root)), mounts)


def bind(root: Path, source: str, target: str, *, read_only: bool = False) -> ComposeMount:
    return ComposeMount("bind", target, os.path.normpath(root / source), read_only=read_only)


def db(root: Path, source: str = "data/pg", target: str = "/var/lib/pg") -> ComposeService:
    return ComposeService("db", "postgres:17", mounts=(bind(root, source, target),))


def built(root: Path, source: str, target: str = "/code") -> ComposeService:
    """A sibling of ``web`` that is built here, too."""
    build = ComposeBuild(str(root))
    return ComposeService("worker", "shop-worker", build, (bind(root, source, target),))


def without(root: Path, *others: ComposeService, one: ComposeService | None = None) -> MapResult:
    one = one or web(root)
    made = build_map(one, project_dir=str(root))
    return ServiceData(str(root), [one, *others]).without(made)


def data(root: Path, *others: ComposeService, one: ComposeService | None = None) -> set[str]:
    return set(without(root, *others, one=one).map.data)


@pytest.mark.parametrize("ignored", ["", "data\n"], ids=["known to git", "ignored"])
@pytest.mark.parametrize("target", ["/var/lib/pg", "/store"])
def test_the_database_of_another_service_is_no_code(make: Make, ignored: str, target: str) -> None:
    root = make(STORE, WORK, ignored)
    result = without(root, db(root, target=target))
    assert set(result.map.data) == set(STORE)
    sources = {pair.source for pair in result.map.pairs}
    assert not sources & set(STORE)
    assert sources >= {"main.py", "static/site.css", "logo.png"}
    assert set(result.map.data.values()) == {
        f"data of db, which writes it through its mount at {target}"
    }


def test_nor_an_input_of_a_build(make: Make) -> None:
    stages = "FROM x AS b\nCOPY . /src\nRUN make\nFROM x\nCOPY --from=b /src/out /out\n"
    root = make(STORE, {**WORK, "Dockerfile": stages})
    result = without(root, db(root))
    assert not set(STORE) & {*result.map.inputs, *result.map.traceless}
    assert {"main.py", "static/site.css", "Dockerfile"} <= set(result.map.inputs)


@pytest.mark.parametrize("tracked", [WORK, None], ids=["git", "no git"])
def test_logs_databases_and_uploads_below_a_mounted_tree(
    make: Make, tracked: dict[str, str] | None
) -> None:
    files = {"logs/celery.log": "", "logs/celery.log.1": "", "db.sqlite3": "", "db.sqlite3-wal": ""}
    uploads = {"media/2026/a.png": "", "media/b.bin": "", "media/c": ""}
    root = make({**WORK, **files, **uploads}, tracked)
    assert data(root, built(root, ".")) == {*files, *uploads}
    itself = web(root, bind(root, ".", "/code"))
    assert data(root, one=itself) == {*files, *uploads}


def test_a_single_file(make: Make) -> None:
    files = {"app.sqlite3": "", "state": "", "acme.json": "{}", "settings.json": "{}"}
    root = make(files, WORK, "acme.json\n")
    mounts = tuple(bind(root, name, f"/x/{name}") for name in files)
    proxy = ComposeService("proxy", "traefik", mounts=mounts)
    assert data(root, proxy) == {"app.sqlite3", "state", "acme.json"}


def test_code_stays_code_tracked_or_new(make: Make) -> None:
    tracked = {**WORK, "conf/app.json": "{}", "templates/a.html": ""}
    new = {
        "new.py": "",
        "plugins/mine.py": "",
        "static/new.css": "",
        "static/new.png": "",
        "n.txt": "",
    }
    ignored = {"dist/main.js": "", ".env": "", "local.json": ""}
    root = make({**new, **ignored}, tracked, "dist\n.env\nlocal.json\n")
    assert data(root, built(root, ".")) == set()
    assert data(root, built(root, "plugins"), built(root, "static")) == set()


@pytest.mark.parametrize("source", ["static", "data"])
def test_what_git_tracks_is_no_data(make: Make, source: str) -> None:
    tracked = {"static/a.css": "", "static/b.png": "", "data/c.json": "", "data/d.bin": ""}
    root = make({}, {**WORK, **tracked})
    assert data(root, db(root, source), db(root, source, "/srv/x")) == set()


def test_without_git_code_counts(make: Make) -> None:
    root = make({**WORK, "lib/a.rb": "", "lib/b.css": "", "lib/c.txt": ""}, None)
    assert data(root, built(root, "."), built(root, "lib")) == set()
    assert data(root, db(root, "lib", "/srv")) == set()


def test_a_mount_that_nobody_may_write_to_has_no_data(make: Make) -> None:
    root = make(STORE, WORK)
    mounts = (bind(root, "data/pg", "/var/lib/pg", read_only=True),)
    assert data(root, ComposeService("db", "postgres:17", mounts=mounts)) == set()


def test_a_mount_through_a_link(make: Make) -> None:
    root = make(STORE, WORK)
    os.symlink("data/pg", root / "store")
    assert data(root, db(root, "store")) == set(STORE)


def test_a_volume_that_is_a_directory_of_the_tree(make: Make) -> None:
    root = make(STORE, WORK)
    volume = ComposeMount("volume", "/var/lib/pg", "pg", device=str(root / "data/pg"))
    assert data(root, ComposeService("db", "postgres:17", mounts=(volume,))) == set(STORE)


def test_a_program_that_somebody_built_is_no_data(make: Make) -> None:
    root = make({"bin/server": "", "bin/seen": ""}, WORK, "bin\n")
    os.chmod(root / "bin/server", 0o755)
    assert data(root, built(root, ".")) == {"bin/seen"}


def test_what_another_user_owns_is_data(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make({"made.json": "{}", "mine.json": "{}"}, WORK)
    real = os.lstat

    def foreign(path: str) -> os.stat_result:
        status = list(real(path))
        if path.endswith("made.json"):
            status[4] += 1
        return os.stat_result(status)

    monkeypatch.setattr("freshd.mapping.service_data.os.lstat", foreign)
    assert data(root, built(root, ".")) == {"made.json"}


def test_a_submodule_tracks_its_own_files(make: Make) -> None:
    root = make({}, WORK)
    (root / "lib").mkdir()
    (root / "lib/logo.png").touch()
    (root / "lib/other.png").touch()
    subprocess.run(["git", "init", "-q"], cwd=root / "lib", check=True)
    subprocess.run(["git", "add", "-A"], cwd=root / "lib", check=True)
    assert data(root, built(root, ".")) == set()


def test_what_left_the_tree_is_told_apart(make: Make) -> None:
    """Data that was rotated away is nothing that has to leave a container; code is."""
    root = make(STORE, WORK)
    others = [web(root), db(root)]
    mapping = without(root, db(root)).map
    gone = {"/app/data/pg/base.0": True, "/app/data/pg/wal.log.1": True, "/app/old.py": False}
    found = ServiceData(str(root), others).select_targets(mapping, gone)
    assert found == {target for target, is_data in gone.items() if is_data}


def test_a_map_is_stale_once_git_tracks_something_else(make: Make) -> None:
    root = make(STORE, WORK)
    result = without(root, db(root))
    assert str(root / ".git/index") in result.stamps
