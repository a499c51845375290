"""A walk sees everything once, in order, and never follows or opens what it should not."""

import errno
import os
import socket
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freshd.model.files import Kind
from freshd.tree import walk as walking
from freshd.tree.walk import RootGone, open_beneath, open_directory, walk

NAMES = st.binary(min_size=1, max_size=6).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


def kinds(root: Path) -> dict[str, Kind]:
    return {found.path: found.kind for found in walk(str(root))}


@pytest.fixture(params=["openat2", "by component"])
def opener(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to open beneath a root."""
    if request.param == "by component":
        monkeypatch.setattr(walking, "_libc", None)
    return str(request.param)


def test_every_kind_is_told_and_only_directories_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "dir").mkdir()
    os.mkfifo(tmp_path / "fifo")  # opening it would hang
    (tmp_path / "link").symlink_to("/")
    (tmp_path / "loop").symlink_to("loop")
    listening = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(tmp_path)  # a socket's path has a length limit
    try:
        listening.bind("sock")
    finally:
        os.chdir(here)
        listening.close()
    assert kinds(tmp_path) == {
        "dir": Kind.DIR,
        "fifo": Kind.OTHER,
        "file": Kind.FILE,
        "link": Kind.LINK,
        "loop": Kind.LINK,
        "sock": Kind.OTHER,
    }


def test_directories_sort_as_if_their_names_ended_in_a_slash(tmp_path: Path) -> None:
    for path in ("a/b", "a/c/d", "a.txt", "a-b", "ab"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    found = [one.path for one in walk(str(tmp_path))]
    assert found == ["a-b", "a.txt", "a", "a/b", "a/c", "a/c/d", "ab"]


@pytest.mark.timeout(60)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(paths=st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=12))
def test_any_names_come_out_once_and_files_in_byte_order(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[bytes]]
) -> None:
    root = os.fsencode(str(tmp_path_factory.mktemp("tree")))
    for parts in paths:
        try:
            os.makedirs(os.path.join(root, *parts[:-1]), exist_ok=True)
            with open(os.path.join(root, *parts), "xb"):
                pass
        except OSError:
            continue  # the name is taken by something else already
    expected = sorted(
        os.path.relpath(os.path.join(where, name), root)
        for where, _, names in os.walk(root)
        for name in names
    )
    found = [os.fsencode(one.path) for one in walk(os.fsdecode(root)) if one.kind is Kind.FILE]
    assert found == expected


def test_a_skipped_directory_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "node_modules/deep").mkdir(parents=True)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a").write_text("")
    asked: list[str] = []

    def skip(path: str, kind: Kind) -> bool:
        asked.append(path)
        return path == "node_modules"

    assert [one.path for one in walk(str(tmp_path), skip=skip)] == ["src", "src/a"]
    assert "node_modules/deep" not in asked


def test_a_directory_swapped_for_a_link_during_the_walk_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "z").mkdir()
    found = {}
    for one in walk(str(root)):
        found[one.path] = one.kind
        if one.path == "a":
            (root / "z").rmdir()
            (root / "z").symlink_to(outside)
    assert found == {"a": Kind.DIR, "z": Kind.LINK}


def test_a_directory_that_flips_to_a_link_all_the_time_never_shows_what_is_outside(
    tmp_path: Path, opener: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real/plain").write_text("p")
    (root / "link").symlink_to(outside)
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            os.rename(root / "real", root / "d")
            os.rename(root / "d", root / "real")
            os.rename(root / "link", root / "d")
            os.rename(root / "d", root / "link")

    thread = threading.Thread(target=flip)
    thread.start()
    opened = 0
    try:
        for _ in range(1500):
            assert not any("secret" in one.path for one in walk(str(root)))
            try:
                os.close(open_beneath(str(root), "d/secret"))
            except OSError:
                continue
            opened += 1
    finally:
        stop.set()
        thread.join()
    assert opened == 0


def test_what_vanishes_during_the_walk_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "z").mkdir()
    found = []
    for one in walk(str(tmp_path)):
        found.append(one.path)
        if one.path == "a":
            (tmp_path / "z").rmdir()
    assert found == ["a"]


def test_a_directory_that_cannot_be_listed_is_unreadable_and_not_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "open").mkdir()
    real = os.open

    def refuse(path: str, flags: int, *args: object, **more: object) -> int:
        if path == "closed":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path, flags, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    found = {one.path: one for one in walk(str(tmp_path))}
    assert found["closed"].kind is Kind.UNREADABLE
    assert found["closed"].reason == "Permission denied"
    assert found["open"].kind is Kind.DIR


def test_a_path_longer_than_the_system_allows_is_walked(tmp_path: Path) -> None:
    name = "d" * 200
    fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(25):
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open("leaf", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    found = list(walk(str(tmp_path)))
    assert len(found) == 26
    assert found[-1].path.endswith("/leaf")
    os.close(open_beneath(str(tmp_path), found[-1].path))


@pytest.mark.parametrize("make", ["missing", "file"])
def test_a_root_that_is_no_directory_is_an_error(tmp_path: Path, make: str) -> None:
    root = tmp_path / "root"
    if make == "file":
        root.write_text("")
    with pytest.raises(RootGone, match="cannot read the directory"):
        list(walk(str(root)))


def test_a_walk_that_is_given_up_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    before = len(os.listdir("/proc/self/fd"))
    steps = walk(str(tmp_path))
    for _ in range(3):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("link", errno.EINVAL),
        ("via/inner", errno.ELOOP),
        ("via/deep/inner", errno.ELOOP),
        ("fifo", errno.EINVAL),
        ("real", errno.EINVAL),
        ("none", errno.ENOENT),
        ("real/../real/inner", errno.EINVAL),
        ("/etc/passwd", errno.EINVAL),
        ("", errno.EINVAL),
    ],
)
def test_only_regular_files_reached_without_a_link_are_opened(
    tmp_path: Path, opener: str, path: str, code: int
) -> None:
    (tmp_path / "real/deep").mkdir(parents=True)
    (tmp_path / "real/inner").write_text("in")
    (tmp_path / "real/deep/inner").write_text("in")
    (tmp_path / "link").symlink_to("real/inner")
    (tmp_path / "via").symlink_to("real")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError) as caught:
        open_beneath(str(tmp_path), path)
    allowed = {code, errno.ENOTDIR} if code == errno.ELOOP else {code}
    assert caught.value.errno in allowed


def test_a_file_beneath_and_one_beside_the_root_are_opened(tmp_path: Path, opener: str) -> None:
    (tmp_path / "root/sub").mkdir(parents=True)
    (tmp_path / "root/sub/a").write_text("in")
    (tmp_path / "beside").write_text("out")
    for path, content in (("sub/a", b"in"), ("../beside", b"out"), ("../root/sub/a", b"in")):
        fd = open_beneath(str(tmp_path / "root"), path)
        assert os.read(fd, 9) == content
        os.close(fd)
    os.close(open_directory(str(tmp_path / "root"), ".."))


@pytest.mark.timeout(10)
@pytest.mark.parametrize("becomes", ["link", "fifo", "socket"])
def test_a_file_that_becomes_something_else_right_before_it_is_opened_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, becomes: str
) -> None:
    """Safety rule 10, between the look and the open: no link is followed, no fifo waited for."""
    (tmp_path / "elsewhere").write_text("secret")
    (tmp_path / "file").write_text("x")
    real = os.stat

    def then_swapped(path: str, **rest: Any) -> os.stat_result:
        found = real(path, **rest)
        (tmp_path / "file").unlink()
        if becomes == "link":
            (tmp_path / "file").symlink_to("elsewhere")
        elif becomes == "fifo":
            os.mkfifo(tmp_path / "file")
        else:
            os.mknod(tmp_path / "file", stat.S_IFSOCK | 0o600)
        return found

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "stat", then_swapped)
    with pytest.raises(OSError) as caught:
        open_beneath(str(tmp_path), "file")
    monkeypatch.undo()
    expected = {"link": errno.ELOOP, "fifo": errno.EINVAL, "socket": errno.ENXIO}
    assert caught.value.errno == expected[becomes]
    assert len(os.listdir("/proc/self/fd")) == before
