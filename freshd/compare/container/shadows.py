"""Mounts that hide what the image or the tree has at their place: what was seen in, findings out.

A volume with other packages than the image, a mount inside a bind mount, and a bind mount over
what the image built. ``judge_volume`` says which cause a volume is, for hidden files as well.
"""

from collections.abc import Iterator

from freshd.compare import evidence
from freshd.compare.comparison import Comparison, ServingReplica, per_replica
from freshd.compare.finding import make_finding
from freshd.model.mapping import Via
from freshd.model.observed.container import Mount
from freshd.model.paths import is_below
from freshd.model.report import Finding
from freshd.model.text import printable


def judge_volume(mount: Mount) -> tuple[str, str]:
    """The cause where a volume hides the image's files, and the words for the volume.

    An anonymous one has no name but the 64 hex digits that the engine gave it.
    """
    if len(mount.name) == 64 and not set(mount.name) - set("0123456789abcdef"):
        return "anonymous-volume-kept", "the anonymous volume"
    return "volume-shadows-image", f"the volume {mount.name}".rstrip()


def hidden_packages(serving: ServingReplica) -> Iterator[Finding]:
    """Volumes whose lock file of installed packages is not the image's."""
    for hidden in serving.runtime.hidden:
        cause, volume = judge_volume(hidden.mount)
        yield make_finding(
            cause,
            serving.service,
            f"{volume} at {hidden.mount.target} in {serving.replica.name} holds other packages "
            "than the image",
            replica=serving.replica,
            target=hidden.target,
            evidence={
                **evidence.mounted(hidden.mount),
                "image": evidence.digest(hidden.in_image),
                "container": evidence.digest(hidden.seen),
            },
        )


def inner_mounts(comparison: Comparison) -> Iterator[Finding]:
    """One note for each mount that lies inside a bind mount and hides files of the tree."""
    replicas = [serving.replica for serving in comparison.replicas]
    mounts = {mount.target: mount for replica in replicas for mount in replica.mounts}
    inner = {target for target in mounts if _inside_a_bind(mounts, target)}
    if not inner:
        return
    hidden: dict[str, list[str]] = {}
    for pair in comparison.facts.mapping.pairs:
        by = pair.hidden_by
        if by is None or by not in inner or pair.effective or pair.via is not Via.BIND:
            continue
        if pair.source in comparison.facts.tree:
            hidden.setdefault(by, []).append(pair.source)
    for target, sources in sorted(hidden.items()):
        more = evidence.and_more(sources)
        yield make_finding(
            "inner-mount-shadows",
            comparison.service,
            f"{printable(min(sources))}{more} is hidden by the {mounts[target].kind} at {target}, "
            "inside another mount",
            paths=sorted(sources),
            evidence={**evidence.mounted(mounts[target]), **evidence.paths(sources)},
        )


def _inside_a_bind(mounts: dict[str, Mount], target: str) -> bool:
    return any(
        mount.kind == "bind" and mount.target != target and is_below(target, mount.target)
        for mount in mounts.values()
    )


def bind_hides_image(comparison: Comparison) -> Iterator[Finding]:
    """One note for each bind mount over what the image built."""
    for covered in comparison.runtime.around.covered:
        more = evidence.and_more(covered.paths)
        yield make_finding(
            "bind-hides-image",
            comparison.service,
            f"{printable(covered.paths[0])}{more} of the image of {comparison.service} is hidden "
            f"by the bind mount at {covered.mount.target}, and {printable(covered.source)} has no "
            "such thing",
            target=covered.paths[0],
            evidence={**evidence.mounted(covered.mount), **evidence.paths(covered.paths)},
        )


FINDERS = (inner_mounts, per_replica(hidden_packages))
BESIDE = (bind_hides_image,)
