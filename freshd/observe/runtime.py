"""How the containers of one service were made and what runs in them: ``RuntimeFacts``.

In: a service's facts from a whole snapshot. Out: what every observer here adds to them. A narrow
snapshot goes without, as nothing of this changes by saving a file.
"""

from freshd.model.errors import EngineFailed, OutcomeUnknown, TargetGone
from freshd.model.observed.questions import is_serving, visible_pairs
from freshd.model.observed.runtime import ReplicaRuntime, RuntimeFacts
from freshd.model.observed.snapshot import Snapshot
from freshd.observe.config.observer import ConfigObserver
from freshd.observe.container.excluded import SurroundingsObserver
from freshd.observe.container.packages import observe_packages
from freshd.observe.image.artefacts import ArtefactObserver
from freshd.observe.image.origin import observe_age, observe_base, observe_forbidden
from freshd.observe.observers import ReplicaObserver, ReplicaView, ServiceObserver, Tools
from freshd.observe.process.bytecode import observe_bytecode
from freshd.observe.process.logs import observe_log
from freshd.observe.process.probes import observe_probes
from freshd.observe.process.running import RunningObserver
from freshd.observe.process.upstreams import UpstreamObserver


class RuntimeCollector:
    """One per context; one thread at a time. Every observer is listed here, and nowhere else."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._of_service: tuple[ServiceObserver, ...] = (
            observe_forbidden,
            observe_base,
            SurroundingsObserver(),
            ArtefactObserver(),
            observe_age,
        )
        self._of_replica: tuple[ReplicaObserver, ...] = (
            ConfigObserver(),
            observe_packages,
            UpstreamObserver(),
        )
        # asked about a container that runs, and whose files could be read
        self._of_process: tuple[ReplicaObserver, ...] = (
            RunningObserver(),
            observe_bytecode,
            observe_log,
            observe_probes,
        )

    def collect(self, facts: Snapshot, *, full: bool = False) -> RuntimeFacts:
        """What the facts leave out. With ``full`` no earlier answer about bytecode is believed."""
        replicas: dict[str, ReplicaRuntime] = {}
        for observation in facts.observations:
            if is_serving(observation.replica):
                first = not any(record.answers for record in replicas.values())
                visible = visible_pairs(facts.mapping.pairs, observation.replica)
                view = ReplicaView(self._tools, facts, observation, visible, full=full, first=first)
                replicas[observation.replica.id] = self._replica(view)
        runtime = RuntimeFacts(replicas)
        for observe in self._of_service:
            runtime = observe(self._tools, facts, runtime)
        return runtime

    def _replica(self, view: ReplicaView) -> ReplicaRuntime:
        """Of a container that goes away meanwhile there is what was observed until then."""
        record = ReplicaRuntime()
        readable = view.replica.running and not view.observation.problem
        try:
            for observe in (*self._of_replica, *(self._of_process if readable else ())):
                record = observe(view, record)
        except (EngineFailed, OutcomeUnknown, TargetGone):
            pass  # what is wrong with it, the observation of its files says
        return record
