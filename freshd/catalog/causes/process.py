"""The causes of the process link: the container's files against what runs."""

from functools import partial

from freshd.catalog.causes.cause import Cause
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

_cause = partial(Cause, LinkName.PROCESS)

PROCESS = (
    _cause("process-older-than-code", Remedy.RESTART),
    _cause("partial-reload", Remedy.RESTART),
    _cause("preloaded-master", Remedy.RESTART, only_restart=True),
    _cause("opcode-cache", Remedy.RESTART, only_restart=True),
    _cause("reloader-deaf", Remedy.RESTART, only_restart=True),
    _cause("stale-bytecode", Remedy.PURGE),
    _cause("unchecked-bytecode", Remedy.PURGE),
    _cause("foreign-bytecode", Remedy.PURGE),
    _cause("installed-copy-shadows", Remedy.REBUILD),
    _cause("upstream-moved", Remedy.RESTART),
    _cause("orphan-bytecode", Remedy.PURGE),
    _cause("restart-due", Remedy.RESTART, only_restart=True, answered_by=Remedy.RESTART),
    _cause("probe-failed", Remedy.NOTIFY),
    _cause("known-log-signature", Remedy.NOTIFY, level=Level.NOTE),
)
