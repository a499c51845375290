"""What every verb is given: which project is meant, the environment, the clock and the screen.

``project_options`` adds the four options that name a project. They are taken before and after the
verb; after it, a value replaces the one before, and lists are joined.
"""

import functools
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from freshd.cli import completing
from freshd.cli.screen import Screen

if TYPE_CHECKING:
    from freshd.commands.protocol import Opener, Session


@dataclass(frozen=True, slots=True)
class Wanted:
    """The project as typed: nothing here is resolved or checked yet."""

    directory: str | None = None
    files: tuple[str, ...] = ()
    name: str | None = None
    profiles: tuple[str, ...] = ()

    def then(self, later: "Wanted") -> "Wanted":
        """These options followed by later ones."""
        return Wanted(
            directory=later.directory or self.directory,
            files=self.files + later.files,
            name=later.name or self.name,
            profiles=self.profiles + later.profiles,
        )


@dataclass(frozen=True, slots=True)
class App:
    """The world of one invocation; tests pass another ``opener``, clock and environment."""

    screen: Screen
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    cwd: Callable[[], str] = os.getcwd
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    opener: "Opener | None" = None
    wanted: Wanted = Wanted()

    def open(self, *, need_engine: bool = True) -> "Session":
        """A session of the project that is meant; raises what ``open_session`` raises."""
        from freshd.commands.protocol import open_session

        opener = self.opener or open_session
        return opener(**self.asked(), need_engine=need_engine, on_line=self.screen.log)

    def asked(self) -> dict[str, Any]:
        """The project that is meant, as everything that finds one takes it."""
        return {
            "cwd": self.cwd(),
            "environ": self.environ,
            "project_dir": self.wanted.directory,
            "files": self.wanted.files,
            "project_name": self.wanted.name,
            "profiles": self.wanted.profiles,
        }


_OPTIONS = (
    click.option(
        "--project",
        "project_dir",
        metavar="DIR",
        shell_complete=completing.directories,
        help="The project's directory; else upwards to freshd.toml or a Compose file.",
    ),
    click.option(
        "-f",
        "--file",
        "files",
        metavar="FILE",
        multiple=True,
        shell_complete=completing.files,
        help="A Compose file; repeatable.",
    ),
    click.option(
        "-p", "--project-name", "project_name", metavar="NAME", help="The Compose project's name."
    ),
    click.option(
        "--profile",
        "profiles",
        metavar="NAME",
        multiple=True,
        help="A Compose profile; repeatable.",
    ),
)


def project_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``verb(app, ...)`` the options that name a project, and the merged ``App``."""

    @functools.wraps(verb)
    def merged(
        *,
        project_dir: str | None,
        files: tuple[str, ...],
        project_name: str | None,
        profiles: tuple[str, ...],
        **rest: Any,
    ) -> Any:
        context = click.get_current_context()
        later = Wanted(directory=project_dir, files=files, name=project_name, profiles=profiles)
        app: App = context.obj
        context.obj = replace(app, wanted=app.wanted.then(later))
        return verb(context.obj, **rest)

    for option in reversed(_OPTIONS):
        merged = option(merged)
    return merged


def json_option(verb: Callable[..., Any]) -> Callable[..., Any]:
    """``--json``: one document on stdout instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(verb)


def examples(*lines: str) -> str:
    """An epilog of command lines that are true; a test parses each of them."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
