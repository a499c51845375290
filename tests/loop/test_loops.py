"""What goes round in circles is stopped, once, and every action has a budget; edits are no loop."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from freshd.decide.brakes.loops import PAUSE
from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Verdict
from freshd.store.journal import JournalEntry
from tests.loop.world import INJECT, World, ended, left, planned

INJECTED = [(Remedy.INJECT, StepStatus.DONE), (Remedy.RESTART, StepStatus.DONE)]
BUDGET = INJECT + "[limits]\nrestarts = 3\n"


def bind(source: Path, target: str) -> dict[str, str]:
    return {"type": "bind", "source": str(source), "target": target}


@pytest.fixture
def written(world: World) -> World:
    """What is copied into ``web`` another service can write: ``app/rows`` is its data."""
    world.service("db", image="base:1", volumes=[bind(world.root / "app", "/data")])
    world.write("app/rows", "0\n")
    return world.shop()


def _history(world: World) -> Sequence[JournalEntry]:
    newest_first = world.freshd.store.journal.history("shop", "web", limit=1000)
    return tuple(reversed(newest_first))


def _look(world: World) -> list[tuple[Remedy, StepStatus]]:
    """One pass of the daemon's worker, and what it did."""
    before = len(_history(world))
    world.freshd.worker.mark("web")
    world.freshd.worker.run()
    done = _history(world)[before:]
    return [(entry.step.remedy, StepStatus(entry.status)) for entry in done]


def _turns(world: World, count: int, first: int = 0) -> int:
    """How often something was done while a program wrote ``count`` times."""
    done = 0
    for number in range(first, first + count):
        world.write("app/rows", f"{number} more\n")
        done += bool(_look(world))
        world.engine.wait(1.0)
    return done


def test_data_that_is_written_without_end_is_stopped_once_with_one_notice(written: World) -> None:
    assert _turns(written, 20) == 3
    (notice,) = written.freshd.notices
    assert "stopped" in notice.title
    assert "app/rows" in notice.body
    assert "`freshd resume`" in notice.body
    assert written.freshd.verdict("web") is Verdict.STALE


def test_a_loop_stays_stopped_when_freshd_is_started_again(written: World) -> None:
    assert _turns(written, 10) == 3
    written.freshd.restart()
    assert _turns(written, 10, first=10) == 0
    assert len(written.freshd.notices) == 1


def test_a_person_lifts_it_or_edits_something_else(written: World) -> None:
    assert _turns(written, 10) == 3
    written.write("app/main.py", "two\n")
    assert _look(written) == INJECTED
    assert written.inside() == written.tree()
    assert _turns(written, 10, first=10) == 2
    written.freshd.store.halts.resume("shop")
    assert _look(written) == INJECTED
    assert written.inside() == written.tree()


@pytest.mark.parametrize("path", ["app/main.py", "app/page.html"])
def test_thirty_quick_saves_are_thirty_restarts(written: World, path: str) -> None:
    """Of what another service could write as well: nothing changes while nothing is done."""
    for number in range(30):
        written.write(path, f"edit {number}\n")
        if not _look(written):
            written.engine.wait(PAUSE + 0.5)
            assert _look(written) == INJECTED
        assert written.inside() == written.tree()
    assert written.freshd.notices == []


def test_an_entrypoint_that_rewrites_what_was_brought_is_a_loop(shop: World) -> None:
    """The tree stays as it is; a rule says that what the container wrote goes."""
    shop.policy(
        '[[rule]]\nwhen = ["content-differs", "changed-in-container"]\ndo = ["inject", "restart"]\n'
    )
    starts = iter(range(1000))

    def rewrite(_container: object) -> None:
        shop.change_inside("/app/page.html", f"start {next(starts)}\n")

    shop.engine.on_start = rewrite
    shop.write("app/page.html", "<b>\n")
    turns = 0
    for _ in range(10):
        turns += len(_look(shop)) // 2
        shop.engine.wait(1.0)
    assert turns == 3
    assert [notice.title for notice in shop.freshd.notices] == [
        "shop: web runs old code",
        "shop: freshd has stopped repairing web",
    ]


def test_restarts_have_a_budget_and_it_is_told_once(shop: World) -> None:
    shop.policy(BUDGET)
    for number in range(3):
        shop.write("app/main.py", f"edit {number}\n")
        assert _look(shop) == INJECTED
    for number in range(3, 6):
        shop.write("app/main.py", f"edit {number}\n")
        assert _look(shop) == []
    assert shop.holds("/app/main.py") == "edit 2\n", "half a remedy is none"
    (notice,) = shop.freshd.notices
    assert "3 restarts within 10 minutes: the next not before" in notice.body
    assert "`freshd restart web`" in notice.body
    shop.engine.wait(601.0)
    assert _look(shop) == INJECTED
    assert shop.holds("/app/main.py") == "edit 5\n"


def test_a_budget_outlives_a_restart_of_freshd(shop: World) -> None:
    shop.policy(BUDGET)
    for number in range(3):
        shop.write("app/main.py", f"edit {number}\n")
        assert ended(shop.reconcile()) == INJECTED
    shop.freshd.restart()
    shop.write("app/main.py", "edit 3\n")
    passed = shop.reconcile()
    assert planned(passed) == [[]]
    assert any("3 restarts" in reason for reason in left(passed))


def test_what_a_person_types_is_not_counted(shop: World) -> None:
    shop.policy(BUDGET)
    journal, now = shop.freshd.store.journal, shop.engine.now()
    step = Step(Remedy.RESTART, "web", (), container_id=shop.container().id)
    for _ in range(5):
        number = journal.begin("shop", "web", step=step, plan_text="", at=now, asked=True)
        journal.finish(number, Outcome(step, StepStatus.DONE), at=now)
    shop.write("app/main.py", "two\n")
    assert _look(shop) == INJECTED
