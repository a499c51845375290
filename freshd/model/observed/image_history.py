"""What a line of an image's history says: text in, a yes or no out."""

import re

CLASSIC = "#(nop)"
"""In every line of the classic builder, and in none of BuildKit's."""

_COPY = re.compile(r"(?:(?:/bin/sh -c|cmd /S /C) #\(nop\)\s+)?(?:COPY|ADD)\s")


def is_copy(created_by: str) -> bool:
    """Whether this history line is a COPY or ADD, as BuildKit or the classic builder wrote it."""
    return _COPY.match(created_by.strip()) is not None
