"""Proxies that look up where to forward to once, when they start, and services that moved since.

In: a service's facts. Out: the services that such a proxy still expects elsewhere. Asked for only
where a proxy runs; its processes only where a service did move.
"""

import os
import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from freshd.catalog.runtimes.processes import CONFIGURATION, select_own_tree
from freshd.config.project import Project
from freshd.model.observed.container import Replica
from freshd.model.observed.processes import Moved
from freshd.model.observed.runtime import ReplicaRuntime
from freshd.model.observed.snapshot import Snapshot
from freshd.observe.observers import ReplicaView
from freshd.observe.process.processes import observe_processes
from freshd.tree.walk import open_beneath

_PROXIES: Final = frozenset({"nginx", "haproxy", "varnishd", "squid"})
_ASKS_AGAIN: Final = re.compile(r"\bresolvers?\b")
_MAX_BYTES: Final = 1 << 20


@dataclass(slots=True)
class UpstreamObserver:
    """One thread at a time. Configuration is read again where a file of it changed."""

    _named: dict[str, tuple[object, frozenset[str]]] = field(default_factory=dict)

    def __call__(self, view: ReplicaView, record: ReplicaRuntime) -> ReplicaRuntime:
        if not view.replica.running or not _is_proxy(view.replica):
            return record
        names = self._forwards_to(view.tools.project, view.facts)
        return replace(record, moved=tuple(_moved(view, names))) if names else record

    def _forwards_to(self, project: Project, facts: Snapshot) -> frozenset[str]:
        """Services that its mapped configuration names, unless that says to ask again."""
        files = {
            pair.source
            for pair in facts.mapping.pairs
            if pair.effective and pair.source in facts.tree and pair.target.endswith(CONFIGURATION)
        }
        key = tuple(sorted((path, facts.tree[path].digest) for path in files))
        known = self._named.get(facts.service)
        if known is None or known[0] != key:
            text = "\n".join(_text(project.dir, path) for path in sorted(files))
            others = project.model.services.keys() - {facts.service}
            named = {name for name in others if re.search(rf"\b{re.escape(name)}\b", text)}
            asks = _ASKS_AGAIN.search(text) is not None
            known = self._named[facts.service] = (key, frozenset() if asks else frozenset(named))
        return known[1]


def _moved(view: ReplicaView, names: Collection[str]) -> Iterator[Moved]:
    engine = view.tools.engine
    running: dict[str, list[Replica]] = {}
    for other in engine.overview():
        ours = other.project == view.tools.project.name and other.state == "running"
        if ours and other.service in names and other.is_replica:
            running.setdefault(other.service, []).append(engine.replica(other.id))
    for upstream, replicas in sorted(running.items()):
        moved = _moved_from(view, upstream, replicas)
        if moved is not None:
            yield moved


def _moved_from(view: ReplicaView, upstream: str, replicas: list[Replica]) -> Moved | None:
    engine, known, proxy = view.tools.engine, view.tools.store.proxy_addresses, view.replica
    now = frozenset(address for replica in replicas for address in engine.addresses(replica.id))
    started = max(replica.started_at for replica in replicas)
    before = known.get(proxy.id, upstream, started_at=proxy.started_at)
    if started < proxy.started_at:
        if now and before != now:
            known.record(proxy.id, upstream, now, started_at=proxy.started_at)
        return None
    if not before or not now or not before.isdisjoint(now):
        return None
    root, processes = observe_processes(engine, proxy)
    if any(process.latest >= started for process in select_own_tree(processes, root)):
        return None  # it was told to reload, and has asked again
    return Moved(upstream, tuple(sorted(before)), tuple(sorted(now)))


def _text(directory: str, path: str) -> str:
    try:
        with os.fdopen(open_beneath(directory, path), "rb") as file:
            return file.read(_MAX_BYTES).decode(errors="replace")
    except OSError:
        return ""


def _is_proxy(replica: Replica) -> bool:
    """By the program, or by what an entrypoint script is handed to run."""
    return any(posixpath.basename(word) in _PROXIES for word in replica.command[:2])
