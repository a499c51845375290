"""What was typed and where: the one value from which a project is found."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Invocation:
    """Nothing here is resolved or checked yet.

    ``cwd`` is the directory that relative paths count from; it may be relative to the process's
    own. ``project_dir``, ``files`` (of Compose), ``project_name`` and ``profiles`` are the options
    of the command line; None or () where nobody typed them, and then ``environ`` may say.
    """

    cwd: str
    environ: Mapping[str, str]
    project_dir: str | None = None
    files: tuple[str, ...] = ()
    project_name: str | None = None
    profiles: tuple[str, ...] = ()

    @property
    def names_project(self) -> bool:
        """Whether any option says which project is meant."""
        return bool(self.project_dir or self.files or self.project_name or self.profiles)

    def with_options(
        self,
        *,
        project_dir: str | None = None,
        files: Sequence[str] = (),
        project_name: str | None = None,
        profiles: Sequence[str] = (),
    ) -> "Invocation":
        """With options typed later: a value replaces the one before, lists are joined."""
        return replace(
            self,
            project_dir=project_dir or self.project_dir,
            files=(*self.files, *files),
            project_name=project_name or self.project_name,
            profiles=(*self.profiles, *profiles),
        )


def current_directory(environ: Mapping[str, str]) -> str:
    """As the shell names it, which is what Compose goes by; "." where the shell is elsewhere."""
    named = environ.get("PWD", "")
    try:
        same = os.path.isabs(named) and os.path.samefile(named, ".")
    except OSError:
        same = False
    return os.path.normpath(named) if same else "."


def without_project(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` without what it says of a single project: for whoever means several."""
    return {name: value for name, value in environ.items() if not name.startswith("COMPOSE_")}
