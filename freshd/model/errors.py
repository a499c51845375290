"""The exception tree. Each error is one line for a person, a hint what to do, and an exit code.

Only the boundary in ``freshd.cli`` turns these into text and an exit status.
"""

from typing import ClassVar


class FreshdError(Exception):
    """Something a person can act on: ``message`` says what and where, ``hint`` says what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(FreshdError):
    """Usage, policy, Compose file or Dockerfile: ``problems`` holds every mistake, one a line."""

    exit_code = 2

    def __init__(
        self, message: str, *, hint: str | None = None, problems: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class AlreadyRunning(FreshdError):
    """A second daemon, or a verb that would race one."""

    exit_code = 2


class EngineUnavailable(FreshdError):
    """The engine is absent, not permitted, or went away; worth a retry later."""

    exit_code = 4


class EngineFailed(FreshdError):
    """The engine answered, and refused: the step failed, the engine is fine."""


class HostPathGone(EngineFailed):
    """The engine was not asked, because it would have made directories on this machine."""


class TargetGone(FreshdError):
    """The container or image that was addressed by full id does not exist any more."""


class OutcomeUnknown(FreshdError):
    """A deadline passed or the connection broke during a change: observe before deciding."""


class Overtaken(Exception):
    """A look was broken off for something more urgent. Nothing was changed, and it is due again."""


class StepRefused(FreshdError):
    """A safety rule stopped a step before anything was changed."""


class NoRoom(StepRefused):
    """The temporary directory has no room for what is to be written; nothing was changed."""


class StateError(FreshdError):
    """The state directory or database cannot be used."""


class DiskFull(StateError):
    """There is no room for the state: nothing is begun, and it goes on once there is."""
