"""The process link: when the code that a container's processes run landed, and when they started.

In goes one replica's ``RunningSeen``, at most one finding comes out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from freshd.catalog.runtimes.processes import LANGUAGES, Judged, is_code, judged, php_servers
from freshd.compare import evidence
from freshd.model.observed.container import Replica
from freshd.model.observed.processes import Landed, Process, RunningSeen
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import Json, printable

_GRACE = 10.0  # seconds that a reloader may take to notice


@dataclass(frozen=True, slots=True)
class _Age:
    """Processes by whether they started before or after the newest code they run had landed."""

    old: tuple[Judged, ...]
    new: tuple[Judged, ...]
    unclear: tuple[Judged, ...]


def running_findings(service: str, replica: Replica, seen: RunningSeen) -> Iterator[Finding]:
    """Nothing where nothing landed after the start, or where each request reads the files anew."""
    landed = [one for one in seen.landed if is_code(one.target) and one.earliest <= seen.now]
    if landed and seen.frozen is not None:
        yield from _kept(_Told(service, replica, seen, ("php",)), landed)
    if not landed or seen.mode == "per-request":
        return
    judgement = judged(seen.processes or _alone(replica, seen), seen.root, mode=seen.mode)
    age = _age(judgement.serving, landed, seen)
    masters = _age(judgement.preloading, landed, seen)
    names = tuple(sorted({one.program for one in (*age.old, *age.unclear, *masters.old)}))
    told = _Told(service, replica, seen, names)
    if masters.old:
        if age.old:
            yield told.finding("process-older-than-code", _code(landed, masters.old, seen))
        else:
            yield told.finding("preloaded-master", _code(landed, masters.old, seen))
    elif seen.mode == "self":
        yield from _deaf(told, age, landed)
    elif age.old and age.new:
        yield told.finding("partial-reload", _code(landed, age.old, seen), f"{len(age.old)} of "
                           f"{len(age.old) + len(age.new)} processes of")  # fmt: skip
    elif age.old:
        yield told.finding("process-older-than-code", _code(landed, age.old, seen))
    elif age.unclear:
        code = _code(landed, age.unclear, seen)
        yield told.finding("process-older-than-code", code, level=Level.UNVERIFIABLE)


def _kept(told: "_Told", landed: Sequence[Landed]) -> Iterator[Finding]:
    """PHP that compiles a script once, and keeps that as long as the first of it runs."""
    processes = told.seen.processes or _alone(told.replica, told.seen)
    servers = [Judged(one, "php", "php") for one, _ in php_servers(processes)]
    age = _age(servers, landed, told.seen)
    if age.old:
        yield told.finding("opcode-cache", _code(landed, age.old, told.seen))
    elif age.unclear:
        code = _code(landed, age.unclear, told.seen)
        yield told.finding("opcode-cache", code, level=Level.UNVERIFIABLE)


def _deaf(told: "_Told", age: _Age, landed: Sequence[Landed]) -> Iterator[Finding]:
    """Only of reloaders that start a new process for new code: others renew what they hold."""
    old = [one for one in age.old if one.through == "reloader"]
    settled = [one for one in landed if one.latest < told.seen.now - _GRACE]
    if old and not age.new and settled and len(settled) == len(landed):
        yield told.finding("reloader-deaf", _code(landed, old, told.seen))


def _alone(replica: Replica, seen: RunningSeen) -> tuple[Process, ...]:
    """Where the engine shows no process: the first one is all that is known."""
    start = seen.started_at
    return (Process(seen.root, 0, replica.command, start, start),)


def _age(serving: Iterable[Judged], landed: Sequence[Landed], seen: RunningSeen) -> _Age:
    old, new, unclear = [], [], []
    for one in serving:
        code = [each for each in landed if each.target.endswith(LANGUAGES[one.language])]
        if not code:
            continue
        first, last = max(each.earliest for each in code), max(each.latest for each in code)
        earliest = max(one.process.earliest, seen.reloaded_at)
        latest = max(one.process.latest, seen.reloaded_at)
        if latest < first:
            old.append(one)
        elif earliest >= last:
            new.append(one)
        else:
            unclear.append(one)
    return _Age(tuple(old), tuple(new), tuple(unclear))


def _code(landed: Iterable[Landed], those: Iterable[Judged], seen: RunningSeen) -> list[Landed]:
    """The files that landed after ``those`` had started, newest first."""
    endings = tuple({e for one in those for e in LANGUAGES[one.language]})
    since = max(min(one.process.earliest for one in those), seen.reloaded_at)
    code = [one for one in landed if one.target.endswith(endings) and one.latest > since]
    return sorted(code, key=lambda one: (-one.latest, one.path))


@dataclass(frozen=True, slots=True)
class _Told:
    service: str
    replica: Replica
    seen: RunningSeen
    programs: tuple[str, ...]

    def finding(
        self, cause: str, code: Sequence[Landed], who: str = "", *, level: Level = Level.STALE
    ) -> Finding:
        paths = sorted({one.path for one in code})
        return Finding(
            cause=cause,
            level=level,
            link=LinkName.PROCESS,
            service=self.service,
            message=self._message(cause, code, who, level),
            remedy=self._remedy(cause),
            container=self.replica.name,
            container_id=self.replica.id,
            paths=tuple(paths),
            evidence={
                **evidence.paths(paths),
                "processes": list(self.programs),
                "reload": self.seen.mode,
                "why": self.seen.way,
                **self._setting(cause),
                "drift": evidence.drift((one.target, one.digest) for one in code),
            },
        )

    def _setting(self, cause: str) -> dict[str, Json]:
        if cause != "opcode-cache" or self.seen.frozen is None:
            return {}
        key, value, file = self.seen.frozen
        return {"setting": f"{key}={value}", "file": file}

    def _message(self, cause: str, code: Sequence[Landed], who: str, level: Level) -> str:
        more = evidence.and_more(code)
        newest, name = f"{printable(code[0].path)}{more}", self.replica.name
        if cause == "reloader-deaf":
            return f"{newest} landed in {name}, and its reloader started nothing anew"
        if cause == "preloaded-master":
            return f"{newest} landed in {name} after the master that preloads it was started"
        if cause == "opcode-cache" and self.seen.frozen is not None and level is Level.STALE:
            key, _, file = self.seen.frozen
            where = f"in {printable(file)}" if file else "on its command line"
            return f"{newest} landed in {name} after PHP was started, and {key} is off {where}"
        if level is Level.UNVERIFIABLE:
            return f"whether {newest} landed in {name} before its process started cannot be told"
        return f"{f'{who} ' if who else ''}{name} started before {newest} landed"

    def _remedy(self, cause: str) -> Remedy:
        signal = self.seen.mode.startswith("signal:") and cause != "preloaded-master"
        return Remedy.RELOAD if signal else Remedy.RESTART
