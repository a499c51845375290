"""The diff of a file: '-' is the container's, '+' the tree's, and patch understands it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.render.diffs import FileDiff, diff_lines, difference, unified
from freshd.render.words import plain


def sides(seen: bytes | None, tree: bytes | None, path: str | None = "app/a.py") -> FileDiff:
    return FileDiff(path, "/app/app/a.py", "shop-web-1", tree, seen)


def test_the_containers_lines_go_and_the_trees_come() -> None:
    assert unified(sides(b"one\ntwo\n", b"one\n2\n")) == (
        b"--- shop-web-1:/app/app/a.py\n+++ app/a.py\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    )


@pytest.mark.parametrize(
    ("seen", "tree", "heads"),
    [
        (None, b"x\n", [b"--- /dev/null", b"+++ app/a.py"]),
        (b"x\n", None, [b"--- shop-web-1:/app/app/a.py", b"+++ /dev/null"]),
    ],
)
def test_a_side_without_the_file_is_dev_null(
    seen: bytes | None, tree: bytes | None, heads: list[bytes]
) -> None:
    assert unified(sides(seen, tree)).split(b"\n")[:2] == heads


def test_binary_files_are_one_line_with_their_sizes() -> None:
    both = sides(b"\0" * 3, b"\0")
    words = b"Binary files shop-web-1:/app/app/a.py (3 bytes) and app/a.py (1 byte) differ\n"
    assert unified(both) == words
    assert difference(both)["binary"] is True
    assert difference(both)["diff"] is None


LINES = st.lists(st.sampled_from([b"a\n", b"b\r\n", b"\x0c\n", b"\xff\n", b"\n"]), max_size=6)
ENDS = st.sampled_from([b"", b"x", b"y"])


@pytest.mark.skipif(not shutil.which("patch"), reason="patch is not installed")
@settings(max_examples=25, deadline=None)
@given(old=LINES, new=LINES, old_end=ENDS, new_end=ENDS)
def test_patch_makes_the_trees_file_of_the_containers(
    tmp_path_factory: pytest.TempPathFactory,
    old: list[bytes],
    new: list[bytes],
    old_end: bytes,
    new_end: bytes,
) -> None:
    seen, tree = b"".join(old) + old_end, b"".join(new) + new_end
    if seen == tree:
        return
    target = tmp_path_factory.mktemp("patch") / "a.py"
    target.write_bytes(seen)
    subprocess.run(
        ["patch", "--binary", "-s", str(target)], input=unified(sides(seen, tree)), check=True
    )
    assert (target.read_bytes() if target.exists() else b"") == tree
    assert not Path(f"{target}.rej").exists()


def test_a_terminal_is_not_moved_by_what_a_container_holds() -> None:
    lines = [plain(line) for line in diff_lines(sides(b"\x1b[2J\n", b"\xff\r\n"))]
    assert lines[-2:] == [r"-\x1b[2J", r"+\xff\x0d"]
