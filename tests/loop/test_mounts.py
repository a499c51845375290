"""Files that a mount brings: a bind is the host's and never written, a volume only if allowed."""

from functools import partial
from pathlib import Path

import pytest

from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Level, Verdict
from freshd.observe.identity import read_kernel
from tests.loop.world import HOUR, INJECT, World, causes, ended, left, planned

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


@pytest.fixture
def logging(world: World) -> World:
    """Beside the code a directory is mounted that the service writes to; each look finds more."""
    world.write("logs/app.log", "0\n", age=HOUR)
    return world


def _write_at_every_read(world: World, path: str, times: int = 40) -> None:
    for number in range(1, times):
        world.engine.before("exec", partial(world.write, path, f"{number}\n"), nth=number)


def test_the_very_file_of_the_tree_is_not_read_however_it_is_written(logging: World) -> None:
    """Device and inode are the same, to the same kernel: other bytes were read at another time."""
    logging.engine.kernel = read_kernel()
    logging.shop(volumes=[bind(logging.root / "logs", "/logs")])
    logging.policy(INJECT + RESTART)
    logging.container().view.behind["/logs/app.log"] = b"of another moment\n"
    _write_at_every_read(logging, "logs/app.log")
    for _ in range(3):
        passed = logging.reconcile()
        assert passed.report.verdict is Verdict.FRESH
        assert passed.report.findings == ()
        assert planned(passed) == [[]]
    assert logging.freshd.store.tree_hashes.get_many(str(logging.root), ["logs/app.log"]) == {}


def test_behind_a_virtual_machine_a_file_that_is_written_is_never_stale(logging: World) -> None:
    logging.shop(volumes=[bind(logging.root / "logs", "/logs")])
    logging.policy(INJECT + RESTART)
    logging.container().view.behind["/logs/app.log"] = b"behind\n"
    _write_at_every_read(logging, "logs/app.log")
    passed = logging.reconcile()
    assert [f.cause for f in passed.report.findings] == ["unsettled"]
    assert passed.report.verdict is Verdict.FRESH
    assert planned(passed) == [[]]


def test_of_code_that_is_being_written_there_nothing_is_known(world: World) -> None:
    world.shop(volumes=[bind(world.root / "app", "/app")])
    world.container().view.behind["/app/main.py"] = b"behind\n"
    _write_at_every_read(world, "app/main.py")
    passed = world.reconcile()
    levels = {finding.cause: finding.level for finding in passed.report.findings}
    assert levels["unsettled"] is Level.UNVERIFIABLE
    assert "content-differs" not in levels


def test_what_is_written_no_more_and_still_differs_is_found(world: World) -> None:
    world.shop(volumes=[bind(world.root / "app", "/app")])
    world.container().view.behind["/app/main.py"] = b"behind\n"
    assert causes(world.reconcile().report) == {"bind-serves-old-bytes"}


def test_one_inode_of_two_kernels_is_two_files(world: World) -> None:
    world.engine.kernel = "00000000-0000-4000-8000-000000000000"
    world.shop(volumes=[bind(world.root / "app", "/app")])
    world.container().view.behind["/app/main.py"] = b"behind\n"
    assert causes(world.reconcile().report) == {"bind-serves-old-bytes"}
