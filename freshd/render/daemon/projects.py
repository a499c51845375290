"""What ``freshd run --all`` says of itself, for ``status`` and ``service status``.

It describes itself in ``SeveralState``, which the store keeps; ``Line`` tuples or documents go out.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freshd.model.text import Json, printable
from freshd.render.words import Line, columns, shown


@dataclass(frozen=True, slots=True)
class ProjectState:
    """One configured project: ``problem`` is why it is not watched now, "" while it is.

    ``name`` is "" as long as it could not be read.
    """

    directory: str
    name: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SeveralState:
    """``lock`` is held while the process lives; ``problem`` is what is wrong with ``config``."""

    pid: int
    lock: str
    config: str
    problem: str = ""
    projects: tuple[ProjectState, ...] = ()

    def of(self, directory: str) -> ProjectState | None:
        """What it says of the project in ``directory``, links followed."""
        real = os.path.realpath(directory)
        return next(
            (each for each in self.projects if os.path.realpath(each.directory) == real), None
        )

    def to_json(self) -> dict[str, Json]:
        """As the store keeps it."""
        return {
            "pid": self.pid,
            "lock": self.lock,
            "config": self.config,
            "problem": self.problem,
            "projects": [document(each) for each in self.projects],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "SeveralState | None":
        """None where nothing was kept, or nothing that this version knows."""
        try:
            return cls(
                pid=int(kept["pid"]),
                lock=str(kept["lock"]),
                config=str(kept["config"]),
                problem=str(kept["problem"]),
                projects=tuple(
                    ProjectState(each["directory"], each["name"], each["problem"])
                    for each in kept["projects"]
                ),
            )
        except (KeyError, TypeError, ValueError):
            return None


def document(project: ProjectState) -> dict[str, Json]:
    return {
        "directory": project.directory,
        "name": project.name,
        "problem": project.problem,
    }


def project_lines(projects: Sequence[ProjectState]) -> Iterator[Line]:
    """One row per configured project."""
    yield from columns(
        (
            (f"  {'✗' if each.problem else '✓'} {shown(each.name or each.directory)}", style(each)),
            (shown(each.directory), "dim"),
            (printable(each.problem) or "watched", style(each)),
        )
        for each in projects
    )


def style(project: ProjectState) -> str:
    return "bad" if project.problem else "good"
