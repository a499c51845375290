"""The manifest never calls a changed file unchanged, and reads no more than it must."""

import errno
import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from freshd.model.files import Entry, Kind, Signature
from freshd.store.store import memory_store
from freshd.tree import hashing, walk
from freshd.tree.hashing import BLOCK, is_racy
from freshd.tree.manifest import HashCache, TreeManifest
from freshd.tree.walk import RootGone

SECOND = 1_000_000_000


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def cache() -> HashCache:
    return memory_store().tree_hashes


class Later:
    """A clock far ahead of the files, so that none of them is racy."""

    def __init__(self) -> None:
        self.ahead = 3600 * SECOND

    def __call__(self) -> int:
        import time

        return time.time_ns() + self.ahead


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose content is read."""
    names: list[str] = []
    real = walk.open_file

    def spy(name: str, directory: int) -> tuple[int, os.stat_result]:
        names.append(name)
        return real(name, directory)

    monkeypatch.setattr(hashing, "open_file", spy)
    return names


def test_entries_tell_kind_content_size_and_mode(tmp_path: Path, cache: HashCache) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/run.sh").write_bytes(b"#!/bin/sh\n")
    (tmp_path / "d/run.sh").chmod(0o755)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "empty").chmod(0o600)
    (tmp_path / "link").symlink_to("d/run.sh")
    os.mkfifo(tmp_path / "fifo")
    found = TreeManifest(str(tmp_path), cache).entries(None)
    assert found["d/run.sh"] == Entry(Kind.FILE, sha(b"#!/bin/sh\n"), 10, 0o755)
    assert found["empty"] == Entry(Kind.FILE, sha(b""), 0, 0o600)
    assert found["link"] == Entry(Kind.LINK, sha(b"d/run.sh"), 8, 0o777)
    assert found["fifo"].kind is Kind.OTHER
    assert found["d"].kind is Kind.DIR
    assert TreeManifest(str(tmp_path), cache).entries(list(found)) == found


def test_unchanged_files_are_not_read_again(
    tmp_path: Path, cache: HashCache, hashed: list[str]
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    manifest = TreeManifest(str(tmp_path), cache, clock_ns=Later())
    first = manifest.entries(None)
    assert sorted(hashed) == ["a", "b"]
    hashed.clear()
    assert manifest.entries(None) == first
    assert manifest.entries(["a"]) == {"a": first["a"]}
    assert hashed == []
    assert manifest.entries(["b"], fresh=True) == {"b": first["b"]}
    assert hashed == ["b"]


def test_an_edit_that_keeps_size_and_mtime_is_found(tmp_path: Path, cache: HashCache) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    before = path.stat()
    manifest = TreeManifest(str(tmp_path), cache, clock_ns=Later())
    assert manifest.entries(["a"])["a"].digest == sha(b"old")
    path.write_bytes(b"new")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert manifest.entries(["a"])["a"].digest == sha(b"new")


def test_a_racy_file_is_read_again_until_its_clock_tick_is_over(
    tmp_path: Path, cache: HashCache, hashed: list[str]
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    changed_at = path.stat().st_ctime_ns
    clock = [changed_at]
    manifest = TreeManifest(str(tmp_path), cache, clock_ns=lambda: clock[0])
    for ahead, reads in ((0, 1), (50_000_000, 1), (SECOND, 1), (2 * SECOND, 0)):
        hashed.clear()
        clock[0] = changed_at + ahead
        manifest.entries(["a"])
        assert len(hashed) == reads, ahead


@pytest.mark.parametrize(
    ("mtime", "ctime", "hashed_at", "expected"),
    [
        (100 * SECOND + 1, 100 * SECOND + 1, 100 * SECOND + 1, True),
        (100 * SECOND + 1, 100 * SECOND + 1, 101 * SECOND, False),
        (100 * SECOND, 100 * SECOND, 101 * SECOND, True),  # whole seconds: a coarse clock
        (100 * SECOND, 100 * SECOND, 103 * SECOND, False),
        (900 * SECOND, 100 * SECOND + 1, 200 * SECOND, True),  # from the future
        (0, 100 * SECOND + 1, 200 * SECOND, False),
    ],
)
def test_what_is_racy(mtime: int, ctime: int, hashed_at: int, expected: bool) -> None:
    assert is_racy(Signature(mtime, ctime, 1, 1, 1, hashed_at)) is expected


def test_a_file_that_is_written_all_the_time_is_unreadable_and_not_remembered(
    tmp_path: Path, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x")
    (tmp_path / "calm").write_bytes(b"y")
    real = os.read
    reads = []

    def read(fd: int, size: int) -> bytes:
        block = real(fd, size)
        if os.readlink(f"/proc/self/fd/{fd}").endswith("/log"):
            reads.append(1)
            with path.open("ab") as file:
                file.write(b"more")
        return block

    monkeypatch.setattr(os, "read", read)
    found = TreeManifest(str(tmp_path), cache, clock_ns=Later()).entries(None)
    assert found["log"] == Entry(Kind.UNREADABLE, reason="being written")
    assert found["calm"].digest == sha(b"y")
    assert len(reads) >= 3
    assert set(cache.get_many(str(tmp_path), ["log", "calm"])) == {"calm"}


def test_a_file_that_shrinks_once_while_read_is_read_again(
    tmp_path: Path, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"long content")
    real = os.read
    done: list[int] = []

    def read(fd: int, size: int) -> bytes:
        if not done:
            done.append(1)
            path.write_bytes(b"short")
        return real(fd, size)

    monkeypatch.setattr(os, "read", read)
    entry, content = TreeManifest(str(tmp_path), cache).read("a")
    assert (entry.digest, entry.size, content) == (sha(b"short"), 5, b"short")


def test_what_vanishes_is_absent_and_what_fails_is_unreadable_with_its_reason(
    tmp_path: Path, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gone", "broken", "fine"):
        (tmp_path / name).write_text(name)
    real = walk.open_file

    def fail(name: str, directory: int) -> tuple[int, os.stat_result]:
        if name == "gone":
            (tmp_path / "gone").unlink()
        if name == "broken":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(name, directory)

    monkeypatch.setattr(hashing, "open_file", fail)
    found = TreeManifest(str(tmp_path), cache).entries(None)
    assert set(found) == {"broken", "fine"}
    assert found["broken"] == Entry(Kind.UNREADABLE, reason="Input/output error")


def test_a_file_that_becomes_a_link_or_fifo_before_it_is_opened_is_not_read(
    tmp_path: Path, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("link", "fifo"):
        (tmp_path / name).write_text("x")
    real = walk.open_file

    def swap(name: str, directory: int) -> tuple[int, os.stat_result]:
        (tmp_path / name).unlink()
        if name == "link":
            (tmp_path / name).symlink_to("/etc/passwd")
        else:
            os.mkfifo(tmp_path / name)
        return real(name, directory)

    monkeypatch.setattr(hashing, "open_file", swap)
    found = TreeManifest(str(tmp_path), cache).entries(None)
    assert found["link"] == Entry(Kind.LINK, sha(b"/etc/passwd"), 11, 0o777)
    assert found["fifo"].kind is Kind.OTHER


def test_what_is_behind_a_link_is_unreadable_and_below_a_file_is_nothing(
    tmp_path: Path, cache: HashCache
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a").write_text("a")
    (tmp_path / "via").symlink_to("real")
    (tmp_path / "file").write_text("f")
    (tmp_path / "circle").symlink_to("circle")
    manifest = TreeManifest(str(tmp_path), cache)
    asked = ["via/a", "circle/a", "file/a", "none/a", "none", "real/a"]
    found = manifest.entries(asked)
    assert set(found) == {"real/a", "via/a", "circle/a"}
    why = "via is a symbolic link, and is not followed"
    assert found["via/a"] == Entry(Kind.UNREADABLE, reason=why)
    assert found["circle/a"].kind is Kind.UNREADABLE
    assert manifest.read("via/a") == (found["via/a"], b"")
    for path in ("file/a", "none/a"):
        with pytest.raises(FileNotFoundError):
            manifest.read(path)


@pytest.mark.parametrize(
    ("path", "below", "doubt"),
    [
        pytest.param("src/gone", "src", "", id="left its directory"),
        pytest.param("src/none/gone", "src", "", id="left with its directory"),
        pytest.param("src/file/gone", "src", "", id="a file took its directory's place"),
        pytest.param("src/dir", "src", "", id="a directory took its place"),
        pytest.param("gone", ".", "", id="left the root"),
        pytest.param("src/file", "src", "the tree has it", id="it is there"),
        pytest.param("src/link", "src", "the tree has it", id="a link is there"),
        pytest.param("none/gone", "none", "none is not there", id="its origin is gone"),
        pytest.param("src/file/x", "src/file", "src/file is not there", id="its origin is a file"),
        pytest.param(
            "via/gone", "via", "via is a symbolic link, and is not followed", id="its origin"
        ),
        pytest.param(
            "src/via/gone",
            "src",
            "src/via is a symbolic link, and is not followed",
            id="on the way",
        ),
    ],
)
def test_that_a_file_has_left_is_proved_by_the_directory_it_was_in(
    tmp_path: Path, cache: HashCache, path: str, below: str, doubt: str
) -> None:
    (tmp_path / "src/dir").mkdir(parents=True)
    (tmp_path / "src/file").write_text("f")
    (tmp_path / "src/link").symlink_to("file")
    (tmp_path / "src/via").symlink_to("dir")
    (tmp_path / "via").symlink_to("src")
    assert TreeManifest(str(tmp_path), cache).doubt_absence(path, below=below) == doubt


def test_nothing_has_left_a_tree_that_is_not_there(tmp_path: Path, cache: HashCache) -> None:
    (tmp_path / "root").mkdir()
    manifest = TreeManifest(str(tmp_path / "root"), cache)
    (tmp_path / "root").rmdir()
    assert manifest.doubt_absence("a", below=".")


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_directory_that_cannot_be_read_proves_nothing(
    tmp_path: Path, cache: HashCache, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    (tmp_path / "src").mkdir()
    whole = os.stat

    def broken(path: str | int, **how: Any) -> os.stat_result:
        if path == "gone":
            raise OSError(code, os.strerror(code))
        return whole(path, **how)

    monkeypatch.setattr(os, "stat", broken)
    manifest = TreeManifest(str(tmp_path), cache)
    assert manifest.entries(["src/gone"])["src/gone"].kind is Kind.UNREADABLE
    assert manifest.doubt_absence("src/gone", below="src") == os.strerror(code)


def test_paths_beside_the_root_are_read_and_odd_ones_are_unreadable(
    tmp_path: Path, cache: HashCache
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/a").write_bytes(b"lib")
    manifest = TreeManifest(str(tmp_path / "root"), cache)
    found = manifest.entries(["../lib/a", "x/../../lib/a"])
    assert found["../lib/a"].digest == sha(b"lib")
    assert found["x/../../lib/a"].kind is Kind.UNREADABLE


def test_read_gives_the_bytes_its_entry_was_made_of(tmp_path: Path, cache: HashCache) -> None:
    content = os.urandom(2 * BLOCK + 17)
    (tmp_path / "big").write_bytes(content)
    (tmp_path / "link").symlink_to("big")
    os.mkfifo(tmp_path / "fifo")
    manifest = TreeManifest(str(tmp_path), cache)
    entry, read = manifest.read("big")
    assert read == content
    assert entry.digest == sha(content)
    assert manifest.read("link")[1] == b"big"
    assert manifest.read("fifo") == (manifest.entries(["fifo"])["fifo"], b"")
    with pytest.raises(FileNotFoundError):
        manifest.read("none")


def test_big_files_are_hashed_in_blocks_and_beside_each_other(
    tmp_path: Path, cache: HashCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {f"big{number}": os.urandom(BLOCK + number) for number in range(4)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "small").write_bytes(b"s")
    sizes: list[int] = []
    threads: set[int] = set()
    real = os.read

    def read(fd: int, size: int) -> bytes:
        sizes.append(size)
        threads.add(threading.get_ident())
        return real(fd, size)

    monkeypatch.setattr(os, "read", read)
    found = TreeManifest(str(tmp_path), cache).entries(None)
    assert {name: found[name].digest for name in contents} == {
        name: sha(content) for name, content in contents.items()
    }
    assert max(sizes) <= BLOCK
    assert threading.get_ident() in threads  # the small one
    assert len(threads) <= 3


def test_names_that_are_not_text_are_hashed(tmp_path: Path, cache: HashCache) -> None:
    name = os.fsdecode(b"\xff-\n'\"x")
    (tmp_path / name).write_bytes(b"odd")
    manifest = TreeManifest(str(tmp_path), cache, clock_ns=Later())
    for _ in range(2):
        assert manifest.entries(None)[name].digest == sha(b"odd")
    assert manifest.read(name)[1] == b"odd"


def test_a_root_that_is_gone_is_an_error_and_not_an_empty_tree(
    tmp_path: Path, cache: HashCache
) -> None:
    manifest = TreeManifest(str(tmp_path / "none"), cache)
    for paths in (None, ["a"]):
        with pytest.raises(RootGone):
            manifest.entries(paths)


def test_hashes_of_files_that_are_gone_are_forgotten(tmp_path: Path, cache: HashCache) -> None:
    root = str(tmp_path / "tree")
    manifest = TreeManifest(root, cache, clock_ns=Later())
    for name in ("kept", "deleted", "sub/kept"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(name)
    manifest.entries(["kept", "deleted", "sub/kept"])
    (tmp_path / "tree" / "deleted").unlink()
    manifest.forget_gone()
    assert set(cache.get_many(root, None)) == {"kept", "sub/kept"}
    (tmp_path / "tree").rename(tmp_path / "unmounted")
    manifest.forget_gone()
    assert set(cache.get_many(root, None)) == {"kept", "sub/kept"}, "the tree is away, not empty"


class EditsAreNeverMissed(RuleBasedStateMachine):
    """Whatever is done to files between two looks, the second look tells what is there."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.root = tempfile.mkdtemp(prefix="freshd-manifest-")
        self.manifest = TreeManifest(self.root, memory_store().tree_hashes)

    names = st.sampled_from(["a", "b", "c"])
    contents = st.sampled_from([b"", b"1", b"2", b"11"])

    @rule(name=names, content=contents, keep_mtime=st.booleans())
    def write(self, name: str, content: bytes, keep_mtime: bool) -> None:
        path = os.path.join(self.root, name)
        before = os.stat(path) if os.path.exists(path) else None
        with open(path, "wb") as file:
            file.write(content)
        if keep_mtime and before is not None:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    @rule(name=names, other=names)
    def rename(self, name: str, other: str) -> None:
        if os.path.exists(os.path.join(self.root, name)):
            os.rename(os.path.join(self.root, name), os.path.join(self.root, other))

    @rule(name=names)
    def delete(self, name: str) -> None:
        if os.path.exists(os.path.join(self.root, name)):
            os.unlink(os.path.join(self.root, name))

    @rule(name=names, mode=st.sampled_from([0o644, 0o755]))
    def chmod(self, name: str, mode: int) -> None:
        if os.path.exists(os.path.join(self.root, name)):
            os.chmod(os.path.join(self.root, name), mode)

    @invariant()
    def agrees(self) -> None:
        expected = {}
        for name in os.listdir(self.root):
            with open(os.path.join(self.root, name), "rb") as file:
                content = file.read()
            mode = os.stat(os.path.join(self.root, name)).st_mode & 0o7777
            expected[name] = Entry(Kind.FILE, sha(content), len(content), mode)
        assert self.manifest.entries(None) == expected

    def teardown(self) -> None:
        import shutil

        shutil.rmtree(self.root)


TestEditsAreNeverMissed = EditsAreNeverMissed.TestCase
EditsAreNeverMissed.TestCase.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None
)
