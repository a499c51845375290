"""What an image was made on and of: its base now, files the policy forbids, layers that have aged.

In: a service's facts. Out: three parts of its ``RuntimeFacts``.
"""

from dataclasses import replace

from freshd.config.compose.build_files import read_build_files
from freshd.mapping.dockerfile.syntax.outline import read_outline
from freshd.model.errors import ConfigError
from freshd.model.mapping import Via
from freshd.model.observed.runtime import RuntimeFacts
from freshd.model.observed.snapshot import Snapshot
from freshd.model.observed.surroundings import Aged, BaseSeen
from freshd.model.patterns import matcher
from freshd.observe.observers import Tools

_BUILD_TIME = "SOURCE_DATE_EPOCH"


def observe_base(tools: Tools, facts: Snapshot, runtime: RuntimeFacts) -> RuntimeFacts:
    """Nothing where there is no build, no base image here, or a Dockerfile that is wrong."""
    build = tools.project.service(facts.service).build
    if build is None or build.remote or facts.tag_image is None:
        return runtime
    try:
        files = read_build_files(build, service=facts.service, project_dir=tools.project.dir)
        args = {name: value for name, value in build.args.items() if value is not None}
        ref = read_outline(files.text, target=build.target, build_args=args, name=files.name).base
    except ConfigError:
        return runtime  # the map says what is wrong with it
    named = ref not in ("", "scratch") and ref not in build.additional_contexts
    base = tools.engine.layers(ref) if named else None
    built = tools.engine.layers(facts.tag_image.id) if base is not None else None
    if base is None or built is None:
        return runtime
    return replace(runtime, base=BaseSeen(ref, base[0], base[1], built[1]))


def observe_forbidden(tools: Tools, facts: Snapshot, runtime: RuntimeFacts) -> RuntimeFacts:
    """Files of the tree that the image holds and the policy never injects."""
    patterns = tools.project.policy.never.inject
    if not patterns or facts.tag_image is None or not facts.builds:
        return runtime
    never, held = matcher(patterns), facts.tag_image.files
    copies = (pair for pair in facts.mapping.pairs if pair.via is Via.COPY)
    forbidden = {pair.source for pair in copies if pair.target in held and never(pair.source)}
    return replace(runtime, forbidden=tuple(sorted(forbidden)))


def observe_age(tools: Tools, facts: Snapshot, runtime: RuntimeFacts) -> RuntimeFacts:
    """Nothing where the builder was told which time to write into images."""
    limit, now = tools.project.policy.service(facts.service).layer_age, tools.clock()
    if limit is None or _BUILD_TIME in facts.args or _BUILD_TIME in tools.compose.environ:
        return runtime
    layers = tuple(layer for layer in facts.fetched if layer.at < now - limit)
    return replace(runtime, aged=Aged(layers, limit, now)) if layers else runtime
