"""The options that verbs share, and the examples below their help.

``project_options`` adds the four options that name a project. They are taken before and after the
verb; after it, a value replaces the one before, and lists are joined.
"""

import functools
from collections.abc import Callable
from typing import Any

import click

from freshd.catalog.causes.cause import ACCEPT_MOUNTS, DISCARD_CHANGES
from freshd.cli import completing
from freshd.cli.app import PROJECT_OPTIONS, App

_OPTIONS = (
    click.option(
        "--project",
        "project_dir",
        metavar="DIR",
        shell_complete=completing.directories,
        help="The project's directory; else upwards to freshd.toml or a Compose file.",
    ),
    click.option(
        "-f",
        "--file",
        "files",
        metavar="FILE",
        multiple=True,
        shell_complete=completing.files,
        help="A Compose file; repeatable.",
    ),
    click.option(
        "-p", "--project-name", "project_name", metavar="NAME", help="The Compose project's name."
    ),
    click.option(
        "--profile",
        "profiles",
        metavar="NAME",
        multiple=True,
        help="A Compose profile; repeatable.",
    ),
)


def project_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``verb(app, ...)`` the options that name a project, and the merged ``App``."""

    @functools.wraps(verb)
    def merged(**typed: Any) -> Any:
        context = click.get_current_context()
        app: App = context.obj
        context.obj = app.with_options(typed)
        return verb(
            context.obj, **{name: typed[name] for name in typed if name not in PROJECT_OPTIONS}
        )

    for option in reversed(_OPTIONS):
        merged = option(merged)
    return merged


def json_option(verb: Callable[..., Any]) -> Callable[..., Any]:
    """``--json``: one document on stdout instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(verb)


def cost_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Flags that accept what new containers cost; ``given_up`` has those that were typed."""

    @functools.wraps(verb)
    def typed_ones(*, accept_mounts: bool, discard_changes: bool, **others: Any) -> Any:
        flags = {ACCEPT_MOUNTS: accept_mounts, DISCARD_CHANGES: discard_changes}
        return verb(given_up=tuple(flag for flag, on in flags.items() if on), **others)

    for option in (
        click.option(
            DISCARD_CHANGES,
            is_flag=True,
            help="Also where what somebody changed in a container is lost with it.",
        ),
        click.option(
            ACCEPT_MOUNTS,
            is_flag=True,
            help="Also where a path then shows another bind, volume or tmpfs; nothing is copied.",
        ),
    ):
        typed_ones = option(typed_ones)
    return typed_ones


def examples(*lines: str) -> str:
    """An epilog of command lines that are true; a test parses each of them."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
