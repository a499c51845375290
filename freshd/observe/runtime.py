"""A closer look at one service: how its containers were made and what runs in them.

In: a service's facts from a whole survey. Out: ``RuntimeFacts``, which ``compare`` takes beside
them. A narrowed look goes without, as nothing of this changes by saving a file.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from freshd.catalog.runtimes.processes import LANGUAGES, php_server, php_servers
from freshd.catalog.runtimes.reload import way_of
from freshd.config.compose.build_files import read_build_files
from freshd.config.compose.desired import wanted_of
from freshd.config.compose.model import SWITCHES
from freshd.config.project import Project
from freshd.engine.cli.compose import Compose, ComposeFiles
from freshd.engine.client import Engine
from freshd.mapping.dockerfile.syntax.outline import read_outline
from freshd.mapping.scripts import make_reader
from freshd.model.errors import ConfigError, EngineFailed, OutcomeUnknown, TargetGone
from freshd.model.mapping import Pair, Via
from freshd.model.observed.config_drift import ENVIRONMENT, differing_keys, differing_variables
from freshd.model.observed.container import Observation, Replica
from freshd.model.observed.creation import ConfigSeen, Wanted
from freshd.model.observed.processes import Answer, Bytecode, RunningSeen
from freshd.model.observed.questions import is_serving, visible_pairs
from freshd.model.observed.runtime import ReplicaRuntime, RuntimeFacts
from freshd.model.observed.snapshot import ServiceFacts
from freshd.model.observed.surroundings import Aged, BaseSeen, Outdated
from freshd.model.patterns import matcher
from freshd.model.policy import ReloadKind
from freshd.model.remedy import Remedy
from freshd.observe.config import Model, observe_config
from freshd.observe.container.excluded import Surrounds
from freshd.observe.container.orphans import Neighbours
from freshd.observe.container.packages import hidden_packages
from freshd.observe.image.artefacts import DerivedLook
from freshd.observe.image.other_builders import ElsewhereLook
from freshd.observe.process.bytecode import importable, observe_bytecode
from freshd.observe.process.landing import Landings
from freshd.observe.process.opcache import OpcacheLook
from freshd.observe.process.probes import ask_all
from freshd.observe.process.processes import observe_processes
from freshd.observe.process.upstreams import UpstreamLook
from freshd.store.store import Store

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*[=:]", re.MULTILINE)
_LOG_LINES = 200
_BUILD_TIME = "SOURCE_DATE_EPOCH"
_PROBE = "61834"  # a value that is no word of anybody's model, and may stand for a number or port


@dataclass(slots=True)
class CloserLook:
    """One per context; one thread at a time."""

    project: Project
    engine: Engine
    compose: Compose
    store: Store
    clock: Callable[[], float]
    landings: Landings = field(init=False)
    surrounds: Surrounds = field(init=False)
    derived: DerivedLook = field(init=False)
    upstreams: UpstreamLook = field(init=False)
    opcache: OpcacheLook = field(init=False)
    _hashes: dict[tuple[object, str], str] = field(default_factory=dict)
    _version: str = ""

    def __post_init__(self) -> None:
        self.landings = Landings(self.engine, self.project.dir, self.store.made)
        self.opcache = OpcacheLook(self.engine)
        self.upstreams = UpstreamLook(self.project, self.engine, self.store)
        self.derived = DerivedLook(self.project, self.engine, self.store)
        self.surrounds = Surrounds(
            self.project,
            self.engine,
            self.store,
            Neighbours(self.project, self.engine),
            ElsewhereLook(self.project, self.engine, self.compose),
        )

    def collect(self, facts: ServiceFacts, *, full: bool = False) -> RuntimeFacts:
        """What the facts leave out. A container that goes away meanwhile has none of it.

        With ``full`` no earlier look at bytecode is believed.
        """
        replicas: dict[str, ReplicaRuntime] = {}
        for seen in facts.observations:
            if is_serving(seen.replica):
                first = not any(record.answers for record in replicas.values())
                replicas[seen.replica.id] = self._replica(facts, seen, full=full, first=first)
        return RuntimeFacts(
            replicas=replicas,
            forbidden=self._forbidden(facts),
            base=self._base(facts),
            around=self.surrounds.of(facts),
            outdated=self._outdated(facts),
            aged=self._aged(facts),
        )

    def _replica(
        self, facts: ServiceFacts, seen: Observation, *, full: bool, first: bool
    ) -> ReplicaRuntime:
        record, replica = ReplicaRuntime(), seen.replica
        try:
            record = replace(record, config=self._config(facts, replica))
            hidden = tuple(hidden_packages(self.engine, replica, self.store.images))
            record = replace(record, hidden=hidden)
            record = replace(record, moved=tuple(self.upstreams.of(facts, replica)))
            if replica.running and not seen.problem:
                visible = visible_pairs(facts.mapping.pairs, replica)
                record = replace(record, running=self._running(facts, seen, visible))
                record = replace(record, bytecode=self._bytecode(seen, visible, full=full))
                record = replace(record, logged=self._logged(replica))
                answers = self._answers(facts.service, replica, first=first)
                record = replace(record, answers=answers)
        except (EngineFailed, OutcomeUnknown, TargetGone):
            pass  # the look at its files tells what is wrong with it
        return record

    def _answers(self, service: str, replica: Replica, *, first: bool) -> tuple[Answer, ...]:
        """What the policy's probes say; an address is the service's, and asked for once."""
        probes = self.project.policy.service(service).probes
        asked = [probe for probe in probes if first or not probe.http]
        return tuple(ask_all(self.engine, replica, asked, clock=self.clock))

    def _logged(self, replica: Replica) -> tuple[str, ...]:
        """The last lines of this start; none where the logging driver keeps none."""
        try:
            return self.engine.log_tail(replica.id, lines=_LOG_LINES)
        except EngineFailed:
            return ()

    def _outdated(self, facts: ServiceFacts) -> tuple[Outdated, ...]:
        try:
            return tuple(self.derived.of(facts))
        except (EngineFailed, OutcomeUnknown, TargetGone):
            return ()  # the image goes away: the next look says what there is

    def _base(self, facts: ServiceFacts) -> BaseSeen | None:
        """None where there is no build, no base image here, or a Dockerfile that is wrong."""
        build = self.project.service(facts.service).build
        if build is None or build.remote or facts.tag_image is None:
            return None
        try:
            files = read_build_files(build, service=facts.service, project_dir=self.project.dir)
            args = {name: value for name, value in build.args.items() if value is not None}
            ref = read_outline(
                files.text, target=build.target, build_args=args, name=files.name
            ).base
        except ConfigError:
            return None  # the map says what is wrong with it
        named = ref not in ("", "scratch") and ref not in build.additional_contexts
        base = self.engine.layers(ref) if named else None
        built = self.engine.layers(facts.tag_image.id) if base is not None else None
        if base is None or built is None:
            return None
        return BaseSeen(ref, base[0], base[1], built[1])

    def _aged(self, facts: ServiceFacts) -> Aged | None:
        """Nothing where the builder was told which time to write into images."""
        limit, now = self.project.policy.service(facts.service).layer_age, self.clock()
        if limit is None or _BUILD_TIME in facts.args or _BUILD_TIME in self.compose.environ:
            return None
        layers = tuple(one for one in facts.fetched if one.at < now - limit)
        return Aged(layers, limit, now) if layers else None

    def _forbidden(self, facts: ServiceFacts) -> tuple[str, ...]:
        patterns = self.project.policy.never.inject
        if not patterns or facts.tag_image is None or not facts.builds:
            return ()
        never, held = matcher(patterns), facts.tag_image.files
        copies = (pair for pair in facts.mapping.pairs if pair.via is Via.COPY)
        return tuple(sorted({p.source for p in copies if p.target in held and never(p.source)}))

    def _bytecode(
        self, seen: Observation, visible: Mapping[str, Pair], *, full: bool
    ) -> tuple[Bytecode, ...]:
        """Only looked for when sources changed since it last was right: that is when it can lie."""
        sources = [one for one in visible if one.endswith(".py") and one in seen.files]
        if not sources:
            return ()
        known = "\0".join(f"{one}\0{seen.files[one].digest}" for one in sorted(sources))
        fingerprint = hashlib.sha256(known.encode(errors="surrogateescape")).hexdigest()
        if not full and self.store.made.clean(seen.replica.id) == fingerprint:
            return ()
        found = self._imported(
            seen.replica, observe_bytecode(self.engine, seen.replica.id, sources)
        )
        if not found:
            self.store.made.record_clean(seen.replica.id, fingerprint)
        return found

    def _imported(self, replica: Replica, found: tuple[Bytecode, ...]) -> tuple[Bytecode, ...]:
        """Without installed copies that the program may not import at all."""
        if not any(one.kind == "installed" for one in found):
            return found
        made = self.engine.creation(replica.id)
        directory, path = made.working_dir or "/", made.environment.get("PYTHONPATH") or ""
        return tuple(
            one
            for one in found
            if one.kind != "installed"
            or not importable(one.origin, working_dir=directory, path=path, argv=replica.command)
        )

    def _running(
        self, facts: ServiceFacts, seen: Observation, visible: Mapping[str, Pair]
    ) -> RunningSeen:
        """The engine is only asked for processes where code landed after the first one's start."""
        replica = seen.replica
        times = self.store.writes.times(replica)
        landed = tuple(self.landings.later(facts, seen, visible, times))
        due = facts.restarts.get(replica.id, ())
        landed = tuple(one for one in landed if one.path not in due)  # that is told as it is
        if not landed:
            return RunningSeen(started_at=replica.started_at)
        mode, way = self._mode(facts, replica)
        told = RunningSeen(mode, way, started_at=replica.started_at, landed=landed)
        scripts = any(one.target.endswith(LANGUAGES["php"]) for one in landed)
        if mode == "per-request" and not scripts:
            return told
        root, processes = observe_processes(self.engine, replica)
        told = replace(
            told,
            root=root,
            processes=processes,
            reloaded_at=self._reloaded_at(facts.service, mode, replica),
            now=self.clock(),
        )
        return replace(told, frozen=self._frozen(replica, told)) if scripts else told

    def _frozen(self, replica: Replica, seen: RunningSeen) -> tuple[str, str, str] | None:
        """The setting by which one of its servers of PHP keeps old code."""
        every = [served for _, served in php_servers(seen.processes)]
        if not seen.processes and (alone := php_server(replica.command)) is not None:
            every = [alone]
        found = (self.opcache.frozen(replica, served) for served in every)
        setting = next(filter(None, found), None)
        return None if setting is None else (setting.key, setting.value, setting.file)

    def _mode(self, facts: ServiceFacts, replica: Replica) -> tuple[str, str]:
        """How the service takes up new code: as the policy says, else as its command line does."""
        reload = self.project.policy.service(facts.service).reload
        if reload.kind is ReloadKind.SIGNAL:
            return f"signal:{reload.signal}", "the policy says so"
        if reload.kind is not ReloadKind.RESTART:
            return str(reload.kind), "the policy says so"
        made = self.engine.creation(replica.id)
        settings = {k: v for k, v in made.environment.items() if k in SWITCHES and v is not None}
        read = make_reader(self.project.dir, facts.mapping, made.working_dir or "/")
        way = way_of(replica.command, settings=settings, read=read)
        # that a signal would do is no word of the policy's: what is typed restarts
        return ("restart" if way.mode.startswith("signal:") else way.mode), way.why

    def _reloaded_at(self, service: str, mode: str, replica: Replica) -> float:
        if not mode.startswith("signal:"):
            return 0.0
        sent = self.store.journal.starts(
            self.project.name, service, remedy=Remedy.RELOAD, since=replica.started_at
        )
        return max(sent, default=0.0)

    def _config(self, facts: ServiceFacts, replica: Replica) -> ConfigSeen | None:
        """None where this model is not the one that the container was made from."""
        service = facts.service
        wanted, files = self.project.model.wanted.get(service), self.project.compose_files
        if wanted is None or files is None or not self._same_files(replica, files):
            return None
        if not _same(self.engine.creation(replica.id).env_files, files.env_files):
            return None
        model = Model(
            wanted=wanted,
            inputs=[one for one in self.project.input_files() if one != self.project.policy_path],
            directory=self.project.dir,
            stamp=self.compose.stamp(),
            mapped={pair.target for pair in facts.mapping.pairs} if wanted.contents else set(),
            label_fits=lambda one, version: self._label_fits(wanted, service, one, version),
        )
        seen = observe_config(self.engine, replica, model, self.store.made)
        variables, keys = differing_variables(seen), differing_keys(seen)
        if not variables and not keys:
            return seen
        doubtful = {*(f"{ENVIRONMENT}{name}" for name in variables), *keys}
        return replace(seen, from_shell=self._from_shell(service, wanted, variables, doubtful))

    def _same_files(self, replica: Replica, files: ComposeFiles) -> bool:
        """Another choice of Compose files makes another model, and says nothing of this one."""
        return bool(replica.config_files) and _same(replica.config_files, files.files)

    def _label_fits(
        self, wanted: Wanted, service: str, replica: Replica, made_by: str
    ) -> bool | None:
        """Whether Compose's own hash is that of the label; None where it says nothing."""
        files = self.project.compose_files
        if files is None or not replica.config_hash:
            return None
        state = (id(self.project.model), service)
        if state not in self._hashes:
            self._hashes = {state: self.compose.config_hash(files, service)}
        if self._hashes[state] == replica.config_hash:
            return True
        if not wanted.hash_holds or not self._hashes[state]:
            return None
        self._version = self._version or self.compose.version()
        env_files = any("env_file" in _text(path) for path in files.files)
        right = hash_is_right(self._version, made_by, env_files=env_files)
        return False if right else None

    def _from_shell(
        self, service: str, wanted: Wanted, variables: Iterable[str], doubtful: set[str]
    ) -> frozenset[str]:
        """Which of ``doubtful`` change when the shell's variables do: Compose is asked again."""
        files = self.project.compose_files
        assert files is not None
        texts = [_text(path) for path in self.project.input_files()]
        named = {name for text in texts for name in _VARIABLE.findall(text)}
        dotenv = [_text(p) for p in self.project.input_files() if not p.endswith((".yaml", ".yml"))]
        assigned = {name for text in dotenv for name in _ASSIGNED.findall(text)}
        free = (named | set(variables)) - assigned
        if not free:
            return frozenset()
        shell = self.compose.with_variables(dict.fromkeys(sorted(free), _PROBE))
        try:
            model = shell.config(replace(files, profiles=("*",)))
        except ConfigError:
            return frozenset(doubtful)  # no model comes of the probe: nothing can be told apart
        other = wanted_of(model).get(service)
        if other is None:
            return frozenset(doubtful)
        return frozenset(depending(wanted, other)) & doubtful


