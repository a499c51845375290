"""``freshd service``: freshd at login, as a systemd user unit or a launchd agent."""

import os
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freshd.commands.service import ServiceInstaller
    from freshd.render.service import Consented
    from freshd.render.words import Line


@click.group(
    short_help="Start at login: install, uninstall, status",
    epilog=examples(
        "freshd service install --project ~/src/shop",
        "freshd service status",
        "freshd service uninstall",
    ),
)
def service() -> None:
    """Have freshd started at login, to watch every [[project]] of config.toml.

    On Linux it is a unit of your own systemd, on macOS an agent of launchd.
    """


_force = click.option("--force", is_flag=True, help="Also where a person edited the file.")


@service.command(
    short_help="Write the unit or agent, enable and start it",
    epilog=examples(
        "freshd service install",
        "freshd service install --project ~/src/shop",
        "freshd service install --dry-run",
    ),
)
@click.option("--dry-run", is_flag=True, help="Print the file, and change nothing.")
@_force
@json_option
@project_options
def install(app: App, *, dry_run: bool, force: bool, as_json: bool) -> int:
    """Write the unit or the agent, with the path of this freshd, and start it.

    With --project DIR (or --file) that project is added to config.toml, unless it is there. Typing
    this is consent to the files of every project in config.toml as they are now; the service
    itself never consents. Exit status: 1 when the file is written but nothing started it.
    """
    from freshd.render.service import (
        consent_lines,
        failed,
        installed_lines,
        steps_document,
        steps_lines,
    )

    installer = _make_installer(app)
    if dry_run:
        _print_dry_run(app, installer)
        return 0
    added = _add_project(app) if app.invocation.names_project else ""
    agreed = tuple(_consent_to_projects(app))
    steps = installer.install(force=force)
    if as_json:
        app.screen.json(steps_document(installer.manager, steps, agreed))
    else:
        if added:
            app.screen.lines([((f"✓ {added}", "good"),)])
        app.screen.lines(consent_lines(agreed))
        app.screen.lines(steps_lines(steps))
        app.screen.lines(_hints(app, agreed))
        app.screen.lines(installed_lines(installer.manager, steps))
    return int(failed(steps))


@service.command(
    short_help="Stop it and remove what install wrote",
    epilog=examples("freshd service uninstall"),
)
@_force
@json_option
@click.pass_obj
def uninstall(app: App, *, force: bool, as_json: bool) -> int:
    """Stop and disable the service, and remove the unit or the agent.

    config.toml and what freshd remembers stay.
    """
    from freshd.render.service import failed, steps_document, steps_lines

    installer = _make_installer(app)
    steps = installer.uninstall(force=force)
    if as_json:
        app.screen.json(steps_document(installer.manager, steps))
    elif steps:
        app.screen.lines(steps_lines(steps))
    else:
        app.screen.lines([(("nothing is installed", "dim"),)])
    return int(failed(steps))


@service.command(
    short_help="Installed, enabled, running; and what it watches",
    epilog=examples("freshd service status", "freshd service status --json"),
)
@json_option
@click.pass_obj
def status(app: App, *, as_json: bool) -> int:
    """Show whether the service is installed, as this freshd would write it, enabled and running.

    Exit status: 0 when it is all of that, else 1.
    """
    from freshd.cli.saved import load_projects_state, open_readable
    from freshd.commands.service import FileState
    from freshd.render.service import status_document, status_lines

    installer = _make_installer(app)
    state = installer.state()
    with open_readable(app.invocation.environ) as store:
        together = load_projects_state(store) if store else None
    if as_json:
        app.screen.json(status_document(installer.manager, state, together))
    else:
        app.screen.lines(status_lines(installer.manager, state, together))
    good = state.file is FileState.CURRENT and state.manager.enabled and state.manager.running
    return 0 if good else 1


def _make_installer(app: App) -> "ServiceInstaller":
    from freshd.commands.service import (
        ServiceInstaller,
        find_manager,
        find_program,
        run_command,
        select_environment,
    )

    manager = find_manager(sys.platform, environ=app.invocation.environ, uid=os.getuid())
    return ServiceInstaller(
        manager,
        run_command,
        program=find_program(sys.argv[0], sys.executable),
        environment=select_environment(app.invocation.environ),
    )


def _print_dry_run(app: App, installer: "ServiceInstaller") -> None:
    """The file on stdout, what else would be done on stderr."""
    app.screen.text(installer.wanted)
    if app.invocation.names_project:
        app.screen.log("would add the project to config.toml, unless it is there")
    app.screen.log(f"would write {installer.manager.path}, then:")
    for command in installer.manager.start(None):
        app.screen.log(f"  {' '.join(command)}")


def _add_project(app: App) -> str:
    """Add the project that was named to config.toml; what came of it, in words."""
    from freshd.config.add_project import add_project
    from freshd.config.load import ConfiguredProject
    from freshd.config.locate import locate_project
    from freshd.config.locations import locate

    path = locate(app.invocation.environ).user_config
    with app.open(engine="unused"):  # a project that cannot be read is not added
        located = locate_project(app.invocation)
    project = ConfiguredProject(
        dir=located.directory,
        files=tuple(os.path.relpath(file, located.directory) for file in located.files),
        name=located.project_name,
        profiles=located.profiles,
    )
    if add_project(path, project):
        return f"added {located.directory} to {path}"
    return f"{located.directory} is in {path} already"


def _consent_to_projects(app: App) -> "Iterator[Consented]":
    """Agree to the files of every configured project that can be read."""
    from freshd.config.load import load_user_config
    from freshd.config.locations import locate
    from freshd.model.errors import ConfigError, FreshdError
    from freshd.render.service import Consented

    for project in load_user_config(locate(app.invocation.environ).user_config).projects:
        named = replace(app, invocation=project.invocation(app.invocation.environ))
        try:
            with named.open(engine="unused") as session:
                session.consent()
                yield Consented(project.dir, session.project.name)
        except FreshdError as error:
            more = error.problems if isinstance(error, ConfigError) else ()
            yield Consented(project.dir, problem="; ".join((error.message, *more)))


def _hints(app: App, agreed: "tuple[Consented, ...]") -> "Iterator[Line]":
    """How to add what is not watched yet; nothing is added silently."""
    from freshd.cli.saved import resolve_directory
    from freshd.config.invocation import Invocation
    from freshd.config.locate import is_project
    from freshd.render.words import shown

    known = {os.path.realpath(project.directory) for project in agreed}
    here = resolve_directory(Invocation(app.invocation.cwd, app.invocation.environ))
    if here not in known and is_project(here):
        yield (
            (f"{shown(here)} is not watched; to add it: ", "doubt"),
            ("freshd service install --project .", "code"),
        )
    elif not known:
        yield (
            ("no project is watched yet; to add one: ", "doubt"),
            ("freshd service install --project DIR", "code"),
        )
    docker = shutil.which("docker", path=app.invocation.environ.get("PATH"))
    if docker is not None and docker.startswith("/snap/"):
        yield ((f"{docker} is a snap, which the unit's hardening stops; see in the unit", "doubt"),)
