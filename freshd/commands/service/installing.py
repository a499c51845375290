"""Installs, removes and queries the service: one file, and the commands around it.

A file that freshd wrote is known by its mark, and only such a one is replaced or removed unasked.
"""

import os
from collections.abc import Mapping, Sequence

from freshd.commands.service.managers import Manager, Run
from freshd.commands.service.marking import is_untouched
from freshd.config.atomic_write import replace_file
from freshd.model.errors import ConfigError, StateError
from freshd.model.text import printable
from freshd.model.verbs.service import FileState, ServiceState, ServiceStep


class ServiceInstaller:
    """``program`` is what the service starts, ``environment`` what it is given."""

    def __init__(
        self,
        manager: Manager,
        run: Run,
        *,
        program: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self.manager = manager
        self.wanted = manager.render(program, environment)
        self._program = tuple(program)
        self._run = run

    def install(self, *, force: bool = False) -> tuple[ServiceStep, ...]:
        """Write the file, enable and start; a command that fails ends it, and is in the steps.

        Raises ConfigError for a file that a person edited, unless ``force``.
        """
        path = self.manager.path
        before = self._file()
        self._check(before, force=force)
        steps = []
        if before != self.wanted:
            _write(path, self.wanted)
            steps.append(ServiceStep(f"wrote {path}"))
        state = None if before is None else self.manager.query(self._run)
        return (*steps, *self._commands(self.manager.start(state)))

    def uninstall(self, *, force: bool = False) -> tuple[ServiceStep, ...]:
        """Stop, disable and remove; nothing of it where nothing is installed.

        The file goes also where the manager does not answer. Raises as ``install``.
        """
        before = self._file()
        if before is None:
            return ()
        self._check(before, force=force)
        path = self.manager.path
        steps = self._commands(self.manager.stop())
        try:
            for link in filter(os.path.islink, self.manager.links):
                os.unlink(link)  # where nothing answers, nothing has disabled it
            os.unlink(path)
        except OSError as error:
            raise StateError(f"cannot remove {printable(path)}: {error.strerror}") from error
        return (*steps, ServiceStep(f"removed {path}"), *self._commands(self.manager.forget()))

    def state(self) -> ServiceState:
        """As it is now."""
        return ServiceState(self._state_of(self._file()), self.manager.query(self._run))

    def _commands(self, commands: Sequence[Sequence[str]]) -> tuple[ServiceStep, ...]:
        """Run them in order, up to the first that fails."""
        steps: list[ServiceStep] = []
        for command in commands:
            ran = self._run(command)
            problem = "" if ran.status == 0 else ran.output or f"exit status {ran.status}"
            steps.append(ServiceStep(" ".join(command), problem))
            if problem:
                break
        return tuple(steps)

    def _check(self, text: str | None, *, force: bool) -> None:
        if self._state_of(text) is FileState.EDITED and not force:
            raise ConfigError(
                f"{printable(self.manager.path)} is not as freshd wrote it",
                hint="look at it; --force replaces or removes it all the same",
            )

    def _state_of(self, text: str | None) -> FileState:
        if text is None:
            return FileState.ABSENT
        if not is_untouched(text):
            return FileState.EDITED
        # another shell has another PATH: that alone is no difference
        kept = self.manager.read_environment(text)
        same = text == self.manager.render(self._program, kept)
        return FileState.CURRENT if same else FileState.OUTDATED

    def _file(self) -> str | None:
        path = self.manager.path
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"cannot read {printable(path)}: {error.strerror}") from error


def _write(path: str, text: str) -> None:
    try:
        replace_file(path, text, mode=0o644)
    except OSError as error:
        raise StateError(f"cannot write {printable(path)}: {error.strerror}") from error
