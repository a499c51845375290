"""Builds of a service that went elsewhere: to an engine it does not run on, or into a build cache.

In: a service's facts, and what buildx notes on this machine. Out: ``Elsewhere``. Nothing is read
unless a builder has built since the service's tag was moved.
"""

import os
from collections.abc import Iterator
from itertools import chain

from freshd.config.compose.model import ComposeBuild
from freshd.engine.cli import buildx
from freshd.engine.transport.endpoint import DEFAULT_HOST, Endpoint
from freshd.model.observed.questions import image_of
from freshd.model.observed.snapshot import Snapshot
from freshd.model.observed.surroundings import Elsewhere
from freshd.observe.observers import Tools


def find_build_elsewhere(tools: Tools, facts: Snapshot) -> Elsewhere | None:
    """The last build that was given to another builder, and what of the tree it had anew.

    The engine of ``tools`` is the one that the stack runs on.
    """
    build, image = tools.project.service(facts.service).build, image_of(facts)
    if build is None or build.remote or build.dockerfile_inline is not None or image is None:
        return None
    since = max(image.created_at, image.tagged_at)
    here = tools.engine.endpoint
    given = chain.from_iterable(
        _given_to(tools, builder, facts.service, build, since)
        for builder in buildx.builders(tools.compose.environ)
        if not _builds_here(builder, here)
    )
    last = max(given, key=lambda pair: pair[1], default=None)
    if last is None:
        return None
    builder, at = last
    edited = tuple(_edited(tools.project.dir, facts, since, at))
    return Elsewhere(builder.name, builder.driver, builder.host, here.host, at, edited)


def _builds_here(builder: buildx.Builder, here: Endpoint) -> bool:
    """True also where nobody knows: DOCKER_HOST decides where ``default`` builds."""
    if builder.driver != buildx.DOCKER:
        return False
    if builder.name == buildx.DEFAULT and here.source == "DOCKER_HOST":
        return True
    return not builder.host or _same(builder.host) == _same(here.host)


def _given_to(
    tools: Tools, builder: buildx.Builder, service: str, build: ComposeBuild, since: float
) -> Iterator[tuple[buildx.Builder, float]]:
    others = tools.project.model.services.keys() - {service}
    wanted = _files(build.context, os.path.join(build.context, build.dockerfile))
    for begun in buildx.begun(tools.compose.environ, builder.name, since=since):
        if begun.target not in others and _files(begun.context, begun.dockerfile) == wanted:
            yield builder, begun.at


def _edited(directory: str, facts: Snapshot, since: float, until: float) -> Iterator[str]:
    """Files of the build that changed after the image here got its tag, until ``until``."""
    sources = {pair.source for pair in facts.mapping.pairs}.union(facts.mapping.inputs)
    for path in sorted(sources & facts.tree.keys()):
        try:
            changed = os.lstat(os.path.join(directory, path)).st_ctime
        except OSError:
            continue
        if since < changed <= until:
            yield path


def _files(context: str, dockerfile: str) -> tuple[str, str]:
    """What a build reads, whatever it was called; "" is the Dockerfile of the context."""
    named = dockerfile or os.path.join(context, "Dockerfile")
    return os.path.realpath(context), os.path.realpath(named)


def _same(host: str) -> str:
    """One spelling of an engine's address: a socket is reached through links, too."""
    scheme, _, path = (host or DEFAULT_HOST).partition("://")
    return f"unix://{os.path.realpath(path)}" if scheme == "unix" else host
