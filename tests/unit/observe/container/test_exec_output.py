"""What commands print in a container is parsed exactly, and nothing odd is believed."""

import hashlib
import os
import stat as modes
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.model.files import Kind
from freshd.observe.container import exec_output

# A component of any bytes a file system takes, and whole clean paths of them.
COMPONENTS = (
    st.binary(min_size=1, max_size=12)
    .filter(lambda raw: b"/" not in raw and b"\0" not in raw and raw not in (b".", b".."))
    .map(os.fsdecode)
)
PATHS = st.lists(COMPONENTS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
BOOT = "f83c02ba-9809-4b51-be48-fc27f4f4885a"
DIGESTS = st.binary(max_size=8).map(lambda raw: hashlib.sha256(raw).hexdigest())


def record(
    path: str, mode: int = 0o100644, size: int = 3, mtime: int = 10, ctime: int = 20
) -> bytes:
    return b"%x %d %d %d 77 5 %s//\n" % (mode, size, mtime, ctime, os.fsencode(path))


def stats(printed: bytes, asked: Collection[str]) -> dict[str, exec_output.Stat]:
    records = exec_output.parse_records(printed, asked)
    return {path: stat for path, text in records.items() if (stat := exec_output.stat_of(text))}


@given(st.dictionaries(PATHS, st.integers(0, 2**40), max_size=8))
def test_stat_records_come_back_for_names_of_any_bytes(sizes: dict[str, int]) -> None:
    printed = b"".join(record(path, size=size) for path, size in sizes.items())
    assert {path: stat.size for path, stat in stats(printed, sizes).items()} == sizes


@given(st.dictionaries(PATHS, DIGESTS, max_size=8))
def test_links_and_hashes_in_order_come_back_for_names_of_any_bytes(
    digests: dict[str, str],
) -> None:
    asked = list(digests)
    printed = b"".join(b"%s  -\n" % digest.encode() for digest in digests.values())
    assert exec_output.parse_hashes_in_order(printed, asked) == digests
    texts = b"".join(os.fsencode(path) + b"\0" for path in asked)
    expected = {path: hashlib.sha256(os.fsencode(path)).hexdigest() for path in asked}
    assert exec_output.parse_links_in_order(texts, asked) == expected


@given(
    st.dictionaries(PATHS.filter(lambda path: not exec_output.is_odd(path)), DIGESTS, max_size=8)
)
def test_hash_lines_come_back_for_every_name_that_is_not_odd(digests: dict[str, str]) -> None:
    printed = b"".join(
        b"%s  %s\n" % (digest.encode(), os.fsencode(path)) for path, digest in digests.items()
    )
    assert exec_output.parse_hashes(printed, digests) == digests


@given(st.binary(max_size=400), st.lists(PATHS, max_size=4, unique=True))
def test_no_output_whatever_makes_a_parser_fail_or_name_an_unasked_path(
    noise: bytes, asked: list[str]
) -> None:
    assert stats(noise, asked).keys() <= set(asked)
    assert exec_output.parse_hashes(noise, asked).keys() <= set(asked)
    assert exec_output.parse_hashes_in_order(noise, asked).keys() <= set(asked)
    assert exec_output.parse_links_in_order(noise, asked).keys() <= set(asked)
    exec_output.parse_header(noise)
    exec_output.parse_places(noise, asked)
    exec_output.parse_alternating(noise)
    exec_output.stat_of(noise.decode("latin-1"))


@given(st.lists(PATHS, max_size=8))
def test_names_on_stdin_split_back_at_nul(paths: list[str]) -> None:
    assert [os.fsdecode(each) for each in exec_output.names(paths).split(b"\0")[:-1]] == paths


@pytest.mark.parametrize(
    ("mode", "kind", "bits"),
    [
        (modes.S_IFREG | 0o4755, Kind.FILE, 0o4755),
        (modes.S_IFLNK | 0o777, Kind.LINK, 0o777),
        (modes.S_IFDIR | 0o1777, Kind.DIR, 0o1777),
        (modes.S_IFIFO | 0o644, Kind.OTHER, 0o644),
        (modes.S_IFSOCK | 0o755, Kind.OTHER, 0o755),
        (modes.S_IFCHR | 0o600, Kind.OTHER, 0o600),
    ],
)
def test_the_raw_mode_gives_kind_and_permission_bits(mode: int, kind: Kind, bits: int) -> None:
    stat = stats(record("/a", mode), ["/a"])["/a"]
    assert (stat.kind, stat.mode) == (kind, bits)


def test_a_stat_remembers_the_later_stamp_and_a_signature_of_every_field() -> None:
    plain = stats(record("/a"), ["/a"])["/a"]
    assert plain.stamp == 20_999_999_999
    assert stats(record("/a", mtime=99), ["/a"])["/a"].stamp == 99_999_999_999
    for other in (
        record("/a", mode=0o100755),
        record("/a", size=4),
        record("/a", mtime=11),
        record("/a", ctime=21),
        record("/a").replace(b" 77 ", b" 78 "),
    ):
        assert stats(other, ["/a"])["/a"].signature != plain.signature


@pytest.mark.parametrize(
    ("printed", "nanoseconds"),
    [
        ("20.000000001", 20_000_000_001),
        ("1764537980.666028214", 1_764_537_980_666_028_214),
        ("20", 20_999_999_999),  # busybox tells whole seconds
        ("20.000000000", 20_999_999_999),  # and so do some file systems
        ("-3", -2_000_000_001),
    ],
)
def test_a_stamp_means_no_moment_after_this(printed: str, nanoseconds: int) -> None:
    assert exec_output.latest_ns(printed) == nanoseconds
    signature = f"81a4 3 {printed} {printed} 77"
    assert exec_output.stamp_of(signature) == nanoseconds
    stat = exec_output.stat_of(signature)
    assert stat is not None
    assert stat.stamp == nanoseconds


@pytest.mark.parametrize(
    "printed",
    [
        b"81a4 3 10.5 20 77 /a//\n",
        b"81a4 3 10 20,000000001 77 /a//\n",
        b"81a4 3 10 20. 77 /a//\n",
        b"81a4 3 10 20 77 /b//\n",
        b"81a4 3 10 20 /a//\n",
        b"81A4 3 10 20 77 /a//\n",
        b"81a4 -3 10 20 77 /a//\n",
        b"81a4 3 10 20 77 /a",
        b"x 81a4 3 10 20 77 /a//\n",
        b"81a4 99999999999999999999 10 20 77 /a//\n",
    ],
)
def test_a_stat_record_that_is_not_exact_is_no_answer(printed: bytes) -> None:
    assert stats(printed, ["/a"]) == {}


@pytest.mark.parametrize(
    "line",
    [b"%s  /b", b"%s /a", b"\\%s  /a", b" %s  /a", b"%sa  /a", b"%s  /a "],
)
def test_a_hash_line_that_is_not_exact_is_no_answer(line: bytes) -> None:
    digest = b"0" * 64
    assert exec_output.parse_hashes(line % digest + b"\n", ["/a"]) == {}
    assert exec_output.parse_hashes(b"%s  /a" % digest, ["/a"]) == {}
    assert exec_output.parse_hashes(b"%s  /a\n" % digest, ["/a"]) == {"/a": "0" * 64}


@given(st.lists(st.tuples(PATHS, DIGESTS), min_size=1, max_size=6, unique_by=lambda row: row[0]))
def test_records_and_hashes_in_turns_come_apart(rows: list[tuple[str, str]]) -> None:
    plain = [(path, digest) for path, digest in rows if not exec_output.is_odd(path)]
    printed = b"".join(
        record(path) + b"\0" + b"%s  %s\n" % (digest.encode(), os.fsencode(path)) + b"\0"
        for path, digest in plain
    )
    records, lines = exec_output.parse_alternating(printed + b"81a4 cut off")
    asked = [path for path, _ in plain]
    assert stats(records, asked).keys() == set(asked)
    assert exec_output.parse_hashes(lines, asked) == dict(plain)


def test_answers_in_order_are_refused_as_a_whole_when_their_number_is_wrong() -> None:
    line = b"0" * 64 + b"  -\n"
    assert exec_output.parse_hashes_in_order(line, ["/a", "/b"]) == {}
    assert exec_output.parse_hashes_in_order(line * 3, ["/a", "/b"]) == {}
    assert exec_output.parse_hashes_in_order(b"\n" + line, ["/a", "/b"]) == {"/b": "0" * 64}
    assert exec_output.parse_links_in_order(b"x\0", ["/a", "/b"]) == {}
    assert exec_output.parse_links_in_order(b"\0x\0", ["/a", "/b"]).keys() == {"/b"}


@pytest.mark.parametrize(
    ("stderr", "absent", "explained"),
    [
        (b"stat: can't stat '/a': No such file or directory\n", 1, True),
        (b"stat: cannot statx '/a/b': Not a directory\n", 1, True),
        (b"stat: cannot statx '/a': No such file or directory\n", 2, False),
        (b"stat: cannot statx '/a': Permission denied\n", 1, False),
        (b"stat: cannot statx '/a': Too many levels of symbolic links\n", 1, False),
        (b"stat: cannot statx '/a': Datei oder Verzeichnis nicht gefunden\n", 1, False),
        (b"", 1, False),
    ],
)
def test_absence_is_believed_only_when_every_message_says_so(
    stderr: bytes, absent: int, explained: bool
) -> None:
    assert exec_output.explains_absence(stderr, absent) is explained


@pytest.mark.parametrize(
    ("printed", "clock", "kernel", "rest"),
    [
        (b"17 \nx", 17, "", b"x"),
        (b"17 %s\nx" % BOOT.encode(), 17, BOOT, b"x"),
        (b" %s\nx" % BOOT.encode(), None, BOOT, b"x"),
        (b"17 0badc0de\nx", None, "", b"x"),
        (b"\nx", None, "", b"x"),
        (b"1e3\nx", None, "", b"x"),
        (b"", None, "", b""),
    ],
)
def test_the_first_line_is_optional_and_strict(
    printed: bytes, clock: int | None, kernel: str, rest: bytes
) -> None:
    assert exec_output.parse_header(printed) == (exec_output.Header(clock, kernel), rest)


def test_device_and_inode_are_told_apart_from_the_signature() -> None:
    printed = record("/a") + record("/b").replace(b" 5 /", b" x /")
    assert exec_output.parse_places(printed, ["/a", "/b"]) == {"/a": (5, 77)}
    assert exec_output.parse_records(printed, ["/a"]) == {"/a": "81a4 3 10 20 77"}


@pytest.mark.parametrize("name", ["/a\nb", "/a\\b", "/a\tb", "/a\rb", "/a\x7f"])
def test_names_that_sha256sum_may_escape_are_odd(name: str) -> None:
    assert exec_output.is_odd(name)


@pytest.mark.parametrize("name", ["/a b", "/-n", "/it's", '/"q"', "/ä", "/\udcff", "/$(x)"])
def test_other_names_are_not_odd(name: str) -> None:
    assert not exec_output.is_odd(name)