def depending(wanted: Wanted, other: Wanted) -> Iterable[str]:
    """What differs between two models of one service: keys, and variables by their names."""
    names = wanted.environment.keys() | other.environment.keys()
    unequal = _unequal(wanted.environment, other.environment, names)
    yield from (f"{ENVIRONMENT}{name}" for name in unequal)
    yield from _unequal(wanted.parts, other.parts, wanted.parts.keys() | other.parts.keys())
    if wanted.image != other.image:
        yield "image"


def _unequal(
    one: Mapping[str, str | None], other: Mapping[str, str | None], names: Iterable[str]
) -> list[str]:
    return [name for name in names if one.get(name) != other.get(name)]


def hash_is_right(version: str, made_by: str, *, env_files: bool) -> bool:
    """Whether the hash of this Compose can be compared with a label of ``made_by``.

    From 2.22 to 5.4 the hash leaves out what an ``env_file`` brings, which the label has.
    """
    if not made_by or not version.startswith(made_by):
        return False
    if not env_files:
        return True
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    return len(numbers) == 2 and not (2, 22) <= (numbers[0], numbers[1]) < (5, 5)


def _same(some: Iterable[str], others: Iterable[str]) -> bool:
    return _real(some) == _real(others)


def _real(paths: Iterable[str]) -> set[str]:
    return {os.path.realpath(path) for path in paths}


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4 << 20)
    except OSError:
        return ""
