"""Files that a mount brings: a bind is the host's and never written, a volume only if allowed."""

from pathlib import Path

import pytest

from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Verdict
from tests.loop.world import INJECT, World, causes, ended, left, planned

DONE = StepStatus.DONE
RESTART = '[[rule]]\nwhen = ["process-older-than-code"]\ndo = ["restart"]\n'


def bind(source: Path, target: str) -> dict[str, str]:
    return {"type": "bind", "source": str(source), "target": target}


@pytest.fixture
def bound(world: World) -> World:
    """The tree is bind-mounted over what was copied."""
    return world.shop(volumes=[bind(world.root / "app", "/app")])


def test_an_edit_of_a_mounted_file_is_there_and_restarts_the_process(bound: World) -> None:
    bound.policy(INJECT + RESTART)
    bound.reconcile()
    started = bound.container().started
    bound.write("app/main.py", "two\n")
    passed = bound.reconcile()
    assert ended(passed) == [(Remedy.RESTART, DONE)]
    assert passed.plans[0].steps[0].causes == ("process-older-than-code",)
    assert bound.container().started > started
    assert causes(passed.report) == set()
    assert bound.engine.counted()["put"] == 0


def test_nothing_is_ever_written_below_a_bind(bound: World) -> None:
    """Not even where the rule says so and the container shows other bytes."""
    bound.reconcile()
    bound.container().view.behind["/app/main.py"] = b"one\n"
    bound.write("app/main.py", "two\n")
    bound.policy('[[rule]]\nwhen = ["*", "changed-in-container"]\ndo = ["inject"]\n')
    passed = bound.reconcile()
    assert causes(passed.report)
    assert planned(passed) == [[]]
    assert "it is bind-mounted: the mount is never written" in left(passed)
    assert (bound.root / "app/main.py").read_text() == "two\n"
    assert bound.engine.counted()["put"] == 0


def test_a_new_file_of_a_mounted_directory_needs_nothing(bound: World) -> None:
    bound.write("app/new.html", "<i>\n")
    passed = bound.reconcile()
    assert planned(passed) == [[]]
    assert bound.holds("/app/new.html") == "<i>\n"
    assert passed.report.verdict is Verdict.FRESH


@pytest.fixture
def kept(world: World) -> World:
    """A volume that was filled from the image lies over what was copied."""
    return world.shop(volumes=[{"type": "volume", "source": "code", "target": "/app"}])


def test_a_volume_is_not_written_without_a_word_of_the_policy(kept: World) -> None:
    kept.write("app/main.py", "two\n")
    passed = kept.reconcile()
    assert planned(passed) == [[]]
    assert any("`volumes = true` permits writing there" in reason for reason in left(passed))
    assert kept.holds("/app/main.py") == "one\n"


def test_a_volume_is_written_where_the_policy_permits_it(kept: World) -> None:
    kept.policy("[service.web]\nvolumes = true\n" + INJECT)
    kept.write("app/main.py", "two\n")
    passed = kept.reconcile()
    assert ended(passed) == [(Remedy.INJECT, DONE), (Remedy.RESTART, DONE)]
    assert kept.holds("/app/main.py") == "two\n"
    assert kept.left_over() == []
    kept.recreate_by_hand()
    assert kept.holds("/app/main.py") == "two\n", "a volume outlives its container"
    assert planned(kept.reconcile()) == [[]]


def test_an_image_that_was_built_anew_under_an_old_volume_is_told_and_left(kept: World) -> None:
    kept.write("app/main.py", "two\n")
    kept.freshd.build_by_hand("web")
    kept.recreate_by_hand()
    passed = kept.reconcile()
    assert "volume-shadows-image" in causes(passed.report)
    assert planned(passed) == [[]]
    assert kept.holds("/app/main.py") == "one\n"
