"""What mounts hide, and which host directories binds may be listed from. No engine is asked.

In: a service's mounts, by the Compose model and by a container. Out: pairs marked hidden.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from freshd.config.compose.model import ComposeMount
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Mount
from freshd.model.paths import innermost, is_below
from freshd.tree.git import find_repository


def merge(
    declared: Iterable[ComposeMount], actual: Sequence[Mount] | None
) -> dict[str, ComposeMount]:
    """Mounts by where they are: a container's own where one is known, else what the model says.

    A container's bind that the model has too keeps the model's source: on desktop engines inspect
    shows a path inside a virtual machine.
    """
    model = {mount.target: mount for mount in declared}
    if actual is None:
        return model
    merged: dict[str, ComposeMount] = {}
    for mount in actual:
        known = model.get(mount.asked_for)
        if known is not None and known.kind == mount.kind == "bind":
            merged[mount.target] = replace(known, target=mount.target)
        else:
            source = mount.source if mount.kind == "bind" else mount.name
            merged[mount.target] = ComposeMount(
                mount.kind, mount.target, source, read_only=not mount.writable
            )
    return merged


def mark_hidden(
    pairs: Iterable[Pair],
    mounts: Mapping[str, ComposeMount],
    bound: Mapping[str, str],
    *,
    through_volumes: bool = False,
) -> list[Pair]:
    """Mark the pairs that a mount hides.

    ``bound`` maps the target of a bind pair to the destination of the mount it came by. With
    ``through_volumes`` a declared pair that lies in a volume is what the process reads there.
    """
    if not mounts:
        return list(pairs)
    marked: list[Pair] = []
    for pair in pairs:
        destination = innermost(pair.target, mounts)
        shown = destination is None or (
            pair.via is Via.BIND and bound.get(pair.target) == destination
        )
        if not shown and through_volumes and pair.via is Via.DECLARED and destination is not None:
            shown = mounts[destination].kind == "volume"
        marked.append(pair if shown else pair._replace(effective=False, hidden_by=destination))
    return marked


def may_list(source: str, project_dir: str, *, named: str = "") -> bool:
    """Whether a bind's host directory belongs to the work at hand, so that its files are listed.

    A link of such a place (``named``) speaks for what it leads to, ``source``, but for the home
    directory and those above the project.
    """
    if _is_near(source, project_dir):
        return True
    linked = bool(named) and _is_near(named, project_dir)
    return linked and not is_below(project_dir, source) and source != os.path.expanduser("~")


def _is_near(source: str, project_dir: str) -> bool:
    """Whether a path is of the project, of its repository, or beside it.

    That is: the project directory, the git repository it is in, and visible directories beside
    the project directory ('../lib'). Anything else (the home directory, '/', sockets, caches) may
    be huge or none of freshd's business: such a bind hides what is below it, and is not listed.
    """
    if is_below(source, project_dir):
        return True
    repository = find_repository(project_dir)
    if repository is not None and is_below(source, repository.top):
        return True
    beside = os.path.dirname(project_dir)
    if beside == "/" or not is_below(source, beside) or source == beside:
        return False
    first = os.path.relpath(source, beside).split("/")[0]
    return not first.startswith(".") and not is_below(project_dir, source)
