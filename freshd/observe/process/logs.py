"""The last lines that a container printed since it was started."""

from dataclasses import replace

from freshd.model.errors import EngineFailed
from freshd.model.observed.runtime import ReplicaRuntime
from freshd.observe.observers import ReplicaView

_LINES = 200


def observe_log(view: ReplicaView, record: ReplicaRuntime) -> ReplicaRuntime:
    """No lines where the logging driver keeps none."""
    try:
        logged = view.tools.engine.log_tail(view.replica.id, lines=_LINES)
    except EngineFailed:
        return record
    return replace(record, logged=logged)
