"""Many requests in, few steps out: a build, a write, a purge and a restart per container."""

from collections.abc import Iterable, Iterator, Sequence

from freshd.decide.ended import names_ended
from freshd.decide.request import Request, stronger
from freshd.model.observed.container import Replica
from freshd.model.plan import Command, FileChange, Step
from freshd.model.policy import ServicePolicy
from freshd.model.remedy import Remedy
from freshd.model.report import Finding

BYTECODE = ("__pycache__/", "*.pyc")
_PYTHON = (".py", ".pyc", ".pyi")


def service_step(remedy: Remedy, requests: Iterable[Request]) -> Step | None:
    """The one rebuild or recreate that the requests ask for, or None."""
    asking = [request for request in requests if remedy in request.remedies]
    if not asking:
        return None
    mode = None
    if remedy is Remedy.REBUILD:
        mode = asking[0].mode
        for request in asking[1:]:
            mode = stronger(mode, request.mode)
    return Step(
        remedy=remedy,
        service=asking[0].finding.service,
        causes=_causes(asking),
        rebuild=mode,
        rule=_rules(asking),
        runs_again=any(names_ended(request.rule) for request in asking),
    )


def container_steps(
    requests: Sequence[Request], replicas: Sequence[Replica], service: ServicePolicy
) -> Iterator[Step]:
    """The steps of one replica after the other, each in the order of the remedies.

    A finding of the whole service asks for its remedies in every running replica.
    """
    for replica in sorted(replicas, key=lambda replica: (replica.number, replica.name, replica.id)):
        ours = [request for request in requests if _concerns(request.finding, replica)]
        inject = _inject(replica, ours)
        steps = {
            Remedy.INJECT: inject,
            Remedy.PURGE: _purge(replica, ours, inject, service),
            Remedy.RELOAD: _reload(replica, ours, service),
            Remedy.EXEC: _exec(replica, ours),
        }
        for remedy in Remedy:
            if not remedy.renews_containers:
                step = steps[remedy] if remedy in steps else _plain(remedy, replica, ours)
                if step is not None:
                    yield step


def _concerns(finding: Finding, replica: Replica) -> bool:
    if finding.container_id is not None:
        return finding.container_id == replica.id
    return replica.running and not replica.oneoff


def _inject(replica: Replica, requests: Sequence[Request]) -> Step | None:
    asking = [request for request in requests if Remedy.INJECT in request.remedies]
    changes: dict[str, FileChange] = {}
    for request in asking:
        finding = request.finding
        target = finding.target
        if target is not None:
            changes[target] = FileChange(target, finding.path, finding.want, finding.seen)
    if not changes:
        return None
    files = tuple(changes[target] for target in sorted(changes))
    return _step(Remedy.INJECT, replica, asking, files=files)


def _purge(
    replica: Replica, requests: Sequence[Request], inject: Step | None, service: ServicePolicy
) -> Step | None:
    """After an injection the bytecode of the touched modules, else all of it; and the policy's."""
    asking = [request for request in requests if Remedy.PURGE in request.remedies]
    if not asking:
        return None
    alone = [request for request in asking if Remedy.INJECT not in request.remedies]
    files = () if inject is None else inject.files
    touched = tuple(change for change in files if change.target.endswith(_PYTHON))
    patterns = (*BYTECODE, *service.purge) if alone else service.purge
    if not touched and not patterns:
        return None
    return _step(Remedy.PURGE, replica, asking, files=touched, patterns=patterns)


def _reload(replica: Replica, requests: Sequence[Request], service: ServicePolicy) -> Step | None:
    if any(Remedy.RESTART in request.remedies for request in requests):
        return None  # one restart does what the signals would
    asking = [request for request in requests if Remedy.RELOAD in request.remedies]
    if not asking:
        return None
    return _step(Remedy.RELOAD, replica, asking, signal=service.reload.signal)


def _plain(remedy: Remedy, replica: Replica, requests: Sequence[Request]) -> Step | None:
    """What has nothing to say but its container."""
    asking = [request for request in requests if remedy in request.remedies]
    if not asking:
        return None
    if remedy is Remedy.RESTART:
        asking += [request for request in requests if Remedy.RELOAD in request.remedies]
    return _step(remedy, replica, asking)


def _exec(replica: Replica, requests: Sequence[Request]) -> Step | None:
    """Each command once, however many files ask for it, in the order of their rules."""
    asking = [request for request in requests if Remedy.EXEC in request.remedies]
    commands = {command for request in asking if request.rule for command in request.rule.commands}
    if not commands:
        return None
    return _step(Remedy.EXEC, replica, asking, commands=in_order(commands))


def in_order(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Sorted by their rules' numbers."""
    return tuple(
        sorted(set(commands), key=lambda command: (len(command.name), command.name, command.argv))
    )


def _step(
    remedy: Remedy,
    replica: Replica,
    asking: Sequence[Request],
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


def _causes(requests: Iterable[Request]) -> tuple[str, ...]:
    return tuple(sorted({request.finding.cause for request in requests}))


def _rules(requests: Iterable[Request]) -> str:
    return ", ".join(
        sorted({request.rule.name for request in requests if request.rule and request.rule.name})
    )
