"""Pairs that an image speaks against: what an edit explains is not among them."""

import pytest

from freshd.mapping.dockerfile.contradicted import find_contradicted, find_overwritten
from freshd.mapping.dockerfile.infer import CopyPair, infer
from freshd.model.files import Entry, Kind
from freshd.model.observed.image import HistoryEntry

FILE = Entry(Kind.FILE, "1" * 64)
DIRECTORY = Entry(Kind.DIR)
ONE, TREE = "COPY a /data # buildkit", "COPY . . # buildkit"
NAMED = CopyPair("a", "/data", line=3, record=ONE, named=True)
PAIRS = tuple(CopyPair(name, f"/{name}", line=4, record=TREE, guessed=True) for name in "xy")
RAN = (HistoryEntry(ONE), HistoryEntry(TREE))


def test_a_named_file_that_is_not_there_went_elsewhere() -> None:
    why = (
        "line 3: 'COPY a /data' did not go where it was expected: the image has no file /data"
    )  # fmt: skip
    assert find_contradicted([NAMED], {}, RAN) == {"/data": why}
    assert find_contradicted([NAMED], {"/data": DIRECTORY}, RAN) == {"/data": why}


@pytest.mark.parametrize(
    "entry", [FILE, Entry(Kind.LINK, "2" * 64), Entry(Kind.UNREADABLE, reason="the engine's own")]
)
def test_other_content_is_an_edit_and_no_contradiction(entry: Entry) -> None:
    assert find_contradicted([NAMED], {"/data": entry}, RAN) == {}


def test_an_image_of_another_dockerfile_says_nothing() -> None:
    assert find_contradicted([NAMED], {}, RAN[1:]) == {}


def test_files_of_a_directory_may_be_new_but_not_all_of_a_guess() -> None:
    assert find_contradicted(PAIRS, {"/x": FILE}, RAN) == {}
    assert find_contradicted(PAIRS, {}, RAN).keys() == {"/x", "/y"}
    sure = [CopyPair(pair.source, pair.target, line=4, record=TREE) for pair in PAIRS]
    assert find_contradicted(sure, {}, RAN) == {}


@pytest.mark.parametrize(
    ("writer", "refuted"),
    [
        ("COPY b /data # buildkit", True),
        ("ADD b /data # buildkit", True),
        (ONE, False),
        ("RUN /bin/sh -c x # buildkit", False),
        ("/bin/sh -c #(nop) COPY file:1 in /data ", False),
        ("", False),
    ],
)
def test_a_place_that_another_copy_wrote_last(writer: str, *, refuted: bool) -> None:
    assert bool(find_overwritten([NAMED], {"/data": writer}, RAN)) is refuted
    assert find_overwritten([NAMED], {"/data": writer}, RAN[1:]) == {}


def test_only_a_copy_of_the_file_itself_names_it_and_an_unknown_base_makes_a_guess() -> None:
    files = {"a": Kind.FILE, "src/b": Kind.FILE}
    text = "FROM unknown\nCOPY a src src/b /d/\nCOPY * /e/\n"
    pairs = {pair.target: pair for pair in infer(text, files).pairs}
    assert [target for target, pair in pairs.items() if pair.named] == ["/d/a", "/d/b"]
    assert all(pair.guessed for pair in pairs.values())
    sure = infer(text.replace("unknown", "scratch"), files).pairs
    assert not any(pair.guessed for pair in sure)


def test_an_earlier_copy_of_the_same_file_may_be_what_wrote_it() -> None:
    """containerd's image store leaves out of a layer what the layers below it have."""
    text = "FROM b\nCOPY lock /app/\nRUN x\nCOPY . /app/\nCOPY other/lock /app/lock2\nCOPY . /app\n"
    files = {"lock": Kind.FILE, "other": Kind.DIR, "other/lock": Kind.FILE, "lock2": Kind.FILE}
    pairs = {pair.target: pair for pair in infer(text, files).pairs}
    lines = ["COPY lock /app/ # buildkit", "COPY . /app/ # buildkit", "COPY . /app # buildkit"]
    first, second, last = lines
    assert (pairs["/app/lock"].before, pairs["/app/lock"].record) == ((first, second), last)
    assert pairs["/app/lock2"].before == (), "another file lay there in between"
    ran = tuple(HistoryEntry(line) for line in lines)
    for line in lines:
        assert find_overwritten([pairs["/app/lock"]], {"/app/lock": line}, ran) == {}
    assert find_overwritten([pairs["/app/lock2"]], {"/app/lock2": first}, ran).keys() == {
        "/app/lock2"
    }
