"""Many wishes in, few steps out: one build, one write, one purge and one restart per container."""

from collections.abc import Iterable, Iterator, Sequence

from freshd.decide.request import Wish, stronger
from freshd.model.observed.container import Replica
from freshd.model.plan import Command, FileChange, Step
from freshd.model.policy import ServicePolicy
from freshd.model.remedy import Remedy
from freshd.model.report import Finding

BYTECODE = ("__pycache__/", "*.pyc")
_PYTHON = (".py", ".pyc", ".pyi")


def service_step(remedy: Remedy, wishes: Iterable[Wish]) -> Step | None:
    """The one rebuild or recreate that the wishes ask for, or None."""
    asking = [wish for wish in wishes if remedy in wish.remedies]
    if not asking:
        return None
    mode = None
    if remedy is Remedy.REBUILD:
        mode = asking[0].mode
        for wish in asking[1:]:
            mode = stronger(mode, wish.mode)
    return Step(
        remedy=remedy,
        service=asking[0].finding.service,
        causes=_causes(asking),
        rebuild=mode,
        rule=_rules(asking),
    )


def container_steps(
    wishes: Sequence[Wish], replicas: Sequence[Replica], service: ServicePolicy
) -> Iterator[Step]:
    """The steps of one replica after the other, each in the order of the remedies.

    A finding of the whole service asks for its remedies in every running replica.
    """
    for replica in sorted(replicas, key=lambda each: (each.number, each.name, each.id)):
        ours = [wish for wish in wishes if _concerns(wish.finding, replica)]
        inject = _inject(replica, ours)
        if inject is not None:
            yield inject
        purge = _purge(replica, ours, inject, service)
        if purge is not None:
            yield purge
        reload = _reload(replica, ours, service)
        if reload is not None:
            yield reload
        command = _exec(replica, ours)
        if command is not None:
            yield command


def _concerns(finding: Finding, replica: Replica) -> bool:
    if finding.container_id is not None:
        return finding.container_id == replica.id
    return replica.running and not replica.oneoff


def _inject(replica: Replica, wishes: Sequence[Wish]) -> Step | None:
    asking = [wish for wish in wishes if Remedy.INJECT in wish.remedies]
    changes: dict[str, FileChange] = {}
    for wish in asking:
        finding = wish.finding
        target = finding.target
        if target is not None:
            changes[target] = FileChange(target, finding.path, finding.want, finding.seen)
    if not changes:
        return None
    files = tuple(changes[target] for target in sorted(changes))
    return _step(Remedy.INJECT, replica, asking, files=files)


def _purge(
    replica: Replica, wishes: Sequence[Wish], inject: Step | None, service: ServicePolicy
) -> Step | None:
    """After an injection the bytecode of the touched modules, else all of it; and the policy's."""
    asking = [wish for wish in wishes if Remedy.PURGE in wish.remedies]
    if not asking:
        return None
    alone = [wish for wish in asking if Remedy.INJECT not in wish.remedies]
    files = () if inject is None else inject.files
    touched = tuple(change for change in files if change.target.endswith(_PYTHON))
    patterns = (*BYTECODE, *service.purge) if alone else service.purge
    if not touched and not patterns:
        return None
    return _step(Remedy.PURGE, replica, asking, files=touched, patterns=patterns)


def _reload(replica: Replica, wishes: Sequence[Wish], service: ServicePolicy) -> Step | None:
    restarting = [wish for wish in wishes if Remedy.RESTART in wish.remedies]
    signalling = [wish for wish in wishes if Remedy.RELOAD in wish.remedies]
    if restarting:  # one restart does what the signals would
        return _step(Remedy.RESTART, replica, [*restarting, *signalling])
    if signalling:
        return _step(Remedy.RELOAD, replica, signalling, signal=service.reload.signal)
    return None


def _exec(replica: Replica, wishes: Sequence[Wish]) -> Step | None:
    """Each command once, however many files ask for it, in the order of their rules."""
    asking = [wish for wish in wishes if Remedy.EXEC in wish.remedies]
    commands = {each for wish in asking if wish.rule for each in wish.rule.commands}
    if not commands:
        return None
    return _step(Remedy.EXEC, replica, asking, commands=in_order(commands))


def in_order(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Sorted by their rules' numbers."""
    return tuple(sorted(set(commands), key=lambda each: (len(each.name), each.name, each.argv)))


def _step(
    remedy: Remedy,
    replica: Replica,
    asking: Sequence[Wish],
    *,
    files: tuple[FileChange, ...] = (),
    patterns: tuple[str, ...] = (),
    commands: tuple[Command, ...] = (),
    signal: str | None = None,
) -> Step:
    return Step(
        remedy=remedy,
        service=asking[0].finding.service,
        causes=_causes(asking),
        container=replica.name,
        container_id=replica.id,
        files=files,
        patterns=patterns,
        commands=commands,
        signal=signal,
        rule=_rules(asking),
    )


def _causes(wishes: Iterable[Wish]) -> tuple[str, ...]:
    return tuple(sorted({wish.finding.cause for wish in wishes}))


def _rules(wishes: Iterable[Wish]) -> str:
    return ", ".join(sorted({wish.rule.name for wish in wishes if wish.rule and wish.rule.name}))
