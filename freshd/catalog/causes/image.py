"""The causes of the image link: tree against image."""

from freshd.catalog.causes.cause import Cause, InitRule
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import Level, LinkName

IMAGE = (
    Cause("image-behind", LinkName.IMAGE, Remedy.REBUILD, keeps_link_stale=True),
    Cause(
        "build-input-changed",
        LinkName.IMAGE,
        Remedy.REBUILD,
        settles=("base-image-behind",),
        answered_by=Remedy.REBUILD,
        init_rule=InitRule.BUILD,
        if_it="changes",
    ),
    Cause(
        "baked-env",
        LinkName.IMAGE,
        Remedy.REBUILD,
        stands_for=("build-input-changed",),
        settles=("base-image-behind",),
    ),
    Cause("derived-output-behind", LinkName.IMAGE, Remedy.REBUILD),
    Cause(
        "build-unrecorded",
        LinkName.IMAGE,
        Remedy.REBUILD,
        level=Level.UNVERIFIABLE,
        answered_by=Remedy.REBUILD,
        init_rule=InitRule.UNRECORDED_BUILD,
    ),
    Cause(
        "stale-build-context",
        LinkName.IMAGE,
        Remedy.REBUILD,
        least_rebuild=RebuildMode.FRESH_CONTEXT,
        answered_by=Remedy.REBUILD,
        init_rule=InitRule.BUILD,
    ),
    Cause("base-image-behind", LinkName.IMAGE, Remedy.REBUILD),
    Cause("cached-layer-aged", LinkName.IMAGE, Remedy.REBUILD, least_rebuild=RebuildMode.NO_CACHE),
    Cause("forbidden-in-image", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE),
    Cause("tag-contention", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE, explains_image=True),
    Cause("wrong-engine", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE, explains_image=True),
    Cause("build-not-loaded", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE, explains_image=True),
    Cause("symlink-leaves-context", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE),
    Cause("ignored-by-dockerignore", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE),
)
