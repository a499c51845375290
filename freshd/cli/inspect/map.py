"""``freshd map``: which tree file is where in the container, and why."""

import click

from freshd.cli import completing
from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options


@click.command(
    name="map",
    short_help="Which tree file is where in a container, and why",
    epilog=examples(
        "freshd map", "freshd map web", "freshd map --summary", "freshd map web --json"
    ),
)
@click.argument("services", metavar="[SERVICE]...", nargs=-1, shell_complete=completing.services)
@click.option("--summary", is_flag=True, help="Only how many files each COPY or mount brings.")
@json_option
@project_options
def map_(app: App, *, services: tuple[str, ...], summary: bool, as_json: bool) -> int:
    """Show where the files of the tree land in the containers, and why.

    Files that a build reads and that do not land as they are, are listed as inputs.
    """
    from freshd.render import documents, maps

    with app.open() as session:
        service_maps = session.maps(services)
    if as_json:
        app.screen.json(documents.service_maps(service_maps))
    else:
        app.screen.lines(maps.map_lines(service_maps, summary=summary))
    return 0
