"""``inject``, ``purge``, ``restart``, ``recreate``, ``rebuild``: one remedy by hand.

The same code path as a step of a plan: verified by looking again, and written to the journal.
"""

import click

from freshd.cli import completing
from freshd.cli.app import App
from freshd.cli.operate.apply import announcing, show
from freshd.cli.options import cost_options, examples, json_option, project_options


def _run(
    app: App,
    remedy: str,
    service: str,
    *,
    as_json: bool,
    paths: tuple[str, ...] = (),
    mode: str | None = None,
    given_up: tuple[str, ...] = (),
) -> int:
    from freshd.model.remedy import RebuildMode, Remedy

    with app.open() as session, app.screen.progress() as progress:
        done = session.remedy(
            Remedy(remedy),
            service,
            paths=paths,
            rebuild=RebuildMode(mode) if mode else None,
            given_up=given_up,
            on_line=progress.line,
            on_step=announcing(progress),
        )
    return show(app.screen, done, as_json=as_json)


@click.command(
    short_help="By hand: write files that differ into the containers",
    epilog=examples("freshd inject web", "freshd inject web app/main.py app/db.py"),
)
@click.argument("service", shell_complete=completing.services)
@click.argument("paths", metavar="[PATH]...", nargs=-1, shell_complete=completing.files)
@json_option
@project_options
def inject(app: App, *, service: str, paths: tuple[str, ...], as_json: bool) -> int:
    """Write files that differ from the tree into the containers of SERVICE.

    PATH is a file of the tree or a gitignore-style pattern; none means every file that differs. A
    file that was changed inside the container is overwritten, and one that left the tree deleted,
    only when its PATH is typed. The bytecode of what is written goes; nothing is restarted.
    """
    return _run(app, "inject", service, paths=paths, as_json=as_json)


@click.command(
    short_help="By hand: delete bytecode and caches in the containers",
    epilog=examples("freshd purge web"),
)
@click.argument("service", shell_complete=completing.services)
@json_option
@project_options
def purge(app: App, *, service: str, as_json: bool) -> int:
    """Delete bytecode and the policy's caches inside the containers of SERVICE."""
    return _run(app, "purge", service, as_json=as_json)


@click.command(short_help="By hand: restart the containers", epilog=examples("freshd restart web"))
@click.argument("service", shell_complete=completing.services)
@json_option
@project_options
def restart(app: App, *, service: str, as_json: bool) -> int:
    """Restart the containers of SERVICE and wait until they run."""
    return _run(app, "restart", service, as_json=as_json)


@click.command(
    short_help="By hand: new containers of the same image", epilog=examples("freshd recreate web")
)
@click.argument("service", shell_complete=completing.services)
@cost_options
@json_option
@project_options
def recreate(app: App, *, service: str, given_up: tuple[str, ...], as_json: bool) -> int:
    """Replace the containers of SERVICE by new ones of its image; replicas are kept.

    It is refused where a path would show other data, or where what somebody changed inside would be
    lost, and says what. What has ended is run again.
    """
    return _run(app, "recreate", service, given_up=given_up, as_json=as_json)


@click.command(
    short_help="By hand: build the image, check it, recreate",
    epilog=examples("freshd rebuild web", "freshd rebuild web --mode no-cache"),
)
@click.argument("service", shell_complete=completing.services)
@click.option(
    "--mode",
    type=click.Choice(["cached", "fresh-context", "no-cache", "clean"]),
    default="cached",
    show_default=True,
    help="fresh-context: send every file again; no-cache: run every step again; clean: both.",
)
@cost_options
@json_option
@project_options
def rebuild(app: App, *, service: str, mode: str, given_up: tuple[str, ...], as_json: bool) -> int:
    """Build the image of SERVICE, check it against the tree, and recreate its containers.

    It is refused where a recreate is, before anything is built; and right before the containers are
    replaced, as a build takes time. What has ended is run again.
    """
    return _run(app, "rebuild", service, mode=mode, given_up=given_up, as_json=as_json)
