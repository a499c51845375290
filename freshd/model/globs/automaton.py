"""Any nodes matched by following all ways at once: a step a character, however many ways there are.

The positions of a pattern are the bits of a number. Which positions can follow those of a state is
looked up for eight of them at a time.
"""

from dataclasses import dataclass

from freshd.model.globs.nodes import Chars, Either, Node, Repeated, Row

_BLOCK = 8


@dataclass(frozen=True, slots=True)
class _Part:
    """Positions (bits) a part can begin and end with, and whether it may be empty."""

    first: int
    last: int
    empty: bool


_EMPTY = _Part(0, 0, empty=True)


class Automaton:
    """``fullmatch`` as of a regular expression."""

    def __init__(self, node: Node) -> None:
        self._follow: list[int] = []
        self._bits_of: dict[Chars, int] = {}
        self._part = self._read(node)
        self._masks: dict[str, int] = {}
        self._reach: dict[tuple[int, int], int] = {}

    def fullmatch(self, text: str) -> bool:
        if not text:
            return self._part.empty
        reachable, state = self._part.first, 0
        for char in text:
            state = reachable & self._mask(char)
            if not state:
                return False
            reachable = self._after(state)
        return bool(state & self._part.last)

    def _mask(self, char: str) -> int:
        mask = self._masks.get(char)
        if mask is None:
            mask = 0
            for chars, bits in self._bits_of.items():
                mask |= bits if chars.has(char) else 0
            self._masks[char] = mask
        return mask

    def _after(self, state: int) -> int:
        reachable = 0
        for block, byte in enumerate(state.to_bytes(-(-len(self._follow) // _BLOCK), "little")):
            if byte:
                found = self._reach.get((block, byte))
                if found is None:
                    found = self._reach[block, byte] = self._follow_all(block, byte)
                reachable |= found
        return reachable

    def _follow_all(self, block: int, byte: int) -> int:
        found = 0
        for bit in range(_BLOCK):
            if byte >> bit & 1:
                found |= self._follow[block * _BLOCK + bit]
        return found

    def _read(self, node: Node) -> _Part:
        match node:
            case Chars():
                bit = 1 << len(self._follow)
                self._follow.append(0)
                self._bits_of[node] = self._bits_of.get(node, 0) | bit
                return _Part(bit, bit, empty=False)
            case Repeated():
                part = self._read(node.node)
                self._link(part.last, part.first)
                return _Part(part.first, part.last, empty=True)
            case Row():
                return self._row(node)
            case Either():
                parts = [self._read(each) for each in node.nodes]
                first = last = 0
                for part in parts:
                    first, last = first | part.first, last | part.last
                return _Part(first, last, empty=any(part.empty for part in parts))

    def _row(self, row: Row) -> _Part:
        whole = _EMPTY
        for node in row.nodes:
            part = self._read(node)
            self._link(whole.last, part.first)
            whole = _Part(
                whole.first | part.first if whole.empty else whole.first,
                whole.last | part.last if part.empty else part.last,
                empty=whole.empty and part.empty,
            )
        return whole

    def _link(self, ends: int, beginnings: int) -> None:
        while ends:
            lowest = ends & -ends
            self._follow[lowest.bit_length() - 1] |= beginnings
            ends ^= lowest
