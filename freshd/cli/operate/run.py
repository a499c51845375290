"""``freshd run``: the daemon, in the foreground."""

import click

from freshd.cli.app import App
from freshd.cli.options import examples, project_options


@click.command(
    short_help="The daemon, in the foreground",
    epilog=examples("freshd run", "freshd --project ~/src/shop run", "freshd run --all"),
)
@click.option("--all", "every", is_flag=True, help="Every [[project]] of config.toml.")
@project_options
def run(app: App, *, every: bool) -> int:
    """Watch the tree and the containers, and keep them level as the policy says.

    Stays in the foreground; Ctrl-C or SIGTERM ends it after the step it is at. Typing this is
    consent to the policy, the Compose files and the Dockerfiles as they are now; with --all, which
    is what the service runs, it is none. Without a policy it only tells.
    """
    from freshd.daemon.run import watch_project, watch_projects

    if every and app.invocation.names_project:
        raise click.UsageError("--all and the options that name a project exclude each other")
    if every:
        return watch_projects(environ=app.invocation.environ)
    return watch_project(app.invocation)
