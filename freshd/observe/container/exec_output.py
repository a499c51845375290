"""What stat, sha256sum and readlink print inside a container: bytes in, values out. Pure.

The output is not trusted: a line that is not exactly what was asked for counts as no answer.
"""

import os
import re
import stat as modes
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Replica
from freshd.observe.identity import Place

# Both coreutils and busybox take it: mtime and ctime to the nanosecond, of busybox in whole seconds
# (to it the precision is a number of digits). coreutils needs LC_ALL=C for the point in it.
STAMPS_FORMAT = "%.9Y %.9Z"
# Raw mode (hex), size, both stamps, inode; device, name. No clean path holds "//", so "//" and a
# newline end a record whatever the name is.
STAT_FORMAT = f"%f %s {STAMPS_FORMAT} %i %d %n//"

_STAMP = r"-?[0-9]{1,19}(?:\.[0-9]{9})?"
_FIELDS = re.compile(rf"([0-9a-f]{{1,8}}) ([0-9]{{1,19}}) ({_STAMP}) ({_STAMP}) ([0-9]{{1,20}})")
_HASH = re.compile(rb"([0-9a-f]{64}) [ *](/.*)")
_HEADER = re.compile(rb"(\d{1,12})?(?: ([0-9a-f-]{36})?)?")
_BARE_HASH = re.compile(rb"([0-9a-f]{64})(?: .*)?")
_TICK_NS = 20_000_000
_GONE = (b": No such file or directory", b": Not a directory")
_ODD = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True, slots=True)
class Stat:
    """One path's stat. ``signature`` is its text; ``stamp`` the later of mtime and ctime, in ns."""

    kind: Kind
    size: int
    mode: int
    signature: str
    stamp: int

    def entry(self, digest: str = "") -> Entry:
        return Entry(self.kind, digest, self.size, self.mode)

    def unreadable(self, reason: str) -> Entry:
        return Entry(Kind.UNREADABLE, "", self.size, self.mode, reason)


def latest_ns(stamp: str) -> int:
    """The last nanosecond that a stamp of ``STAMPS_FORMAT`` may mean. Raises ValueError.

    Without a fraction any in its second: no stat or no file system there reported more.
    """
    seconds, _, fraction = stamp.partition(".")
    if not fraction.strip("0"):
        return int(seconds) * 1_000_000_000 + 999_999_999
    return int(seconds + fraction)


def is_before(stamp: int, replica: Replica) -> bool:
    """Whether a stamp (ns) is surely older than the container.

    The clock that files are stamped with is up to one tick behind the engine's.
    """
    return stamp < int(replica.created_at * 1e9) - _TICK_NS


def is_odd(path: str) -> bool:
    """Whether sha256sum may print this name escaped, or on more than one line."""
    return bool(_ODD.search(path))


def names(paths: Sequence[str]) -> bytes:
    """Paths as NUL-terminated bytes, for ``xargs -0``."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)


@dataclass(frozen=True, slots=True)
class Header:
    """The container's clock (seconds; None when it is odd) and its kernel's boot id, or ""."""

    clock: int | None = None
    kernel: str = ""


def parse_header(output: bytes) -> tuple[Header, bytes]:
    """The first line, and the rest."""
    line, _, rest = output.partition(b"\n")
    match = _HEADER.fullmatch(line)
    if match is None:
        return Header(), rest
    clock = int(match[1]) if match[1] else None
    return Header(clock, (match[2] or b"").decode("ascii")), rest


def parse_records(output: bytes, asked: Collection[str]) -> dict[str, str]:
    """Records of STAT_FORMAT: path -> its fields as text, the signature, not yet checked.

    An equal signature is known to be good, so only the others need ``stat_of``. The device is no
    part of it: a container's own has another number after each start.
    """
    return {path: fields.rpartition(" ")[0] for path, fields in _fields(output, asked)}


def parse_places(output: bytes, asked: Collection[str]) -> dict[str, Place]:
    """Of the same records device and inode; what is malformed is left out."""
    places = {}
    for path, text in _fields(output, asked):
        words = text.split(" ")[-2:]
        if len(words) == 2 and all(word.isascii() and word.isdigit() for word in words):
            places[path] = int(words[1]), int(words[0])
    return places


def _fields(output: bytes, asked: Collection[str]) -> Iterator[tuple[str, str]]:
    wanted = {os.fsencode(path): path for path in asked}
    for record in output.split(b"//\n")[:-1]:  # an unfinished last name may look like another
        fields, _, name = record.partition(b" /")
        path = wanted.get(b"/" + name)
        if path is not None:
            yield path, fields.decode("ascii", "replace")


def stat_of(signature: str) -> Stat | None:
    """The meaning of a record's fields; None where they are malformed."""
    match = _FIELDS.fullmatch(signature)
    if match is None:
        return None
    raw = int(match[1], 16)
    stamp = max(latest_ns(match[3]), latest_ns(match[4]))
    return Stat(_kind(raw), int(match[2]), modes.S_IMODE(raw), signature, stamp)


def stamp_of(signature: str) -> int | None:
    """The later of mtime and ctime of a record that ``stat_of`` takes; None for any other."""
    fields = signature.split(" ")
    try:
        return max(latest_ns(fields[2]), latest_ns(fields[3]))
    except (ValueError, IndexError):
        return None


def parse_alternating(output: bytes) -> tuple[bytes, bytes]:
    """Two kinds of output that come in turns, each ended by a NUL: all of each, joined."""
    parts = output.split(b"\0")[:-1]
    return b"".join(parts[0::2]), b"".join(parts[1::2])


def parse_hashes(output: bytes, asked: Collection[str]) -> dict[str, str]:
    """Lines of ``sha256sum -- NAME…`` for names that are not odd: path -> digest."""
    wanted = {os.fsencode(path): path for path in asked}
    hashes: dict[str, str] = {}
    for line in output.split(b"\n")[:-1]:
        match = _HASH.fullmatch(line)
        path = wanted.get(match[2]) if match else None
        if match and path is not None:
            hashes[path] = match[1].decode("ascii")
    return hashes


def parse_hashes_in_order(output: bytes, asked: Sequence[str]) -> dict[str, str]:
    """One line per path in the order asked, empty where hashing failed; all or nothing."""
    lines = output.split(b"\n")
    if len(lines) != len(asked) + 1 or lines[-1]:
        return {}
    hashes: dict[str, str] = {}
    for path, line in zip(asked, lines, strict=False):
        if match := _BARE_HASH.fullmatch(line):
            hashes[path] = match[1].decode("ascii")
    return hashes


def parse_links_in_order(output: bytes, asked: Sequence[str]) -> dict[str, str]:
    """NUL-terminated link texts in the order asked, empty where it failed: path -> text digest."""
    texts = output.split(b"\0")
    if len(texts) != len(asked) + 1 or texts[-1]:
        return {}
    return {
        path: sha256(text).hexdigest() for path, text in zip(asked, texts, strict=False) if text
    }


def explains_absence(stderr: bytes, absent: int) -> bool:
    """Whether stat's messages say of exactly ``absent`` paths that they do not exist.

    Messages quote names in many ways, so they are counted and not read; any other message, or one
    in another language, and the answer is no.
    """
    lines = stderr.removesuffix(b"\n").split(b"\n")
    return len(lines) == absent and all(line.endswith(_GONE) for line in lines)


def _kind(raw: int) -> Kind:
    if modes.S_ISREG(raw):
        return Kind.FILE
    if modes.S_ISLNK(raw):
        return Kind.LINK
    return Kind.DIR if modes.S_ISDIR(raw) else Kind.OTHER
