"""``freshd init``: propose a policy for this project, and write it where that is asked."""

import click

from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options


@click.command(
    short_help="Propose a policy for this project, with its reasons",
    epilog=examples(
        "freshd init", "freshd init --write", "freshd init --write --force", "freshd init --json"
    ),
)
@click.option("--write", is_flag=True, help="Write freshd.toml beside the Compose file.")
@click.option("--force", is_flag=True, help="With --write: replace a freshd.toml that is there.")
@json_option
@project_options
def init(app: App, *, write: bool, force: bool, as_json: bool) -> int:
    """Look at this project and propose a policy: how each service takes up new code, what is
    injected, what is rebuilt, what is never touched, and why.

    Prints it as TOML whose comments say the reasons. Nothing is changed without --write. Works
    without an engine too, and then says what it could not see.
    """
    from freshd.commands.init.detect import detect
    from freshd.commands.init.text import policy_text
    from freshd.commands.workspace import open_workspace
    from freshd.config.load import parse_policy
    from freshd.config.write_policy import refuse_if_there, write_policy
    from freshd.render.init import proposal_document, summary_lines

    if force and not write:
        raise click.UsageError("--force is for --write")
    with (
        app.screen.progress(),
        open_workspace(app.invocation, engine="optional", with_policy=False) as workspace,
    ):
        path = workspace.located.policy_path
        if write and not force:
            refuse_if_there(path)
        proposal, services = detect(workspace)
    text = policy_text(proposal)
    parse_policy(text, "the proposed freshd.toml")  # a proposal that does not load is a bug
    if write:
        write_policy(path, text, force=force)
    if as_json:
        app.screen.json(proposal_document(proposal, services, text=text, path=path, written=write))
        return 0
    if not write:
        app.screen.text(text)
    if write or app.screen.terminal:
        app.screen.lines([()] if not write else [])
        app.screen.lines(summary_lines(proposal, services))
        app.screen.lines([(), _next(path, written=write)])
    return 0


def _next(path: str, *, written: bool) -> tuple[tuple[str, str], ...]:
    from freshd.render.words import shown

    if written:
        return (
            (f"wrote {shown(path)}", "good"),
            ("   read it, then: ", "dim"),
            ("freshd check", "code"),
            (", ", "dim"),
            ("freshd plan", "code"),
        )
    return (("to keep it: ", "dim"), ("freshd init --write", "code"))
