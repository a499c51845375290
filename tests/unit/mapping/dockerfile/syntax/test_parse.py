"""A Dockerfile's text into instructions."""

import pytest

from freshd.mapping.dockerfile.syntax.parse import Heredoc, heredoc_mark, name_values, parse
from freshd.model.errors import ConfigError


def names(text: str) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(one.name, one.line, one.words) for one in parse(text).instructions]


def test_comments_and_empty_lines_are_skipped_and_lines_counted() -> None:
    text = "\n# hello\nFROM x\n\n  # more\n  copy a b\n"
    assert names(text) == [("FROM", 3, ("x",)), ("COPY", 6, ("a", "b"))]


def test_a_line_goes_on_past_comments_and_empty_lines() -> None:
    text = "FROM x\nCOPY a \\\n  # why\n\n  b \\  \n  /c\nRUN d\n"
    assert names(text)[1:] == [("COPY", 2, ("a", "b", "/c")), ("RUN", 7, ("d",))]


def test_a_doubled_escape_at_the_end_does_not_go_on() -> None:
    assert len(parse("FROM x\nRUN a\\\\\nRUN b\n").instructions) == 3


def test_the_escape_directive_counts_only_at_the_top() -> None:
    assert names("# syntax=docker/dockerfile:1\n# escape=`\nFROM x\nCOPY a `\n /b\n")[1] == (
        "COPY", 4, ("a", "/b"),
    )  # fmt: skip
    assert parse("# a comment\n# escape=`\nFROM x\n").escape == "\\"


def test_json_form_and_what_only_looks_like_it() -> None:
    first, second, third = parse('FROM x\nCOPY ["a b", "/c"]\nCOPY [ab] /c\n').instructions
    assert second.array == ("a b", "/c")
    assert third.array is None
    assert third.words == ("[ab]", "/c")
    assert first.array is None


def test_flags_stand_before_the_words_and_keep_their_quoted_blanks() -> None:
    one = parse('FROM x\nCOPY --from=b --chown="a b" --link a --x /c\n').instructions[1]
    assert one.flags == ("--from=b", "--chown=a b", "--link")
    assert one.flag("link") == "true"
    assert one.flag("chmod") is None
    assert one.words == ("a", "--x", "/c")


def test_a_flag_given_twice_keeps_both() -> None:
    one = parse("FROM x\nCOPY --exclude=a --exclude=b . /c\n").instructions[1]
    assert one.all_flags("exclude") == ("a", "b")


def test_heredocs_are_taken_off_the_following_lines() -> None:
    text = "FROM x\nCOPY <<A <<-'B' /d/\none\nA\n\ttwo\n\tB\nRUN x\n"
    copy, run = parse(text).instructions[1:]
    assert copy.heredocs == (Heredoc("A", "one\n"), Heredoc("B", "\ttwo\n", chomp=True))
    assert run.line == 7


@pytest.mark.parametrize(
    ("word", "name"),
    [("<<EOF", "EOF"), ("3<<EOF", "EOF"), ('<<"E F"', "E F"), ("<", None), ("a<<b", None)],
)
def test_what_is_a_heredoc_mark(word: str, name: str | None) -> None:
    mark = heredoc_mark(word)
    assert (mark.name if mark else None) == name


def test_a_quoted_or_broken_heredoc_mark_is_text() -> None:
    text = "FROM x\nRUN echo '<<EOF'\nRUN echo it's <<EOF\nRUN y\n"
    assert [one.heredocs for one in parse(text).instructions] == [()] * 4


@pytest.mark.parametrize(
    ("args", "pairs"),
    [
        ('A=1 B="two words" C=a\\ b', [("A", "1"), ("B", '"two words"'), ("C", "a\\ b")]),
        ("OLD some value", [("OLD", "some value")]),
        ("A= B=x=y", [("A", ""), ("B", "x=y")]),
    ],
)
def test_names_and_values_of_env(args: str, pairs: list[tuple[str, str]]) -> None:
    assert name_values(parse(f"FROM x\nENV {args}\n").instructions[1], "\\") == pairs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no instructions"),
        ("# only\n", "no instructions"),
        ("FROM x\nCOPPY a b\n", ":2: unknown instruction 'COPPY'"),
        ("FROM x\n\nCOPY\n", ":3: COPY has no argument"),
        ("FROM x\nRUN <<EOF\nx\n", ":2: the heredoc"),
        ("# escape=x\nFROM x\n", ":1: escape"),
        ("FROM x\nCOPY [1, 2]\n", ":2: a JSON array"),
    ],
)
def test_a_mistake_names_the_file_and_the_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, name="web.Dockerfile")
    assert message in caught.value.message
    assert caught.value.message.startswith("web.Dockerfile")
    assert caught.value.hint
