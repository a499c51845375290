"""Builds of a service that went elsewhere: to an engine it does not run on, or into a build cache.

In: a service's facts, and what buildx notes on this machine. Out: ``Elsewhere``. Nothing is read
unless a builder has built since the service's tag was moved.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from freshd.config.compose.model import ComposeBuild
from freshd.config.project import Project
from freshd.engine.cli import buildx
from freshd.engine.cli.compose import Compose
from freshd.engine.client import Engine
from freshd.engine.transport.endpoint import DEFAULT_HOST
from freshd.model.observed.questions import image_of
from freshd.model.observed.snapshot import ServiceFacts
from freshd.model.observed.surroundings import Elsewhere


@dataclass(frozen=True, slots=True)
class ElsewhereLook:
    """``engine`` is the one that the stack runs on; ``compose`` knows how buildx is called."""

    project: Project
    engine: Engine
    compose: Compose

    def of(self, facts: ServiceFacts) -> Elsewhere | None:
        """The last build that was given to another builder, and what of the tree it had anew."""
        build, image = self.project.service(facts.service).build, image_of(facts)
        if build is None or build.remote or build.dockerfile_inline is not None or image is None:
            return None
        since = max(image.created_at, image.tagged_at)
        found = chain.from_iterable(
            self._given_to(builder, facts.service, build, since)
            for builder in buildx.builders(self.compose.environ)
            if not self._builds_here(builder)
        )
        last = max(found, key=lambda each: each[1], default=None)
        if last is None:
            return None
        builder, at = last
        edited = tuple(self._edited(facts, since, at))
        here = self.engine.endpoint.host
        return Elsewhere(builder.name, builder.driver, builder.host, here, at, edited)

    def _builds_here(self, builder: buildx.Builder) -> bool:
        """True also where nobody knows: DOCKER_HOST decides where ``default`` builds."""
        if builder.driver != buildx.DOCKER:
            return False
        if builder.name == buildx.DEFAULT and self.engine.endpoint.source == "DOCKER_HOST":
            return True
        return not builder.host or _same(builder.host) == _same(self.engine.endpoint.host)

    def _given_to(
        self, builder: buildx.Builder, service: str, build: ComposeBuild, since: float
    ) -> Iterator[tuple[buildx.Builder, float]]:
        others = self.project.model.services.keys() - {service}
        wanted = _files(build.context, os.path.join(build.context, build.dockerfile))
        for begun in buildx.begun(self.compose.environ, builder.name, since=since):
            if begun.target not in others and _files(begun.context, begun.dockerfile) == wanted:
                yield builder, begun.at

    def _edited(self, facts: ServiceFacts, since: float, until: float) -> Iterator[str]:
        """Files of the build that changed after the image here got its tag, until ``until``."""
        sources = {pair.source for pair in facts.mapping.pairs}.union(facts.mapping.inputs)
        for path in sorted(sources & facts.tree.keys()):
            try:
                changed = os.lstat(os.path.join(self.project.dir, path)).st_ctime
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
