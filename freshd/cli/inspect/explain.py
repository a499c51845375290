"""``freshd explain``: what a cause means and what helps, or everything about one path."""

import difflib
import os
from typing import TYPE_CHECKING

import click

from freshd.cli import completing
from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options
from freshd.model.errors import ConfigError

if TYPE_CHECKING:
    from freshd.catalog.causes.registry import Cause

_LEVELS = {
    "stale": "stale: the code that runs is not the tree's",
    "unverifiable": "unverifiable: nothing is known, and that is said",
    "note": "note: worth knowing; it changes a verdict only under --strict",
}


@click.command(
    short_help="What a cause means, or where a path lands and why",
    epilog=examples(
        "freshd explain content-differs",
        "freshd explain app/main.py",
        "freshd explain web:/app/app/main.py --json",
    ),
)
@click.argument("what", metavar="CAUSE|PATH", shell_complete=completing.causes_or_files)
@json_option
@project_options
def explain(app: App, *, what: str, as_json: bool) -> int:
    """Say what a CAUSE means, how it is known, what puts it right and what keeps it away; or where
    a PATH of the tree lands and why, what leaves it out, and what the policy would do about it.

    PATH is relative to here or to the project, or a place in a container: service:/app/main.py. A
    name that is both a cause and a file is the cause; ./NAME is the file.
    """
    from freshd.catalog.causes.registry import CAUSES
    from freshd.model.text import printable

    cause = CAUSES.get(what)
    if cause is not None:
        return _explain_cause(app, cause, as_json=as_json)
    if _is_path(app, what):
        return _explain_path(app, what, as_json=as_json)
    close = difflib.get_close_matches(what, CAUSES, n=1)
    hint = f"did you mean {close[0]}?" if close else f"one of: {', '.join(CAUSES)}"
    raise ConfigError(f"there is no cause named {printable(what)}", hint=hint)


def _is_path(app: App, what: str) -> bool:
    """What no cause is named like, or is there; a name in the project's directory counts too."""
    from freshd.cli.saved import resolve_directory

    if any(character in what for character in "/.:"):
        return True
    places = (app.invocation.cwd, resolve_directory(app.invocation))
    return any(os.path.lexists(os.path.join(place, what)) for place in places)


def _explain_path(app: App, path: str, *, as_json: bool) -> int:
    from freshd.commands.explain.path import explain_path
    from freshd.commands.workspace import open_workspace
    from freshd.render.explain import explanation_document, explanation_lines

    with app.screen.progress(), open_workspace(app.invocation, engine="optional") as workspace:
        explanation = explain_path(workspace, path, cwd=app.invocation.cwd)
        directory = workspace.project.dir
    if as_json:
        app.screen.json(explanation_document(explanation, project_dir=directory))
    else:
        app.screen.lines(explanation_lines(explanation, project_dir=directory))
    return 0


def _explain_cause(app: App, cause: "Cause", *, as_json: bool) -> int:
    from freshd.catalog.causes.pages import read_page
    from freshd.render.documents import SCHEMA

    page = read_page(cause)
    rows = (
        ("where", f"the {cause.link.value} link"),
        ("level", _LEVELS[cause.level.value]),
        ("known by", page.how_known),
        ("remedy", cause.remedy.value),
        ("prevent", page.prevention),
    )
    if as_json:
        app.screen.json(
            {
                "schema": SCHEMA,
                "cause": cause.slug,
                "link": cause.link.value,
                "level": cause.level.value,
                "title": page.title,
                "meaning": page.meaning,
                "how_known": page.how_known,
                "remedy": cause.remedy.value,
                "prevention": page.prevention,
            }
        )
        return 0
    app.screen.lines([((cause.slug, "strong"), (f"   {page.title}", ""))])
    app.screen.lines([(), *_wrapped("", page.meaning), ()])
    for label, words in rows:
        app.screen.lines(_wrapped(label, words))
    return 0


def _wrapped(label: str, words: str) -> list[tuple[tuple[str, str], ...]]:
    """Prose at a readable width, with its label at the left of the first line."""
    import textwrap

    margin = 11 if label else 2
    lines = textwrap.wrap(words, 92 - margin) or [""]
    first = ((f"  {label}".ljust(margin), "dim"), (lines[0], ""))
    return [first, *(((" " * margin, ""), (line, "")) for line in lines[1:])]
