"""Bytecode that serves something else than its source: what was seen in, findings out."""

from collections.abc import Iterator, Mapping
from typing import Final

from freshd.causes import evidence
from freshd.causes.leftovers import source_of
from freshd.living import Bytecode
from freshd.model import Finding, Level, LinkName, Remedy, Replica, ServiceFacts, printable

_SLUGS: Final[Mapping[str, tuple[str, str]]] = {
    "stale": ("stale-bytecode", "has bytecode that passes for its own and is not"),
    "unchecked": ("unchecked-bytecode", "has bytecode that never looks at it, and is not its own"),
    "orphan": ("orphan-bytecode", "is gone and can still be imported from its bytecode"),
}


def bytecode_findings(
    facts: ServiceFacts, replica: Replica, seen: tuple[Bytecode, ...]
) -> Iterator[Finding]:
    """One finding of each cause, with all its files."""
    for kind, (cause, words) in _SLUGS.items():
        ours = [one for one in seen if one.kind == kind]
        paths = {one.source: _path(facts, one.source) for one in ours}
        if not ours:
            continue
        more = evidence.and_more(ours)
        first = printable(paths[ours[0].source])
        yield Finding(
            cause=cause,
            level=Level.STALE,
            link=LinkName.PROCESS,
            service=facts.service,
            message=f"{first}{more} in {replica.name} {words}",
            remedy=Remedy.PURGE,
            container=replica.name,
            container_id=replica.id,
            paths=tuple(sorted(paths.values())),
            evidence={
                **evidence.paths(paths.values()),
                "bytecode": [one.compiled for one in ours[: evidence.SHOWN_PATHS]],
                "drift": evidence.drift((p, _digest(facts, p)) for p in paths.values()),
            },
        )


def _path(facts: ServiceFacts, target: str) -> str:
    """The tree's path, or the one in the container where none is known."""
    pairs = (pair.source for pair in facts.mapping.pairs if pair.target == target)
    return next(pairs, None) or source_of(facts.mapping, target) or target


def _digest(facts: ServiceFacts, path: str) -> str | None:
    entry = facts.tree.get(path)
    return entry.digest if entry is not None else None
