"""What parts tree and container is found, put right, and proved; what is somebody's stays."""

import os
from collections.abc import Callable

import pytest

from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Verdict
from tests.loop.world import World, causes, ended, left, planned

DONE, FAILED = StepStatus.DONE, StepStatus.FAILED
INJECTED = [(Remedy.INJECT, DONE), (Remedy.RESTART, DONE)]


def nothing(_: World) -> None: ...


def edited(world: World) -> None:
    world.write("app/main.py", "two\n")


def new(world: World) -> None:
    world.write("app/more/deep/new.py", "new\n")


def executable(world: World) -> None:
    world.write("app/main.py", "one\n", mode=0o755)


def deleted(world: World) -> None:
    (world.root / "app/page.html").unlink()


def moved(world: World) -> None:
    os.rename(world.root / "app/page.html", world.root / "app/index.html")


def a_file_becomes_a_directory(world: World) -> None:
    (world.root / "app/page.html").unlink()
    world.write("app/page.html/inner.html", "<p>\n")


def a_link(world: World) -> None:
    (world.root / "app/page.html").unlink()
    os.symlink("main.py", world.root / "app/page.html")


@pytest.mark.parametrize(
    ("change", "cause", "paths"),
    [
        (edited, "content-differs", None),
        (edited, "content-differs", ["app/main.py"]),
        (new, "missing-in-container", None),
        (new, "missing-in-container", ["app/more/deep/new.py"]),
        (executable, "mode-differs", None),
        (executable, "mode-differs", ["app/main.py"]),
        (deleted, "extra-in-container", None),
        (deleted, "extra-in-container", ["app/page.html"]),
        (moved, "extra-in-container", ["app/page.html", "app/index.html"]),
        (a_file_becomes_a_directory, "extra-in-container", None),
        (a_link, "content-differs", None),
    ],
)
def test_the_container_gets_what_the_tree_has_and_the_process_starts_again(
    shop: World, change: Callable[[World], None], cause: str, paths: list[str] | None
) -> None:
    shop.reconcile()
    before = shop.container()
    started = before.started
    change(shop)
    passed = shop.reconcile(paths=paths)
    assert ended(passed) == INJECTED
    assert cause in passed.plans[0].steps[0].causes
    assert causes(passed.report) == set()
    assert shop.inside() == shop.tree()
    assert shop.container() is before
    assert before.started > started
    assert shop.left_over() == []
    assert [(e.step.remedy, e.status) for e in shop.history()] == INJECTED
    assert planned(shop.reconcile()) == [[]], "and that is all"


@pytest.mark.parametrize("change", [edited, new, executable])
def test_without_a_shell_a_file_is_written_in_place_and_said_so(
    world: World, change: Callable[[World], None]
) -> None:
    shop = world.shop(base="scratch")
    change(shop)
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert "in place, not atomically" in passed.outcomes[0].detail
    assert causes(passed.report) == set()
    assert shop.inside() == shop.tree()


def test_without_a_shell_nothing_is_deleted_and_the_process_is_left_alone(world: World) -> None:
    shop = world.shop(base="scratch")
    started = shop.container().started
    deleted(shop)
    passed = shop.reconcile()
    assert ended(passed) == [(Remedy.INJECT, FAILED)]
    assert "it cannot be deleted: the image has no usable /bin/sh" in passed.outcomes[0].detail
    assert causes(passed.report) == {"extra-in-container", "image-behind"}
    assert shop.container().started == started


def test_an_untouched_stack_is_fresh_and_nothing_is_done_to_it(shop: World) -> None:
    before, started = shop.container(), shop.container().started
    for _ in range(2):
        passed = shop.reconcile()
        assert passed.report.verdict is Verdict.FRESH
        assert planned(passed) == [[]]
    assert (shop.container(), shop.container().started) == (before, started)
    assert shop.history() == ()
    assert not shop.engine.counted().keys() & {"put", "restart", "build", "up"}


def test_all_that_differs_is_one_injection_and_one_restart(shop: World) -> None:
    for change in (edited, new, deleted):
        change(shop)
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert passed.outcomes[0].detail == "2 files written and read back; 1 file deleted"
    assert shop.engine.counted()["restart"] == 1
    assert shop.inside() == shop.tree()


def test_the_mode_of_a_file_that_is_replaced_is_the_trees_and_its_owner_the_containers(
    shop: World,
) -> None:
    view = shop.container().view
    shop.own("/app/main.py", uid=1000)
    shop.write("app/main.py", "two\n", mode=0o755)
    shop.reconcile()
    node = view.get("/app/main.py")
    assert node is not None
    assert (node.uid, node.mode) == (1000, 0o755)


@pytest.mark.parametrize("shell", [True, False], ids=["a shell", "no shell"])
@pytest.mark.parametrize("change", [nothing, edited])
def test_what_somebody_changed_in_the_container_stays(
    world: World, change: Callable[[World], None], *, shell: bool
) -> None:
    shop = world.shop(base="base:1" if shell else "scratch")
    shop.change_inside("/app/main.py", "by hand\n")
    change(shop)
    started = shop.container().started
    passed = shop.reconcile()
    assert "changed-in-container" in causes(passed.report)
    assert planned(passed) == [[]]
    assert "only a rule that names changed-in-container may touch it" in left(passed)
    assert shop.holds("/app/main.py") == "by hand\n"
    assert shop.container().started == started


def test_a_change_beside_what_was_changed_by_hand_is_injected(shop: World) -> None:
    shop.change_inside("/app/main.py", "by hand\n")
    new(shop)
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert causes(passed.report) == {"changed-in-container"}
    assert shop.holds("/app/main.py") == "by hand\n"
    assert shop.holds("/app/more/deep/new.py") == "new\n"


def test_a_rule_that_names_it_brings_back_what_was_changed_by_hand(shop: World) -> None:
    shop.policy('[[rule]]\nwhen = ["changed-in-container"]\ndo = ["inject"]\n')
    shop.change_inside("/app/main.py", "by hand\n")
    passed = shop.reconcile()
    assert ended(passed) == [(Remedy.INJECT, DONE)]
    assert shop.holds("/app/main.py") == "one\n"


def test_the_second_edit_of_an_injected_file_is_no_change_by_hand(shop: World) -> None:
    for text in ("two\n", "three\n", "four\n"):
        shop.write("app/main.py", text)
        assert ended(shop.reconcile()) == INJECTED
        assert shop.holds("/app/main.py") == text


def test_an_edit_that_is_taken_back_is_injected_back(shop: World) -> None:
    shop.write("app/main.py", "two\n")
    shop.reconcile()
    shop.write("app/main.py", "one\n")
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert passed.report.verdict is Verdict.FRESH
    assert not passed.report.patched, "the image has it"


def test_a_stopped_container_is_written_to_and_started(shop: World) -> None:
    shop.engine.stop(shop.container(), exit_code=1)
    edited(shop)
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert shop.container().running
    assert shop.holds("/app/main.py") == "two\n"


def test_a_job_that_has_done_its_work_is_left_alone(shop: World) -> None:
    shop.engine.stop(shop.container(), exit_code=0)
    edited(shop)
    passed = shop.reconcile()
    assert planned(passed) == [[]]
    assert shop.holds("/app/main.py") == "one\n"
    assert not shop.container().running


def test_a_paused_container_is_not_touched(shop: World) -> None:
    shop.container().state = "paused"
    edited(shop)
    passed = shop.reconcile()
    assert planned(passed) == [[]]
    assert "the container is paused" in left(passed)
    assert shop.holds("/app/main.py") == "one\n"
