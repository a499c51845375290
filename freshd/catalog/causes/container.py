"""The causes of the container link: image or tree against what the process would read."""

from functools import partial

from freshd.catalog.causes.cause import DISCARD_CHANGES, Cause, InitRule, Injection, Renewal
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

_cause = partial(Cause, LinkName.CONTAINER)

CONTAINER = (
    _cause(
        "content-differs",
        Remedy.INJECT,
        injection=Injection.REPLACES,
        init_rule=InitRule.CONTENT,
        if_it="differs",
    ),
    _cause(
        "missing-in-container",
        Remedy.INJECT,
        injection=Injection.REPLACES,
        init_rule=InitRule.CONTENT,
        if_it="is missing",
    ),
    _cause(
        "extra-in-container",
        Remedy.INJECT,
        injection=Injection.DELETES,
        init_rule=InitRule.LEFT_OVER,
        if_it="leaves the tree",
    ),
    _cause(
        "injection-lost",
        Remedy.INJECT,
        stands_for=("content-differs", "missing-in-container"),
        injection=Injection.REPLACES,
    ),
    _cause(
        "mode-differs",
        Remedy.INJECT,
        injection=Injection.REPLACES,
        init_rule=InitRule.CONTENT,
        if_it="has another mode",
    ),
    _cause(
        "changed-in-container",
        Remedy.NOTIFY,
        injection=Injection.OVERWRITES,
        flag=DISCARD_CHANGES,
    ),
    _cause(
        "hot-patch",
        Remedy.NOTIFY,
        level=Level.NOTE,
        stands_for=("changed-in-container",),
        no_injection="the tree has nothing to put there",
        renewal=Renewal.NAMED,
        flag=DISCARD_CHANGES,
    ),
    _cause("old-image", Remedy.RECREATE, questions_image=True, init_rule=InitRule.NEWER_IMAGE),
    _cause("patched", Remedy.REBUILD, level=Level.NOTE, marks_patched=True),
    _cause(
        "target-not-writable",
        Remedy.RECREATE,
        no_injection="nothing can be written there",
        init_rule=InitRule.BUILD,
    ),
    _cause(
        "single-file-bind-detached", Remedy.RESTART, init_rule=InitRule.REMOUNTED, mount_is_old=True
    ),
    _cause(
        "bind-serves-old-bytes", Remedy.RESTART, stands_for=("content-differs",), mount_is_old=True
    ),
    _cause("volume-shadows-image", Remedy.NOTIFY, injection=Injection.IN_VOLUME),
    _cause("anonymous-volume-kept", Remedy.NOTIFY, injection=Injection.IN_VOLUME),
    _cause("inner-mount-shadows", Remedy.NOTIFY, level=Level.NOTE),
    _cause("bind-hides-image", Remedy.NOTIFY, level=Level.NOTE),
    _cause("orphan-container", Remedy.NOTIFY, level=Level.NOTE),
    _cause("wrong-project", Remedy.NOTIFY, level=Level.NOTE),
    _cause("replica-mismatch", Remedy.RECREATE),
    _cause("unhealthy", Remedy.NOTIFY),
    _cause("restart-looping", Remedy.NOTIFY, only_restart=True),
    _cause("not-running", Remedy.NOTIFY, only_restart=True, wakes_jobs=True),
    _cause("unsettled", Remedy.NOTIFY, level=Level.NOTE),
    _cause("unreadable", Remedy.NOTIFY, level=Level.UNVERIFIABLE),
    _cause("not-observed", Remedy.NOTIFY, level=Level.UNVERIFIABLE),
)
