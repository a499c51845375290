"""Several containers of a service: each gets what it lacks, and one's trouble is not another's."""

import pytest

from freshd.model.plan import Outcome, StepStatus
from freshd.model.remedy import Remedy
from freshd.reconcile.reconcile import Passed
from tests.loop.fake.engine import Refused
from tests.loop.world import World, causes, planned

DONE, FAILED = StepStatus.DONE, StepStatus.FAILED
INJECT, RESTART = Remedy.INJECT, Remedy.RESTART


@pytest.fixture
def three(world: World) -> World:
    return world.shop(scale=3)


def who(passed: Passed) -> list[tuple[Remedy, str | None, StepStatus]]:
    def told(outcome: Outcome) -> tuple[Remedy, str | None, StepStatus]:
        return outcome.step.remedy, outcome.step.container, outcome.status

    return [told(outcome) for outcome in passed.outcomes]


def refused() -> None:
    raise Refused(500, "no space left on device")


def texts(world: World) -> list[str | None]:
    return [world.holds("/app/main.py", number) for number in (1, 2, 3)]


def test_every_replica_is_written_before_the_first_is_restarted(three: World) -> None:
    three.write("app/main.py", "two\n")
    passed = three.reconcile()
    names = [f"shop-web-{number}" for number in (1, 2, 3)]
    assert who(passed) == [
        *((INJECT, name, DONE) for name in names),
        *((RESTART, name, DONE) for name in names),
    ]
    assert texts(three) == ["two\n"] * 3
    assert causes(passed.report) == set()
    assert [replica.equal for replica in passed.report.containers] == [2, 2, 2]


def test_only_the_one_that_differs_is_touched(three: World) -> None:
    three.write("app/main.py", "two\n")
    three.reconcile()
    second, others = three.container(2), [three.container(1), three.container(3)]
    started = [one.started for one in others]
    three.engine.remove(second)
    three.recreate_by_hand(force=False)
    assert texts(three) == ["two\n", "one\n", "two\n"]
    passed = three.reconcile()
    assert who(passed) == [(INJECT, "shop-web-2", DONE), (RESTART, "shop-web-2", DONE)]
    assert texts(three) == ["two\n"] * 3
    assert [one.started for one in others] == started


def test_what_fails_in_one_is_done_in_the_others(three: World) -> None:
    started = three.container(2).started
    three.write("app/main.py", "two\n")
    three.engine.before("put", refused, nth=2)
    passed = three.reconcile()
    assert who(passed) == [
        (INJECT, "shop-web-1", DONE),
        (INJECT, "shop-web-2", FAILED),
        (INJECT, "shop-web-3", DONE),
        (RESTART, "shop-web-1", DONE),
        (RESTART, "shop-web-3", DONE),
    ]
    assert texts(three) == ["two\n", "one\n", "two\n"]
    assert three.container(2).started == started, "it has nothing new to take up"
    assert "content-differs" in causes(passed.report)
    three.engine.wait(3.0)
    assert who(three.reconcile()) == [(INJECT, "shop-web-2", DONE), (RESTART, "shop-web-2", DONE)]
    assert texts(three) == ["two\n"] * 3


def test_what_was_changed_by_hand_in_one_stays_there_and_the_others_are_written(
    three: World,
) -> None:
    three.change_inside("/app/main.py", "by hand\n", 2)
    three.write("app/main.py", "two\n")
    passed = three.reconcile()
    assert texts(three) == ["two\n", "by hand\n", "two\n"]
    assert "changed-in-container" in causes(passed.report)


def test_one_that_is_down_is_written_too_and_started(three: World) -> None:
    three.engine.stop(three.container(3), exit_code=1)
    three.write("app/main.py", "two\n")
    passed = three.reconcile()
    assert all(status is DONE for _, _, status in who(passed))
    assert texts(three) == ["two\n"] * 3
    assert three.container(3).running


def test_one_that_is_replaced_between_two_steps_does_not_hold_up_the_others(three: World) -> None:
    def replace() -> None:
        three.engine.remove(three.container(2))
        three.recreate_by_hand(force=False)

    three.write("app/main.py", "two\n")
    passed = three.reconcile_with(replace, before=INJECT)
    assert (INJECT, "shop-web-2", StepStatus.GONE) in who(passed)
    assert texts(three) == ["two\n", "one\n", "two\n"]
    assert who(three.reconcile()) == [(INJECT, "shop-web-2", DONE), (RESTART, "shop-web-2", DONE)]


def test_another_replica_that_came_meanwhile_is_seen_in_the_next_pass(three: World) -> None:
    three.write("app/main.py", "two\n")
    three.reconcile()
    three.recreate_by_hand(count=4, force=False)
    passed = three.reconcile()
    assert who(passed) == [(INJECT, "shop-web-4", DONE), (RESTART, "shop-web-4", DONE)]
    assert planned(three.reconcile()) == [[]]
