"""The one error boundary: every error leaves as words on stderr and a named exit status.

argv comes in, an exit status goes out: the verb's own, 2 for usage, an error's own code, 130 when
interrupted, 141 when the reader of a pipe has gone, 70 for a bug, with a report of it.
"""

import os
import sys
from collections.abc import Mapping, Sequence

import click

from freshd.cli.app import App
from freshd.cli.completing import VARIABLE
from freshd.cli.group import freshd
from freshd.cli.screen import Screen, lively
from freshd.model.errors import ConfigError, FreshdError

USAGE = 2
BUG = 70
INTERRUPTED = 130
READER_GONE = 141


def run(argv: Sequence[str], *, app: App | None = None) -> int:
    """Run one command line and return its exit status; nothing is raised but ``SystemExit``."""
    app = app or App(screen=Screen(os.environ))
    if VARIABLE in app.invocation.environ:
        return _complete(app, app.invocation.environ[VARIABLE])
    _never_fail_to_print()
    try:
        status = _invoke(argv, app)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _abandon_stdout()
        return READER_GONE
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return USAGE
    except FreshdError as error:
        _print(error, app.invocation.environ)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the boundary: a bug becomes a report
        return _bug(error, argv, app)


def _invoke(argv: Sequence[str], app: App) -> int:
    try:
        with freshd.make_context("freshd", list(argv), obj=app) as context:
            status = freshd.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    return status if isinstance(status, int) else 0


def _complete(app: App, instruction: str) -> int:
    """Answer the shell; nothing of what goes wrong may show on the line that is being typed."""
    from click.shell_completion import shell_complete

    try:
        return shell_complete(freshd, {"obj": app}, "freshd", VARIABLE, instruction)
    except Exception:  # noqa: BLE001 - a shell that completes has nowhere to show an error
        return 1


def _never_fail_to_print() -> None:
    """A name that the terminal's encoding lacks is printed as an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _abandon_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not complain."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        # there is no descriptor behind stdout: then nothing is left to flush either
        return


def _print(error: FreshdError, environ: Mapping[str, str]) -> None:
    head = "error:"
    if lively(sys.stderr, environ) and not environ.get("NO_COLOR"):
        head = click.style(head, fg="red", bold=True)
    sys.stderr.write(f"{head} {_block(error.message)}\n")
    if isinstance(error, ConfigError):
        sys.stderr.writelines(f"  {_block(problem)}\n" for problem in error.problems)
    if error.hint:
        sys.stderr.write(f"\nhint: {_block(error.hint)}\n")


def _block(text: str) -> str:
    """Text of several lines made safe to show; only its line feeds are kept."""
    from freshd.model.text import printable

    return "\n  ".join(printable(line) for line in text.splitlines()) or printable(text)


def _bug(error: Exception, argv: Sequence[str], app: App) -> int:
    from freshd.cli import bug

    path = bug.write_report(error, argv, environ=app.invocation.environ, now=app.now())
    sys.stderr.write(f"error: this is a bug in freshd; {path}\n")
    return BUG
