"""Whether the processes of a container run the code that lies in it: ``RunningSeen``.

In: a replica that runs, and its files. Out: the code that landed after its start, how the service
takes up new code, and the processes. The engine is asked for these only where code landed late.
"""

from dataclasses import dataclass, field, replace

from freshd.catalog.runtimes.processes import LANGUAGES, find_php_servers, read_php_server
from freshd.catalog.runtimes.reload import find_reload
from freshd.config.compose.model import SWITCHES
from freshd.mapping.scripts import make_reader
from freshd.model.observed.processes import RunningSeen
from freshd.model.observed.runtime import ReplicaRuntime
from freshd.model.policy import ReloadKind
from freshd.model.remedy import Remedy
from freshd.observe.observers import ReplicaView
from freshd.observe.process.landing import Landings
from freshd.observe.process.opcache import OpcacheReader
from freshd.observe.process.processes import observe_processes


@dataclass(slots=True)
class RunningObserver:
    """Keeps what was read of PHP's settings."""

    opcache: OpcacheReader = field(default_factory=OpcacheReader)

    def __call__(self, view: ReplicaView, record: ReplicaRuntime) -> ReplicaRuntime:
        tools, replica = view.tools, view.replica
        landings = Landings(
            tools.engine, tools.project.dir, tools.store.creation_records, tools.clock
        )
        times = tools.store.injected_files.read_times(replica)
        late = landings.later(view.facts, view.observation, view.visible, times)
        due = view.facts.restarts.get(replica.id, ())  # these have a finding of their own
        landed = tuple(file for file in late if file.path not in due)
        running = RunningSeen(started_at=replica.started_at)
        if landed:
            mode, why = _mode(view)
            running = replace(running, mode=mode, way=why, landed=landed)
            running = self._with_processes(view, running)
        return replace(record, running=running)

    def _with_processes(self, view: ReplicaView, running: RunningSeen) -> RunningSeen:
        tools, replica = view.tools, view.replica
        scripts = any(file.target.endswith(LANGUAGES["php"]) for file in running.landed)
        if running.mode == "per-request" and not scripts:
            return running
        root, processes = observe_processes(tools.engine, replica)
        running = replace(
            running,
            root=root,
            processes=processes,
            reloaded_at=_reloaded_at(view, running.mode),
            now=tools.clock(),
        )
        return replace(running, frozen=self._frozen(view, running)) if scripts else running

    def _frozen(self, view: ReplicaView, running: RunningSeen) -> tuple[str, str, str] | None:
        """The setting by which one of its servers of PHP keeps old code."""
        servers = [served for _, served in find_php_servers(running.processes)]
        if not running.processes and (alone := read_php_server(view.replica.command)) is not None:
            servers = [alone]
        engine = view.tools.engine
        frozen = (self.opcache.frozen(engine, view.replica, served) for served in servers)
        setting = next(filter(None, frozen), None)
        return None if setting is None else (setting.key, setting.value, setting.file)


def _mode(view: ReplicaView) -> tuple[str, str]:
    """How the service takes up new code, and why: as the policy says, else as its command does."""
    tools, replica = view.tools, view.replica
    reload = tools.project.policy.service(view.facts.service).reload
    if reload.kind is ReloadKind.SIGNAL:
        return f"signal:{reload.signal}", "the policy says so"
    if reload.kind is not ReloadKind.RESTART:
        return str(reload.kind), "the policy says so"
    made = tools.engine.creation(replica.id)
    settings = {k: v for k, v in made.environment.items() if k in SWITCHES and v is not None}
    read = make_reader(tools.project.dir, view.facts.mapping, made.working_dir or "/")
    way = find_reload(replica.command, settings=settings, read=read)
    # that a signal would do is no word of the policy's: what is typed restarts
    return ("restart" if way.mode.startswith("signal:") else way.mode), way.why


def _reloaded_at(view: ReplicaView, mode: str) -> float:
    if not mode.startswith("signal:"):
        return 0.0
    tools, service = view.tools, view.facts.service
    sent = tools.store.journal.starts(
        tools.project.name, service, remedy=Remedy.RELOAD, since=view.replica.started_at
    )
    return max(sent, default=0.0)
