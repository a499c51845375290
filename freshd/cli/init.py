"""``freshd init``: propose a policy for this project, and write it where that is asked."""

import click

from freshd.cli.app import App, examples, json_option, project_options


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
    from freshd.config import parse_policy
    from freshd.proposal.text import policy_text
    from freshd.report.proposal import proposal_document, summary_lines
    from freshd.scout import scouted
    from freshd.sight import open_sight

    if force and not write:
        raise click.UsageError("--force is for --write")
    with app.screen.progress(), open_sight(**app.asked(), with_policy=False) as sight:
        path = sight.located.policy_path
        if write and not force:
            refuse_if_there(path)
        proposal, looks = scouted(sight)
    text = policy_text(proposal)
    parse_policy(text, "the proposed freshd.toml")  # a proposal that does not load is a bug
    if write:
        write_policy(path, text, force=force)
    if as_json:
        app.screen.json(proposal_document(proposal, looks, text=text, path=path, written=write))
        return 0
    if not write:
        app.screen.text(text)
    if write or app.screen.terminal:
        app.screen.lines([()] if not write else [])
        app.screen.lines(summary_lines(proposal, looks))
        app.screen.lines([(), _next(path, written=write)])
    return 0


def _next(path: str, *, written: bool) -> tuple[tuple[str, str], ...]:
    from freshd.report.words import shown

    if written:
        return (
            (f"wrote {shown(path)}", "good"),
            ("   read it, then: ", "dim"),
            ("freshd check", "code"),
            (", ", "dim"),
            ("freshd plan", "code"),
        )
    return (("to keep it: ", "dim"), ("freshd init --write", "code"))


def refuse_if_there(path: str) -> None:
    """Raises ConfigError where a policy exists, whatever it is."""
    import os

    from freshd.errors import ConfigError

    if os.path.lexists(path):
        raise ConfigError(
            f"{path} exists already",
            hint="`freshd init` shows what would be proposed; --force replaces the file",
        )


def write_policy(path: str, text: str, *, force: bool) -> None:
    """Write the file whole or not at all; raises ConfigError where it cannot be.

    Without ``force`` a file that came to be meanwhile stays what it is.
    """
    import os
    import tempfile

    from freshd.errors import ConfigError

    aside = ""
    try:
        directory = os.path.dirname(path)
        descriptor, aside = tempfile.mkstemp(prefix=".freshd.toml.", suffix="~", dir=directory)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, 0o666 & ~_umask())
        if force:
            os.replace(aside, path)
        else:
            os.link(aside, path)  # refuses what exists, unlike a rename
    except FileExistsError:
        refuse_if_there(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    finally:
        if aside and os.path.lexists(aside):
            os.unlink(aside)


def _umask() -> int:
    import os

    mask = os.umask(0o077)
    os.umask(mask)
    return mask
