"""A Step as JSON and back, for the journal."""

from collections.abc import Mapping
from typing import Any, cast

from freshd.model.files import Entry, Kind
from freshd.model.plan import Command, FileChange, Step
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.text import Json


def step_to_json(step: Step, *, most_files: int | None = None) -> Json:
    """Everything the step says; of its files at most ``most_files`` (None: all)."""
    return {
        "remedy": step.remedy.value,
        "service": step.service,
        "causes": list(step.causes),
        "container": step.container,
        "container_id": step.container_id,
        "files": [_change_to_json(change) for change in step.files[:most_files]],
        "patterns": list(step.patterns),
        "commands": [[each.name, list(each.argv)] for each in step.commands],
        "signal": step.signal,
        "rebuild": None if step.rebuild is None else step.rebuild.value,
        "rule": step.rule,
    }


def step_from_json(value: Json) -> Step:
    fields = cast("dict[str, Any]", value)
    return Step(
        remedy=Remedy(fields["remedy"]),
        service=fields["service"],
        causes=tuple(fields["causes"]),
        container=fields["container"],
        container_id=fields["container_id"],
        files=tuple(_change_from_json(change) for change in fields["files"]),
        patterns=tuple(fields["patterns"]),
        commands=tuple(Command(name, tuple(argv)) for name, argv in fields.get("commands", ())),
        signal=fields["signal"],
        rebuild=None if fields["rebuild"] is None else RebuildMode(fields["rebuild"]),
        rule=fields["rule"],
    )


def _change_to_json(change: FileChange) -> Json:
    return {
        "target": change.target,
        "source": change.source,
        "want": _entry_to_json(change.want),
        "seen": _entry_to_json(change.seen),
    }


def _change_from_json(fields: Mapping[str, Any]) -> FileChange:
    return FileChange(
        target=fields["target"],
        source=fields["source"],
        want=_entry_from_json(fields["want"]),
        seen=_entry_from_json(fields["seen"]),
    )


def _entry_to_json(entry: Entry | None) -> Json:
    if entry is None:
        return None
    return [entry.kind.value, entry.digest, entry.size, entry.mode, entry.reason]


def _entry_from_json(value: Any) -> Entry | None:
    if value is None:
        return None
    kind, digest, size, mode, reason = value
    return Entry(Kind(kind), digest, size, mode, reason)
