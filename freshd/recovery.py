"""After a killed run: closes what its journal left open, so that nothing stays half done.

Comes in: the journal's unfinished entries. Goes out: containers without staging directories,
services that are up, and entries marked as interrupted. The pass that follows does the rest.
"""

import os
import time
from collections.abc import Callable

from freshd.actions import staging
from freshd.context import Context
from freshd.engine import images
from freshd.errors import EngineFailed, OutcomeUnknown, TargetGone
from freshd.model import Remedy, Replica
from freshd.store.journal import JournalEntry

_PATIENCE = 120.0
_POLL = 0.1


def recover(context: Context, *, say: Callable[[str], None]) -> int:
    """Deal with every entry that a dead freshd left unfinished; how many there were.

    Raises EngineUnavailable; then the entries stay open for the next start.
    """
    images.remove_stale_probes(context.engine)
    entries = [
        entry
        for entry in context.store.journal.unfinished(context.project.name)
        if not _alive(entry.owner_pid)
    ]
    for service in sorted({entry.service for entry in entries}):
        if service in context.project.services:
            with context.locked(service):
                _settle(context, service, [e for e in entries if e.service == service], say=say)
    for entry in entries:
        phase = entry.last_phase.name if entry.last_phase else "its beginning"
        detail = f"freshd was killed at {phase}; the next pass looks at everything again"
        context.store.journal.mark_interrupted(entry.id, detail, at=context.clock())
        say(f"{entry.service}: {entry.step.remedy} was interrupted at {phase}")
    return len(entries)


def _settle(
    context: Context,
    service: str,
    entries: list[JournalEntry],
    *,
    say: Callable[[str], None],
) -> None:
    for entry in entries:
        if entry.child_pid is not None:
            _wait_for(entry.child_pid)
    scale = _scale(entries)
    if scale is not None and context.project.compose_files is not None:
        # A recreate that was cut off leaves the service down; `up` brings back what is missing.
        result = context.compose.up(
            context.project.compose_files, [service], scale={service: scale}
        )
        say(f"{service}: brought up again" if result.ok else f"{service}: `up` failed")
    for replica in context.replicas(service):
        if replica.running:
            sweep(context, replica)


def sweep(context: Context, replica: Replica) -> int:
    """Remove what a killed injection left at the tops of the replica's mounts; how many."""
    tops = [] if replica.read_only else ["/"]
    tops += [m.target for m in replica.mounts if m.kind == "volume" and m.writable]
    try:
        helper = context.engine.helper(replica.id)
        if not helper.available:
            return 0
        return staging.sweep(context.engine, replica.id, helper, tops)
    except (TargetGone, EngineFailed, OutcomeUnknown):
        context.engine.drop_helper(replica.id)
        return 0


def _scale(entries: list[JournalEntry]) -> int | None:
    """How many replicas the last interrupted recreate was to leave; None without one."""
    found = None
    for entry in entries:
        if entry.step.remedy not in (Remedy.RECREATE, Remedy.REBUILD):
            continue
        for phase in entry.phases:
            scale = phase.data.get("scale")
            if phase.name == "recreate" and isinstance(scale, int):
                found = scale
    return found


def _wait_for(pid: int) -> None:
    """A Compose that outlived freshd ends by itself; two at once would hinder each other."""
    deadline = time.monotonic() + _PATIENCE
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(_POLL)


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False  # somebody else's process took the number
    return True
