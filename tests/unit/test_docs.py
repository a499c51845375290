"""What the documentation says is true: commands parse, TOML loads, links lead somewhere."""

import importlib
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from freshd.cli.app import App
from freshd.cli.boundary import BUG, INTERRUPTED, USAGE
from freshd.cli.group import VERBS, freshd
from freshd.cli.screen import Screen
from freshd.config.load import parse_policy, parse_user_config
from freshd.model.errors import AlreadyRunning, ConfigError, EngineUnavailable, FreshdError
from freshd.model.report import Verdict
from freshd.render.verdicts import EXIT_CODES
from tests.proofs import COLUMNS, table

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
WORDS = {page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in PAGES}
NAMES = {name: verb for verb in VERBS if (name := verb.name)}
# In prose `freshd VERB --help` speaks of any verb, and these stand for what a reader would type.
PLACEHOLDERS = {"VERB": "check", "CAUSE": "patched", "SERVICE": "web"}
MISSING = {"trust"}


def code_of(text: str) -> Iterator[str]:
    """Every line in a fence or an indented block, and every piece of inline code."""
    fenced = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    for block in fenced.findall(text):
        yield from block.splitlines()[1:-1]
    rest = fenced.sub("", text)
    for line in rest.splitlines():
        if line.startswith("    "):
            yield line.strip()
        else:
            yield from re.findall(r"`([^`]+)`", line)


def command_lines() -> Iterator[tuple[str, str]]:
    for page, text in WORDS.items():
        for line in code_of(text):
            words = line.removeprefix("$ ").strip()
            if re.match(r"freshd (?:-|[a-zA-Z])", words) and not re.match(
                r"freshd (watches|is)\b", words
            ):
                yield page, words


def tomls() -> Iterator[tuple[str, str]]:
    for page, text in WORDS.items():
        for block in re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            yield page, block
        for block in re.findall(r"(?:^    .*\n|^\n)+", text, re.MULTILINE):
            lines = "\n".join(line[4:] for line in block.splitlines()).strip()
            if lines.startswith(("version = ", "[")):
                yield page, lines


def test_there_is_something_to_test() -> None:
    assert len(list(command_lines())) > 20
    assert len(list(tomls())) >= 2


@pytest.mark.parametrize(("page", "line"), sorted(set(command_lines())))
def test_a_command_line_in_the_documentation_parses(page: str, line: str) -> None:
    words = [PLACEHOLDERS.get(word, word) for word in shlex.split(line, comments=True)[1:]]
    asks_only = {"--help", "--version"} & set(words)
    words = [word for word in words if word not in {"--help", "--version"}]
    if asks_only and not words:
        return
    context = freshd.make_context("freshd", words, obj=App(screen=Screen({})))
    name, verb, rest = freshd.resolve_command(context, [*context._protected_args, *context.args])
    assert verb is not None, page
    bare = not rest and "SERVICE" not in line  # a verb named in prose
    if not asks_only and not bare:
        assert verb.make_context(name, rest, parent=context).params is not None


def test_no_page_mentions_a_verb_that_does_not_exist() -> None:
    from freshd.catalog.causes.pages import read_page
    from freshd.catalog.causes.registry import CAUSES

    texts = [*WORDS.values(), *(str(read_page(cause)) for cause in CAUSES.values())]
    said = {word for text in texts for word in re.findall(r"`freshd ([a-z]+)", text)}
    assert said <= set(NAMES)
    assert not MISSING & set(NAMES), "now that it exists, say so in the README"


@pytest.mark.parametrize("page", ["README.md"])
def test_every_verb_is_mentioned(page: str) -> None:
    mentioned = set(re.findall(r"`([a-z]+)(?: [A-Z]+)?`", WORDS[page]))
    assert set(NAMES) <= mentioned


@pytest.mark.parametrize(("page", "text"), list(tomls()))
def test_toml_in_the_documentation_loads(page: str, text: str) -> None:
    if re.search(r"^\[(\[project\]|notifications|log|engine)\]", text, re.MULTILINE):
        parse_user_config(text, page)
    else:
        policy = parse_policy(text, page)
        assert policy.rules or policy.services


def test_the_mistakes_that_the_policys_page_shows_are_told_in_these_words() -> None:
    shown = re.findall(r"^    freshd\.toml: (.*)$", WORDS["docs/policy.md"], re.MULTILINE)
    text = """
        [service.web]
        relaod = "restart"
        [[rule]]
        when = ["content-differs", "content-difers"]
        do = ["inject"]
        [schedule]
        patrol = "5 minutes"
    """
    with pytest.raises(ConfigError) as caught:
        parse_policy(text)
    told = {problem.removeprefix("freshd.toml: ") for problem in caught.value.problems}
    assert set(shown) == told


