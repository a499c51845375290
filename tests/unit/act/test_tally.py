"""What becomes of many files adds up to one honest status."""

import pytest

from freshd.act.tally import Tally
from freshd.model.plan import Step, StepStatus
from freshd.model.remedy import Remedy

STEP = Step(Remedy.INJECT, "web", ("content-differs",))


@pytest.mark.parametrize(
    ("written", "refused", "failed", "skipped", "status"),
    [
        (3, 0, 0, 0, StepStatus.DONE),
        (0, 0, 0, 0, StepStatus.DONE),
        (2, 0, 0, 1, StepStatus.SKIPPED),
        (0, 1, 0, 0, StepStatus.REFUSED),
        (0, 1, 0, 1, StepStatus.REFUSED),
        (2, 1, 0, 0, StepStatus.FAILED),
        (2, 0, 1, 0, StepStatus.FAILED),
        (0, 1, 1, 1, StepStatus.FAILED),
    ],
)
def test_status(written: int, refused: int, failed: int, skipped: int, status: StepStatus) -> None:
    tally = Tally(written=written)
    for n in range(refused):
        tally.refuse(f"/r{n}", "no")
    for n in range(failed):
        tally.fail(f"/f{n}", "no")
    for n in range(skipped):
        tally.skip(f"/s{n}", "no")
    assert tally.outcome(STEP).status is status


def test_the_detail_counts_names_a_few_and_is_one_line() -> None:
    tally = Tally(written=1)
    tally.note("in place")
    tally.note("in place")
    for n in range(5):
        tally.fail(f"/f\n{n}", "no")
    detail = tally.outcome(STEP).detail
    assert detail == (
        "1 file written and read back; in place; "
        "/f\\x0a0: no; /f\\x0a1: no; /f\\x0a2: no; and 2 more"
    )


def test_deletes_alone_do_not_speak_of_writes() -> None:
    assert Tally(deleted=2).outcome(STEP).detail == "2 files deleted"
