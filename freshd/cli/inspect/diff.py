"""``freshd diff``: the files of a container against the tree."""

from typing import TYPE_CHECKING

import click

from freshd.cli import completing
from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options

if TYPE_CHECKING:
    from freshd.model.text import Json


@click.command(
    short_help="Unified diff, container against tree",
    epilog=examples(
        "freshd diff web", "freshd diff web app/main.py", "freshd diff shop-web-1 --json"
    ),
)
@click.argument("service", shell_complete=completing.services)
@click.argument("path", required=False, shell_complete=completing.files)
@json_option
@project_options
def diff(app: App, *, service: str, path: str | None, as_json: bool) -> int:
    """Show a unified diff: '-' is what the container has, '+' what the tree has.

    SERVICE is a service or the name of a container, PATH a file of the tree. Exit status: 0 no
    difference, 1 a difference.
    """
    from freshd.render.diffs import diff_lines, difference, unified
    from freshd.render.documents import SCHEMA

    documents: list[Json] = []
    differing = 0
    with app.open() as session:
        by_container = service not in session.project.services  # then it is the name of a container
        for file in session.diff(service, path):
            if by_container and file.container != service:
                continue
            differing += 1
            if as_json:
                documents.append(difference(file))
            elif app.screen.terminal:
                app.screen.lines(diff_lines(file))
            else:
                app.screen.raw(unified(file))
    if as_json:
        app.screen.json({"schema": SCHEMA, "service": service, "differences": documents})
    return 1 if differing else 0
