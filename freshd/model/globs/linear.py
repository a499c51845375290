"""Globs as regular expressions that never try again what they have tried: nodes in, source out.

A star that is not the last of its name takes as little as it can, and for good: whatever follows it
has the most room then. So does ``**`` with whole names. Of an expression that is made so each part
is tried once at each place.
"""

from collections.abc import Iterable, Sequence

from freshd.model.globs.nodes import DIRECTORIES, REST, SLASH, STAR, Chars, Node

_STAR = "[^/]*"
_DIRECTORIES = "(?:[^/]*+/)*?"
_ALL_DIRECTORIES = "(?:.*/)?+"
_END = r"\Z"
_AT_A_NAMES_END = r"(?=/|\Z)"
_REPEATED: dict[Node, str] = {STAR: _STAR, REST: ".*"}


def linear_source(nodes: Sequence[Node]) -> str | None:
    """For ``fullmatch`` with DOTALL; None for nodes that are not of this kind."""
    if sum(not isinstance(node, Chars) for node in nodes) <= 1 and DIRECTORIES not in nodes:
        return _with_one_star(nodes)
    body, rest = (nodes[:-1], ".*") if nodes and nodes[-1] == REST else (nodes, "")
    groups = _split(body, DIRECTORIES)
    if rest and groups[-1] and groups[-1][-1] != SLASH:
        return None
    if not all(_ends_with_slash(group) for group in groups[:-1]):
        return None
    if not all(node in (STAR, SLASH) or _is_plain(node) for group in groups for node in group):
        return None
    first, *others = map(_group, groups)
    if not others:
        return first + rest
    between = [f"(?>{_DIRECTORIES}{group})" for group in others[:-1]]
    return "".join((first, *between, _last(groups[-1], others[-1], rest)))


def _last(nodes: Sequence[Node], group: str, rest: str) -> str:
    """What follows the last ``**``."""
    if rest:
        return f"{_DIRECTORIES}{group}{rest}" if group else rest
    if SLASH not in nodes:
        return f"{_ALL_DIRECTORIES}{group}"  # one name: the path's last
    return f"{_DIRECTORIES}{group}{_END}"


def _with_one_star(nodes: Sequence[Node]) -> str | None:
    """Where only one node may take more or less, there is little to try."""
    sources = [node.source if isinstance(node, Chars) else _REPEATED.get(node) for node in nodes]
    known = [source for source in sources if source is not None]
    return "".join(known) if len(known) == len(nodes) else None


def _split(nodes: Iterable[Node], at: Node) -> list[list[Node]]:
    parts: list[list[Node]] = [[]]
    for node in nodes:
        if node == at:
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def _ends_with_slash(group: Sequence[Node]) -> bool:
    return not group or group[-1] == SLASH


def _is_plain(node: Node) -> bool:
    """Whether it is one character of a name."""
    return isinstance(node, Chars) and not node.has("/")


def _group(nodes: Sequence[Node]) -> str:
    """Names with slashes between them, in one go."""
    names = _split(nodes, SLASH)
    source = "/".join(map(_name, names))
    return f"(?>{source})" if source else ""


def _name(nodes: Sequence[Node]) -> str:
    first, *others = (_chars(chunk) for chunk in _split(nodes, STAR))
    if not others:
        return first
    middle = [f"(?>[^/]*?{chunk})" for chunk in others[:-1] if chunk]
    return "".join((first, *middle, f"{_STAR}{others[-1]}{_AT_A_NAMES_END}"))


def _chars(chunk: Sequence[Node]) -> str:
    return "".join(node.source for node in chunk if isinstance(node, Chars))
