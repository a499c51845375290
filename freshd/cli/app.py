"""What every verb is given: which project is meant, the environment, the clock and the screen."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from freshd.cli.screen import Screen
from freshd.config.invocation import Invocation, current_directory

if TYPE_CHECKING:
    from freshd.commands.session import Session
    from freshd.commands.workspace import EngineUse, LineProgress

    Opener: TypeAlias = Callable[[Invocation, EngineUse, LineProgress], Session]


PROJECT_OPTIONS = ("project_dir", "files", "project_name", "profiles")


@dataclass(frozen=True, slots=True)
class App:
    """What was typed, and the world around it; tests pass another ``opener`` and clock."""

    screen: Screen
    invocation: Invocation = field(
        default_factory=lambda: Invocation(current_directory(os.environ), os.environ)
    )
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    opener: "Opener | None" = None

    def with_options(self, typed: Mapping[str, Any]) -> "App":
        """With the options of ``typed`` that name a project; the others are ignored."""
        options = {name: typed[name] for name in PROJECT_OPTIONS if typed.get(name)}
        return replace(self, invocation=self.invocation.with_options(**options))

    def open(self, engine: "EngineUse" = "required") -> "Session":
        """A session of the project that is meant; raises what ``open_session`` raises."""
        from freshd.commands.session import open_session

        return (self.opener or open_session)(self.invocation, engine, self.screen.log)
