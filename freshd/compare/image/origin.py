"""Where an image comes from: its base, its tag, its builder, and what it should not hold."""

from collections.abc import Iterable, Iterator

from freshd.compare import evidence
from freshd.model.observed.snapshot import ServiceFacts
from freshd.model.observed.surroundings import BaseSeen, Elsewhere, Outdated
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import printable


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
