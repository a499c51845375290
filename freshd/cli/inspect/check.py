"""``freshd check``: compare once, change nothing."""

import click

from freshd.cli import completing
from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options


@click.command(
    short_help="Compare tree and containers once; change nothing",
    epilog=examples(
        "freshd check",
        "freshd check web worker",
        "freshd check --path 'app/**/*.py'",
        "freshd check --strict --json",
        "freshd check --image shop-web",
    ),
)
@click.argument("services", metavar="[SERVICE]...", nargs=-1, shell_complete=completing.services)
@click.option(
    "--path", "globs", metavar="GLOB", multiple=True, help="Only files that match; repeatable."
)
@click.option("--strict", is_flag=True, help="Count notes, such as a patched container, as stale.")
@click.option("--full", is_flag=True, help="Read every file again; believe nothing remembered.")
@click.option(
    "--image",
    metavar="IMAGE",
    help="Compare this image with the tree, and no container; SERVICE is whose build it is.",
)
@json_option
@project_options
def check(
    app: App,
    *,
    services: tuple[str, ...],
    globs: tuple[str, ...],
    strict: bool,
    full: bool,
    image: str | None,
    as_json: bool,
) -> int:
    """Compare the tree with the containers, and say what parts them.

    SERVICE is a service or the name of a container; none means all. Exit status: 0 fresh, 1 stale,
    3 when something cannot be proved and nothing is stale.

    With --image it works where nothing runs and freshd has never been: its own builds carry what
    they were made of.
    """
    from freshd.render import documents, verdicts
    from freshd.render.report import report_lines

    with app.open() as session, app.screen.progress() as progress:
        if image is not None:
            if globs or full:
                raise click.UsageError("--image goes with neither --path nor --full")
            report = session.check_image(image, services)
        else:
            report = session.check(services, path_globs=globs, full=full, progress=progress)
    if strict:
        report = verdicts.strict(report)
    if as_json:
        app.screen.json(documents.project_report(report))
    else:
        app.screen.lines(report_lines(report, of=image))
    return verdicts.EXIT_CODES[report.verdict]
