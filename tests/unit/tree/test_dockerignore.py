"""Ignore files: a table of what is left out, and docker's own matcher as a second opinion."""

from os import PathLike
from typing import cast

import pytest
from docker.utils.build import PatternMatcher
from hypothesis import given
from hypothesis import strategies as st

from freshd.model.errors import ConfigError
from freshd.tree.dockerignore import DockerIgnore, ignore_file_names

PATHS = ("a", "a/b", "a/b/c.py", "x.py", "d/x.py", "d/e/x.py", "#c", "tab\top", "naïve/ü")


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("", set()),
        ("# a\n\n   \n", set()),
        ("a", {"a", "a/b", "a/b/c.py"}),
        ("/a/", {"a", "a/b", "a/b/c.py"}),
        ("./a//b/../b", {"a/b", "a/b/c.py"}),
        ("*.py", {"x.py"}),
        ("**/*.py", {"x.py", "d/x.py", "d/e/x.py", "a/b/c.py"}),
        ("d/**", {"d/x.py", "d/e/x.py"}),
        ("**/e", {"d/e/x.py"}),
        ("d/?.py", {"d/x.py"}),
        ("d/[^a-w].py", {"d/x.py"}),
        ("d\n!d/e", {"d/x.py"}),
        ("!d/e\nd", {"d/x.py", "d/e/x.py"}),
        ("d\n!d/e\nd", {"d/x.py"}),
        ("*\n!**/c.py", set(PATHS) - {"a/b/c.py"}),
        ("\\#c", {"#c"}),
        ("#c", set()),
        ("tab\\top", {"tab\top"}),
        ("\ufeffx.py\r\n", {"x.py"}),
        (".", set()),
        ("/", set()),
        ("na?ve", {"naïve/ü"}),
        ("..", set()),
        ("d/..", set()),
        ("../a", set()),
        ("**/", set(PATHS)),
        ("*/", set(PATHS)),
        ("*\n!.", set(PATHS)),
        (" #c", {"#c"}),
        ("a|d", set()),
        ("q|*.py", {"x.py", "d/x.py", "d/e/x.py", "a/b/c.py"}),
        ("**|d", set()),
    ],
)
def test_an_ignore_file_leaves_out(text: str, left_out: set[str]) -> None:
    ignore = DockerIgnore.from_text(text)
    assert {path for path in PATHS if ignore.excludes(path)} == left_out


@pytest.mark.parametrize("text", ["ok\n[a", "ok\n!", "x\na\\", "x\n[]a]", "x\n[a-]"])
def test_a_line_buildkit_refuses_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match=r"\.dockerignore:2: "):
        DockerIgnore.from_text(text)


@pytest.mark.parametrize(
    ("text", "directory", "expected"),
    [
        ("d", "d", False),
        ("d\n!d/e/x.py", "d", True),
        ("d\n!d/e/x.py", "d/e", True),
        ("d\n!d/e/x.py", "d/f", False),
        ("*\n!a", "d", False),
        ("*\n!**/x.py", "d/e/f", True),
        ("*\n!d/*/x.py", "d/e", True),
        ("*\n!d/**", "a", False),
        ("*\n!d", "d/e", True),
    ],
)
def test_a_walk_enters_an_excluded_directory_only_where_it_may_matter(
    text: str, directory: str, *, expected: bool
) -> None:
    assert DockerIgnore.from_text(text).may_reinclude_below(directory) is expected


def test_the_ignore_file_of_the_dockerfile_comes_first() -> None:
    assert ignore_file_names("docker/web.Dockerfile") == (
        "docker/web.Dockerfile.dockerignore",
        ".dockerignore",
    )


NAMES = st.sampled_from(["a", "b", "ab", "a.py", "b.py"])
FILES = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.sampled_from(["a", "b", "*", "?", "a*", "*.py", "[ab]"])
LINES = st.tuples(
    st.sampled_from(["", "", "!", "/"]), st.lists(PARTS, min_size=1, max_size=3).map("/".join)
).map("".join)


@given(st.lists(LINES, min_size=1, max_size=5, unique_by=lambda line: line.strip("!/")), FILES)
def test_docker_py_agrees_where_it_looks_at_every_parent(lines: list[str], path: str) -> None:
    """Pattern by pattern, without ``**`` and ``[^``, which docker-py reads in a way of its own."""
    ignore = DockerIgnore.from_text("\n".join(lines))
    excluded = False
    for pattern in ignore.patterns:
        if pattern.matches_or_parent(path):
            excluded = not pattern.negated
    assert excluded == PatternMatcher(lines).matches(cast(PathLike[str], path))


@given(st.lists(LINES, min_size=1, max_size=5), FILES)
def test_pruning_never_loses_a_file(lines: list[str], path: str) -> None:
    """Every directory above a file that stays in is entered."""
    ignore = DockerIgnore.from_text("\n".join(lines))
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts))]
    if not ignore.excludes(path):
        assert all(not ignore.excludes(one) or ignore.may_reinclude_below(one) for one in above)


def test_a_bracket_that_has_a_slash_hides_nothing_below() -> None:
    ignore = DockerIgnore.from_text("*\n![a/b]x\n!d/[a/b]c/x")
    assert ignore.may_reinclude_below("d")


def test_a_context_may_be_deeper_than_calls_may_nest() -> None:
    deep = "/".join(["d"] * 2000)
    ignore = DockerIgnore.from_text("**/x")
    assert not ignore.excludes(f"{deep}/a")
    assert ignore.excludes(f"{deep}/x/a")
