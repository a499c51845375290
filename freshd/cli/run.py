"""``freshd run``: the daemon, in the foreground."""

import click

from freshd.cli.app import App, examples, project_options


@click.command(
    short_help="The daemon, in the foreground",
    epilog=examples("freshd run", "freshd --project ~/src/shop run"),
)
@project_options
def run(app: App) -> int:
    """Watch the tree and the containers, and keep them level as the policy says.

    Stays in the foreground; Ctrl-C or SIGTERM ends it after the step it is at. Typing this is
    consent to the policy, the Compose files and the Dockerfiles as they are now. Without a policy
    it only tells.
    """
    from freshd.daemon import run as watch

    return watch(
        cwd=app.cwd(),
        environ=app.environ,
        project_dir=app.wanted.directory,
        files=app.wanted.files,
        project_name=app.wanted.name,
        profiles=app.wanted.profiles,
    )
