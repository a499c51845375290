"""What Python takes in place of a source: what was seen in, findings out."""

from collections.abc import Iterator, Mapping
from typing import Final

from freshd.compare import evidence
from freshd.compare.comparison import ServingReplica, per_replica
from freshd.compare.finding import make_finding
from freshd.model.observed.processes import Bytecode
from freshd.model.observed.questions import source_of
from freshd.model.observed.snapshot import Snapshot
from freshd.model.report import Finding
from freshd.model.text import Json, printable

_CAUSES: Final[Mapping[str, tuple[str, str]]] = {
    "stale": ("stale-bytecode", "has bytecode that passes for its own and is not"),
    "unchecked": ("unchecked-bytecode", "has bytecode that never looks at it, and is not its own"),
    "foreign": ("foreign-bytecode", "has bytecode of another machine, which is not its own"),
    "orphan": ("orphan-bytecode", "is gone and can still be imported from its bytecode"),
    "installed": ("installed-copy-shadows", "is not what is imported: an installed copy is"),
}


def bytecode_findings(serving: ServingReplica) -> Iterator[Finding]:
    """One finding of each cause, with all its files."""
    facts = serving.facts
    for kind, (cause, words) in _CAUSES.items():
        files = [file for file in serving.runtime.bytecode if _kind(file) == kind]
        if not files:
            continue
        paths = {file.source: _path(facts, file.source) for file in files}
        first = printable(paths[files[0].source])
        yield make_finding(
            cause,
            serving.service,
            f"{first}{evidence.and_more(files)} in {serving.replica.name} {words}",
            replica=serving.replica,
            paths=sorted(paths.values()),
            evidence={
                **evidence.paths(paths.values()),
                **_shown(kind, files[: evidence.SHOWN_PATHS]),
                "drift": evidence.drift((path, _digest(facts, path)) for path in paths.values()),
            },
        )


def _kind(file: Bytecode) -> str:
    """Bytecode that names a source which is nowhere in the container was copied in."""
    return "foreign" if file.origin and file.kind in ("stale", "unchecked") else file.kind


def _shown(kind: str, files: list[Bytecode]) -> dict[str, Json]:
    key = "installed" if kind == "installed" else "bytecode"
    shown: dict[str, Json] = {key: [file.compiled for file in files]}
    if kind == "foreign":
        shown["compiled_from"] = [file.origin for file in files]
    return shown


def _path(facts: Snapshot, target: str) -> str:
    """The tree's path, or the one in the container where none is known."""
    pairs = (pair.source for pair in facts.mapping.pairs if pair.target == target)
    return next(pairs, None) or source_of(facts.mapping, target) or target


def _digest(facts: Snapshot, path: str) -> str | None:
    entry = facts.tree.get(path)
    return entry.digest if entry is not None else None


FINDERS = (per_replica(bytecode_findings),)
