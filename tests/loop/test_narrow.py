"""A pass over a few paths: as right as a whole one about these, and silent about the others."""

import pytest

from freshd.model.errors import TargetGone
from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from tests.loop.world import World, causes, ended, planned

INJECTED = [(Remedy.INJECT, StepStatus.DONE), (Remedy.RESTART, StepStatus.DONE)]


@pytest.fixture
def known(shop: World) -> World:
    """A whole pass was made, as at every start."""
    shop.reconcile()
    shop.engine.calls.clear()
    return shop


def test_only_what_was_named_is_looked_at_and_the_rest_waits_for_a_whole_pass(
    known: World,
) -> None:
    known.write("app/main.py", "two\n")
    known.write("app/page.html", "<b>\n")
    assert ended(known.reconcile(paths=["app/main.py"])) == INJECTED
    assert known.holds("/app/main.py") == "two\n"
    assert known.holds("/app/page.html") == "<p>\n"
    assert ended(known.reconcile()) == INJECTED
    assert known.holds("/app/page.html") == "<b>\n"


def test_a_file_that_only_was_touched_costs_next_to_nothing(known: World) -> None:
    known.write("app/main.py", "one\n")
    passed = known.reconcile(paths=["app/main.py"])
    assert planned(passed) == [[]]
    asked = known.engine.counted()
    assert not asked.keys() & {"list", "exec", "get", "head", "diff", "logs", "image"}
    assert sum(asked.values()) <= 4, asked


def test_a_path_that_lands_nowhere_is_nobodys_business(known: World) -> None:
    known.write("README", "of no container\n")
    passed = known.reconcile(paths=["README"])
    assert planned(passed) == [[]]
    assert causes(passed.report) == set()


def test_a_directory_that_went_takes_its_files_along(known: World) -> None:
    known.write("app/more/a.html", "a\n")
    known.write("app/more/b.html", "b\n")
    known.reconcile(paths=["app/more/a.html", "app/more/b.html"])
    assert known.inside() == known.tree()
    (known.root / "app/more/a.html").unlink()
    (known.root / "app/more/b.html").unlink()
    (known.root / "app/more").rmdir()
    passed = known.reconcile(paths=["app/more"])
    assert ended(passed) == INJECTED
    assert known.inside() == known.tree()


def test_a_container_that_was_replaced_meanwhile_ends_a_narrow_pass(known: World) -> None:
    known.recreate_by_hand()
    known.write("app/main.py", "two\n")
    with pytest.raises(TargetGone):
        known.freshd.reconcile("web", paths=["app/main.py"])
    assert known.holds("/app/main.py") == "one\n"
    assert ended(known.reconcile()) == INJECTED


def test_what_a_narrow_pass_does_not_know_yet_is_looked_at_whole(shop: World) -> None:
    """No pass was made before it."""
    shop.write("app/main.py", "two\n")
    assert ended(shop.reconcile(paths=["app/main.py"])) == INJECTED


def test_a_change_of_the_dockerfile_is_seen_by_a_narrow_pass(known: World) -> None:
    known.write("Dockerfile", "FROM base:1\nWORKDIR /app\nCOPY app /app\nENV A=1\n")
    passed = known.reconcile(paths=["Dockerfile"])
    assert causes(passed.report) == {"build-input-changed"}
