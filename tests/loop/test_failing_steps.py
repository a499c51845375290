"""A step that does not end well: what stays, what is owed, when it is tried again."""

from collections.abc import Callable

import pytest

from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Verdict
from tests.loop.fake.engine import Container, Refused
from tests.loop.world import World, causes, ended, left, planned

DONE, FAILED = StepStatus.DONE, StepStatus.FAILED
INJECT, RESTART = Remedy.INJECT, Remedy.RESTART
INJECTED = [(INJECT, DONE), (RESTART, DONE)]


def refused() -> None:
    raise Refused(500, "no space left on device")


def unanswered() -> None:
    raise TimeoutError("timed out")


def test_a_write_that_the_engine_refuses_changes_nothing_and_nothing_follows_it(
    shop: World,
) -> None:
    started = shop.container().started
    shop.write("app/main.py", "two\n")
    shop.engine.before("put", refused)
    passed = shop.reconcile()
    assert ended(passed) == [(INJECT, FAILED)]
    assert "no space left on device" in passed.outcomes[0].detail
    assert causes(passed.report) == {"content-differs", "image-behind"}
    assert shop.holds("/app/main.py") == "one\n"
    assert shop.container().started == started
    assert shop.left_over() == []


def test_the_same_content_is_not_tried_again_at_once_and_another_is(shop: World) -> None:
    shop.write("app/main.py", "two\n")
    shop.engine.before("put", refused)
    shop.reconcile()
    again = shop.reconcile()
    assert planned(again) == [[]]
    assert any("inject failed once with the same content" in reason for reason in left(again))
    assert shop.engine.counted()["put"] == 1
    shop.write("app/main.py", "three\n")
    assert ended(shop.reconcile()) == INJECTED
    assert shop.holds("/app/main.py") == "three\n"


def test_each_failure_in_a_row_makes_the_wait_twice_as_long(shop: World) -> None:
    shop.write("app/main.py", "two\n")
    waits = []
    for _ in range(4):
        shop.engine.before("put", refused)
        assert ended(shop.reconcile()) == [(INJECT, FAILED)]
        (failure,) = shop.freshd.failures("web").values()
        waits.append(round(failure.next_try - failure.at))
        shop.engine.wait(failure.next_try - shop.engine.now() - 0.5)
        assert planned(shop.reconcile()) == [[]]
        shop.engine.wait(0.6)
    assert waits == [2, 4, 8, 16]
    assert ended(shop.reconcile()) == INJECTED
    assert shop.freshd.failures("web") == {}, "what worked is forgotten"


@pytest.mark.parametrize("happened", [False, True], ids=["not carried out", "carried out"])
def test_a_write_without_an_answer_is_unknown_and_is_looked_at(
    shop: World, *, happened: bool
) -> None:
    shop.write("app/main.py", "two\n")
    add = shop.engine.after if happened else shop.engine.before
    add("put", unanswered)
    passed = shop.reconcile()
    assert ended(passed) == [(INJECT, StepStatus.UNKNOWN)]
    assert shop.holds("/app/main.py") == "one\n", "it was staged at most"
    shop.engine.wait(3.0)
    assert ended(shop.reconcile()) == INJECTED
    assert shop.inside() == shop.tree()
    assert shop.left_over() == []


def test_in_place_what_a_write_without_an_answer_left_there_is_no_change_by_hand(
    world: World,
) -> None:
    shop = world.shop(base="scratch")
    shop.write("app/main.py", "two\n")
    shop.engine.after("put", unanswered)
    passed = shop.reconcile()
    assert ended(passed) == [(INJECT, StepStatus.UNKNOWN)]
    assert shop.holds("/app/main.py") == "two\n"
    shop.write("app/main.py", "three\n")
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert shop.holds("/app/main.py") == "three\n"


def test_what_is_read_back_and_is_not_what_was_written_is_a_failure(shop: World) -> None:
    def overwritten() -> None:
        shop.change_inside("/app/main.py", "a program was faster\n")

    shop.write("app/main.py", "two\n")
    shop.engine.after("put", lambda: shop.engine.after("helper mv", overwritten))
    passed = shop.reconcile()
    assert ended(passed) == [(INJECT, FAILED)]
    assert "read back, it is not what was written" in passed.outcomes[0].detail
    assert causes(passed.report) >= {"changed-in-container"}
    assert shop.holds("/app/main.py") == "a program was faster\n"


