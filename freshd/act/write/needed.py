"""What must stay for a container to start again: the files that its own commands name.

In: a container and the paths that are to go. Out: path -> why it stays. Links are followed, so
that `/bin/run` protects `/usr/bin/run`.
"""

from collections.abc import Collection

from freshd.act import read_back
from freshd.engine.client import Engine
from freshd.engine.container.places import real_path
from freshd.engine.container.shell_session import ShellSession
from freshd.model.observed.container import Replica
from freshd.model.paths import is_below


def find_needed(
    engine: Engine, replica: Replica, shell: ShellSession | None, paths: Collection[str]
) -> dict[str, str]:
    """Those of ``paths`` (without links) that the container cannot do without, and why.

    Raises what the engine raises.
    """
    if not paths:
        return {}
    needs = engine.needs(replica.id)
    there = read_back.read_facts(engine, replica.id, needs.places(), shell)
    real = {real_path(engine, replica.id, place): place for place in there}
    needed = {}
    for path in paths:
        named = next((place for at, place in real.items() if is_below(at, path)), None)
        if named is not None:
            needed[path] = f"the container's own commands need {named}: it would not start again"
    return needed