def test_the_exit_statuses_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", WORDS["docs/operations.md"], re.MULTILINE)
    table = {int(status): words for status, words in rows}
    assert set(table) == {
        *EXIT_CODES.values(),
        USAGE,
        EngineUnavailable.exit_code,
        BUG,
        INTERRUPTED,
    }
    assert {ConfigError.exit_code, AlreadyRunning.exit_code} == {USAGE}
    assert FreshdError.exit_code == EXIT_CODES[Verdict.STALE]
    help_text = " ".join(freshd.get_help(click.Context(freshd, info_name="freshd")).split())
    for status, words in table.items():
        assert f"{status} {words}" in help_text


def test_the_environment_variables_are_those_of_the_code() -> None:
    section = WORDS["docs/operations.md"].partition("## Environment")[2].partition("\n## ")[0]
    said = set(re.findall(r"`([A-Z_]{6,})`", section))
    code = "\n".join(path.read_text("utf-8") for path in (ROOT / "freshd").rglob("*.py"))
    read = set(re.findall(r"\"((?:FRESHD|DOCKER|COMPOSE)_[A-Z_]+[A-Z])\"", code)) | {"NO_COLOR"}
    assert said <= read
    assert {name for name in read if name.startswith("FRESHD_")} <= said


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", WORDS)
def test_links_lead_somewhere(page: str) -> None:
    inline = re.findall(r"\]\(([^)\s]+)\)", WORDS[page])
    named = re.findall(r"^\[\w+\]: (\S+)$", WORDS[page], re.MULTILINE)
    for link in (*inline, *named):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = Path(os.path.normpath((ROOT / page).parent / path)) if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), f"{page}: {link}"


def test_numbered_references_are_defined_and_used() -> None:
    text = WORDS["README.md"]
    assert set(re.findall(r"\[(\d)\](?!:)", text)) == set(
        re.findall(r"^\[(\d)\]: ", text, re.MULTILINE)
    )


def test_every_name_in_the_architecture_exists() -> None:
    names = set(re.findall(r"`(freshd\.[\w.]+)`", WORDS["docs/architecture.md"])) - {"freshd.toml"}
    assert len(names) > 40
    for name in names:
        parts = name.split(".")
        found = None
        for length in range(len(parts), 0, -1):
            try:
                found = importlib.import_module(".".join(parts[:length]))
            except ModuleNotFoundError:
                continue
            for part in parts[length:]:
                found = getattr(found, part)
            break
        assert found is not None, name


def test_every_room_is_in_the_architecture() -> None:
    here = {
        path.stem
        for path in (ROOT / "freshd").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    said = set(re.findall(r"`freshd\.(\w+)", WORDS["docs/architecture.md"]))
    assert here - {"__init__", "__main__"} <= said


def test_every_make_target_is_in_the_contributors_page() -> None:
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    said = set(re.findall(r"^\| `make ([\w-]+)`", WORDS["docs/contributing.md"], re.MULTILINE))
    assert said == set(targets) - {"help"}


@pytest.mark.parametrize("page", WORDS)
def test_paths_of_the_project_in_the_documentation_exist(page: str) -> None:
    for name in re.findall(r"`((?:freshd|tests|docs|benchmarks|\.ci)/[\w./-]*)`", WORDS[page]):
        assert (ROOT / name).exists(), f"{page}: {name}"


def test_the_changelog_knows_this_version_and_counts_the_causes() -> None:
    from freshd import __version__
    from freshd.catalog.causes.registry import CAUSES

    text = WORDS["CHANGELOG.md"]
    assert f"\n## {__version__}" in text
    counted = [int(number) for number in re.findall(r"\b(\d+) causes\b", text)]
    assert counted
    assert len(CAUSES) >= counted[0], "a cause is gone"
    unreleased = "(unreleased)" in text.split("\n## ")[1].splitlines()[0]
    assert unreleased or len(CAUSES) == counted[0], "a release counts its causes"


def test_the_table_of_proofs_is_what_the_tests_claim_and_tells_of_every_cause() -> None:
    from freshd.catalog.causes.registry import CAUSES

    claimed: dict[str, set[str]] = {}
    for path in (ROOT / "tests" / "engine").glob("test_*.py"):
        for words in re.findall(r"mark\.proves\(([^)]*)\)", path.read_text()):
            cause, *columns = re.findall(r'"([^"]+)"', words)
            assert set(columns) <= set(COLUMNS), path
            claimed.setdefault(cause, set()).update(columns)
    assert claimed.keys() <= CAUSES.keys()
    page = (ROOT / "docs" / "proofs.md").read_text()
    assert page == table(CAUSES, claimed), "run `make causes`"
