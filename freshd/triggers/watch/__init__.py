"""File events of working trees; the only place that knows watchdog."""

from freshd.triggers.watch.backend import WatchMode, WatchState
from freshd.triggers.watch.watcher import Watcher

__all__ = ["WatchMode", "WatchState", "Watcher"]
