"""The causes of the image link: tree against image."""

from functools import partial

from freshd.catalog.causes.cause import Cause, InitRule
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import Level, LinkName

_cause = partial(Cause, LinkName.IMAGE)

IMAGE = (
    _cause("image-behind", Remedy.REBUILD, keeps_link_stale=True),
    _cause(
        "build-input-changed",
        Remedy.REBUILD,
        settles=("base-image-behind",),
        answered_by=Remedy.REBUILD,
        init_rule=InitRule.BUILD,
        if_it="changes",
    ),
    _cause(
        "baked-env",
        Remedy.REBUILD,
        stands_for=("build-input-changed",),
        settles=("base-image-behind",),
    ),
    _cause("derived-output-behind", Remedy.REBUILD),
    _cause(
        "build-unrecorded",
        Remedy.REBUILD,
        level=Level.UNVERIFIABLE,
        answered_by=Remedy.REBUILD,
    ),
    _cause(
        "stale-build-context",
        Remedy.REBUILD,
        least_rebuild=RebuildMode.FRESH_CONTEXT,
        answered_by=Remedy.REBUILD,
        init_rule=InitRule.BUILD,
    ),
    _cause("base-image-behind", Remedy.REBUILD),
    _cause("cached-layer-aged", Remedy.REBUILD, least_rebuild=RebuildMode.NO_CACHE),
    _cause("forbidden-in-image", Remedy.NOTIFY, level=Level.NOTE),
    _cause("tag-contention", Remedy.NOTIFY, level=Level.NOTE, explains_image=True),
    _cause("wrong-engine", Remedy.NOTIFY, level=Level.NOTE, explains_image=True),
    _cause("build-not-loaded", Remedy.NOTIFY, level=Level.NOTE, explains_image=True),
    _cause("symlink-leaves-context", Remedy.NOTIFY, level=Level.NOTE),
    _cause("ignored-by-dockerignore", Remedy.NOTIFY, level=Level.NOTE),
)
