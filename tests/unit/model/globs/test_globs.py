"""Two ways to match the same nodes, and both against the slow and obvious one."""

import os
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.mapping.dockerfile.replay.volume import go_match
from freshd.model.globs.automaton import Automaton
from freshd.model.globs.git import GitRules, as_bytes, read_line
from freshd.model.globs.go import read_expression
from freshd.model.globs.linear import linear_source
from freshd.model.globs.matcher import LONGEST, compile_nodes, either
from freshd.model.globs.nodes import DIRECTORIES, REST, SLASH, STAR, Chars, Node, Row, literal
from freshd.model.globs.shell import ShellPattern

A_TO_B = Chars((("a", "b"),))
NOT_A = Chars((("a", "a"), ("/", "/")), negated=True)
NODES = st.sampled_from([*map(literal, "ab/"), SLASH, A_TO_B, NOT_A, STAR, STAR, DIRECTORIES, REST])
TEXTS = st.text("ab/", max_size=8)


@settings(max_examples=400)
@given(st.lists(NODES, max_size=7), st.lists(TEXTS, min_size=1, max_size=8))
def test_an_expression_and_the_automaton_agree(nodes: list[Node], texts: list[str]) -> None:
    source = linear_source(nodes)
    if source is None:
        return
    automaton = Automaton(Row(tuple(nodes)))
    for text in texts:
        quick = re.compile(source, re.DOTALL).fullmatch(text) is not None
        assert quick is automaton.fullmatch(text), (source, text)


def test_whole_names_and_one_star_have_an_expression() -> None:
    """So that what people write is matched by the standard library."""
    for line in ("*.py", "a*b*c", "**/x", "a/**/b*", "/a/*/c", "**/a/**/b/**", "[a-c]?x*y*"):
        pattern = read_line(line)
        assert pattern is not None
        assert pattern.matcher.source is not None, line


PIECES = st.sampled_from(["a", "b", "?", "*", "ab"])


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=6).map("".join), st.text("ab", max_size=8))
def test_a_shell_pattern_ends_where_the_obvious_way_says(pattern: str, text: str) -> None:
    shell = ShellPattern(pattern)
    whole = re.compile(pattern.replace("?", ".").replace("*", ".*"), re.DOTALL).fullmatch
    ends = [end for end in range(len(text) + 1) if whole(text, 0, end)]
    starts = [start for start in range(len(text) + 1) if whole(text, start)]
    assert shell.prefix_end(text, longest=False) == min(ends, default=None)
    assert shell.prefix_end(text, longest=True) == max(ends, default=None)
    assert shell.suffix_start(text, longest=False) == max(starts, default=None)
    assert shell.suffix_start(text, longest=True) == min(starts, default=None)
    found = re.compile(pattern.replace("?", ".").replace("*", ".*"), re.DOTALL).search(text)
    assert shell.find(text, 0) == (None if found is None else found.span())


@pytest.mark.parametrize(
    ("expression", "matched", "not_matched"),
    [
        ("^a[^/]*b$", ["ab", "axb"], ["a/b", "xab"]),
        ("^(.*/)?b$", ["b", "a/b", "/b"], ["ab"]),
        ("^a|b$", ["a", "ax", "xb"], ["xa"]),
        ("^x^a$", [], ["xa", "a"]),
        ("^a$b$", [], ["ab", "a"]),
        ("^[[^/]*]$", ["]", "[[]", "^/]"], ["", "abc]"]),
        ("^[[:alpha:]-]$", ["a", "-"], [":", "1"]),
        ("^[[:^alpha:]]$", ["1", ":"], ["a"]),
        ("^[]a]$", ["]", "a"], ["[]a]"]),
        ("^[\\d]\\D$", ["1a"], ["a1", "11"]),
        ("^\\x41\\x{42}\\103$", ["ABC"], ["x41BC"]),
        ("^a{2}b{1,2}c{0,}$", ["aab", "aabbcc"], ["ab", "aabbb"]),
        ("^a{,2}$", ["a{,2}"], ["aa"]),
    ],
)
def test_an_expression_means_what_it_means_to_go(
    expression: str, matched: list[str], not_matched: list[str]
) -> None:
    matches = compile_nodes(read_expression(expression)).fullmatch
    assert [text for text in matched if not matches(text)] == []
    assert [text for text in not_matched if matches(text)] == []


