"""A running ``docker compose watch`` is known by its command line, and whose it is by its files."""

import os
import shlex
import subprocess
from pathlib import Path
from typing import cast

import psutil
import pytest

from freshd.config.compose.model import ComposeService, ComposeWatch
from freshd.config.project import Project
from freshd.engine.cli.compose import ComposeFiles
from freshd.observe.compose_args import Watching, parse
from freshd.observe.compose_watch import AtWork, ComposeWatches, concerns
from tests.harness.waiting import wait_until


@pytest.mark.parametrize(
    ("line", "watching"),
    [
        ("docker compose watch", Watching()),
        ("/usr/libexec/docker/cli-plugins/docker-compose compose watch", Watching()),
        ("docker-compose watch", Watching()),
        ("docker compose alpha watch --no-up", Watching()),
        ("docker compose watch --quiet web db", Watching(services=("web", "db"))),
        ("docker compose up --watch", Watching()),
        ("docker compose up -w", Watching()),
        ("docker compose up --scale web=2 -t 3 -Vw web", Watching(services=("web",))),
        ("docker -H unix:///x --context c compose -f a.yml --file=b.yml watch",
         Watching(files=("a.yml", "b.yml"))),
        ("docker compose -fa.yml -p shop --profile dev watch",
         Watching(files=("a.yml",), project="shop")),
        ("docker compose --project-directory /x --ansi never watch", Watching(directory="/x")),
        ("docker compose up", None),
        ("docker compose up -d web", None),
        ("docker compose up --no-watch", None),
        ("docker compose up --timeout 3 watch", None),
        ("docker compose up --watch=false", None),
        ("docker compose logs watch", None),
        ("docker compose --dry-run watch", None),
        ("docker compose watch --dry-run", None),
        ("docker compose -p watch ps", None),
        ("docker watch", None),
        ("docker compose", None),
        ("vim docker compose watch", None),
        ("grep -r docker-compose watch", None),
        ("docker", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_command_line_that_watches_is_told_from_others(
    line: str, watching: Watching | None
) -> None:
    assert parse(shlex.split(line)) == watching


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop/deep").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    for name in ("shop/compose.yaml", "other/compose.yaml", "other/dev.yml"):
        (tmp_path / name).write_text("services: {}\n")
    return tmp_path / "shop"


@pytest.mark.parametrize(
    ("watching", "cwd", "environ", "ours"),
    [
        (Watching(), ".", {}, True),
        (Watching(), "deep", {}, True),
        (Watching(), "../other", {}, False),
        (Watching(), "..", {}, False),
        (Watching(), None, {}, False),
        (Watching(files=("compose.yaml",)), ".", {}, True),
        (Watching(files=("../compose.yaml", "x.yml")), "deep", {}, True),
        (Watching(files=("dev.yml",)), "../other", {}, False),
        (Watching(files=("compose.yaml",)), None, {}, False),
        (Watching(directory="../shop"), "../other", {}, True),
        (Watching(), "../other", {"COMPOSE_FILE": "../shop/compose.yaml:dev.yml"}, True),
        (Watching(), ".", {"COMPOSE_FILE": "../other/dev.yml"}, False),
        (Watching(project="shop"), "../other", {}, True),
        (Watching(project="mine"), ".", {}, False),
        (Watching(), "../other", {"COMPOSE_PROJECT_NAME": "shop"}, True),
        (Watching(project="shop"), None, {}, True),
    ],
)
def test_it_is_about_the_project_whose_files_or_name_it_has(
    shop: Path, watching: Watching, cwd: str | None, environ: dict[str, str], ours: bool
) -> None:
    start = None if cwd is None else os.path.normpath(shop / cwd)
    files = [str(shop / "compose.yaml")]
    assert concerns(watching, cwd=start, environ=environ, name="shop", files=files) is ours


def test_absolute_files_tell_even_of_somebody_elses_process(shop: Path) -> None:
    files = [str(shop / "compose.yaml")]
    watching = Watching(files=(files[0], "more.yml"))
    assert concerns(watching, cwd=None, environ={}, name="shop", files=files)


class FakeProject:
    """The part of a project that is asked."""

    name = "shop"

    def __init__(self, directory: str, watch: tuple[ComposeWatch, ...]) -> None:
        self.compose_files = ComposeFiles(directory, (os.path.join(directory, "compose.yaml"),))
        self.services = {"web": ComposeService("web", "shop-web", watch=watch)}


def project(shop: Path, *watch: ComposeWatch) -> Project:
    return cast("Project", FakeProject(str(shop), watch))


def test_a_watch_of_some_services_covers_what_they_depend_on() -> None:
    model = {
        "web": ComposeService("web", "", depends_on=("api", "cache")),
        "api": ComposeService("api", "", depends_on=("db", "web")),
        "db": ComposeService("db", ""),
        "other": ComposeService("other", ""),
    }
    assert [name for name in model if AtWork(1, ("web",)).covers(name, model)] == [
        "web", "api", "db",
    ]  # fmt: skip
    assert all(AtWork(1).covers(name, model) for name in model)


def start(directory: Path, *words: str) -> subprocess.Popen[bytes]:
    """A process that looks like Compose and waits: a shell with a script of that name."""
    (directory / "compose").write_text("read line\n")
    return subprocess.Popen(
        ["docker-compose", "compose", *words],
        executable="/bin/sh",
        stdin=subprocess.PIPE,
        cwd=directory,
        env={},
    )


def test_a_process_is_found_while_it_runs(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freshd.observe.compose_watch._AGE", 0.0)
    watches = ComposeWatches()
    ours = project(shop, ComposeWatch("/x", "sync"))
    assert watches.at_work(ours) == ()
    with start(shop.parent / "other", "watch"), start(shop / "deep", "watch", "web") as process:
        (found,) = wait_until(lambda: watches.at_work(ours), what="the process to be seen")
        assert found == AtWork(process.pid, ("web",))
        assert str(found) == f"docker compose watch (pid {process.pid}) is at work on web"
        assert watches.at_work(project(shop)) == (), "nothing of it asks for a watch"
        process.kill()
        wait_until(lambda: not watches.at_work(ours), what="its end to be seen")


def test_between_rounds_only_new_processes_are_read(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("freshd.observe.compose_watch._AGE", 0.0)
    monkeypatch.setattr("freshd.observe.compose_watch._YOUNG", 0.0)
    read: list[int] = []

    def cmdline(process: psutil.Process) -> list[str]:
        read.append(process.pid)
        return ["sh"]

    monkeypatch.setattr("psutil.Process.cmdline", cmdline)
    watches = ComposeWatches()
    ours = project(shop, ComposeWatch("/x", "sync"))
    watches.at_work(ours)
    assert os.getpid() in read
    read.clear()
    watches.at_work(ours)
    assert os.getpid() not in read
    monkeypatch.setattr("freshd.observe.compose_watch._ROUND", 0.0)
    watches.at_work(ours)
    assert os.getpid() in read
