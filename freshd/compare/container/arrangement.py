"""How a service's containers and mounts are arranged: notes on it, and replicas that do not agree.

In go a service's facts and what a whole look adds, findings come out.
"""

from collections.abc import Iterator

from freshd.compare import evidence
from freshd.compare.container.mounts import is_anonymous
from freshd.model.mapping import Via
from freshd.model.observed.container import Mount, Replica
from freshd.model.observed.snapshot import ServiceFacts
from freshd.model.observed.surroundings import Hidden
from freshd.model.paths import is_below
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import printable


def mismatched(facts: ServiceFacts, replicas: list[Replica]) -> Iterator[Finding]:
    """Replicas of other images than the newest; where the tag is there, ``old-image`` says it."""
    running = [one for one in replicas if one.running and not one.oneoff and one.image_id]
    if facts.tag_image is not None or len({one.image_id for one in running}) < 2:
        return
    newest = max(running, key=lambda one: one.created_at)
    for one in running:
        if one.image_id == newest.image_id:
            continue
        yield Finding(
            cause="replica-mismatch",
            level=Level.STALE,
            link=LinkName.CONTAINER,
            service=facts.service,
            message=f"{one.name} runs another image than {newest.name}, which is newer",
            remedy=Remedy.RECREATE,
            container=one.name,
            container_id=one.id,
            evidence={"container_image": one.image_id, "newest_image": newest.image_id},
        )


def shadowed(facts: ServiceFacts, replicas: list[Replica]) -> Iterator[Finding]:
    """One note for each mount that lies inside a bind mount and hides files of the tree."""
    mounts = {mount.target: mount for one in replicas for mount in one.mounts}
    inner = {target for target in mounts if _inside_a_bind(mounts, target)}
    if not inner:
        return
    hidden: dict[str, list[str]] = {}
    for pair in facts.mapping.pairs:
        by = pair.hidden_by
        if by is None or by not in inner or pair.effective or pair.via is not Via.BIND:
            continue
        if pair.source in facts.tree:
            hidden.setdefault(by, []).append(pair.source)
    for target, sources in sorted(hidden.items()):
        more = evidence.and_more(sources)
        yield Finding(
            cause="inner-mount-shadows",
            level=Level.NOTE,
            link=LinkName.CONTAINER,
            service=facts.service,
            message=f"{printable(min(sources))}{more} is hidden by the {mounts[target].kind} at "
            f"{target}, inside another mount",
            paths=tuple(sorted(sources)),
            evidence={**evidence.mounted(mounts[target]), **evidence.paths(sources)},
        )


def _inside_a_bind(mounts: dict[str, Mount], target: str) -> bool:
    return any(
        mount.kind == "bind" and mount.target != target and is_below(target, mount.target)
        for mount in mounts.values()
    )


def hidden_packages(service: str, replica: Replica, seen: tuple[Hidden, ...]) -> Iterator[Finding]:
    """Volumes whose lock file of installed packages is not the image's."""
    for one in seen:
        kept = is_anonymous(one.mount)
        name = "the anonymous volume" if kept else f"the volume {one.mount.name}"
        yield Finding(
            cause="anonymous-volume-kept" if kept else "volume-shadows-image",
            level=Level.STALE,
            link=LinkName.CONTAINER,
            service=service,
            message=f"{name} at {one.mount.target} in {replica.name} holds other packages than the "
            "image",
            container=replica.name,
            container_id=replica.id,
            target=one.target,
            evidence={
                **evidence.mounted(one.mount),
                "image": evidence.digest(one.in_image),
                "container": evidence.digest(one.seen),
            },
        )
