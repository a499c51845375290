"""Nodes in, a test of whole texts out: the standard library's expressions where those are quick."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from freshd.model.globs.automaton import Automaton
from freshd.model.globs.linear import linear_source
from freshd.model.globs.nodes import Chars, Node, Row

LONGEST = 4096
"""Of a pattern, in characters: no path that a system call takes is longer."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """``source`` is an expression for DOTALL that is matched in linear time, if there is one."""

    fullmatch: Callable[[str], object]
    source: str | None = None


def compile_nodes(nodes: Sequence[Node]) -> Matcher:
    source = linear_source(nodes)
    if source is not None:
        return Matcher(re.compile(source, re.DOTALL).fullmatch, source)
    return Matcher(Automaton(Row(tuple(nodes))).fullmatch)


def either(matchers: Iterable[Matcher]) -> Callable[[str], object]:
    """A test whether any of them matches: one expression for all that have one."""
    every = list(matchers)
    sources = [f"(?:{matcher.source})" for matcher in every if matcher.source is not None]
    others = [matcher.fullmatch for matcher in every if matcher.source is None]
    quick = re.compile("|".join(sources), re.DOTALL).fullmatch if sources else None
    if quick is not None and not others:
        return quick

    def matches(text: str) -> bool:
        return bool(quick is not None and quick(text)) or any(other(text) for other in others)

    return matches


def text_of(nodes: Sequence[Node]) -> str | None:
    """What they spell, where each is one character."""
    chars = []
    for node in nodes:
        if not isinstance(node, Chars) or node.negated or len(node.ranges) != 1:
            return None
        low, high = node.ranges[0]
        if low != high:
            return None
        chars.append(low)
    return "".join(chars)
