"""The identity of a build: one digest over all that it was made of. Pure.

freshd's own builds carry it as a label, so that whoever has the image and a tree can tell whether
they belong together. No commit and no time is in it: two builds of equal inputs are equal images.
"""

import hashlib
import re
from collections.abc import Mapping

LABEL = "dev.freshd.manifest"
_SCHEME = "v1"  # another one as soon as what a map counts as an input is counted otherwise
_KNOWN = re.compile(rf"{_SCHEME}:[0-9a-f]{{64}}")


def identity(inputs: Mapping[str, str], args: Mapping[str, str]) -> str:
    """The label's value. ``inputs``: project-relative path -> digest; ``args``: build arguments."""
    found = hashlib.sha256()
    for kind, values in (("input", inputs), ("argument", args)):
        for name, value in sorted(values.items()):
            for word in (kind, name, value):
                raw = word.encode(errors="surrogateescape")
                found.update(b"%d:%b" % (len(raw), raw))
    return f"{_SCHEME}:{found.hexdigest()}"


def carried(labels: Mapping[str, str]) -> str:
    """The identity that an image carries; "" for none, or one that cannot be compared here."""
    label = labels.get(LABEL, "")
    return label if _KNOWN.fullmatch(label) else ""
