"""The causes this version knows: a slug in, what it is and what helps out."""

from collections.abc import Callable

from freshd.catalog.causes.cause import Cause
from freshd.catalog.causes.config import CONFIG
from freshd.catalog.causes.container import CONTAINER
from freshd.catalog.causes.image import IMAGE
from freshd.catalog.causes.process import PROCESS
from freshd.model.remedy import Remedy
from freshd.model.report import LinkName

__all__ = ["CAUSES", "Cause", "get_cause", "slugs_where"]

CAUSES: dict[str, Cause] = {cause.slug: cause for cause in (*IMAGE, *CONTAINER, *PROCESS, *CONFIG)}
"""Every cause by its slug, image first."""
_UNKNOWN = Cause(LinkName.CONTAINER, "", Remedy.NOTIFY)


def get_cause(slug: str) -> Cause:
    """The entry; one that says nothing where another version of freshd kept the finding."""
    return CAUSES.get(slug, _UNKNOWN)


def slugs_where(holds: Callable[[Cause], bool]) -> tuple[str, ...]:
    """The causes of which that is true, in the order of the catalogue."""
    return tuple(slug for slug, cause in CAUSES.items() if holds(cause))
