"""What an image's history tells of a Dockerfile, and what it cannot tell."""

import pytest

from freshd.mapping.dockerfile.infer import infer
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.build_label import LABEL, identity
from freshd.model.observed.image import BuildRecord, Fetched, HistoryEntry, ImageFacts, Trace
from freshd.model.observed.snapshot import Snapshot
from freshd.observe.image.provenance import BuildHistory, read_history, told_by_history, with_build

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


INPUTS = {"a": "1" * 64, "Dockerfile": "2" * 64}
MAP = ServiceMap("web", (Pair("a", "/a", Via.COPY), Pair("b", "/b", Via.BIND)), ("Dockerfile",))
FACTS = Snapshot(
    "web",
    builds=True,
    mapping=MAP,
    tree={path: Entry(Kind.FILE, digest) for path, digest in {**INPUTS, "b": "3" * 64}.items()},
    args={"MODE": "fast"},
)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (identity(INPUTS, {"MODE": "fast"}), Trace.EQUAL),
        (identity(INPUTS, {"MODE": "slow"}), Trace.DIFFERS),
        (identity({**INPUTS, "a": "4" * 64}, {"MODE": "fast"}), Trace.DIFFERS),
        ("v0:of another freshd", Trace.UNKNOWN),
        ("", Trace.UNKNOWN),
    ],
)
def test_the_identity_that_an_image_carries_stands_for_a_record(
    label: str, expected: Trace
) -> None:
    image = ImageFacts("sha256:1", "chain", labels={LABEL: label})
    told = with_build(FACTS, image, BuildHistory(), record=None, narrow=False)
    assert told.built_from is expected
    assert (told.record is not None) is (expected is Trace.EQUAL)
    if told.record is not None:
        assert told.record.by_freshd
        assert told.record.inputs == INPUTS
    # a part of the map says nothing of the whole, and what freshd remembers comes first
    assert with_build(FACTS, image, BuildHistory(), record=None, narrow=True).record is None
    known = BuildRecord("sha256:1", "web", {"a": "9" * 64})
    assert with_build(FACTS, image, BuildHistory(), record=known, narrow=False).record == known


FETCHES = "FROM base\nRUN apk add x\nCOPY a /a\n"
RUN, COPY = "RUN /bin/sh -c apk add x # buildkit", "COPY a /a # buildkit"


@pytest.mark.parametrize(("line", "doubts"), [("COPY a /a # buildkit", 0), ("COPY a /b", 1)])
def test_a_base_that_is_not_here_is_no_doubt_where_the_image_has_every_line(
    line: str, doubts: int
) -> None:
    inference = infer("FROM far\nCOPY a /a\n", {"a": Kind.FILE})
    assert inference.opaque == (inference.base_unseen,)
    image = ImageFacts("sha256:1", "sha256:c", history=(HistoryEntry("far"), HistoryEntry(line)))
    facts = Snapshot("web", True, ServiceMap("web", opaque=inference.opaque), tree={})
    read = with_build(facts, image, read_history(inference, image), record=None, narrow=False)
    assert len(read.mapping.opaque) == doubts


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["base", RUN, COPY], [Fetched(2, "apk add", 2.0)], id="above the base"),
        pytest.param([RUN, COPY], [Fetched(2, "apk add", 1.0)], id="nothing is known of the base"),
        pytest.param(["base", "RUN other # buildkit", COPY], [], id="another Dockerfile's"),
        pytest.param([COPY], [], id="a builder that merges lines"),
        pytest.param(
            ["base", "/bin/sh -c apk add x", "/bin/sh -c #(nop) COPY file:1 in /a"],
            [Fetched(2, "apk add", 2.0)],
            id="another builder",
        ),
    ],
)
def test_layers_that_a_network_had_a_part_in_have_the_time_of_their_line(
    lines: list[str], expected: list[Fetched]
) -> None:
    history = tuple(HistoryEntry(line, created_at=at) for at, line in enumerate(lines, start=1))
    image = ImageFacts("sha256:1", "chain", history=history)
    inference = infer(FETCHES, {"a": Kind.FILE})
    told = with_build(FACTS, image, read_history(inference, image), record=None, narrow=False)
    assert list(told.fetched) == expected


def test_a_time_that_is_not_known_is_no_age() -> None:
    image = ImageFacts("sha256:1", "chain", history=(HistoryEntry(RUN), HistoryEntry(COPY)))
    inference = infer(FETCHES, {"a": Kind.FILE})
    assert (
        with_build(FACTS, image, read_history(inference, image), record=None, narrow=False).fetched
        == ()
    )
