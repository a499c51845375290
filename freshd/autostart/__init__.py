"""Starting at login: the systemd user unit or the launchd agent, written, removed and looked at."""

from freshd.autostart.installing import Autostart, FileState, ServiceState, Step
from freshd.autostart.managers import Launchd, Manager, Ran, Systemd, manager_of, run_command
from freshd.autostart.program import kept_environment, program_of

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
