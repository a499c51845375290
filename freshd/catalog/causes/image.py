"""The causes of the image link: tree against image."""

from freshd.catalog.causes.cause import Cause
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

IMAGE = (
    Cause("image-behind", LinkName.IMAGE, Remedy.REBUILD),
    Cause("build-input-changed", LinkName.IMAGE, Remedy.REBUILD),
    Cause("baked-env", LinkName.IMAGE, Remedy.REBUILD),
    Cause("derived-output-behind", LinkName.IMAGE, Remedy.REBUILD),
    Cause("build-unrecorded", LinkName.IMAGE, Remedy.REBUILD, level=Level.UNVERIFIABLE),
    Cause("stale-build-context", LinkName.IMAGE, Remedy.REBUILD),
    Cause("base-image-behind", LinkName.IMAGE, Remedy.REBUILD),
    Cause("cached-layer-aged", LinkName.IMAGE, Remedy.REBUILD),
    Cause("forbidden-in-image", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE),
    Cause("tag-contention", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE),
    Cause("wrong-engine", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE),
    Cause("build-not-loaded", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE),
    Cause("symlink-leaves-context", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE),
    Cause("ignored-by-dockerignore", LinkName.IMAGE, Remedy.NOTIFY, level=Level.NOTE),
)
