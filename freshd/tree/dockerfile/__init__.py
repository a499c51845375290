"""What a Dockerfile does with the build context: text and a listing in, an Inference out. Pure."""

from freshd.tree.dockerfile.contexts import Context
from freshd.tree.dockerfile.history import HistoryVerdict, compare_history
from freshd.tree.dockerfile.infer import CopyPair, Inference, demote, infer
from freshd.tree.dockerfile.stages import BaseImage

__all__ = [
    "BaseImage",
    "Context",
    "CopyPair",
    "HistoryVerdict",
    "Inference",
    "compare_history",
    "demote",
    "infer",
]
