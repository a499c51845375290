"""What parts tree and container is found, put right, and proved."""

from freshd.model import Remedy, StepStatus, Verdict
from tests.loop.world import World, causes, ended, planned

DONE = StepStatus.DONE


def test_an_untouched_stack_is_fresh_and_nothing_is_done(shop: World) -> None:
    before = shop.container()
    passed = shop.reconcile()
    assert passed.report.verdict is Verdict.FRESH, passed.report.findings
    assert planned(passed) == [[]]
    assert shop.container() is before
    assert shop.history() == ()


def test_an_edited_file_is_injected_and_the_process_restarted(shop: World) -> None:
    started = shop.container().started
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert ended(passed) == [(Remedy.INJECT, DONE), (Remedy.RESTART, DONE)], passed
    assert causes(passed.report) == set(), passed.report.findings
    assert passed.report.patched
    assert shop.holds("/app/main.py") == "two\n"
    assert shop.container().started > started