def test_one_file_that_cannot_be_written_does_not_keep_the_others_back(shop: World) -> None:
    shop.change_inside("/app/lib", "a file where the tree has a directory\n")
    shop.write("app/main.py", "two\n")
    shop.write("app/lib/new.py", "new\n")
    passed = shop.reconcile()
    assert (INJECT, FAILED) in ended(passed)
    assert "/app/lib is not a directory in the container" in passed.outcomes[0].detail
    assert shop.holds("/app/main.py") == "two\n"
    assert shop.holds("/app/lib") == "a file where the tree has a directory\n"


@pytest.mark.parametrize("how", [refused, unanswered])
def test_a_restart_that_fails_is_owed_until_it_was_done(
    shop: World, how: Callable[[], None]
) -> None:
    """The file landed, so no difference asks for the restart any more."""
    started = shop.container().started
    shop.write("app/main.py", "two\n")
    shop.engine.before("restart", how)
    passed = shop.reconcile()
    assert ended(passed)[0] == (INJECT, DONE)
    assert ended(passed)[1] == (RESTART, FAILED if how is refused else StepStatus.UNKNOWN)
    assert shop.container().started == started
    shop.engine.before("restart", how)
    assert ended(shop.reconcile()) == ended(passed)[1:]
    assert planned(shop.reconcile()) == [[]], "it failed twice in the same way"
    shop.engine.wait(5.0)
    assert ended(shop.reconcile()) == [(RESTART, DONE)]
    assert shop.container().started > started
    shop.engine.wait(300.0)
    assert planned(shop.reconcile()) == [[]], "once"


def test_a_restart_that_is_owed_outlives_freshd(shop: World) -> None:
    shop.write("app/main.py", "two\n")
    shop.engine.before("restart", refused)
    shop.reconcile()
    shop.freshd.restart()
    shop.engine.wait(3.0)
    assert ended(shop.reconcile()) == [(RESTART, DONE)]


def test_a_restart_by_hand_settles_what_is_owed(shop: World) -> None:
    shop.write("app/main.py", "two\n")
    shop.engine.before("restart", refused)
    shop.reconcile()
    shop.engine.restart(shop.container())
    shop.engine.wait(300.0)
    passed = shop.reconcile()
    assert planned(passed) == [[]]
    assert causes(passed.report) == set()


def test_what_was_to_follow_a_write_that_never_landed_is_owed_no_more(shop: World) -> None:
    started = shop.container().started
    shop.write("app/main.py", "two\n")
    shop.engine.before("put", refused)
    shop.reconcile()
    shop.write("app/main.py", "one\n")
    shop.engine.wait(300.0)
    passed = shop.reconcile()
    assert planned(passed) == [[]]
    assert passed.report.verdict is Verdict.FRESH
    assert shop.container().started == started


def test_new_code_that_ends_its_process_is_a_failure_of_the_restart(shop: World) -> None:
    def crashes(one: Container) -> None:
        if shop.holds("/app/main.py") == "broken\n":
            shop.engine.stop(one, exit_code=1)

    shop.engine.on_start = crashes
    shop.write("app/main.py", "broken\n")
    passed = shop.reconcile()
    assert ended(passed) == [(INJECT, DONE), (RESTART, FAILED)]
    assert "exited with 1 right after it started" in passed.outcomes[1].detail
    assert "not-running" in causes(passed.report)
    shop.write("app/main.py", "right\n")
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert shop.container().running
    assert causes(passed.report) == set()


def test_a_process_that_starts_again_and_again_is_not_up(shop: World) -> None:
    def loops() -> None:
        shop.engine.start(shop.container())
        shop.engine.before("inspect", loops)

    shop.write("app/main.py", "two\n")
    shop.engine.after("restart", loops)
    passed = shop.reconcile_with(lambda: None, before=RESTART)
    assert ended(passed) == [(INJECT, DONE), (RESTART, FAILED)]
    assert "starts again and again" in passed.outcomes[1].detail


def test_what_did_not_help_is_a_failure_as_well(shop: World) -> None:
    """An entrypoint puts its own file back at every start."""
    shop.engine.on_start = lambda _one: shop.change_inside("/app/main.py", "one\n")
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert planned(passed) == [[INJECT, RESTART], []]
    assert any(
        "inject failed once with the same content (it did not help)" in r for r in left(passed)
    )
    assert "content-differs" in causes(passed.report)
    assert planned(shop.reconcile()) == [[]]
    assert shop.engine.counted()["put"] == 1
