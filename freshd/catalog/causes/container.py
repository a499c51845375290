"""The causes of the container link: image or tree against what the process would read."""

from freshd.catalog.causes.cause import Cause, InitRule, Injection
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

CONTAINER = (
    Cause(
        "content-differs",
        LinkName.CONTAINER,
        Remedy.INJECT,
        injection=Injection.REPLACES,
        init_rule=InitRule.CONTENT,
        if_it="differs",
    ),
    Cause(
        "missing-in-container",
        LinkName.CONTAINER,
        Remedy.INJECT,
        injection=Injection.REPLACES,
        init_rule=InitRule.CONTENT,
        if_it="is missing",
    ),
    Cause(
        "extra-in-container",
        LinkName.CONTAINER,
        Remedy.INJECT,
        injection=Injection.DELETES,
        init_rule=InitRule.LEFT_OVER,
        if_it="leaves the tree",
    ),
    Cause(
        "injection-lost",
        LinkName.CONTAINER,
        Remedy.INJECT,
        stands_for=("content-differs", "missing-in-container"),
        injection=Injection.REPLACES,
    ),
    Cause(
        "mode-differs",
        LinkName.CONTAINER,
        Remedy.INJECT,
        injection=Injection.REPLACES,
        init_rule=InitRule.CONTENT,
        if_it="has another mode",
    ),
    Cause(
        "changed-in-container", LinkName.CONTAINER, Remedy.NOTIFY, injection=Injection.OVERWRITES
    ),
    Cause(
        "old-image",
        LinkName.CONTAINER,
        Remedy.RECREATE,
        questions_image=True,
        init_rule=InitRule.NEWER_IMAGE,
    ),
    Cause("patched", LinkName.CONTAINER, Remedy.REBUILD, level=Level.NOTE, marks_patched=True),
    Cause(
        "target-not-writable",
        LinkName.CONTAINER,
        Remedy.RECREATE,
        no_injection="nothing can be written there",
        init_rule=InitRule.BUILD,
    ),
    Cause(
        "single-file-bind-detached",
        LinkName.CONTAINER,
        Remedy.RESTART,
        init_rule=InitRule.REMOUNTED,
        mount_is_old=True,
    ),
    Cause(
        "bind-serves-old-bytes",
        LinkName.CONTAINER,
        Remedy.RESTART,
        stands_for=("content-differs",),
        mount_is_old=True,
    ),
    Cause("volume-shadows-image", LinkName.CONTAINER, Remedy.NOTIFY, injection=Injection.IN_VOLUME),
    Cause(
        "anonymous-volume-kept", LinkName.CONTAINER, Remedy.NOTIFY, injection=Injection.IN_VOLUME
    ),
    Cause("inner-mount-shadows", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.NOTE),
    Cause("bind-hides-image", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.NOTE),
    Cause("orphan-container", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.NOTE),
    Cause("wrong-project", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.NOTE),
    Cause("replica-mismatch", LinkName.CONTAINER, Remedy.RECREATE),
    Cause("unhealthy", LinkName.CONTAINER, Remedy.NOTIFY),
    Cause("restart-looping", LinkName.CONTAINER, Remedy.NOTIFY, only_restart=True),
    Cause("not-running", LinkName.CONTAINER, Remedy.NOTIFY, only_restart=True),
    Cause("unreadable", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.UNVERIFIABLE),
    Cause("not-observed", LinkName.CONTAINER, Remedy.NOTIFY, level=Level.UNVERIFIABLE),
)
