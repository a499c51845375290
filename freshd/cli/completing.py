"""What the shell offers for a word: services and causes, from what is saved and never the engine.

click asks these functions while it completes; whatever goes wrong there offers nothing.
"""

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from freshd.cli.app import App

VARIABLE = "_FRESHD_COMPLETE"
"""Set by the script that the shell runs; its value says which shell asks for what."""


def services(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The services of the project that is meant, as they were seen last."""
    from freshd.cli.saved import load_status, open_readable
    from freshd.model.errors import FreshdError
    from freshd.model.text import printable

    app = ctx.find_root().obj
    if app is None:
        return []
    try:
        invocation = _with_typed(app, ctx).invocation
        with open_readable(invocation.environ) as store:
            saved = load_status(invocation, store) if store else None
    except (FreshdError, OSError):
        return []
    taken = ctx.params.get("services") or ()
    names = saved.services if saved is not None else {}
    return [
        CompletionItem(name)
        for name in names
        if name.startswith(incomplete) and name not in taken and printable(name) == name
    ]


def causes_or_files(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The causes that begin so, else files."""
    from freshd.catalog.causes.pages import read_page
    from freshd.catalog.causes.registry import CAUSES

    causes = [
        CompletionItem(slug, help=read_page(cause).title)
        for slug, cause in CAUSES.items()
        if slug.startswith(incomplete)
    ]
    return causes or files(_ctx, _param, incomplete)


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="file")]


def directories(
    _ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="dir")]


def _with_typed(app: "App", ctx: click.Context) -> "App":
    """With the project options typed so far, the group's first: no verb has merged them yet."""
    above = app if ctx.parent is None else _with_typed(app, ctx.parent)
    return above.with_options(ctx.params)
