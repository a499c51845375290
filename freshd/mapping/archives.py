"""Whether ADD would unpack a file: by its first bytes, as the builder decides it."""

import os
import tarfile
from typing import Final

from freshd.tree.walk import open_beneath

_ZSTD: Final = b"\x28\xb5\x2f\xfd"


def is_archive(context: str, path: str) -> bool:
    """Whether ``path`` beneath ``context`` is a tar, plain or compressed. No link is followed.

    Nor is one on the way to it where it lies in a further context: ``../lib/x``.
    """
    if path.startswith("../"):
        context, path = os.path.split(os.path.normpath(os.path.join(context, path)))
    try:
        fd = open_beneath(context, path)
    except OSError:
        return False
    with os.fdopen(fd, "rb") as file:
        try:
            if file.read(4) == _ZSTD:
                return True
            file.seek(0)
            return tarfile.is_tarfile(file)
        except (OSError, EOFError, ValueError):
            return False
