"""What age alone tells of an image: only what cannot have come after the container."""

from collections.abc import Mapping

import pytest

from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Mount, Replica
from freshd.observe.container.inherited import told_by_age

CREATED = 1_000_000.5
REPLICA = Replica(
    id="c" * 64,
    name="web-1",
    service="web",
    created_at=CREATED,
    mounts=(Mount(kind="volume", source="v", target="/data"),),
)
DIR = Entry(Kind.DIR, mode=0o755)
FILE = Entry(Kind.FILE, "ab" * 32, 3, 0o644)
OLD, YOUNG = int(CREATED) - 1, int(CREATED)


def signature(stamp: int | str, mtime: int = 5) -> str:
    return f"81a4 3 {mtime} {stamp} 77"


def told(
    files: dict[str, Entry], stamps: Mapping[str, int | str], *paths: str
) -> dict[str, Entry | None]:
    signatures = {path: signature(stamp) for path, stamp in stamps.items()}
    return told_by_age(paths, files, signatures, REPLICA)


TREE = {"/app": DIR, "/app/src": DIR, "/app/src/f": FILE}


def test_a_file_and_its_directories_older_than_the_container_are_the_images() -> None:
    assert told(TREE, dict.fromkeys(TREE, OLD), "/app/src/f") == {"/app/src/f": FILE}


@pytest.mark.parametrize("young", TREE)
def test_one_younger_link_of_the_chain_and_nothing_is_told(young: str) -> None:
    """A young directory may be another one that was moved there."""
    stamps = dict.fromkeys(TREE, OLD) | {young: YOUNG}
    assert told(TREE, stamps, "/app/src/f", "/app/src/none") in ({}, {"/app/src/none": None})
    assert "/app/src/f" not in told(TREE, stamps, "/app/src/f")


def test_the_second_in_which_the_container_was_made_is_too_young() -> None:
    assert told({"/f": FILE}, {"/f": OLD}, "/f") == {"/f": FILE}
    assert told({"/f": FILE}, {"/f": YOUNG}, "/f") == {}


@pytest.mark.parametrize(
    ("stamp", "old"),
    [
        ("1000000.400000000", True),
        ("1000000.490000000", False),  # the clock of files may be a tick behind
        ("1000000.500000001", False),
        ("1000000.000000000", False),  # a file system that tells whole seconds
        ("999999.000000000", True),
    ],
)
def test_a_fraction_tells_within_that_second(stamp: str, old: bool) -> None:
    assert told({"/f": FILE}, {"/f": stamp}, "/f") == ({"/f": FILE} if old else {})


def test_an_mtime_of_the_future_is_no_age() -> None:
    files = {"/f": FILE}
    assert told_by_age(["/f"], files, {"/f": signature(OLD, YOUNG + 9)}, REPLICA) == {}


def test_what_an_old_directory_lacks_the_image_lacks() -> None:
    stamps = dict.fromkeys(TREE, OLD)
    absent = ("/app/src/none", "/app/no/such/dir/none")
    assert told(TREE, stamps, *absent) == dict.fromkeys(absent)


@pytest.mark.parametrize("path", ["/app/src/none", "/app/src/no/none"])
def test_what_a_young_directory_lacks_may_have_been_deleted(path: str) -> None:
    assert told(TREE, dict.fromkeys(TREE, OLD) | {"/app/src": YOUNG}, path) == {}


def test_of_what_is_missing_at_the_top_nothing_is_told() -> None:
    """The root directory is always young."""
    assert told({}, {}, "/none", "/no/none") == {}


def test_a_file_without_a_stamp_after_its_reading_is_not_told() -> None:
    stamps = dict.fromkeys(["/app", "/app/src"], OLD)
    assert told(TREE, stamps, "/app/src/f") == {}


def test_a_link_in_the_way_leads_elsewhere() -> None:
    tree = TREE | {"/app": Entry(Kind.LINK, "cd" * 32, 4, 0o777)}
    assert told(tree, dict.fromkeys(TREE, OLD), "/app/src/f", "/app/src/none") == {}


@pytest.mark.parametrize("path", ["/data/f", "/etc/hosts", "/proc/f", "/data"])
def test_mounts_and_the_engines_own_are_not_the_images(path: str) -> None:
    tree = {"/data": DIR, "/etc": DIR, "/proc": DIR, path: FILE}
    assert told(tree, dict.fromkeys(tree, OLD), path) == {}


@pytest.mark.parametrize("young", ["/app", "/app/src"])
def test_where_directories_stay_a_file_tells_by_itself(young: str) -> None:
    signatures = {path: signature(YOUNG if path == young else OLD) for path in TREE}
    asked = ["/app/src/f", "/app/src/none"]
    told = told_by_age(asked, TREE, signatures, REPLICA, stay=True)
    assert told == {"/app/src/f": FILE}, "what a young directory lacks may have been deleted"
    link = TREE | {young: Entry(Kind.LINK, "cd" * 32, 1, 0o777)}
    assert "/app/src/f" not in told_by_age(asked, link, signatures, REPLICA, stay=True)
    signatures["/app/src/f"] = signature(YOUNG)
    assert told_by_age(asked, TREE, signatures, REPLICA, stay=True) == {}
