"""The named build contexts of a Compose service: names and places in, ``NamedContext`` values out.

The caller's lister lists a directory; an image is named; of anything else it is said that it is
not followed.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

from freshd.config.compose.build_files import read_ignore
from freshd.config.compose.model import ComposeBuild, is_remote
from freshd.mapping.dockerfile.contexts import NamedContext
from freshd.tree.dockerignore import IGNORE_FILE, DockerIgnore
from freshd.tree.listing import Listing, list_context

_IMAGE: Final = "docker-image://"

Lister: TypeAlias = Callable[[str, Callable[[str], Listing]], Listing]
"""Takes a directory and how to list it, returns its listing; the caller remembers it."""


def read_contexts(
    build: ComposeBuild, *, project_dir: str, listing: Lister
) -> Mapping[str, NamedContext]:
    """``build.additional_contexts`` by name. ConfigError for a malformed ignore file."""
    return {
        name: _context(name, place, build=build, project_dir=project_dir, listing=listing)
        for name, place in build.additional_contexts.items()
    }


def list_ignore_files(build: ComposeBuild) -> tuple[str, ...]:
    """Where named contexts have, or could have, their ignore files."""
    return tuple(
        os.path.join(place, IGNORE_FILE)
        for place in build.additional_contexts.values()
        if not is_remote(place)
    )


def _context(
    name: str, place: str, *, build: ComposeBuild, project_dir: str, listing: Lister
) -> NamedContext:
    if place.startswith(_IMAGE):
        return NamedContext(image=place.removeprefix(_IMAGE))
    if is_remote(place) or place.startswith("service:"):
        return NamedContext(
            unfollowed=f"the further build context {name} is {place}: not a directory"
        )
    if not os.path.isdir(place):
        return NamedContext(unfollowed=f"the further build context {name} is not there: {place}")
    ignore = read_ignore(os.path.join(place, IGNORE_FILE), project_dir=project_dir)
    listed = listing(place, partial(list_context, ignore=ignore or DockerIgnore()))
    return NamedContext(listed.files, listed.links, prefix=os.path.relpath(place, build.context))
