"""One image, its history, and what is known of the build that made it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from freshd.model.files import Manifest

CLASSIC = "#(nop)"
"""In every history line of the classic builder, and in none of BuildKit's."""

_COPY = re.compile(r"(?:(?:/bin/sh -c|cmd /S /C) #\(nop\)\s+)?(?:COPY|ADD)\s")


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of an image's history, oldest first; ``empty`` ones made no layer.

    ``created_at``: when the builder made it (seconds); a cached one keeps its time. 0: not known.
    """

    created_by: str
    empty: bool = False
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A layer of the image that was made ``at`` (seconds) by what a network answered.

    ``command`` is the one that asked it, in ``line`` of the Dockerfile or in a stage that this line
    copies from.
    """

    line: int
    command: str
    at: float


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What one image is and holds. ``tagged_at``: when this engine last gave it a name, 0 unknown.

    ``files`` has the asked-for paths that exist (absent = not in the image); it is complete for
    the paths in question only. ``writers`` maps a path to the history line of the layer that wrote
    or removed it last ("" when not attributed); None when attribution was not needed.
    ``flags_shown``: this engine's builder writes the flags of COPY into the history.
    """

    id: str
    chain_id: str
    created_at: float = 0.0
    tagged_at: float = 0.0
    history: tuple[HistoryEntry, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    files: Manifest = field(default_factory=dict)
    writers: Mapping[str, str] | None = None
    flags_shown: bool = True


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """The inputs of one build, by image id: project-relative path -> digest, and build args.

    ``by_freshd`` is false for a build that was only witnessed.
    """

    image_id: str
    service: str
    inputs: Mapping[str, str]
    args: Mapping[str, str] = field(default_factory=dict)
    recorded_at: float = 0.0
    by_freshd: bool = True


class Trace(StrEnum):
    """Whether an image's history tells of the Dockerfile as it is now."""

    EQUAL = "equal"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


def is_copy(created_by: str) -> bool:
    """Whether this history line is a COPY or ADD, as BuildKit or the classic builder wrote it."""
    return _COPY.match(created_by.strip()) is not None
