"""What Python takes in place of a source: what was seen in, findings out."""

from collections.abc import Iterator, Mapping
from typing import Final

from freshd.compare import evidence
from freshd.model.observed.container import Replica
from freshd.model.observed.processes import Bytecode
from freshd.model.observed.questions import source_of
from freshd.model.observed.snapshot import ServiceFacts
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import Json, printable

_SLUGS: Final[Mapping[str, tuple[str, str]]] = {
    "stale": ("stale-bytecode", "has bytecode that passes for its own and is not"),
    "unchecked": ("unchecked-bytecode", "has bytecode that never looks at it, and is not its own"),
    "foreign": ("foreign-bytecode", "has bytecode of another machine, which is not its own"),
    "orphan": ("orphan-bytecode", "is gone and can still be imported from its bytecode"),
    "installed": ("installed-copy-shadows", "is not what is imported: an installed copy is"),
}


def bytecode_findings(
    facts: ServiceFacts, replica: Replica, seen: tuple[Bytecode, ...]
) -> Iterator[Finding]:
    """One finding of each cause, with all its files."""
    for kind, (cause, words) in _SLUGS.items():
        ours = [one for one in seen if _kind(one) == kind]
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
            remedy=Remedy.REBUILD if kind == "installed" else Remedy.PURGE,
            container=replica.name,
            container_id=replica.id,
            paths=tuple(sorted(paths.values())),
            evidence={
                **evidence.paths(paths.values()),
                **_shown(kind, ours[: evidence.SHOWN_PATHS]),
                "drift": evidence.drift((p, _digest(facts, p)) for p in paths.values()),
            },
        )


def _kind(one: Bytecode) -> str:
    """Bytecode that names a source which is nowhere in the container was copied in."""
    return "foreign" if one.origin and one.kind in ("stale", "unchecked") else one.kind


def _shown(kind: str, ours: list[Bytecode]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    found["installed" if kind == "installed" else "bytecode"] = [one.compiled for one in ours]
    if kind == "foreign":
        found["compiled_from"] = [one.origin for one in ours]
    return found


def _path(facts: ServiceFacts, target: str) -> str:
    """The tree's path, or the one in the container where none is known."""
    pairs = (pair.source for pair in facts.mapping.pairs if pair.target == target)
    return next(pairs, None) or source_of(facts.mapping, target) or target


def _digest(facts: ServiceFacts, path: str) -> str | None:
    entry = facts.tree.get(path)
    return entry.digest if entry is not None else None
