"""The causes of the process link: the container's files against what runs."""

from freshd.catalog.causes.cause import Cause
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

PROCESS = (
    Cause("process-older-than-code", LinkName.PROCESS, Remedy.RESTART),
    Cause("partial-reload", LinkName.PROCESS, Remedy.RESTART),
    Cause("preloaded-master", LinkName.PROCESS, Remedy.RESTART, only_restart=True),
    Cause("opcode-cache", LinkName.PROCESS, Remedy.RESTART, only_restart=True),
    Cause("reloader-deaf", LinkName.PROCESS, Remedy.RESTART, only_restart=True),
    Cause("stale-bytecode", LinkName.PROCESS, Remedy.PURGE),
    Cause("unchecked-bytecode", LinkName.PROCESS, Remedy.PURGE),
    Cause("foreign-bytecode", LinkName.PROCESS, Remedy.PURGE),
    Cause("installed-copy-shadows", LinkName.PROCESS, Remedy.REBUILD),
    Cause("upstream-moved", LinkName.PROCESS, Remedy.RESTART),
    Cause("orphan-bytecode", LinkName.PROCESS, Remedy.PURGE),
    Cause(
        "restart-due",
        LinkName.PROCESS,
        Remedy.RESTART,
        only_restart=True,
        answered_by=Remedy.RESTART,
    ),
    Cause("probe-failed", LinkName.PROCESS, Remedy.NOTIFY),
    Cause("known-log-signature", LinkName.PROCESS, Remedy.NOTIFY, level=Level.NOTE),
)
