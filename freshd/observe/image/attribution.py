"""Which layer wrote or removed a path last, from the members of the layers. Pure.

Layers come as a replay: removals of a layer hit what the layers below it left, then its own
members are added. Directory members say nothing of the files below them. A storage driver copies a
file up whole when only its owner, mode or time changes: a member with the content that lay there
already was not written by its layer, unless that is a COPY's.
"""

import posixpath
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from freshd.model.observed.image import HistoryEntry, is_copy
from freshd.model.paths import absolute, ancestors, is_below

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_MAX_LINKS = 40


def rewritten(targets: Iterable[str], writers: Mapping[str, str]) -> dict[str, str]:
    """Those targets whose last writer is known and is no COPY or ADD: target -> history line."""
    return {
        target: line
        for target in targets
        if (line := writers.get(target, "")) and not is_copy(line)
    }


class Content(NamedTuple):
    """What a member holds: the digest of a file, a link's text; "": not known. ``mode`` counts for
    files only.
    """

    digest: str = ""
    mode: int = 0

    def same(self, other: "Content") -> bool:
        return self.digest != "" and self.digest == other.digest


@dataclass(slots=True)
class Layer:
    """What of one layer matters: members that are no directories, links with their text, and what
    it removes: paths with all below them, or only what is below them (opaque).
    """

    written: dict[str, Content] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)

    def add(
        self,
        name: str,
        *,
        directory: bool,
        link: str | None,
        content: Content = Content(),  # noqa: B008 - a tuple
    ) -> None:
        """One member by its name (``app/a``, ``./app/a``, ``/app/a``); ``link`` is the text of
        a symbolic link.
        """
        path = absolute(name)
        parent, base = posixpath.split(path)
        if base == _OPAQUE:
            self.emptied.add(parent)
        elif base.startswith(_WHITEOUT):
            self.removed.add(posixpath.join(parent, base.removeprefix(_WHITEOUT)))
        elif not directory:
            self.written[path] = content if link is None else Content(f"-> {link}")
            if link is not None:
                self.links[path] = link


def decides(name: str, directories: Collection[str]) -> bool:
    """Whether the path is one that is asked for by one of ``directories``: of "/" only what is
    directly in it, as a deeper path is looked up in its own directory.
    """
    path = absolute(name)
    return any(
        path.count("/") == 1 if directory == "/" else is_below(path, directory)
        for directory in directories
    )


def matters(name: str, directories: Collection[str]) -> bool:
    """Whether a member can decide about paths below ``directories``: it is below one of them, a
    file where one of them was, or a removal, which can hit any parent. Links always matter, as
    they can lead there.
    """
    path = absolute(name)
    base = posixpath.basename(path)
    return base.startswith(_WHITEOUT) or any(
        is_below(path, directory) or is_below(directory, path) for directory in directories
    )


@dataclass(slots=True)
class Replay:
    """``last``: path -> number of the layer that wrote or removed it last. ``links``: the symbolic
    links that are there in the end, with their text. ``modes``: what later layers made of the mode
    of a file that they left as it was, where it changed who may execute it.
    """

    last: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)


class _Brought(NamedTuple):
    """Which layer wrote a path, and with what."""

    number: int
    content: Content


def replay(layers: Sequence[Layer], copies: Collection[int] = ()) -> Replay:
    """Apply the layers in order, lowest first; ``copies`` are the numbers of those of COPYs."""
    present: dict[str, _Brought] = {}
    copied: dict[str, _Brought] = {}
    result = Replay()
    for number, layer in enumerate(layers):
        kept = {} if number in copies else _kept(layer, present, copied)
        # A member that is no directory hides whatever was below that name.
        gone = layer.removed | layer.written.keys()
        for path in _hit(present, gone, layer.emptied):
            del present[path]
            result.links.pop(path, None)
            result.modes.pop(path, None)
            result.last[path] = number
        for path, content in layer.written.items():
            present[path] = written = kept.get(path, _Brought(number, content))
            result.last[path] = written.number
            if (content.mode ^ written.content.mode) & 0o100:
                result.modes[path] = content.mode
        if number in copies:
            copied |= {path: present[path] for path in layer.written}
        result.links |= layer.links
    return result


def _kept(
    layer: Layer, present: Mapping[str, _Brought], copied: Mapping[str, _Brought]
) -> dict[str, _Brought]:
    """What of the layer lay there already, or is again what a COPY had put there."""
    kept = {}
    for path, content in layer.written.items():
        for earlier in (copied.get(path), present.get(path)):
            if earlier is not None and content.same(earlier.content):
                kept[path] = earlier
                break
    return kept


def resolve(path: str, links: Mapping[str, str]) -> str:
    """The path with links among its parents followed (its own last component is not)."""
    for _ in range(_MAX_LINKS):
        link = next((up for up in reversed(list(ancestors(path))) if up in links), None)
        if link is None:
            return path
        target = posixpath.join(posixpath.dirname(link), links[link])
        path = posixpath.normpath(posixpath.join(target, path.removeprefix(link + "/")))
    return path


def lines_of(history: Sequence[HistoryEntry], layers: int) -> tuple[str, ...] | None:
    """The history line of each layer, or None where the two do not match (squashed, imported)."""
    lines = tuple(entry.created_by for entry in history if not entry.empty)
    return lines if len(lines) == layers else None


def _hit(present: Collection[str], gone: set[str], emptied: set[str]) -> list[str]:
    if "/" in emptied:
        return list(present)
    if not gone and not emptied:
        return []
    return [
        path
        for path in present
        if path in gone or any(up in gone or up in emptied for up in ancestors(path))
    ]
