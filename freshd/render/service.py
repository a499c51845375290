"""The service in words and as JSON: what installing did, and how it is now.

In: values of ``commands.service`` and of ``run --all``. Out: ``Line`` tuples or one document.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from freshd.model.daemon_state import ProjectsState, ProjectState
from freshd.model.text import printable
from freshd.model.verbs.service import FileState, ManagerWords, ServiceState, ServiceStep
from freshd.render.documents import SCHEMA, Document
from freshd.render.words import Line, columns, shown, typed

_FILES = {
    FileState.CURRENT: ("good", ""),
    FileState.OUTDATED: ("doubt", "another freshd wrote it; write it anew: "),
    FileState.EDITED: ("doubt", "not as freshd wrote it; to replace it: "),
}


@dataclass(frozen=True, slots=True)
class Consented:
    """One project of ``config.toml``: agreed to as it is now, or why it could not be read."""

    directory: str
    name: str = ""
    problem: str = ""


def steps_lines(steps: Sequence[ServiceStep]) -> Iterator[Line]:
    for step in steps:
        if step.problem:
            problem = printable(" ".join(step.problem.split()))
            yield ((f"✗ {printable(step.text)}", "bad"), (f": {problem}", ""))
        else:
            yield ((f"✓ {printable(step.text)}", "good"),)


def consent_lines(projects: Sequence[Consented]) -> Iterator[Line]:
    for project in projects:
        if project.problem:
            yield (
                (f"? {shown(project.directory)}", "doubt"),
                (f": {printable(project.problem)}; the service tries again", ""),
            )
        else:
            yield (
                (f"✓ {shown(project.directory)}", "good"),
                (f" (project {shown(project.name)}), its files agreed to as they are now", ""),
            )


def installed_lines(manager: ManagerWords, steps: Sequence[ServiceStep]) -> Iterator[Line]:
    """What is to be known after installing."""
    if not failed(steps):
        if manager.hint:
            yield ((manager.hint, "dim"),)
        yield (("how it is: ", "dim"), ("freshd service status", "code"))
        return
    yield ()
    yield ((f"{manager.path} is written, but {manager.name} did not start it. ", ""),)
    yield (("In a login session of yours, type:", ""),)
    for line in manager.later:
        yield ((f"    {line}", "code"),)
    if manager.hint:
        yield ((manager.hint, "dim"),)
    yield (("or have any other supervisor start: ", "dim"), ("freshd run --all", "code"))


def failed(steps: Sequence[ServiceStep]) -> bool:
    return any(step.problem for step in steps)


def steps_document(
    manager: ManagerWords, steps: Sequence[ServiceStep], projects: Sequence[Consented] = ()
) -> Document:
    """What ``service install --json`` and ``uninstall --json`` print."""
    return {
        "schema": SCHEMA,
        "manager": manager.name,
        "path": manager.path,
        "steps": [{"step": step.text, "problem": step.problem} for step in steps],
        "projects": [
            {"directory": project.directory, "name": project.name, "problem": project.problem}
            for project in projects
        ],
    }


def status_lines(
    manager: ManagerWords, state: ServiceState, together: ProjectsState | None
) -> Iterator[Line]:
    """The whole of ``freshd service status``."""
    answer = state.manager
    if state.file is FileState.ABSENT:
        yield (("not installed   ", "doubt"), ("freshd service install", "code"))
    else:
        style, words = _FILES[state.file]
        command = "freshd service install"
        command += " --force" if state.file is FileState.EDITED else ""
        yield (
            ("installed  ", "dim"),
            (shown(manager.path), style),
            (f"   {words}" if words else "", style),
            (command if words else "", "code"),
        )
        yield (("enabled    ", "dim"), _answer(answer.enabled, yes="at login", no="no"))
        yield (
            ("running    ", "dim"),
            _answer(answer.running, yes="yes", no="no"),
            (f"   {printable(answer.words)}" if answer.words else "", "dim"),
        )
    if together is None:
        return
    yield ()
    words = f"freshd run --all, pid {together.pid}, watches the projects of {together.config}"
    yield ((printable(words), ""),)
    if together.problem:
        yield (("  not read: ", "bad"), (printable(together.problem), ""))
    if not together.projects:
        add = typed("freshd", "service", "install", "--project", "DIR") or ""
        yield (("  none yet   ", "doubt"), (add, "code"))
    yield from _project_lines(together.projects)


def _project_lines(projects: Sequence[ProjectState]) -> Iterator[Line]:
    """One row per configured project."""
    yield from columns(
        (
            (
                f"  {'✗' if project.problem else '✓'} {shown(project.name or project.directory)}",
                _project_style(project),
            ),
            (shown(project.directory), "dim"),
            (printable(project.problem) or "watched", _project_style(project)),
        )
        for project in projects
    )


def _project_style(project: ProjectState) -> str:
    return "bad" if project.problem else "good"


def status_document(
    manager: ManagerWords, state: ServiceState, together: ProjectsState | None
) -> Document:
    """What ``service status --json`` prints; null where the manager does not answer."""
    return {
        "schema": SCHEMA,
        "manager": manager.name,
        "path": manager.path,
        "installed": state.file is not FileState.ABSENT,
        "file": state.file.value,
        "enabled": state.manager.enabled,
        "running": state.manager.running,
        "detail": state.manager.words,
        "daemon": (
            None
            if together is None
            else {"pid": together.pid, "config": together.config, "problem": together.problem}
        ),
        "projects": []
        if together is None
        else [project.to_json() for project in together.projects],
    }


def _answer(known: bool | None, *, yes: str, no: str) -> tuple[str, str]:  # noqa: FBT001 - an answer
    if known is None:
        return ("not known", "doubt")
    return (yes, "good") if known else (no, "doubt")
