"""Help is true and cheap: every example parses, and no heavy library is loaded for it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from freshd.cli.app import App
from freshd.cli.group import VERBS, freshd
from freshd.cli.screen import Screen

HEAVY = {"docker", "pydantic", "rich", "structlog", "apscheduler", "watchdog", "requests"}


def examples() -> Iterator[str]:
    for command in (freshd, *VERBS):
        context = click.Context(command, info_name=command.name)
        section = command.get_help(context).partition("Examples:\n")[2].partition("\n\n")[0]
        found = [each.strip() for each in section.splitlines()]
        assert found, f"{command.name} has no example"
        yield from found


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_in_the_help_parses(example: str) -> None:
    program, *words = shlex.split(example)
    assert program == "freshd"
    context = freshd.make_context("freshd", words, obj=App(screen=Screen({})))
    name, verb, rest = freshd.resolve_command(context, [*context._protected_args, *context.args])
    assert verb is not None
    assert verb.make_context(name, rest, parent=context).params is not None


def test_every_verb_says_in_one_whole_line_what_it_is_for() -> None:
    text = freshd.get_help(click.Context(freshd, info_name="freshd"))
    for verb in VERBS:
        assert re.search(
            rf"^  {verb.name} +{re.escape(verb.short_help or '?')}$", text, re.MULTILINE
        )


def loaded_by(*argv: str) -> set[str]:
    """The top-level modules that one command line loads."""
    code = (
        "import sys\nfrom freshd.cli.boundary import run\n"
        f"status = run({list(argv)!r})\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.splitlines()}


@pytest.mark.parametrize("argv", [["--help"], ["--version"], ["status"], ["history"]])
def test_a_quick_verb_loads_no_heavy_library(argv: list[str]) -> None:
    loaded = loaded_by(*argv)
    assert "click" in loaded
    assert not loaded & HEAVY


def test_help_does_not_even_load_the_database() -> None:
    assert "sqlite3" not in loaded_by("--help")


def test_services_of_a_project_without_a_policy_load_no_pydantic() -> None:
    code = (
        "import sys\nfrom freshd.config.load import check_services\n"
        "from freshd.model.policy import Policy\n"
        "assert check_services(Policy(), ['web']) == ()\nprint('pydantic' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
