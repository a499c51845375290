"""How a service's containers and mounts are arranged: notes on it, and replicas that do not agree.

In go a service's facts and what a whole look adds, findings come out.
"""

from collections.abc import Iterable, Iterator

from freshd.causes import evidence
from freshd.causes.mounts import is_anonymous, is_below
from freshd.living import BaseSeen, Elsewhere, Hidden, Moved, Outdated
from freshd.model import (
    Finding,
    Level,
    LinkName,
    Mount,
    Remedy,
    Replica,
    ServiceFacts,
    Via,
    printable,
)


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


def base_behind(facts: ServiceFacts, seen: BaseSeen | None) -> Iterator[Finding]:
    """An image keeps the layers of the base it was built on, whatever the tag names since."""
    if seen is None or facts.tag_image is None:
        return
    if seen.built[: len(seen.layers)] == seen.layers or len(seen.built) < 2:
        return  # one layer only: a builder that merges them leaves nothing to compare
    yield Finding(
        cause="base-image-behind",
        level=Level.STALE,
        link=LinkName.IMAGE,
        service=facts.service,
        message=f"the image of {facts.service} stands on an earlier {printable(seen.ref)}",
        remedy=Remedy.REBUILD,
        evidence={"image": facts.tag_image.id, "base": seen.ref, "base_image": seen.id},
    )


def tag_contention(facts: ServiceFacts, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Compose names the project on what it builds: told only beside an image that is not right."""
    image = facts.tag_image
    if image is None or not facts.builds or not any(map(_questions_the_image, findings)):
        return
    ours = {seen.replica.project for seen in facts.observations} - {""}
    builder = image.labels.get("com.docker.compose.project", "")
    if builder and ours and builder not in ours:
        yield Finding(
            cause="tag-contention",
            level=Level.NOTE,
            link=LinkName.IMAGE,
            service=facts.service,
            message=f"the image that {facts.service} is to run was built last by the project "
            f"{printable(builder)}, under the same tag",
            evidence={"image": image.id, "built_by": builder, "project": min(ours)},
        )


def built_elsewhere(
    service: str, seen: Elsewhere | None, findings: Iterable[Finding]
) -> Iterator[Finding]:
    """Told only beside an image that is not right, of a build that had what the image lacks."""
    if seen is None or not seen.edited or not any(map(_questions_the_image, findings)):
        return
    builder = printable(seen.builder)
    if seen.driver == "docker":
        cause = "wrong-engine"
        words = f"went to the engine at {printable(seen.host)} (builder {builder}), and its "
        words += f"containers run at {printable(seen.here)}"
    else:
        cause = "build-not-loaded"
        words = f"was given to the builder {builder} ({printable(seen.driver)}), and what it built "
        words += "was not loaded into this engine"
    yield Finding(
        cause=cause,
        level=Level.NOTE,
        link=LinkName.IMAGE,
        service=service,
        message=f"a later build of {service} {words}",
        paths=seen.edited,
        evidence={
            "builder": seen.builder,
            "driver": seen.driver,
            "built_at": seen.host,
            "runs_at": seen.here,
            "began": seen.at,
            **evidence.paths(seen.edited),
        },
    )


def _questions_the_image(finding: Finding) -> bool:
    stale = finding.level is Level.STALE
    return stale and (finding.link is LinkName.IMAGE or finding.cause == "old-image")


def derived_behind(service: str, seen: tuple[Outdated, ...]) -> Iterator[Finding]:
    """Output that the policy says is made from sources, and that did not change with them."""
    for one in seen:
        more = evidence.and_more(one.changed)
        yield Finding(
            cause="derived-output-behind",
            level=Level.STALE,
            link=LinkName.IMAGE,
            service=service,
            message=f"{printable(one.target)} in the image of {service} is what it was before "
            f"{printable(one.changed[0])}{more} changed, though it was built since",
            remedy=Remedy.REBUILD,
            target=one.target,
            paths=one.changed,
            evidence={
                "made_from": one.source,
                "artefact": f"sha256:{one.digest}",
                **evidence.paths(one.changed),
                "drift": evidence.drift([(one.target, one.digest)]),
            },
        )


def upstream_moved(service: str, replica: Replica, seen: tuple[Moved, ...]) -> Iterator[Finding]:
    """A proxy that looked up a service's address once, before the service got another one."""
    for one in seen:
        yield Finding(
            cause="upstream-moved",
            level=Level.STALE,
            link=LinkName.PROCESS,
            service=service,
            message=f"{replica.name} started before {printable(one.upstream)} moved from "
            f"{', '.join(one.before)} to {', '.join(one.now)}, and looks its address up only then",
            remedy=Remedy.RESTART,
            container=replica.name,
            container_id=replica.id,
            evidence={
                "upstream": one.upstream,
                "before": list(one.before),
                "now": list(one.now),
            },
        )


def forbidden(service: str, paths: tuple[str, ...]) -> Iterator[Finding]:
    """One note on what the image holds and the policy never injects."""
    if paths:
        more = evidence.and_more(paths)
        yield Finding(
            cause="forbidden-in-image",
            level=Level.NOTE,
            link=LinkName.IMAGE,
            service=service,
            message=f"the image of {service} holds {printable(min(paths))}{more}, which the policy "
            "never injects",
            paths=paths,
            evidence=evidence.paths(paths),
        )
