"""What a new container would cost: how the old one was made and what is in it in, findings out.

The finding of mounts is the config link's, too. All of them stop what makes new containers.
"""

from freshd.compare.finding import make_finding
from freshd.model.observed.container import Replica
from freshd.model.observed.creation import ConfigSeen
from freshd.model.observed.mount_data import find_other_data
from freshd.model.report import Finding, Level
from freshd.model.text import printable

_SHOWN = 3


def judge_mounts(service: str, replica: Replica, config: ConfigSeen) -> Finding | None:
    """Paths that would show other data than they do; None where there is none."""
    other = tuple(find_other_data(config))
    if not other:
        return None
    words = [printable(each.words) for each in other]
    more = f" and {len(words) - _SHOWN:,} more" if len(words) > _SHOWN else ""
    return make_finding(
        "other-data",
        service,
        f"a new {replica.name} would show other data at {', '.join(words[:_SHOWN])}{more}; "
        "nothing is copied",
        replica=replica,
        level=Level.NOTE if "volumes" in config.from_shell else None,
        paths=config.inputs,
        evidence={
            "mounts": {each.target: {"container": each.had, "model": each.gets} for each in other},
            "changed_since": list(config.inputs),
        },
    )
