"""The causes this version knows: a slug in, what it is and what helps out."""

from freshd.catalog.causes.cause import Cause
from freshd.catalog.causes.config import CONFIG
from freshd.catalog.causes.container import CONTAINER
from freshd.catalog.causes.image import IMAGE
from freshd.catalog.causes.process import PROCESS

__all__ = ["CAUSES", "Cause"]

CAUSES: dict[str, Cause] = {cause.slug: cause for cause in (*IMAGE, *CONTAINER, *PROCESS, *CONFIG)}
"""Every cause by its slug, image first."""
