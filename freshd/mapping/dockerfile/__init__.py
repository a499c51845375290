"""What a Dockerfile does with the build context: text and a listing in, an Inference out. Pure."""

from freshd.mapping.dockerfile.contexts import Context
from freshd.mapping.dockerfile.history import HistoryVerdict, compare_history
from freshd.mapping.dockerfile.infer import CopyPair, Inference, demote, infer
from freshd.mapping.dockerfile.stages import BaseImage

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
