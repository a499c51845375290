"""The small words: names, counts, ages and times."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.render.words import ago, columns, count, iso, lasted, listed, plain, shown


@given(st.text())
def test_a_shown_name_never_moves_the_cursor(name: str) -> None:
    assert shown(name).isprintable()


@given(st.text(), st.text())
def test_two_names_never_look_alike(one: str, other: str) -> None:
    assert (shown(one) == shown(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a\udce9", r"a\xe9"), ("a\udce9", r'"a\xe9"'), ("a ", '"a "'), ("a\n", r"a\x0a")],
)
def test_a_name_that_looks_escaped_is_told_from_one_that_is(one: str, other: str) -> None:
    assert shown(one) != shown(other)


@pytest.mark.parametrize(
    ("name", "seen"), [("a.py", "a.py"), ("", '""'), ("a b", "a b"), ("a ", '"a "')]
)
def test_a_plain_name_is_shown_as_it_is(name: str, seen: str) -> None:
    assert shown(name) == seen


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "just now"), (0.5, "just now"), (12.9, "12 s ago"), (90, "1 min ago"), (7300, "2 h ago")],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, words: str) -> None:
    assert ago(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0421, "42 ms"), (2.54, "2.5 s"), (61.0, "1 min 1 s")]
)
def test_a_duration_is_told_as_fine_as_it_matters(seconds: float, words: str) -> None:
    assert lasted(seconds) == words


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [(1, "file", "1 file"), (2000, "file", "2,000 files"), (0, "entry", "0 entries")],
)
def test_counts_agree_with_their_noun(number: int, noun: str, words: str) -> None:
    assert count(number, noun) == words


def test_long_lists_are_cut_and_say_how_many_are_left() -> None:
    assert listed("abcdef") == "a, b, c, d and 2 more"


@given(st.integers(min_value=0, max_value=4_000_000_000))
def test_a_time_comes_back_from_its_text(moment: int) -> None:
    assert datetime.fromisoformat(iso(moment)).timestamp() == moment


def test_columns_stand_under_each_other() -> None:
    rows = columns([(("a", ""), ("1", "")), (("long", ""), ("22", ""))], gap=" ")
    assert [plain(row) for row in rows] == ["a    1", "long 22"]
