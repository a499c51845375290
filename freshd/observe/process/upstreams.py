"""Proxies that look up where to forward to once, when they start, and services that moved since.

In: a service's facts. Out: the services that such a proxy still expects elsewhere. Asked for only
where a proxy runs; its processes only where a service did move.
"""

import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from freshd.catalog.runtimes.processes import own_tree
from freshd.config.project import Project
from freshd.engine.client import Engine
from freshd.model.observed.container import Replica
from freshd.model.observed.processes import Moved
from freshd.model.observed.snapshot import ServiceFacts
from freshd.observe.process.processes import observe_processes
from freshd.store.store import Store
from freshd.tree.walk import open_beneath

_PROXIES: Final = frozenset({"nginx", "haproxy", "varnishd", "squid"})
_ENDINGS: Final = (".conf", ".cfg", ".template", ".vcl")
_ASKS_AGAIN: Final = re.compile(r"\bresolvers?\b")
_MAX_BYTES: Final = 1 << 20


@dataclass(slots=True)
class UpstreamLook:
    """One thread at a time. Configuration is read again where a file of it changed."""

    project: Project
    engine: Engine
    store: Store
    _named: dict[str, tuple[object, frozenset[str]]] = field(default_factory=dict)

    def of(self, facts: ServiceFacts, replica: Replica) -> Iterator[Moved]:
        """Raises what the engine raises."""
        if not replica.running or not _is_proxy(replica):
            return
        names = self._forwards_to(facts)
        if not names:
            return
        running: dict[str, list[Replica]] = {}
        for one in self.engine.overview():
            ours = one.project == self.project.name and one.state == "running"
            if ours and one.service in names and not one.oneoff:
                running.setdefault(one.service, []).append(self.engine.replica(one.id))
        for upstream, replicas in sorted(running.items()):
            moved = self._moved(replica, upstream, replicas)
            if moved is not None:
                yield moved

    def _moved(self, proxy: Replica, upstream: str, replicas: list[Replica]) -> Moved | None:
        now = frozenset(each for one in replicas for each in self.engine.addresses(one.id))
        started = max(one.started_at for one in replicas)
        known = self.store.resolved
        before = known.get(proxy.id, upstream, started_at=proxy.started_at)
        if started < proxy.started_at:
            if now and before != now:
                known.record(proxy.id, upstream, now, started_at=proxy.started_at)
            return None
        if not before or not now or not before.isdisjoint(now):
            return None
        root, processes = observe_processes(self.engine, proxy)
        if any(process.latest >= started for process in own_tree(processes, root)):
            return None  # it was told to reload, and has asked again
        return Moved(upstream, tuple(sorted(before)), tuple(sorted(now)))

    def _forwards_to(self, facts: ServiceFacts) -> frozenset[str]:
        """Services that its mapped configuration names, unless that says to ask again."""
        files = {
            pair.source
            for pair in facts.mapping.pairs
            if pair.effective and pair.source in facts.tree and pair.target.endswith(_ENDINGS)
        }
        key = tuple(sorted((path, facts.tree[path].digest) for path in files))
        known = self._named.get(facts.service)
        if known is None or known[0] != key:
            text = "\n".join(self._text(path) for path in sorted(files))
            others = self.project.model.services.keys() - {facts.service}
            named = {name for name in others if re.search(rf"\b{re.escape(name)}\b", text)}
            asks = _ASKS_AGAIN.search(text) is not None
            known = self._named[facts.service] = (key, frozenset() if asks else frozenset(named))
        return known[1]

    def _text(self, path: str) -> str:
        try:
            with os.fdopen(open_beneath(self.project.dir, path), "rb") as file:
                return file.read(_MAX_BYTES).decode(errors="replace")
        except OSError:
            return ""


def _is_proxy(replica: Replica) -> bool:
    """By the program, or by what an entrypoint script is handed to run."""
    return any(posixpath.basename(word) in _PROXIES for word in replica.command[:2])
