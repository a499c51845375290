"""systemd and launchd: where their file is, what it says, and which commands start and stop it.

Commands are values; whoever has a ``Run`` runs them. Nothing here writes or removes a file.
"""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from freshd import __version__
from freshd.commands.service import rendering, templates
from freshd.model.errors import ConfigError
from freshd.model.verbs.service import ManagerState

_PATIENCE: Final = 330.0  # `enable --now` waits until freshd watches, which may take 5 minutes

Command: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ManagerResult:
    """How a command ended; ``output`` is all it printed."""

    status: int
    output: str = ""


Run: TypeAlias = Callable[[Sequence[str]], ManagerResult]


def run_command(argv: Sequence[str]) -> ManagerResult:
    """Run it to its end; a command that is not there ends like in a shell."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_PATIENCE,
            check=False,
        )
    except FileNotFoundError:
        return ManagerResult(127, f"there is no {argv[0]} here")
    except OSError as error:
        return ManagerResult(126, f"{argv[0]}: {error.strerror}")
    except subprocess.TimeoutExpired:
        return ManagerResult(124, f"it did not end within {_PATIENCE:.0f} s")
    return ManagerResult(done.returncode, done.stdout.decode(errors="replace").strip())


class Manager(Protocol):
    """What starts things at login."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str:
        """Its file for freshd."""

    @property
    def later(self) -> Sequence[str]:
        """What to type where it does not answer now, one command a line."""

    @property
    def hint(self) -> str:
        """What else is worth knowing once it is installed, or ""."""

    def render(self, program: Sequence[str], environment: Mapping[str, str]) -> str: ...
    def read_environment(self, text: str) -> Mapping[str, str]: ...
    @property
    def links(self) -> Sequence[str]:
        """What enabling makes beside the file."""

    def start(self, before: ManagerState | None) -> Sequence[Command]:
        """Enable and start; what was installed ``before`` is started anew."""

    def stop(self) -> Sequence[Command]: ...
    def forget(self) -> Sequence[Command]:
        """After the file is gone."""

    def query(self, run: Run) -> ManagerState: ...


class Systemd:
    """The user manager of systemd."""

    name = "systemd"
    unit: Final = "freshd.service"
    later = (
        "systemctl --user daemon-reload",
        "systemctl --user enable --now freshd.service",
    )
    hint = "it starts at login; to have it without one: loginctl enable-linger"

    def __init__(self, config_home: str) -> None:
        directory = os.path.join(config_home, "systemd", "user")
        self.path = os.path.join(directory, self.unit)
        self.links: Sequence[str] = (os.path.join(directory, "default.target.wants", self.unit),)

    def render(self, program: Sequence[str], environment: Mapping[str, str]) -> str:
        template = templates.read("systemd/freshd.service").decode()
        return rendering.unit(template, program, environment, version=__version__)

    def read_environment(self, text: str) -> Mapping[str, str]:
        return rendering.unit_environment(text)

    def start(self, before: ManagerState | None) -> Sequence[Command]:
        commands = [self._call("daemon-reload"), self._call("enable", "--now", self.unit)]
        runs = before is not None and before.running
        return [*commands, self._call("restart", self.unit)] if runs else commands

    def stop(self) -> Sequence[Command]:
        return [self._call("disable", "--now", self.unit)]

    def forget(self) -> Sequence[Command]:
        return [self._call("daemon-reload")]

    def query(self, run: Run) -> ManagerState:
        wanted = "UnitFileState,ActiveState,SubState,StatusText,Result"
        done = run(self._call("show", self.unit, f"--property={wanted}"))
        if done.status != 0:
            return ManagerState(words=done.output)
        properties = dict(line.partition("=")[::2] for line in done.output.splitlines())
        state = properties.get("ActiveState", "")
        words = properties.get("StatusText") or ""
        if state == "failed":
            words = f"failed: {properties.get('Result', '')}"
        return ManagerState(
            enabled=properties.get("UnitFileState", "").startswith("enabled"),
            running=state in {"active", "reloading"},
            words=words or f"{state} ({properties.get('SubState', '')})",
        )

    @staticmethod
    def _call(*words: str) -> Command:
        return ("systemctl", "--user", *words)


class Launchd:
    """launchd, in the session of a user on macOS."""

    name = "launchd"
    label: Final = "dev.freshd"
    hint = ""
    links: Sequence[str] = ()

    def __init__(self, home: str, uid: int) -> None:
        self.path = os.path.join(home, "Library", "LaunchAgents", f"{self.label}.plist")
        self._log = os.path.join(home, "Library", "Logs", "freshd.log")
        self._domain = f"gui/{uid}"

    @property
    def later(self) -> Sequence[str]:
        return (f"launchctl bootstrap {self._domain} {self.path}",)

    def render(self, program: Sequence[str], environment: Mapping[str, str]) -> str:
        template = templates.read("launchd/dev.freshd.plist")
        return rendering.agent(template, program, environment, version=__version__, log=self._log)

    def read_environment(self, text: str) -> Mapping[str, str]:
        return rendering.agent_environment(text)

    def start(self, before: ManagerState | None) -> Sequence[Command]:
        begin: list[Command] = [("launchctl", "bootstrap", self._domain, self.path)]
        loaded = before is not None and before.enabled
        return [*self.stop(), *begin] if loaded else begin

    def stop(self) -> Sequence[Command]:
        return [("launchctl", "bootout", f"{self._domain}/{self.label}")]

    def forget(self) -> Sequence[Command]:
        return []

    def query(self, run: Run) -> ManagerState:
        done = run(("launchctl", "print", f"{self._domain}/{self.label}"))
        if done.status == 127:
            return ManagerState(words=done.output)
        state = re.search(r"^\s*state = (.+)$", done.output, re.MULTILINE)
        words = state[1] if done.status == 0 and state else "not loaded"
        return ManagerState(enabled=done.status == 0, running=words == "running", words=words)


def find_manager(platform: str, *, environ: Mapping[str, str], uid: int) -> Manager:
    """The one of this platform. Raises ConfigError where there is none that freshd knows."""
    home = environ.get("HOME") or os.path.expanduser("~")
    if platform == "linux":
        return Systemd(environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"))
    if platform == "darwin":
        return Launchd(home, uid)
    raise ConfigError(
        f"freshd cannot install itself as a service on {platform}",
        hint="have `freshd run --all` started at login by other means",
    )
