"""A report of a bug: version, command line, traceback and platform, in a file a person can send.

Of the environment only the names of freshd's, Docker's and Compose's variables are written, never
a value.
"""

import os
import platform
import sys
import traceback
from collections.abc import Mapping, Sequence

from freshd import __version__
from freshd.model.errors import StateError

_PREFIXES = ("FRESHD_", "DOCKER_", "COMPOSE_", "BUILDKIT_", "BUILDX_")


def write_report(
    error: BaseException, argv: Sequence[str], *, environ: Mapping[str, str], now: float
) -> str:
    """Write the report; returns words that say where, or hold all of it if it cannot be written."""
    from freshd.config.locations import locate, prepare
    from freshd.render.words import iso

    text = report_text(error, argv, environ=environ, now=now)
    try:
        locations = locate(environ)
        prepare(locations)
        name = f"bug-{iso(now).replace(':', '')}-{os.getpid()}.txt"
        path = os.path.join(locations.reports, name)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except (OSError, StateError) as problem:
        return f"its report cannot be written ({problem}):\n{text}"
    return f"its report is {path}"


def report_text(
    error: BaseException, argv: Sequence[str], *, environ: Mapping[str, str], now: float
) -> str:
    """The report itself. ``now`` is in seconds."""
    from freshd.render.words import iso

    names = sorted(name for name in environ if name.startswith(_PREFIXES))
    trace = "".join(traceback.format_exception(error))
    return (
        f"freshd {__version__} at {iso(now)}\n"
        f"arguments: {list(argv)!r}\n"
        f"python: {sys.version}\n"
        f"platform: {platform.platform()}\n"
        f"variables set: {', '.join(names) or 'none'}\n\n"
        f"{trace}"
    )
