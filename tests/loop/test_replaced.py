"""Between the decision and the step: another container, another file, another state."""

import os
import shutil

import pytest

from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from tests.loop.world import World, causes, ended, planned

DONE, GONE = StepStatus.DONE, StepStatus.GONE
INJECT, RESTART = Remedy.INJECT, Remedy.RESTART
INJECTED = [(INJECT, DONE), (RESTART, DONE)]


@pytest.fixture
def edited(shop: World) -> World:
    """Something is to be done in the next pass."""
    shop.write("app/main.py", "two\n")
    return shop


@pytest.mark.parametrize("step", [INJECT, RESTART])
def test_a_container_that_was_replaced_is_gone_and_its_successor_is_left_for_the_next_pass(
    edited: World, step: Remedy
) -> None:
    before = edited.container()
    passed = edited.reconcile_with(edited.recreate_by_hand, before=step)
    assert ended(passed)[-1] == (step, GONE)
    after = edited.container()
    started = after.started
    assert after.id != before.id
    assert edited.holds("/app/main.py") == "one\n", "what was decided for another is not done to it"
    assert after.started == started
    passed = edited.reconcile()
    assert ended(passed) == INJECTED
    assert all(outcome.step.container_id == after.id for outcome in passed.outcomes)
    assert edited.holds("/app/main.py") == "two\n"


def test_a_container_that_is_replaced_while_it_is_written_to_is_gone_as_well(edited: World) -> None:
    edited.engine.before("put", edited.recreate_by_hand)
    passed = edited.reconcile()
    assert ended(passed)[0] == (INJECT, GONE)
    assert edited.engine.counted()["put"] == 1
    assert edited.holds("/app/main.py") == "one\n"
    assert ended(edited.reconcile()) == INJECTED


def test_a_container_that_is_removed_between_is_gone_and_nothing_is_owed(edited: World) -> None:
    one = edited.container()
    passed = edited.reconcile_with(lambda: edited.engine.remove(one), before=RESTART)
    assert ended(passed) == [(INJECT, DONE), (RESTART, GONE)]
    assert planned(edited.reconcile()) == [[]]


def test_a_container_that_was_paused_between_is_refused(edited: World) -> None:
    one = edited.container()
    passed = edited.reconcile_with(lambda: setattr(one, "state", "paused"), before=INJECT)
    assert ended(passed) == [(INJECT, StepStatus.REFUSED)]
    assert "shop-web-1 is paused" in passed.outcomes[0].detail
    assert edited.holds("/app/main.py") == "one\n"


def test_a_container_that_stopped_between_is_written_to_and_started(edited: World) -> None:
    one = edited.container()
    passed = edited.reconcile_with(lambda: edited.engine.stop(one, exit_code=1), before=INJECT)
    assert ended(passed) == INJECTED
    assert "the container is exited" in passed.outcomes[0].detail
    assert one.running
    assert edited.holds("/app/main.py") == "two\n"


def test_a_file_that_is_saved_again_between_is_left_to_the_next_pass(edited: World) -> None:
    started = edited.container().started
    passed = edited.reconcile_with(lambda: edited.write("app/main.py", "three\n"), before=INJECT)
    assert ended(passed) == [(INJECT, StepStatus.SKIPPED)]
    assert "its source changed while injecting" in passed.outcomes[0].detail
    assert edited.holds("/app/main.py") == "one\n"
    assert edited.container().started == started, "nothing landed that it could take up"
    assert ended(edited.reconcile()) == INJECTED, "and it is no failure to wait after"
    assert edited.holds("/app/main.py") == "three\n"


def test_of_two_files_the_one_that_is_not_saved_again_lands_and_is_taken_up(edited: World) -> None:
    edited.write("app/page.html", "<b>\n")
    passed = edited.reconcile_with(lambda: edited.write("app/main.py", "three\n"), before=INJECT)
    assert ended(passed) == [(INJECT, StepStatus.SKIPPED), (RESTART, DONE)]
    assert edited.holds("/app/page.html") == "<b>\n"
    assert edited.holds("/app/main.py") == "one\n"


def test_a_file_that_is_deleted_between_is_not_written(edited: World) -> None:
    path = edited.root / "app/main.py"
    passed = edited.reconcile_with(path.unlink, before=INJECT)
    assert ended(passed)[0] == (INJECT, StepStatus.SKIPPED)
    assert edited.holds("/app/main.py") == "one\n"
    passed = edited.reconcile()
    assert "would not start again" in passed.outcomes[0].detail
    assert edited.holds("/app/main.py") == "one\n", "what the container's command names stays"


def test_a_file_that_is_edited_in_the_container_between_is_not_written_over(edited: World) -> None:
    def edit() -> None:
        edited.change_inside("/app/main.py", "by hand\n")

    passed = edited.reconcile_with(edit, before=INJECT)
    assert ended(passed)[0] == (INJECT, StepStatus.SKIPPED)
    assert "it changed in the container while injecting" in passed.outcomes[0].detail
    assert edited.holds("/app/main.py") == "by hand\n"
    assert "changed-in-container" in causes(passed.report)


def test_a_file_that_is_edited_in_the_container_between_is_not_deleted(shop: World) -> None:
    (shop.root / "app/page.html").unlink()

    def edit() -> None:
        shop.change_inside("/app/page.html", "by hand\n")

    passed = shop.reconcile_with(edit, before=INJECT)
    assert ended(passed)[0] == (INJECT, StepStatus.REFUSED)
    assert shop.holds("/app/page.html") == "by hand\n"


def test_a_file_that_is_just_being_written_is_looked_at_twice(shop: World) -> None:
    """Half a file in the first look, all of it in the second: nothing is to be done."""
    shop.write("app/main.py", "on")
    shop.engine.after("logs", lambda: shop.write("app/main.py", "one\n"))
    passed = shop.reconcile()
    assert planned(passed) == [[]]
    assert causes(passed.report) == set()


def test_a_directory_planted_where_a_file_goes_is_not_replaced(edited: World) -> None:
    def plant() -> None:
        view = edited.container().view
        view.remove("/app/main.py")
        view.write("/app/main.py/inner", view.own["/app/page.html"])

    passed = edited.reconcile_with(plant, before=INJECT)
    assert ended(passed)[0][0] is INJECT
    assert ended(passed)[0][1] is not DONE
    assert edited.holds("/app/main.py/inner") == "<p>\n"


def test_a_link_planted_on_the_way_is_not_followed(edited: World) -> None:
    def plant() -> None:
        edited.link_inside("/app", "/etc")

    passed = edited.reconcile_with(plant, before=INJECT)
    assert ended(passed)[0] == (INJECT, StepStatus.REFUSED)
    assert "/app is a symbolic link that the image does not have" in passed.outcomes[0].detail
    assert edited.holds("/etc/main.py") is None


def test_a_bind_whose_source_went_away_between_keeps_the_restart_back(world: World) -> None:
    assets = world.root.parent / "assets"
    assets.mkdir()
    bind = {"type": "bind", "source": str(assets), "target": "/assets"}
    shop = world.shop(volumes=[bind])
    started = shop.container().started
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile_with(lambda: shutil.rmtree(assets), before=RESTART)
    assert ended(passed)[-1] == (RESTART, StepStatus.REFUSED)
    assert shop.container().started == started
    assert not os.path.lexists(assets), "the engine would have made an empty directory of it"
