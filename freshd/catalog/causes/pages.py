"""What people are told of each cause: a cause in, its page out.

The pages are ``image.toml``, ``container.toml``, ``process.toml`` and ``config.toml`` beside the
entries, and only read where one is asked for. ``docs/causes.md`` is ``as_markdown()``.
"""

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from freshd.catalog.causes.registry import CAUSES, Cause
from freshd.model.report import LinkName


@dataclass(frozen=True, slots=True)
class Page:
    """``title`` is one line; ``prevention`` says how to avoid the cause. Texts are not wrapped."""

    title: str
    meaning: str
    how_known: str
    prevention: str


def read_page(cause: Cause) -> Page:
    """What ``freshd explain`` prints of it."""
    return _pages(cause.link)[cause.slug]


@cache
def _pages(link: LinkName) -> Mapping[str, Page]:
    tables = tomllib.loads(files(__package__).joinpath(f"{link}.toml").read_text("utf-8"))
    return {
        slug: Page(**{key: " ".join(text.split()) for key, text in table.items()})
        for slug, table in tables.items()
    }


def as_markdown() -> str:
    """The text of ``docs/causes.md``."""
    parts = [
        "# Causes",
        "",
        "Every way this version knows in which a container can run other code than the tree's.",
        "`freshd explain SLUG` prints one of them.",
    ]
    for link in LinkName:
        parts += ["", f"## The {link} link"]
        for cause in CAUSES.values():
            if cause.link is link:
                parts += ["", *_section(cause, read_page(cause))]
    return "\n".join(parts) + "\n"


def _section(cause: Cause, page: Page) -> list[str]:
    return [
        f"### {cause.slug}",
        "",
        f"**{page.title}.** {page.meaning}",
        "",
        f"- level: {cause.level}",
        f"- known by: {page.how_known}",
        f"- suggested: {cause.remedy}",
        f"- to avoid it: {page.prevention}",
    ]


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
