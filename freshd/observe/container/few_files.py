"""A few files of a running container, asked through its kept exec: a save costs no new exec.

In: a replica and a handful of paths. Out: an Observation, or None where the whole way has to be
gone: no kept exec is alive, or a path is anything but a plain file that is there.
"""

import stat
from collections.abc import Collection

from freshd.engine.client import Engine
from freshd.model.errors import EngineFailed, OutcomeUnknown
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Observation, Replica
from freshd.observe.paths import is_clean

MOST = 4096


def observe_few(engine: Engine, replica: Replica, paths: Collection[str]) -> Observation | None:
    """What ``paths`` hold now; nothing is remembered, so nothing is believed. Raises TargetGone."""
    if not replica.running or len(paths) > MOST or not all(map(is_clean, paths)):
        return None
    if not engine.has_shell(replica.id):
        return None
    ordered = sorted(paths)
    try:
        shell = engine.shell(replica.id)
        if not shell.available:
            return None
        facts = shell.stat(ordered)
        if len(facts) < len(ordered) or not all(stat.S_ISREG(f.st_mode) for f in facts.values()):
            return None
        size = sum(fact.size for fact in facts.values())
        digests = shell.hash(sorted(facts), size=size)
    except (EngineFailed, OutcomeUnknown):
        engine.drop_shell(replica.id)
        return None
    if digests.keys() != facts.keys():
        return None
    files = {
        path: Entry(Kind.FILE, digests[path], fact.size, stat.S_IMODE(fact.st_mode))
        for path, fact in facts.items()
    }
    return Observation(replica, frozenset(ordered), files)
