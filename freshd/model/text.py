"""Text that is safe to show, and the type of JSON values."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None


def printable(text: str) -> str:
    """``text`` on one line for a person: control, bidi and undecodable characters as ``\\x..``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8 (surrogateescape)
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def count_files(number: int) -> str:
    """``1 file``, ``2,000 files``."""
    return "1 file" if number == 1 else f"{number:,} files"
