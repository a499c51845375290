"""What commands print is told by name only where the name is shown as it is."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.engine.container import shell_output
from freshd.model.files import Kind

NAMES = st.binary(min_size=1, max_size=30).filter(lambda b: b"\0" not in b).map(os.fsdecode)


def test_some_missing_files_do_not_shift_the_hashes_of_the_others() -> None:
    lines = [b"a" * 64 + b"  /x", b"sha256sum: /y: No such file", b"b" * 64 + b"  / z "]
    found = shell_output.digests_by_name(lines, ["/x", "/y", "/ z "])
    assert found == {"/x": "a" * 64, "/ z ": "b" * 64}


def test_a_name_that_a_tool_would_escape_is_not_told_by_name() -> None:
    assert not shell_output.digests_by_name([b"a" * 64 + b"  /a\\nb"], ["/a\\nb"])


def test_an_escaped_line_still_holds_its_hash() -> None:
    assert shell_output.digest(b"\\" + b"c" * 64 + b"  /a\\nb") == "c" * 64


@pytest.mark.parametrize(
    ("mode", "kind"),
    [(0o100644, Kind.FILE), (0o40755, Kind.DIR), (0o120777, Kind.LINK), (0o20600, Kind.OTHER)],
)
def test_facts_tell_the_kind_and_the_bits(mode: int, kind: Kind) -> None:
    fact = shell_output.facts(b"%x 7 8 9 10 /a b" % mode)
    assert (fact.kind, fact.mode, fact.uid, fact.gid, fact.size, fact.mtime) == (
        kind, mode & 0o7777, 7, 8, 9, 10,
    )  # fmt: skip


@settings(deadline=None)
@given(name=NAMES)
def test_octal_has_only_characters_that_a_shell_reads_as_they_are(name: str) -> None:
    encoded = shell_output.octal(os.fsencode(name))
    assert set(encoded) <= set(b"\\01234567")
    decoded = bytes(int(part[1:], 8) for part in encoded.split(b"\\") if part)
    assert decoded == os.fsencode(name)
