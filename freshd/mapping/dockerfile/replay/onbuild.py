"""ONBUILD triggers of a base image that is not here: a built image's history in, a reason out.

Pure. They ran right before the Dockerfile's own instructions, and look like those of any image.
"""

import fnmatch
from collections.abc import Collection, Sequence

from freshd.mapping.dockerfile.infer import Inference
from freshd.mapping.dockerfile.record import MARK
from freshd.model.observed.image import HistoryEntry
from freshd.model.paths import absolute


def find_unseen_trigger(inference: Inference, history: Sequence[HistoryEntry]) -> str:
    """Why files of the context may have landed without a pair; "" where they cannot have."""
    if not inference.unknown_base:
        return ""
    before = history[: max(len(history) - len(inference.final), 0)]
    for entry in reversed(before):
        if _may_bring(entry.created_by, inference.top_names):
            return (
                f"'{entry.created_by.removesuffix(MARK)}' of the image may be an ONBUILD of "
                f"{inference.unknown_base}, which is not here to be looked at: pull it"
            )
    return ""


def _may_bring(text: str, names: Collection[str]) -> bool:
    """Whether the line is a COPY or ADD with a source that this context has."""
    if not text.startswith(("COPY ", "ADD ")) or not text.endswith(MARK):
        return False
    words = [word for word in text.removesuffix(MARK).split()[1:-1] if not word.startswith("--")]
    firsts = (absolute(word).split("/")[1] for word in words)
    return any(not first or fnmatch.filter(names, first) for first in firsts)
