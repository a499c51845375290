"""What status has of a service after each pass: the report, and what the policy leaves as it is."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from freshd.daemon.status_board import StatusBoard
from freshd.model.plan import Plan
from freshd.model.report import ServiceReport, Verdict
from freshd.render.documents import service_report_from
from freshd.render.undone import Undone, read_undone
from freshd.store.store import Store, memory_store
from tests.unit.render.values import FRESH, differs, service

AGREED = "Dockerfile changed since you agreed: type `freshd run` again"
A, B = differs("a.py"), differs("b.py")
UNDONE = Undone("content-differs", "shop-web-1", AGREED)


class World:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.said: list[tuple[str, str]] = []
        project: Any = SimpleNamespace(name="shop", dir="/shop")
        self.board = StatusBoard(project, store, cast(Any, self), clock=lambda: 7.0)

    def info(self, event: str, **values: Any) -> None:
        self.said.append((event, str(values.get("verdict") or values.get("why"))))

    def keep(self, report: ServiceReport, *plans: Plan, narrow: bool = False) -> None:
        self.board.keep(report, plans, narrow=narrow)

    @property
    def kept(self) -> tuple[ServiceReport, tuple[Undone, ...]]:
        saved = self.store.status.load("shop")
        assert saved is not None
        document: Any = saved.services["web"].report
        assert saved.services["web"].checked_at == 7.0
        return service_report_from(document), read_undone(document)


@pytest.fixture
def world() -> Iterator[World]:
    store = memory_store()
    yield World(store)
    store.close()


def stale(*found: Any) -> ServiceReport:
    return service(*found, verdict=Verdict.STALE)


def left(*found: Any, why: str = AGREED) -> Plan:
    return Plan("web", notices=tuple((each, why) for each in found))


def test_what_is_left_undone_is_kept_once_with_its_reason_and_said_once(world: World) -> None:
    for _ in range(2):
        world.keep(stale(A, B), Plan("web"), left(A, B))
        assert world.kept[0].verdict is Verdict.STALE
        assert world.kept[1] == (UNDONE,)
    assert world.said == [("verdict", "stale"), ("not done", AGREED)]
    world.keep(stale(A), left(A, why="the container is paused"))
    assert world.kept[1] == (UNDONE._replace(why="the container is paused"),)
    assert world.said[2:] == [("not done", "the container is paused")]


def test_only_the_last_plan_counts(world: World) -> None:
    world.keep(FRESH.services[0], left(A), Plan("web"))
    assert world.kept[1] == ()
    world.keep(FRESH.services[0])
    assert world.kept[1] == ()
    assert world.said == [("verdict", "fresh")]


def test_a_look_at_a_few_files_adds_to_the_last_whole_one(world: World) -> None:
    world.keep(stale(A), left(A), narrow=True)
    assert world.store.status.load("shop") is None, "of the service itself nothing is known"
    world.keep(stale(A), left(A))
    world.keep(stale(B), left(B, why="the policy says to notify"), narrow=True)
    report, undone = world.kept
    assert [each.path for each in report.findings] == ["a.py", "b.py"]
    assert undone == (UNDONE, UNDONE._replace(why="the policy says to notify"))
    world.keep(FRESH.services[0], Plan("web"))
    assert world.kept[1] == ()


@pytest.mark.parametrize(
    "kept",
    [{}, {"undone": None}, {"undone": "x"}, {"undone": [None, {"cause": "a"}, 3]}],
)
def test_a_report_that_was_kept_without_reasons_has_none(kept: dict[str, Any]) -> None:
    assert read_undone(kept) == ()
