"""The unit and the agent as they stand in the repository, from wherever freshd is installed."""

import os
from importlib import resources
from pathlib import Path
from typing import Final

_DATA: Final = "data"


def read(path: str) -> bytes:
    """One template: in a wheel it is package data, in a checkout it is at its own place.

    ``path`` is relative to the top of the repository.
    """
    packaged = resources.files("freshd") / _DATA / os.path.basename(path)
    if packaged.is_file():
        return packaged.read_bytes()
    return (Path(__file__).parents[3] / path).read_bytes()
