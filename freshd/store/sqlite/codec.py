"""Values to columns and back: paths and digests as bytes, text that any ``str`` survives, JSON.

Every ``pack`` has its ``unpack``; together they return exactly what came in, bytes that are not
UTF-8 (lone surrogates in a ``str``) included.
"""

import hmac
import json
import sys
from collections.abc import Mapping
from typing import TypeAlias, cast

from freshd.model.files import Entry, Kind
from freshd.model.text import Json

Column: TypeAlias = int | float | str | bytes | None
EntryRow: TypeAlias = tuple[str, bytes, int, int, Column]

_INT64 = 1 << 63
_LARGEST = 250_000_000_000  # seconds: in the year 9892
_NAMES = (sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def pack_path(path: str) -> bytes:
    return path.encode(*_NAMES)


def unpack_path(column: bytes) -> str:
    return column.decode(*_NAMES)


def pack_digest(digest: str) -> bytes:
    """The 32 bytes of a sha256; empty for "" (directories, unreadable files)."""
    return bytes.fromhex(digest)


def unpack_digest(column: bytes) -> str:
    return column.hex()


def pack_text(text: str) -> str | bytes:
    """Text as it is where SQLite can hold it, else (lone surrogates) as bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def unpack_text(column: Column) -> str:
    if isinstance(column, bytes):
        return column.decode("utf-8", "surrogatepass")
    return str(column)


def pack_json(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def unpack_json(column: str) -> Json:
    return cast(Json, json.loads(column))


def pack_unsigned(number: int) -> int:
    """An inode or device number (64 bits without sign) as the signed integer SQLite has."""
    return number - 2 * _INT64 if number >= _INT64 else number


def unpack_unsigned(column: int) -> int:
    return column + 2 * _INT64 if column < 0 else column


def fits(number: int) -> bool:
    """Whether SQLite can hold a signed ``number``: a time after 2262 in nanoseconds cannot be."""
    return -_INT64 <= number < _INT64


def pack_entry(entry: Entry) -> EntryRow:
    """Columns kind, digest, size, mode, reason."""
    reason = pack_text(entry.reason) if entry.reason else None
    return (entry.kind.value, pack_digest(entry.digest), entry.size, entry.mode, reason)


def unpack_entry(kind: str, digest: bytes, size: int, mode: int, reason: Column) -> Entry:
    text = "" if reason is None else unpack_text(reason)
    return Entry(_KINDS[kind], unpack_digest(digest), _whole(size), _whole(mode), text)


def _whole(column: int) -> int:
    if not isinstance(column, int):
        raise TypeError(f"no whole number: {column!r}")
    return column


def unpack_number(column: Column) -> float:
    """A count, or a time that a calendar has: nothing that is kept is larger."""
    if not isinstance(column, int | float) or not 0 <= column <= _LARGEST:
        raise ValueError(f"no number: {column!r}")
    return column


def hashed_values(key: bytes, values: Mapping[str, str]) -> dict[str, str]:
    """Values that may be secret, as they are kept: whoever sees a hash cannot try others."""
    return {name: _keyed(key, f"{name}\0{value}") for name, value in values.items()}


def _keyed(key: bytes, text: str) -> str:
    return f"hmac:{hmac.digest(key, text.encode('utf-8', 'surrogatepass'), 'sha256').hex()}"


_KINDS = {kind.value: kind for kind in Kind}
