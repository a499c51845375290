"""Starting at login: the systemd user unit or the launchd agent, written, removed and looked at."""

from freshd.commands.service.installing import Autostart
from freshd.commands.service.managers import Launchd, Manager, Ran, Systemd, manager_of, run_command
from freshd.commands.service.program import kept_environment, program_of
from freshd.model.verbs.autostart import FileState, ServiceState, Step

__all__ = [
    "Autostart",
    "FileState",
    "Launchd",
    "Manager",
    "Ran",
    "ServiceState",
    "Step",
    "Systemd",
    "kept_environment",
    "manager_of",
    "program_of",
    "run_command",
]
