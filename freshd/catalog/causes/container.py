"""The causes of the container link: image or tree against what the process would read."""

from freshd.catalog.causes.cause import Cause
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

CONTAINER = (
    Cause("content-differs", LinkName.CONTAINER, Remedy.INJECT),
    Cause("missing-in-container", LinkName.CONTAINER, Remedy.INJECT),
    Cause("extra-in-container", LinkName.CONTAINER, Remedy.INJECT),
    Cause("injection-lost", LinkName.CONTAINER, Remedy.INJECT),
    Cause("mode-differs", LinkName.CONTAINER, Remedy.INJECT),
    Cause("changed-in-container", LinkName.CONTAINER, Remedy.NOTIFY),
    Cause("old-image", LinkName.CONTAINER, Remedy.RECREATE),
    Cause("patched", LinkName.CONTAINER, Remedy.REBUILD, level=Level.NOTE),
    Cause("target-not-writable", LinkName.CONTAINER, Remedy.RECREATE),
    Cause("single-file-bind-detached", LinkName.CONTAINER, Remedy.RESTART),
    Cause("bind-serves-old-bytes", LinkName.CONTAINER, Remedy.RESTART),
    Cause("volume-shadows-image", LinkName.CONTAINER, Remedy.NOTIFY),
    Cause("anonymous-volume-kept", LinkName.CONTAINER, Remedy.NOTIFY),
    Cause("inner-mount-shadows", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.NOTE),
    Cause("bind-hides-image", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.NOTE),
    Cause("orphan-container", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.NOTE),
    Cause("wrong-project", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.NOTE),
    Cause("replica-mismatch", LinkName.CONTAINER, Remedy.RECREATE),
    Cause("unhealthy", LinkName.CONTAINER, Remedy.NOTIFY),
    Cause("restart-looping", LinkName.CONTAINER, Remedy.NOTIFY),
    Cause("not-running", LinkName.CONTAINER, Remedy.NOTIFY),
    Cause("unreadable", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.UNVERIFIABLE),
    Cause("not-observed", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.UNVERIFIABLE),
)
