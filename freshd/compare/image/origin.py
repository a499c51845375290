"""Where an image comes from: its base, its tag, its builder, and what it should not hold."""

from collections.abc import Iterator

from freshd.compare import evidence
from freshd.compare.comparison import Comparison
from freshd.compare.finding import make_finding
from freshd.model.report import Finding
from freshd.model.text import printable

_DAY = 86400.0


def base_behind(comparison: Comparison) -> Iterator[Finding]:
    """An image keeps the layers of the base it was built on, whatever the tag names since."""
    base, image = comparison.runtime.base, comparison.facts.tag_image
    if base is None or image is None:
        return
    if base.built[: len(base.layers)] == base.layers or len(base.built) < 2:
        return  # one layer only: a builder that merges them leaves nothing to compare
    yield make_finding(
        "base-image-behind",
        comparison.service,
        f"the image of {comparison.service} stands on an earlier {printable(base.ref)}",
        evidence={"image": image.id, "base": base.ref, "base_image": base.id},
    )


def tag_contention(comparison: Comparison) -> Iterator[Finding]:
    """Compose names the project on what it builds."""
    facts, image = comparison.facts, comparison.facts.tag_image
    if image is None or not facts.builds:
        return
    ours = {observation.replica.project for observation in facts.observations} - {""}
    builder = image.labels.get("com.docker.compose.project", "")
    if builder and ours and builder not in ours:
        yield make_finding(
            "tag-contention",
            facts.service,
            f"the image that {facts.service} is to run was built last by the project "
            f"{printable(builder)}, under the same tag",
            evidence={"image": image.id, "built_by": builder, "project": min(ours)},
        )


def built_elsewhere(comparison: Comparison) -> Iterator[Finding]:
    """A later build that had what the image lacks, and that went to another place."""
    build = comparison.runtime.around.elsewhere
    if build is None or not build.edited:
        return
    builder = printable(build.builder)
    if build.driver == "docker":
        cause = "wrong-engine"
        words = f"went to the engine at {printable(build.host)} (builder {builder}), and its "
        words += f"containers run at {printable(build.here)}"
    else:
        cause = "build-not-loaded"
        words = f"was given to the builder {builder} ({printable(build.driver)}), and what it "
        words += "built was not loaded into this engine"
    yield make_finding(
        cause,
        comparison.service,
        f"a later build of {comparison.service} {words}",
        paths=build.edited,
        evidence={
            "builder": build.builder,
            "driver": build.driver,
            "built_at": build.host,
            "runs_at": build.here,
            "began": build.at,
            **evidence.paths(build.edited),
        },
    )


def derived_behind(comparison: Comparison) -> Iterator[Finding]:
    """Output that the policy says is made from sources, and that did not change with them."""
    for artefact in comparison.runtime.outdated:
        more = evidence.and_more(artefact.changed)
        yield make_finding(
            "derived-output-behind",
            comparison.service,
            f"{printable(artefact.target)} in the image of {comparison.service} is what it was "
            f"before {printable(artefact.changed[0])}{more} changed, though it was built since",
            target=artefact.target,
            paths=artefact.changed,
            evidence={
                "made_from": artefact.source,
                "artefact": f"sha256:{artefact.digest}",
                **evidence.paths(artefact.changed),
                "drift": evidence.drift([(artefact.target, artefact.digest)]),
            },
        )


def aged_layers(comparison: Comparison) -> Iterator[Finding]:
    """One finding for all layers that are older than the policy lets what was fetched be."""
    aged = comparison.runtime.aged
    if aged is None:
        return
    first = min(aged.layers, key=lambda layer: (layer.at, layer.line))
    days = (aged.now - first.at) / _DAY
    age = f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"
    lines = [(f"line {layer.line}: {layer.command}", f"{layer.at:.0f}") for layer in aged.layers]
    yield make_finding(
        "cached-layer-aged",
        comparison.service,
        f"what `{printable(first.command)}` fetched for the image of {comparison.service} (line "
        f"{first.line} of the Dockerfile) is {age} old{evidence.and_more(aged.layers)}",
        evidence={
            "layers": [
                {"line": layer.line, "command": layer.command, "made": layer.at}
                for layer in aged.layers
            ],
            "layer_age": aged.limit,
            "drift": evidence.drift(lines),
        },
    )


def forbidden(comparison: Comparison) -> Iterator[Finding]:
    """One note on what the image holds and the policy never injects."""
    paths = comparison.runtime.forbidden
    if paths:
        more = evidence.and_more(paths)
        yield make_finding(
            "forbidden-in-image",
            comparison.service,
            f"the image of {comparison.service} holds {printable(min(paths))}{more}, which the "
            "policy never injects",
            paths=paths,
            evidence=evidence.paths(paths),
        )


FINDERS = (base_behind, tag_contention, built_elsewhere, derived_behind, aged_layers, forbidden)
