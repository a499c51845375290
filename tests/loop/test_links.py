"""A build context behind a link: only what is proved to have left the tree is deleted."""

import os
import shutil
from collections.abc import Callable

import pytest

from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Verdict
from tests.loop.world import DOCKERFILE, HOUR, INJECT, World, causes, ended, planned


@pytest.fixture
def linked(world: World) -> World:
    """``ctx -> real``, and another tree, ``next``, beside it."""
    for name in ("real", "next"):
        world.write(f"{name}/Dockerfile", DOCKERFILE.format(base="base:1"), age=2 * HOUR)
        world.write(f"{name}/app/main.py", "one\n", age=2 * HOUR)
        world.write(f"{name}/app/old.py", "old\n", age=2 * HOUR)
    os.symlink("real", world.root / "ctx")
    context = {"context": str(world.root / "ctx"), "dockerfile": "Dockerfile"}
    world.service("web", build=context)
    world.policy(INJECT)
    world.up()
    return world


def turn(world: World, target: str) -> None:
    os.unlink(world.root / "ctx")
    os.symlink(target, world.root / "ctx")


def test_an_untouched_context_behind_a_link_is_fresh(linked: World) -> None:
    passed = linked.reconcile()
    assert planned(passed) == [[]]
    assert passed.report.verdict is Verdict.FRESH
    assert passed.report.containers[0].compared == 2


def test_only_what_left_the_context_is_deleted(linked: World) -> None:
    os.unlink(linked.root / "real/app/old.py")
    passed = linked.reconcile()
    assert ended(passed)[0] == (Remedy.INJECT, StepStatus.DONE)
    assert (linked.holds("/app/old.py"), linked.holds("/app/main.py")) == (None, "one\n")


def _comes_back(world: World) -> None:
    world.write("real/app/old.py", "old\n")


def _is_hidden(world: World) -> None:
    os.rename(world.root / "real/app", world.root / "moved")
    os.symlink("../moved", world.root / "real/app")


def _origin_goes(world: World) -> None:
    os.rename(world.root / "real/app", world.root / "moved")


def _link_is_turned(world: World) -> None:
    turn(world, "next")


def _link_leads_nowhere(world: World) -> None:
    turn(world, "none")


@pytest.mark.parametrize(
    "event", [_comes_back, _is_hidden, _origin_goes, _link_is_turned, _link_leads_nowhere]
)
def test_what_cannot_be_proved_right_before_is_not_deleted(
    linked: World, event: Callable[[World], None]
) -> None:
    os.unlink(linked.root / "real/app/old.py")
    passed = linked.reconcile_with(lambda: event(linked), before=Remedy.INJECT)
    assert ended(passed)[0] == (Remedy.INJECT, StepStatus.REFUSED)
    assert linked.holds("/app/old.py") == "old\n"
    assert "nothing proves that it has left the tree" in passed.outcomes[0].detail


@pytest.mark.parametrize("where", ["none", "ctx", "freshd.toml/x"])
def test_a_context_that_cannot_be_read_is_said_and_nothing_is_done(
    linked: World, where: str
) -> None:
    linked.reconcile()
    turn(linked, where)
    passed = linked.reconcile()
    assert planned(passed) == [[]]
    assert passed.report.verdict is Verdict.UNVERIFIABLE
    assert "unreadable" in causes(passed.report)
    assert (linked.holds("/app/old.py"), linked.holds("/app/main.py")) == ("old\n", "one\n")


def test_a_link_that_is_turned_is_followed_at_the_next_look(linked: World) -> None:
    linked.reconcile()
    linked.write("next/app/main.py", "two\n")
    turn(linked, "next")
    passed = linked.reconcile()
    assert ended(passed)[0] == (Remedy.INJECT, StepStatus.DONE)
    assert linked.holds("/app/main.py") == "two\n"


def test_a_context_that_was_away_is_level_again_when_it_is_back(linked: World) -> None:
    turn(linked, "none")
    linked.reconcile()
    turn(linked, "real")
    assert linked.reconcile().report.verdict is Verdict.FRESH


def test_a_project_whose_path_leads_elsewhere_is_halted_until_freshd_starts_again(
    world: World,
) -> None:
    """The containers are the old tree's, and which tree is meant only a new start can tell."""
    old, new = world.root.with_name("one"), world.root.with_name("two")
    world.root.rename(old)
    world.root.symlink_to("one")
    world.shop()
    worker = world.freshd.worker
    worker.mark("web")
    worker.run()
    assert world.freshd.verdict("web") is Verdict.FRESH
    shutil.copytree(old, new)
    world.root.unlink()
    world.root.symlink_to("two")
    (old / "app/main.py").write_text("edited where nobody looks any more\n")
    for _ in range(2):  # to resume does not help
        worker.mark("web")
        worker.run()
        (halt,) = world.freshd.store.halts.active("shop")
        assert halt.reason == f"the path of the project leads to {new} now: start freshd again"
        assert world.holds("/app/main.py") == "one\n"
        world.freshd.store.halts.resume("shop")


def test_the_worker_follows_a_link_that_is_turned(linked: World) -> None:
    worker = linked.freshd.worker
    worker.mark("web")
    worker.run()
    linked.write("next/app/main.py", "two\n")
    turn(linked, "next")
    worker.mark("web")
    worker.run()
    assert linked.holds("/app/main.py") == "two\n"
    assert linked.freshd.verdict("web") is Verdict.FRESH
