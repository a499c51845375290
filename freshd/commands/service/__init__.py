"""Starting at login: the systemd user unit or the launchd agent, installed, removed and queried."""

from freshd.commands.service.installing import ServiceInstaller
from freshd.commands.service.managers import (
    Launchd,
    Manager,
    ManagerResult,
    Systemd,
    find_manager,
    run_command,
)
from freshd.commands.service.program import find_program, select_environment
from freshd.model.verbs.service import FileState, ServiceState, ServiceStep

__all__ = [
    "FileState",
    "Launchd",
    "Manager",
    "ManagerResult",
    "ServiceInstaller",
    "ServiceState",
    "ServiceStep",
    "Systemd",
    "find_manager",
    "find_program",
    "run_command",
    "select_environment",
]
