"""What Python takes in place of a source: what was seen in, findings out."""

import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from freshd.causes import evidence
from freshd.causes.leftovers import source_of
from freshd.living import Bytecode
from freshd.model import Finding, Json, Level, LinkName, Remedy, Replica, ServiceFacts, printable

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


def importable(directory: str, *, working_dir: str, path: str, argv: Collection[str]) -> bool:
    """Whether a program may import from ``directory`` before it looks among what is installed.

    Its working directory, ``PYTHONPATH`` and every directory that its command line names count, as
    does where the script lies that it runs: a doubt is no finding.
    """
    words = [*path.split(":"), *(part for word in argv for part in word.split("="))]
    named = {posixpath.normpath(posixpath.join(working_dir, word)) for word in words if word}
    above = {posixpath.dirname(one) for one in named}
    return directory in {posixpath.normpath(working_dir), *named, *above}


def _path(facts: ServiceFacts, target: str) -> str:
    """The tree's path, or the one in the container where none is known."""
    pairs = (pair.source for pair in facts.mapping.pairs if pair.target == target)
    return next(pairs, None) or source_of(facts.mapping, target) or target


def _digest(facts: ServiceFacts, path: str) -> str | None:
    entry = facts.tree.get(path)
    return entry.digest if entry is not None else None
