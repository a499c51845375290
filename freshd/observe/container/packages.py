"""Volumes over installed packages: the lock file that installing leaves, in image and volume.

One file says which packages a whole directory holds: the directory itself need not be read.
"""

from collections.abc import Iterator
from dataclasses import replace

from freshd.engine.client import Engine
from freshd.engine.container import contents
from freshd.model.errors import EngineFailed, TargetGone
from freshd.model.observed.container import Replica
from freshd.model.observed.runtime import ReplicaRuntime
from freshd.model.observed.surroundings import Hidden
from freshd.observe.caches import ImageCache
from freshd.observe.image import content
from freshd.observe.observers import ReplicaView

_MARKS = (".package-lock.json", ".yarn-state.yml", ".yarn-integrity", ".modules.yaml")


def observe_packages(view: ReplicaView, record: ReplicaRuntime) -> ReplicaRuntime:
    """The volumes of the replica that hold other packages than its image has there.

    Only directories called ``node_modules`` have such a file.
    """
    tools = view.tools
    hidden = _hidden(tools.engine, view.replica, tools.store.image_contents)
    return replace(record, hidden=tuple(hidden))


def _hidden(engine: Engine, replica: Replica, cache: ImageCache) -> Iterator[Hidden]:
    for mount in replica.mounts:
        if mount.kind != "volume" or not mount.target.endswith("/node_modules"):
            continue
        targets = [f"{mount.target}/{name}" for name in _MARKS]
        try:
            held = content.facts(engine, replica.image_id, targets, cache=cache).files
            entries = contents.read(engine, replica.id, held.keys()) if held else {}
        except (EngineFailed, TargetGone):
            continue  # the snapshot of the container's files says what is wrong with it
        for target, entry in held.items():
            there = entries.get(target)
            if entry.digest and not entry.same_content(there):
                yield Hidden(mount, target, entry, there)
                break
