"""The registry of causes, its page, and the reading of history lines."""

from pathlib import Path

import pytest

from freshd.catalog.causes.registry import CAUSES, as_markdown
from freshd.model.observed.image_history import is_copy
from freshd.model.report import Level

PAGE = Path(__file__).parents[4] / "docs" / "causes.md"


def test_the_page_of_causes_is_up_to_date() -> None:
    """Else write it anew: ``print(freshd.catalog.causes.registry.as_markdown(), end="")``."""
    assert PAGE.read_text(encoding="utf-8") == as_markdown()


def test_every_cause_is_told_in_full() -> None:
    for slug, cause in CAUSES.items():
        assert slug == cause.slug
        assert all((cause.title, cause.meaning, cause.how_known, cause.prevention))
        assert f"### {slug}\n" in as_markdown()


def test_the_levels_are_those_of_the_contract() -> None:
    milder = {slug: cause.level for slug, cause in CAUSES.items() if cause.level is not Level.STALE}
    assert milder == {
        "patched": Level.NOTE,
        "inner-mount-shadows": Level.NOTE,
        "forbidden-in-image": Level.NOTE,
        "bind-hides-image": Level.NOTE,
        "tag-contention": Level.NOTE,
        "wrong-engine": Level.NOTE,
        "build-not-loaded": Level.NOTE,
        "orphan-container": Level.NOTE,
        "wrong-project": Level.NOTE,
        "symlink-leaves-context": Level.NOTE,
        "ignored-by-dockerignore": Level.NOTE,
        "known-log-signature": Level.NOTE,
        "build-unrecorded": Level.UNVERIFIABLE,
        "unreadable": Level.UNVERIFIABLE,
        "not-observed": Level.UNVERIFIABLE,
    }


@pytest.mark.parametrize(
    ("line", "copies"),
    [
        ("COPY app /app # buildkit", True),
        ("ADD data.tar / # buildkit", True),
        ("/bin/sh -c #(nop) COPY dir:0f1e in /app ", True),
        ("/bin/sh -c #(nop)  ADD file:0f1e in / ", True),
        ("RUN /bin/sh -c cp -r COPY /app # buildkit", False),
        ("/bin/sh -c echo '#(nop) COPY x'", False),
        ("COPYRIGHT", False),
        ("WORKDIR /app", False),
        ("", False),
    ],
)
def test_only_copy_and_add_lines_copy(line: str, copies: bool) -> None:
    assert is_copy(line) is copies
