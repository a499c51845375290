"""After a killed run: closes what its journal left open, so that nothing stays half done.

Comes in: the journal's unfinished entries. Goes out: containers without staging directories, what
did land recorded as written, services that are up, and entries marked as interrupted. The pass that
follows does the rest: what is still pending is in its plan.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO

from freshd.act import read_back
from freshd.act.ports import Timeouts
from freshd.act.write import staging
from freshd.act.write.writers import open_writers
from freshd.engine import images
from freshd.engine.container import archive
from freshd.engine.container.spool import Spool
from freshd.model.errors import (
    AlreadyRunning,
    EngineFailed,
    EngineUnavailable,
    FreshdError,
    NoRoom,
    OutcomeUnknown,
    StepRefused,
    TargetGone,
)
from freshd.model.files import Kind
from freshd.model.observed.container import Replica
from freshd.model.plan import FileChange, Step
from freshd.model.remedy import Remedy
from freshd.observe.container.members import replicas_of
from freshd.reconcile import consent
from freshd.reconcile.context import Context
from freshd.reconcile.locks import locked
from freshd.reconcile.renewal.check import RenewalCheck
from freshd.store.journal import JournalEntry, Phase

_PATIENCE = 120.0
_PIECE = 1024 * 1024
_SHORT_PATIENCE = 5.0
_POLL = 0.05

Say = Callable[[str], None]


def recover(context: Context, *, say: Say) -> int:
    """Deal with every entry that a dead freshd left unfinished; how many must wait.

    Those of a service that somebody else is changing now, or that could not be put right, stay
    open: call again. Raises EngineUnavailable; then all of them do.
    """
    images.remove_stale_probes(context.engine)
    journal, project = context.store.journal, context.project.name
    journal.close_unreadable(project, "what was begun cannot be read any more", at=context.clock())
    waiting = 0
    for service in sorted({entry.service for entry in journal.unfinished(project)}):
        try:
            # Every step runs under its service's lock: whoever left an entry open has died if
            # the lock is free, whatever process has its number now.
            with locked(context, service, patience=0.0):
                entries = [e for e in journal.unfinished(project) if e.service == service]
                _settle(context, service, entries, say=say)
                _close(context, entries, say=say)
        except AlreadyRunning:
            waiting += 1
        except EngineUnavailable:
            raise
        except FreshdError as error:
            say(f"{service}: what was interrupted cannot be put right yet: {error.message}")
            waiting += 1
        except Exception as error:  # noqa: BLE001 - else no pass of any service ever began
            say(f"{service}: a bug in freshd: {error!r}")
            waiting += 1
    return waiting


def _close(context: Context, entries: Iterable[JournalEntry], *, say: Say) -> None:
    for entry in entries:
        phase = entry.last_phase.name if entry.last_phase else "its beginning"
        detail = f"it broke off at {phase}; the next pass looks at everything again"
        context.store.journal.mark_interrupted(entry.id, detail, at=context.clock())
        say(f"{entry.service}: {entry.step.remedy} was interrupted at {phase}")


def _settle(context: Context, service: str, entries: list[JournalEntry], *, say: Say) -> None:
    for entry in entries:
        if entry.child_pid is not None:
            _outlive(entry.child_pid, say=say)
    if service not in context.project.services:
        return
    scale = _scale(entries)
    if scale is not None and context.project.compose_files is not None:
        # A recreate that was cut off leaves the service down; `up` brings back what is missing, and
        # executes the files as they are now.
        problem = consent.find_problem(context)
        if problem is not None:
            raise StepRefused(problem)
        files = context.project.compose_files
        kept = not _may_renew(context, service)
        result = context.compose.up(files, list(scale), scale=scale, no_recreate=kept)
        if not result.ok:
            raise EngineFailed(f"`up` failed: {' '.join(result.lines[-2:])}")
        say(f"{service}: brought up again")
    for replica in replicas_of(context.engine, context.project, service):
        try:
            _settle_replica(context, replica, entries)
        except (TargetGone, EngineFailed) as error:
            # Gone, or not to be read: the pass, and the sweep of the next shell, see to it.
            say(f"{replica.name}: {error.message}")
        finally:
            context.engine.drop_shell(replica.id)  # the passes have their own


def _may_renew(context: Context, service: str) -> bool:
    """Whether what is still there may be replaced, should the files have changed since."""
    try:
        RenewalCheck(context, service, frozenset())()
    except StepRefused:
        return False
    return True


def _settle_replica(context: Context, replica: Replica, entries: list[JournalEntry]) -> None:
    ours = [entry for entry in entries if entry.step.container_id == replica.id]
    for entry in ours:
        _let_end(context, replica, entry)
    replica = context.engine.replica(replica.id)
    for entry in ours:
        if entry.step.remedy is Remedy.INJECT:
            _record(context, replica, entry.step, entry.phases)
    if replica.running:
        sweep(context, replica)


def settle_unknown(context: Context, step: Step) -> None:
    """After an injection whose outcome is unknown: what did land is recorded as written.

    Best effort: the container may be paused or gone, and then the next edit asks a person.
    """
    (entry,) = context.store.journal.history(context.project.name, step.service, limit=1)
    try:
        replica = context.engine.replica(step.container_id or "")
        _let_end(context, replica, entry, patience=_SHORT_PATIENCE)
        _record(context, replica, step, entry.phases)
    except (TargetGone, EngineFailed, OutcomeUnknown):
        return  # the outcome says already that nothing is known


def _record(context: Context, replica: Replica, step: Step, phases: Sequence[Phase]) -> None:
    landed = _landed(context, replica, step, phases)
    context.store.injected_files.record(replica, landed, context.clock())


def _landed(
    context: Context, replica: Replica, step: Step, phases: Sequence[Phase]
) -> dict[str, str]:
    """target -> digest ("" for a delete that was carried out), as read back from the container.

    Only what is exactly what the step was to leave; and, of files that were written in place, a
    beginning of it, which nobody else would have left there. Nothing may be at it still.
    """
    engine = context.engine
    began = {phase.name for phase in phases}
    writes = [c for c in step.files if c.want is not None and began & {"put", "rename", "verify"}]
    deletes = [c for c in step.files if c.want is None and "delete" in began]
    targets = [change.target for change in (*writes, *deletes)]
    if not targets:
        return {}
    shell = engine.shell(replica.id) if replica.running else None
    if shell is not None and not shell.available:
        shell = None
    present = read_back.read_facts(engine, replica.id, targets, shell)
    digests = read_back.read_digests(engine, replica.id, present, shell)
    landed = {change.target: "" for change in deletes if change.target not in present}
    in_place = any(phase.data.get("in_place") for phase in phases)
    for change in writes:
        fact, want = present.get(change.target), change.want
        if fact is None or want is None or fact.kind is not want.kind:
            continue
        digest = digests.get(change.target, "")
        torn = in_place and fact.size < want.size
        if digest == want.digest or (torn and _is_beginning(context, replica, change)):
            landed[change.target] = digest
    return landed


def _is_beginning(context: Context, replica: Replica, change: FileChange) -> bool:
    """Whether the file is what a cut-off upload leaves: less than all of what was to be written."""
    if change.want is None or change.source is None or change.want.kind is not Kind.FILE:
        return False
    with Spool() as content:
        try:
            entry = context.snapshots.manifest.copy(change.source, content)
            content.seek(0)
        except (OSError, NoRoom):
            return False
        if not entry.same_content(change.want):
            return False  # the tree has moved on: nobody can tell any more
        try:
            for _, reader in archive.get(context.engine, replica.id, change.target):
                return reader is not None and _starts_with(content, reader)
        except EngineFailed:
            pass  # it went away between two questions
    return False


def _starts_with(content: IO[bytes], beginning: IO[bytes]) -> bool:
    while piece := beginning.read(_PIECE):
        if content.read(len(piece)) != piece:
            return False
    return True


def _let_end(
    context: Context, replica: Replica, entry: JournalEntry, *, patience: float = _PATIENCE
) -> None:
    """What the engine or a shell was told before the kill is carried out all the same."""
    if not replica.running:
        return
    helpers = [phase.data.get(key) for phase in entry.phases for key in ("helper", "own_helper")]
    tokens = {token for token in helpers if token}
    deadline = time.monotonic() + patience
    while any(tokens & {*argv} for argv in context.engine.running_commands(replica.id)):
        if time.monotonic() >= deadline:
            raise OutcomeUnknown(f"a helper of the killed freshd does not end in {replica.name}")
        time.sleep(_POLL)
    last = entry.last_phase
    if last is None or last.name != "restart":
        return
    deadline = time.monotonic() + Timeouts().grace + 2.0
    while time.monotonic() < deadline:  # it may have been killed before the engine was told
        now = context.engine.replica(replica.id)
        if now.running and now.started_at != last.data.get("started_at"):
            return
        time.sleep(_POLL)


def sweep(context: Context, replica: Replica) -> int:
    """Remove what a killed injection left at the tops of the replica's mounts; how many.

    Raises TargetGone, EngineFailed, OutcomeUnknown.
    """
    tops = [] if replica.read_only else ["/"]
    tops += [m.target for m in replica.mounts if m.kind == "volume" and m.writable]
    writers, _ = open_writers(context.engine, replica)
    if writers is None:
        return 0
    return staging.sweep(context.engine, replica.id, writers, tops)


def _scale(entries: list[JournalEntry]) -> dict[str, int] | None:
    """How many replicas the last interrupted recreate was to leave, by service; None without one.

    With the service itself come those that share a namespace of its.
    """
    counts = None
    for entry in entries:
        if not entry.step.remedy.renews_containers:
            continue
        for phase in entry.phases:
            scale = phase.data.get("scale")
            if phase.name == "recreate" and isinstance(scale, Mapping):
                counts = {name: count for name, count in scale.items() if isinstance(count, int)}
    return counts


def _outlive(pid: int, *, say: Say) -> None:
    """A Compose that outlived freshd ends by itself; two at once would hinder each other."""
    deadline = time.monotonic() + _PATIENCE
    while _is_compose(pid):
        if time.monotonic() >= deadline:
            say(f"the Compose of the killed freshd (pid {pid}) still runs; it is not waited for")
            return
        time.sleep(_POLL)


def _is_compose(pid: int) -> bool:
    """Whether the process lives and is the docker CLI: its number may be another's by now."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    try:
        result = subprocess.run(
            ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, check=False, timeout=10.0
        )
    except (OSError, subprocess.TimeoutExpired):
        return True  # nobody says; it is waited for
    return result.returncode == 0 and b"docker" in result.stdout
