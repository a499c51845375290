"""The causes this version knows: a slug in, what it means and what helps out.

``docs/causes.md`` is ``as_markdown()``; a unit test keeps the two equal.
"""

from freshd.catalog.causes.cause import Cause
from freshd.catalog.causes.config import CONFIG
from freshd.catalog.causes.container import CONTAINER
from freshd.catalog.causes.image import IMAGE
from freshd.catalog.causes.process import PROCESS
from freshd.model.report import LinkName

__all__ = ["CAUSES", "Cause", "as_markdown"]

CAUSES: dict[str, Cause] = {cause.slug: cause for cause in (*IMAGE, *CONTAINER, *PROCESS, *CONFIG)}
"""Every cause by its slug, image first."""


def as_markdown() -> str:
    """The text of ``docs/causes.md``."""
    parts = [
        "# Causes",
        "",
        "Every way this version knows in which a container can run other code than the tree's.",
        "`freshd explain SLUG` prints one of them.",
    ]
    for link in LinkName:
        causes = [cause for cause in CAUSES.values() if cause.link is link]
        if causes:
            parts += ["", f"## The {link} link"]
        for cause in causes:
            parts += ["", *_section(cause)]
    return "\n".join(parts) + "\n"


def _section(cause: Cause) -> list[str]:
    return [
        f"### {cause.slug}",
        "",
        f"**{cause.title}.** {cause.meaning}",
        "",
        f"- level: {cause.level}",
        f"- known by: {cause.how_known}",
        f"- suggested: {cause.remedy}",
        f"- to avoid it: {cause.prevention}",
    ]
