"""The line that leaves a path out is told, and the decision is the one the quick way makes."""

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.mapping.left_out import explain_context_ignore, explain_watch_ignore
from freshd.tree.dockerignore import DockerIgnore
from freshd.tree.ignore import WatchIgnore

LINES = st.lists(
    st.sampled_from(
        ["a", "*.py", "!*.py", "/src", "src/", "!src/a", "deep/**", "**/b.py", "#c", "", "*", "!a"]
    ),
    max_size=4,
)
PATHS = st.sampled_from(
    ["a", "b.py", "src", "src/a", "src/b.py", "src/deep/b.py", "lib/src/a", ".git/x", "x~", "src/c"]
)


@settings(deadline=None)  # each example makes a small repository
@given(LINES, LINES, LINES, PATHS)
def test_it_agrees_with_what_is_watched(
    top: list[str], inner: list[str], policy: list[str], path: str
) -> None:
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(f"{root}/src/deep")
        os.makedirs(f"{root}/.git")
        Path(root, ".git", "HEAD").write_text("")
        Path(root, ".gitignore").write_text("\n".join(top))
        Path(root, "src", ".gitignore").write_text("\n".join(inner))
        found = explain_watch_ignore(root, path, policy=policy)
        assert (found is not None) == WatchIgnore(root, policy=policy).ignored(path)
        if found is not None and found.file:
            lines = Path(found.file).read_text().split("\n")
            assert lines[found.line - 1].strip() == found.pattern


def test_the_line_and_the_directory_that_is_named_are_told(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("# first\nbuild/\n*.log\n")
    found = explain_watch_ignore(str(tmp_path), "build/x/y.py")
    assert found is not None
    assert (found.path, found.pattern, found.line) == ("build", "build/", 2)
    own = explain_watch_ignore(str(tmp_path), "gen/a.py", policy=("gen/",))
    assert own is not None
    assert (own.file, own.pattern) == ("", "gen/")
    litter = explain_watch_ignore(str(tmp_path), "a.py~")
    assert litter is not None
    assert litter.builtin


@given(LINES, PATHS)
def test_the_line_of_a_dockerignore_that_decides_is_told(lines: list[str], path: str) -> None:
    ignore = DockerIgnore.from_text("\n".join(lines))
    found = explain_context_ignore(ignore, "/x/.dockerignore", path)
    assert (found is not None) == ignore.excludes(path)
    if found is not None:
        assert lines[found.line - 1].strip("/ ") == found.pattern
