"""What the kernel's overlay file system rules out for a container. In: a replica. Out: yes or no.

A file that a container writes, renames or links is copied into its own layer first and gets a new
ctime there. A directory of the image is refused the rename (mv then copies file by file), unless
the overlay redirects: then it keeps the old files in another place.
"""

import os

from freshd.engine.client import Engine
from freshd.engine.container import exec as execs
from freshd.model.errors import EngineFailed, OutcomeUnknown
from freshd.model.observed.container import Replica

_SECONDS = 10.0
_ASK = ("cat", "/sys/module/overlay/parameters/redirect_dir", "/proc/self/mounts")
_REDIRECTING = ("redirect_dir=on", "metacopy=on")


def directories_stay(engine: Engine, replica: Replica) -> bool:
    """Whether no directory of the image can have been moved in the running ``replica``.

    Then a file older than the container is the image's at that place. No where it is in doubt.
    """
    try:
        done = execs.run(engine, replica.id, _ASK, timeout=_SECONDS, user="0")
    except (EngineFailed, OutcomeUnknown):
        return False
    return done.ok and told_to_stay(os.fsdecode(done.stdout))


def told_to_stay(text: str) -> bool:
    """The pure part: the kernel's default (N: an overlay does not redirect), then the mounts."""
    default, _, mounts = text.partition("\n")
    words = [line.split(" ") for line in mounts.splitlines()]
    roots = [word for word in words if len(word) > 3 and word[1] == "/"]
    if default != "N" or not roots or roots[-1][2] != "overlay":
        return False
    return not any(option in _REDIRECTING for option in roots[-1][3].split(","))
