"""When a map has to be made again: a save must not cost a look at the whole tree."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from freshd.config.invocation import Invocation
from freshd.config.locate import locate_project
from freshd.config.project import load
from freshd.mapping import service_map
from freshd.observe import service_maps
from freshd.observe.service_maps import ServiceMaps
from freshd.store.store import open_store

FILES = {"Dockerfile": "FROM scratch\nCOPY app /app\n", "app/a": "a", "app/in/b": "b"}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The services of which a map was made, one after the other."""
    names: list[str] = []
    real = service_map.build_map

    def spy(service: Any, **rest: Any) -> Any:
        names.append(service.name)
        return real(service, **rest)

    monkeypatch.setattr(service_maps, "build_map", spy)
    return names


@pytest.fixture
def mapped(tmp_path: Path, made: list[str]) -> Iterator[ServiceMaps]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    model = {"name": "shop", "services": {"web": {"build": {"context": str(tmp_path)}}}}
    compose: Any = SimpleNamespace(config=lambda _: model)
    engine: Any = SimpleNamespace(image=lambda _: None)
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    project = load(locate_project(Invocation(str(tmp_path), {})), engine=None, compose=compose)
    store = open_store(str(tmp_path.parent / f"{tmp_path.name}.sqlite3"), now=0.0)
    found = ServiceMaps(project, engine, store)
    found.mapped("web")
    made.clear()
    yield found
    store.close()


def replaced(root: Path) -> None:
    """As many editors save: written beside, then renamed over."""
    (root / "app/a.tmp").write_text("a2")
    os.replace(root / "app/a.tmp", root / "app/a")


def moved(root: Path) -> None:
    (root / "app/in").rename(root / "app/out")


@pytest.mark.parametrize(
    ("change", "paths", "again"),
    [
        (lambda root: (root / "app/a").write_text("a2"), ("app/a",), False),
        (replaced, ("app/a.tmp", "app/a"), False),
        (lambda root: (root / "app/new").write_text("n"), ("app/new",), True),
        (lambda root: (root / "app/a").unlink(), ("app/a",), True),
        (moved, ("app/in", "app/out"), True),
        (lambda root: (root / "Dockerfile").write_text("FROM scratch\n"), ("Dockerfile",), True),
    ],
    ids=[
        "written in place",
        "renamed over",
        "a new file",
        "gone",
        "a directory moved",
        "Dockerfile",
    ],
)
def test_a_map_is_made_again_when_files_come_or_go(
    tmp_path: Path,
    mapped: ServiceMaps,
    made: list[str],
    change: Callable[[Path], object],
    paths: tuple[str, ...],
    again: bool,
) -> None:
    change(tmp_path)
    result = mapped.mapped("web", paths)
    assert bool(made) is again
    there = {str(p.relative_to(tmp_path)) for p in (tmp_path / "app").rglob("*") if p.is_file()}
    expected = there if "Dockerfile" not in paths else set()
    assert {pair.source for pair in result.map.pairs} == expected


def test_what_was_never_mapped_is_not_lost(mapped: ServiceMaps) -> None:
    known = [mapped.knew("web", path) for path in ("app/a", "app/in", "app", ".", "Dockerfile")]
    assert known == [True] * 5
    assert not any(mapped.knew("web", path) for path in ("app/a.tmp", "app/i", "node_modules/x"))


def test_what_comes_beside_the_data_of_a_sibling_waits_for_whole_passes(tmp_path: Path) -> None:
    for name, text in {**FILES, "app/data/base": "", "app/data/b.json": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    mount = {"type": "bind", "source": str(tmp_path / "app/data"), "target": "/store"}
    services = {
        "web": {"build": {"context": str(tmp_path)}},
        "db": {"image": "db", "volumes": [mount]},
    }
    compose: Any = SimpleNamespace(config=lambda _: {"name": "shop", "services": services})
    engine: Any = SimpleNamespace(image=lambda _: None)
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    project = load(locate_project(Invocation(str(tmp_path), {})), engine=None, compose=compose)
    store = open_store(str(tmp_path.parent / f"{tmp_path.name}.sqlite3"), now=0.0)
    maps = ServiceMaps(project, engine, store)
    maps.mapped("web")
    store.close()
    data = ("app/data/base", "app/data/b.json", "app/data/base.tmp", "app/data/wal.log")
    assert [maps.is_data("web", path) for path in data] == [True] * 4
    work = ("app/a", "app/new", "app/data/x.py", "app/data/x.json", "data/base")
    assert [maps.is_data("web", path) for path in work] == [False] * 5
