"""What an image's history tells of a Dockerfile, and what it cannot tell."""

import pytest

from freshd.model import HistoryEntry, ImageFacts, Kind, Trace
from freshd.provenance import told_by_history
from freshd.tree.dockerfile.infer import infer

STAGES = "FROM scratch AS tools\n{run}FROM scratch\nCOPY --from=tools /made /made\nCOPY a /a\n"
BUILT = ("COPY /made /made # buildkit", "COPY a /a # buildkit")


@pytest.mark.parametrize(
    ("run", "history", "expected"),
    [
        ("", BUILT, (Trace.EQUAL, "")),
        (
            "RUN make >/made\n",
            BUILT,
            (Trace.UNKNOWN, "line 2: RUN in stage tools does not show in the image"),
        ),
        (
            "RUN make >/made\n",
            (*BUILT[:1], "COPY b /a # buildkit"),
            (
                Trace.DIFFERS,
                "line 5: the Dockerfile has 'COPY a /a', the image 'COPY b /a'",
            ),
        ),
    ],
    ids=[
        "all of it shows",
        "a RUN of an earlier stage does not",
        "a difference is one all the same",
    ],
)
def test_equal_lines_prove_nothing_of_what_leaves_none(
    run: str, history: tuple[str, ...], expected: tuple[Trace, str]
) -> None:
    inference = infer(STAGES.format(run=run), {"a": Kind.FILE})
    image = ImageFacts("sha256:1", "chain", history=tuple(HistoryEntry(line) for line in history))
    told = told_by_history(inference, image)
    assert (told.trace, told.evidence) == expected
