"""The archive of an injection: regular files and directories, no odd bits, no way out."""

import io
import os
import tarfile
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.act.write import staging
from freshd.act.write.job import Directory, Job
from freshd.engine.container.spool import Spooled
from freshd.model.files import Entry, Kind

NAME = (
    st.binary(min_size=1, max_size=60)
    .filter(lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b".."))
    .map(os.fsdecode)
)


def job(path: str, content: bytes = b"x", *, kind: Kind = Kind.FILE, mode: int = 0o640) -> Job:
    piece = Spooled(io.BytesIO(content), 0, len(content))
    return Job(path, path, Entry(kind, "d"), piece, 7, 8, mode, 1234)


def members(tar: IO[bytes]) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    with (
        tar,
        tarfile.open(fileobj=tar, mode="r:", encoding="utf-8", errors="surrogateescape") as opened,
    ):
        found = {}
        for info in opened:
            reader = opened.extractfile(info) if info.isreg() else None
            found[info.name] = (info, reader.read() if reader else b"")
        return found


@settings(deadline=None)
@given(names=st.lists(st.tuples(NAME, NAME, st.binary(max_size=600)), min_size=1, max_size=8))
def test_every_name_and_byte_survives_staging(names: list[tuple[str, str, bytes]]) -> None:
    jobs = {f"/{a}/{b}": job(f"/{a}/{b}", content) for a, b, content in names}
    stage = staging.stage_files("/", list(jobs.values()), [], {})
    found = members(stage.tar)
    assert len(stage.places) == len(jobs)
    for path, one in jobs.items():
        info, content = found[stage.places[path].lstrip("/")]
        assert content == one.content.read()
        assert (info.uid, info.gid, info.mode, info.mtime) == (7, 8, 0o640, 1234)
        assert os.path.basename(path) == os.path.basename(stage.places[path])
    for info, _ in found.values():
        assert info.isreg() or info.isdir()
        assert ".." not in info.name.split("/")
        assert not info.name.startswith("/")


def test_staged_files_share_a_directory_per_destination_that_only_root_sees() -> None:
    jobs = [job("/a/x"), job("/b/x"), job("/a/y"), job("/z")]
    stage = staging.stage_files("/", jobs, [], {})
    moves = stage.moves(jobs)
    assert [len(paths) for paths in moves.values()] == [2, 1, 1]
    assert list(moves) == ["/a", "/b", "/"]
    assert stage.subdirectories == [f"{stage.directory}/{n}" for n in range(3)]
    found = members(stage.tar)
    assert found[stage.directory.lstrip("/")][0].mode == 0o700


def test_names_are_relative_to_the_mount_that_is_written() -> None:
    stage = staging.stage_files("/data", [job("/data/a/x")], [], {})
    assert stage.directory.startswith("/data/.freshd-")
    assert all(not name.startswith("data") for name in members(stage.tar))


def test_a_missing_directory_is_staged_with_what_is_in_it_and_moved_in_one() -> None:
    jobs = [job("/a/new/deep/x"), job("/a/new/y"), job("/a/z")]
    missing = [Directory("/a/new", 1, 2, 0o2755, 9), Directory("/a/new/deep", 1, 2, 0o2755, 9)]
    stage = staging.stage_files("/", jobs, missing, {})
    number = f"{stage.directory}/0"
    assert stage.moves(jobs) == {"/a": [f"{number}/new", f"{number}/z"]}
    made = members(stage.tar)[f"{number}/new/deep".lstrip("/")][0]
    assert (made.uid, made.gid, made.mode, made.mtime) == (1, 2, 0o2755, 9)


def test_no_directory_that_exists_is_in_an_archive() -> None:
    """Unpacking would give it another owner, mode and time."""
    missing = [Directory("/a/new", 1, 2, 0o755, 9)]
    for tar in (
        staging.stage_files("/", [job("/a/new/x")], missing, {"/a": 7}).tar,
        staging.pack_in_place("/", [job("/a/new/x")], missing),
    ):
        directories = [name for name, (info, _) in members(tar).items() if info.isdir()]
        assert all(name.startswith(".freshd-") or name == "a/new" for name in directories)


def test_a_directory_is_given_to_the_one_who_moves_once_all_is_in_it() -> None:
    stage = staging.stage_files("/", [job("/a/x"), job("/b/y")], [], {"/a": 7})
    with stage.tar, tarfile.open(fileobj=stage.tar, mode="r:") as opened:
        listed = [(each.name, each.uid, each.mode) for each in opened]
    top = stage.directory.lstrip("/")
    assert listed == [
        (top, 0, 0o711), (f"{top}/0", 0, 0o700), (f"{top}/1", 0, 0o700),
        (f"{top}/0/x", 7, 0o640), (f"{top}/1/y", 7, 0o640), (f"{top}/0", 7, 0o770),
    ]  # fmt: skip


def test_a_link_is_not_in_the_archive_but_has_a_place() -> None:
    stage = staging.stage_files("/", [job("/a/l", b"target", kind=Kind.LINK)], [], {})
    assert stage.places["/a/l"].endswith("/0/l")
    assert all(info.isdir() for info, _ in members(stage.tar).values())


@pytest.mark.parametrize(
    "bad", [job("/a/x", mode=0o4755), job("/a/x", mode=0o2755), job("/a/../x"), job("/../x")]
)
def test_the_archive_itself_refuses_what_must_not_be_in_it(bad: Job) -> None:
    """Rule 3, behind the checks that come before."""
    with pytest.raises(ValueError, match="not a safe archive member"):
        staging.pack_in_place("/", [bad], [])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x", tarfile.SYMTYPE),
        ("x", tarfile.LNKTYPE),
        ("x", tarfile.CHRTYPE),
        ("x", tarfile.BLKTYPE),
        ("x", tarfile.FIFOTYPE),
        ("/x", tarfile.REGTYPE),
    ],
)
def test_nothing_but_files_and_directories_by_relative_names_is_packed(
    name: str, kind: bytes
) -> None:
    info = tarfile.TarInfo(name)
    info.type = kind
    with pytest.raises(ValueError, match="not a safe archive member"):
        staging._tar([(info, None)])