@pytest.mark.parametrize(
    "expression",
    [
        *("^[z-a]$", "^[a", "^[[:x:]]$", "^[\\y]$", "^[a\\", "^(a$", "^)$", "^a**$"),
        *("^\\y$", "^\\é$", "^\\1$", "^\\x{110000}$"),
        *("^a{2}{3}$", "^a{2000}$", "^a{3,2}$", "^" + "a{1000}" * 9 + "$"),
    ],
)
def test_an_expression_that_go_refuses_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_expression(expression)


@given(st.text(string.printable, max_size=12), TEXTS)
def test_no_line_and_no_component_raises(line: str, path: str) -> None:
    GitRules([line]).decide(path or "a", directory=False)
    GitRules([line]).covers(path or "a")
    matches = go_match(line)
    assert matches is None or matches(path) in (True, False, None) or matches(path)


def test_bytes_of_any_name_are_compared() -> None:
    name = os.fsdecode(b"x\xff\xc3\xa9")
    assert as_bytes(name) == "x\xff\xc3\xa9"
    assert GitRules(["x??[\xa9é]"]).decide(name, directory=False), "a byte is a character"


@pytest.mark.parametrize(
    ("patterns", "taken", "left"),
    [
        (["src/"], ["src/a", "src/b/c"], ["src", "a/srcx"]),
        (["*.py", "!src/"], ["a.py", "src/a.py"], ["src/a"]),
        (["src/", "!*.py"], ["src/a"], ["src/a.py", "a"]),
        (["!*.py", "src/"], ["src/a.py"], ["a.py"]),
        (["src/**", "!src/gen/**"], ["src/a"], ["src/gen/a"]),
        (["/a", "b/c"], ["a", "a/x", "b/c/d"], ["x/a", "x/b/c"]),
    ],
)
def test_patterns_of_a_policy_take_what_is_below_a_directory(
    patterns: list[str], taken: list[str], left: list[str]
) -> None:
    rules = GitRules(patterns)
    assert [path for path in taken if not rules.covers(path)] == []
    assert [path for path in left if rules.covers(path)] == []


# Each of these took longer than a minute, and most of them longer than anybody waits.
SLOW = [
    ("app/" + "*a" * 12 + "*b", "app/" + "a" * 60),
    ("*a" * 500 + "*b", "a" * 4000),
    ("**/a/" * 8 + "b", "/".join("a" * 40)),
    ("**/**a**/" * 4 + "b", "/".join(["aa"] * 40)),
    ("**/a/" * 300 + "b", "/".join("a" * 1500)),
    ("[!b]*" * 400 + "b", "a" * 2000),
    ("**a" * 200 + "**b", "a" * 1000),
    ("a*/" * 500 + "b", "aaa/" * 500 + "c"),
]


@pytest.mark.parametrize(("pattern", "path"), SLOW)
def test_no_pattern_takes_for_ever(pattern: str, path: str) -> None:
    from freshd.tree.dockerignore import DockerIgnore

    assert GitRules([pattern]).decide(path, directory=False) is None
    ignore = DockerIgnore.from_text(pattern.replace("[!", "[^"))
    assert ignore.patterns[0].matches(path) is False
    for part in pattern.split("/"):
        component = go_match(part.replace("[!", "[^"))
        assert component is not None
        component("a" * 250 + "c")


@pytest.mark.parametrize("mark", ["#", "##", "%", "%%", "/", "//"])
def test_no_variable_takes_for_ever(mark: str) -> None:
    from freshd.mapping.dockerfile.syntax.expand import expand_word

    value = "a" * 3000
    for pattern in ("*a" * 300 + "*b", "b" + "*a" * 300, "?*" * 200 + "b"):
        word = f"${{V{mark}{pattern}{'/x' if '/' in mark else ''}}}"
        assert expand_word(word, {"V": value}, escape="\\") == (value, set())


def test_a_pattern_longer_than_any_path_matches_none() -> None:
    assert read_line("a" * (LONGEST + 1)) is None
    assert read_line("a" * LONGEST) is not None


def test_one_of_many_is_asked_for_at_once() -> None:
    lines = ["*.py", "a**/c", "x"]
    matchers = [p.matcher for line in lines if (p := read_line(line)) is not None]
    matches = either(matchers)
    assert [text for text in ("m.py", "a/b/c", "x", "y") if matches(text)] == ["m.py", "a/b/c", "x"]
