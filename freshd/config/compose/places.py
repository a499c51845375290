"""The places of the tree that a service names, as they really are: links are followed to them.

In: services of the Compose model. Out: the same with real places, and the paths as they are named.
Asked again at each look: a link can be turned (`current -> releases/2`).
"""

import os
from collections.abc import Iterator
from dataclasses import replace

from freshd.config.compose.model import ComposeBuild, ComposeMount, ComposeService
from freshd.tree.places import find_place, settle_parent


def with_real_places(service: ComposeService) -> ComposeService:
    """Build contexts, the Dockerfile's directory, bind sources and watched paths without links."""
    return replace(
        service,
        build=None if service.build is None else _build(service.build),
        mounts=tuple(map(_mount, service.mounts)),
        watch=tuple(replace(watch, path=find_place(watch.path).path) for watch in service.watch),
    )


def list_named_places(service: ComposeService) -> Iterator[str]:
    """Absolute paths of this machine that the service names."""
    build = service.build
    if build is not None and not build.remote:
        yield build.context
        yield from filter(os.path.isabs, build.additional_contexts.values())
        if build.dockerfile_inline is None:
            yield os.path.dirname(_named_dockerfile(build))
    yield from (mount.source for mount in service.mounts if mount.kind == "bind")
    yield from (watch.path for watch in service.watch)


def _build(build: ComposeBuild) -> ComposeBuild:
    if build.remote:
        return build
    context = find_place(build.context).path
    return replace(
        build,
        context=context,
        named=build.context if context != build.context else "",
        dockerfile=_dockerfile(build, context),
        additional_contexts={
            name: find_place(place).path if os.path.isabs(place) else place
            for name, place in build.additional_contexts.items()
        },
    )


def _dockerfile(build: ComposeBuild, context: str) -> str:
    """Relative where it is in the context. It may be a link itself, which the builder follows."""
    real = settle_parent(_named_dockerfile(build))
    inside = real.startswith(context.rstrip("/") + "/")
    return os.path.relpath(real, context) if inside else real


def _named_dockerfile(build: ComposeBuild) -> str:
    return os.path.normpath(os.path.join(build.context, build.dockerfile))


def _mount(mount: ComposeMount) -> ComposeMount:
    if mount.kind != "bind":
        return mount
    source = find_place(mount.source).path
    named = mount.source if source != mount.source else ""
    return replace(mount, source=source, named=named)
