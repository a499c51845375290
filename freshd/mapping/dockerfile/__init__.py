"""What a Dockerfile does with the build context: text and a listing in, an Inference out. Pure."""

from freshd.mapping.dockerfile.contexts import NamedContext
from freshd.mapping.dockerfile.history import HistoryVerdict, compare_history
from freshd.mapping.dockerfile.infer import CopyPair, Inference, demote, infer
from freshd.mapping.dockerfile.stages import BaseImage

__all__ = [
    "BaseImage",
    "CopyPair",
    "HistoryVerdict",
    "Inference",
    "NamedContext",
    "compare_history",
    "demote",
    "infer",
]
