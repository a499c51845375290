"""Notes on what lies around the files of a service."""

from collections.abc import Iterator

from freshd.compare.container.mounts import bind_hides_image
from freshd.compare.container.strays import orphan_container, wrong_project
from freshd.compare.image.excluded import ignored_by_dockerignore, symlink_leaves_context
from freshd.model.observed.surroundings import Surroundings
from freshd.model.report import Finding


def surrounding_findings(service: str, seen: Surroundings) -> Iterator[Finding]:
    """One note for each mount, link and left out file."""
    yield from (bind_hides_image(service, one) for one in seen.covered)
    yield from (symlink_leaves_context(service, one) for one in seen.links_out)
    yield from (ignored_by_dockerignore(service, one) for one in seen.left_out)
    for stray in seen.strays:
        ours = stray.why in ("orphan", "one-off")
        yield (orphan_container if ours else wrong_project)(service, stray)
