"""The process link: when the code that a container's processes run landed, and when they started.

In goes one replica with its ``RunningSeen``, at most one finding comes out, and one for PHP.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from freshd.catalog.runtimes.processes import LANGUAGES, Judged, find_php_servers, is_code, judge
from freshd.compare import evidence
from freshd.compare.comparison import ServingReplica, per_replica
from freshd.compare.finding import make_finding
from freshd.model.observed.processes import Landed, Process, RunningSeen
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level
from freshd.model.text import Json, printable

_GRACE = 10.0  # seconds that a reloader may take to notice
_NO_SETTING: Final[Mapping[str, Json]] = {}


def due_restart(serving: ServingReplica) -> Iterator[Finding]:
    """Files that ask for a restart, and changed after the container was started."""
    replica = serving.replica
    changed = serving.facts.restarts.get(replica.id, ())
    if changed and replica.running:
        more = evidence.and_more(changed)
        yield make_finding(
            "restart-due",
            serving.service,
            f"{printable(changed[0])}{more} changed after {replica.name} was started",
            replica=replica,
            paths=changed,
            evidence=evidence.paths(changed),
        )


def running_findings(serving: ServingReplica) -> Iterator[Finding]:
    """Nothing where nothing landed after the start, or where each request reads the files anew."""
    running = serving.runtime.running
    if running is None:
        return
    landed = [f for f in running.landed if is_code(f.target) and f.earliest <= running.now]
    if not landed:
        return
    code = _Code(serving, running, tuple(landed))
    if running.frozen is not None:
        yield from _compiled_once(code, *running.frozen)
    if running.mode != "per-request":
        yield from _loaded_once(code)


@dataclass(frozen=True, slots=True)
class _Age:
    """Processes by whether they started before or after the newest code they run had landed."""

    old: tuple[Judged, ...]
    new: tuple[Judged, ...]
    unclear: tuple[Judged, ...]

    @property
    def programs(self) -> list[str]:
        """Names of those that may run old code: of a command line no more is shown."""
        return sorted({process.program for process in (*self.old, *self.unclear)})


@dataclass(frozen=True, slots=True)
class _Code:
    """The code that landed in one replica after it was started."""

    serving: ServingReplica
    running: RunningSeen
    landed: tuple[Landed, ...]

    @property
    def container(self) -> str:
        return self.serving.replica.name

    def processes(self) -> tuple[Process, ...]:
        """Where the engine shows none, the first one is all that is known."""
        root, start = self.running.root, self.running.started_at
        alone = Process(root, 0, self.serving.replica.command, start, start)
        return self.running.processes or (alone,)

    def age_of(self, processes: Iterable[Judged]) -> _Age:
        """Each of them against the code of its language."""
        old, new, unclear = [], [], []
        for process in processes:
            code = [f for f in self.landed if f.target.endswith(LANGUAGES[process.language])]
            if not code:
                continue
            earliest = max(process.process.earliest, self.running.reloaded_at)
            latest = max(process.process.latest, self.running.reloaded_at)
            if latest < max(file.earliest for file in code):
                old.append(process)
            elif earliest >= max(file.latest for file in code):
                new.append(process)
            else:
                unclear.append(process)
        return _Age(tuple(old), tuple(new), tuple(unclear))

    def newer_than(self, processes: Sequence[Judged]) -> list[Landed]:
        """The files that landed after they had started, newest first."""
        endings = tuple({end for process in processes for end in LANGUAGES[process.language]})
        first = min(process.process.earliest for process in processes)
        since = max(first, self.running.reloaded_at)
        code = [f for f in self.landed if f.target.endswith(endings) and f.latest > since]
        return sorted(code, key=lambda file: (-file.latest, file.path))

    def shown(self, processes: Sequence[Judged]) -> str:
        """The newest of these files, and how many more there are."""
        code = self.newer_than(processes)
        return f"{printable(code[0].path)}{evidence.and_more(code)}"

    def finding(
        self,
        cause: str,
        message: str,
        processes: Sequence[Judged],
        programs: Sequence[str],
        *,
        level: Level | None = None,
        remedy: Remedy | None = None,
        setting: Mapping[str, Json] = _NO_SETTING,
    ) -> Finding:
        code = self.newer_than(processes)
        paths = sorted({file.path for file in code})
        signal = self.running.mode.startswith("signal:")
        return make_finding(
            cause,
            self.serving.service,
            message,
            replica=self.serving.replica,
            level=level,
            remedy=remedy or (Remedy.RELOAD if signal else None),
            paths=paths,
            evidence={
                **evidence.paths(paths),
                "processes": list(programs),
                "reload": self.running.mode,
                "why": self.running.way,
                **setting,
                "drift": evidence.drift((file.target, file.digest) for file in code),
            },
        )


def _loaded_once(code: _Code) -> Iterator[Finding]:
    """What processes load when they start."""
    judgement = judge(code.processes(), code.running.root, mode=code.running.mode)
    age, masters = code.age_of(judgement.serving), code.age_of(judgement.preloading)
    programs = sorted({*age.programs, *(process.program for process in masters.old)})
    if masters.old and age.old:
        yield _older(code, masters.old, programs)
    elif masters.old:
        words = f"{code.shown(masters.old)} landed in {code.container} after the master that "
        words += "preloads it was started"
        remedy = Remedy.RESTART  # a signal makes workers of the old code again
        yield code.finding("preloaded-master", words, masters.old, programs, remedy=remedy)
    elif code.running.mode == "self":
        yield from _deaf(code, age, programs)
    elif age.old and age.new:
        words = f"{len(age.old)} of {len(age.old) + len(age.new)} processes of {code.container} "
        words += f"started before {code.shown(age.old)} landed"
        yield code.finding("partial-reload", words, age.old, programs)
    elif age.old:
        yield _older(code, age.old, programs)
    elif age.unclear:
        yield _older(code, age.unclear, programs, known=False)


def _older(
    code: _Code, processes: Sequence[Judged], programs: Sequence[str], *, known: bool = True
) -> Finding:
    words = f"{code.container} started before {code.shown(processes)} landed"
    level = None if known else Level.UNVERIFIABLE
    words = words if known else _doubt(code, processes)
    return code.finding("process-older-than-code", words, processes, programs, level=level)


def _doubt(code: _Code, processes: Sequence[Judged]) -> str:
    landed = f"{code.shown(processes)} landed in {code.container}"
    return f"whether {landed} before its process started cannot be told"


def _deaf(code: _Code, age: _Age, programs: Sequence[str]) -> Iterator[Finding]:
    """Only of reloaders that start a new process for new code: others renew what they hold."""
    old = [process for process in age.old if process.through == "reloader"]
    settled = all(file.latest < code.running.now - _GRACE for file in code.landed)
    if old and not age.new and settled:
        landed = f"{code.shown(old)} landed in {code.container}"
        words = f"{landed}, and its reloader started nothing anew"
        yield code.finding("reloader-deaf", words, old, programs)


def _compiled_once(code: _Code, key: str, value: str, file: str) -> Iterator[Finding]:
    """PHP that compiles a script once, and keeps that as long as the first of it runs."""
    servers = [Judged(process, "php", "php") for process, _ in find_php_servers(code.processes())]
    age = code.age_of(servers)
    if age.old:
        landed = f"{code.shown(age.old)} landed in {code.container}"
        where = f"in {printable(file)}" if file else "on its command line"
        words, level = f"{landed} after PHP was started, and {key} is off {where}", None
    elif age.unclear:
        words, level = _doubt(code, age.unclear), Level.UNVERIFIABLE
    else:
        return
    setting: dict[str, Json] = {"setting": f"{key}={value}", "file": file}
    kept = age.old or age.unclear
    yield code.finding("opcode-cache", words, kept, ["php"], level=level, setting=setting)


FINDERS = (per_replica(running_findings),)
