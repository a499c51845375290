"""The registry of causes, their pages, and the reading of history lines."""

import ast
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from freshd.catalog.causes.pages import as_markdown, read_page
from freshd.catalog.causes.registry import CAUSES, Cause, get_cause
from freshd.model.observed.image import is_copy
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "causes.md"


def test_the_page_of_causes_is_up_to_date() -> None:
    """Else ``make causes`` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == as_markdown()


def test_every_cause_is_told_in_full() -> None:
    for slug, cause in CAUSES.items():
        assert slug == cause.slug
        page = read_page(cause)
        assert all((page.title, page.meaning, page.how_known, page.prevention))
        assert f"### {slug}\n" in as_markdown()


def test_the_pages_are_those_of_the_causes_link_by_link_in_their_order() -> None:
    for link in LinkName:
        text = (ROOT / "freshd" / "catalog" / "causes" / f"{link}.toml").read_text("utf-8")
        entries = [slug for slug, cause in CAUSES.items() if cause.link is link]
        assert list(tomllib.loads(text)) == entries


def test_only_what_explains_a_cause_reads_the_pages() -> None:
    """``freshd check`` and ``freshd --help`` are not to wait for them."""
    readers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "freshd").rglob("*.py")
        if re.search(r"causes(\.| import )pages\b", path.read_text("utf-8"))
    }
    assert readers == {"freshd/cli/completing.py", "freshd/cli/inspect/explain.py"}


# Words of the engine, of the file system and of JSON that causes are named like.
WORDS = {
    ("freshd/act/wait.py", "unhealthy"),
    ("freshd/model/files.py", "unreadable"),
    ("freshd/render/documents.py", "patched"),
}


def test_a_cause_is_named_by_its_entry_and_one_module_that_finds_it() -> None:
    """What others have to know of it is a field of its entry."""
    named: dict[str, set[str]] = {slug: set() for slug in CAUSES}
    for path in (ROOT / "freshd").rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("freshd/catalog/causes/"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and value in CAUSES and (name, value) not in WORDS:
                named[value].add(name)
    several = {slug: names for slug, names in named.items() if len(names) != 1}
    assert not several, "exactly one module finds a cause"
    outside = {n for names in named.values() for n in names if not n.startswith("freshd/compare/")}
    assert not outside, "finders are in freshd/compare"


def test_what_entries_say_of_other_causes_names_some() -> None:
    for cause in CAUSES.values():
        assert {*cause.stands_for, *cause.settles} <= CAUSES.keys() - {cause.slug}
        assert not (cause.injection and cause.no_injection), cause.slug


def test_a_cause_that_this_version_does_not_know_says_nothing() -> None:
    """The status table may hold one of another version."""
    unknown = get_cause("of-another-version")
    assert replace(unknown, link=LinkName.IMAGE) == Cause(LinkName.IMAGE, "", Remedy.NOTIFY)
    assert all(get_cause(slug) is cause for slug, cause in CAUSES.items())


def test_the_levels_are_those_of_the_contract() -> None:
    milder = {slug: cause.level for slug, cause in CAUSES.items() if cause.level is not Level.STALE}
    assert milder == {
        "patched": Level.NOTE,
        "inner-mount-shadows": Level.NOTE,
        "forbidden-in-image": Level.NOTE,
        "bind-hides-image": Level.NOTE,
        "unsettled": Level.NOTE,
        "tag-contention": Level.NOTE,
        "wrong-engine": Level.NOTE,
        "build-not-loaded": Level.NOTE,
        "orphan-container": Level.NOTE,
        "wrong-project": Level.NOTE,
        "hot-patch": Level.NOTE,
        "symlink-leaves-context": Level.NOTE,
        "ignored-by-dockerignore": Level.NOTE,
        "known-log-signature": Level.NOTE,
        "build-unrecorded": Level.UNVERIFIABLE,
        "unreadable": Level.UNVERIFIABLE,
        "not-observed": Level.UNVERIFIABLE,
        "other-compose-files": Level.UNVERIFIABLE,
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
