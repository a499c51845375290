"""Data that another service writes into a directory that ``web`` copies: never brought there."""

from pathlib import Path

import pytest

from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from tests.loop.world import BASE, HOUR, World, causes, ended, planned

EVERYTHING = """
[[rule]]
when = ["*", "extra-in-container"]
do = ["inject", "rebuild"]
"""
DATA = "app/data/base"
LOG = "app/logs/web.log"


def _bind(source: Path, target: str) -> dict[str, str]:
    return {"type": "bind", "source": str(source), "target": target}


def _mount(world: World) -> None:
    """Give the database and the worker what they write to."""
    world.service("db", image=BASE, volumes=[_bind(world.root / "app/data", "/store")])
    world.service("worker", image=BASE, volumes=[_bind(world.root / "app/logs", "/logs")])


@pytest.fixture
def shop(world: World) -> World:
    """A database and a log below ``app``, which the image of ``web`` has as they were then."""
    for path in (DATA, LOG):
        world.write(path, "old\n", age=2 * HOUR)
    _mount(world)
    world.shop()
    world.policy(EVERYTHING)
    return world


@pytest.mark.parametrize("narrow", [False, True], ids=["whole", "narrow"])
def test_what_a_sibling_writes_is_brought_nowhere(shop: World, *, narrow: bool) -> None:
    shop.reconcile()
    new = "app/data/new"
    for path in (DATA, LOG, new):
        shop.write(path, "secret\n")
    passed = shop.reconcile(paths=(DATA, LOG, new) if narrow else None)
    assert (causes(passed.report), planned(passed)) == (set(), [[]])
    held = [shop.holds(f"/{path}") for path in (DATA, LOG, new)]
    assert held == ["old\n", "old\n", None]
    assert shop.engine.counted()["put"] == 0


@pytest.mark.parametrize("narrow", [False, True], ids=["whole", "narrow"])
def test_what_a_sibling_removes_is_deleted_nowhere(shop: World, *, narrow: bool) -> None:
    shop.reconcile()
    for path in (DATA, LOG):
        (shop.root / path).unlink()
    passed = shop.reconcile(paths=(DATA, LOG) if narrow else None)
    assert (causes(passed.report), planned(passed)) == (set(), [[]])
    assert [shop.holds(f"/{path}") for path in (DATA, LOG)] == ["old\n", "old\n"]


def test_a_build_that_recorded_them_is_not_behind(shop: World) -> None:
    """They were code until ``db`` got its mount: only what is code now counts."""
    shop.service("db", image=BASE)
    shop.service("worker", image=BASE)
    shop.write("app/main.py", "two\n")
    shop.policy('[[rule]]\nwhen = ["*"]\ndo = ["rebuild"]\n')
    shop.freshd.restart()
    shop.freshd.consent()
    assert ended(shop.reconcile()) == [(Remedy.REBUILD, StepStatus.DONE)]
    _mount(shop)
    shop.freshd.restart()
    for path in (DATA, LOG):
        shop.write(path, "new\n")
    assert causes(shop.reconcile().report) == set()


def test_what_became_data_is_deleted_nowhere(shop: World) -> None:
    shop.service("db", image=BASE)
    shop.service("worker", image=BASE)
    shop.freshd.restart()
    shop.freshd.consent()
    shop.reconcile()
    _mount(shop)
    for path in (DATA, LOG):
        (shop.root / path).unlink()
    passed = shop.reconcile(paths=(DATA, LOG))
    assert (causes(passed.report), planned(passed)) == (set(), [[]])
    assert [shop.holds(f"/{path}") for path in (DATA, LOG)] == ["old\n", "old\n"]


def test_code_beside_the_data_is_brought(shop: World) -> None:
    shop.reconcile()
    new = "app/logs/rotate.py"
    shop.write(new, "new\n")
    shop.write("app/main.py", "two\n")
    shop.policy('[[rule]]\nwhen = ["*"]\ndo = ["inject"]\n')
    passed = shop.reconcile(paths=(new, "app/main.py", LOG))
    assert len(ended(passed)) == 1
    assert [shop.holds(f"/{path}") for path in (new, "app/main.py")] == ["new\n", "two\n"]
    assert shop.holds(f"/{LOG}") == "old\n"
