"""Paths at which programs keep what they write themselves: a path in, yes or no out. Pure."""

import re
from collections.abc import Collection
from typing import Final

from freshd.model.paths import is_below
from freshd.observe.paths import ENGINE_FILES, of_kernel

# State, caches and logs by the file system's own standard; and what package managers keep.
_PLACES: Final = (
    *("/tmp", "/var/tmp", "/run", "/var/run", "/var/log", "/var/cache", "/var/lib", "/var/spool"),  # noqa: S108 (read)
    *("/var/lock", "/var/mail", "/var/backups", "/lib/apk", "/etc/apk", "/usr/lib/sysimage"),
    *("/etc/ssl/certs", "/etc/pki/ca-trust/extracted", "/usr/share/ca-certificates"),
)
_FILES: Final = frozenset(
    {*ENGINE_FILES, "/etc/.pwd.lock", "/etc/ld.so.cache", "/etc/mtab", "/etc/adjtime"}
)
_DIRECTORIES: Final = frozenset(
    {"__pycache__", ".cache", ".npm", ".pytest_cache", ".mypy_cache", ".git"}
)
_NAME: Final = re.compile(
    r".*\.(py[co]|log(\.\d+)?|pid|sock|lck|swp|db|db3|sqlite3?|sqlite3?-(wal|shm|journal)"
    r"|db-(wal|shm|journal)|rdb|aof|mo|cache|tmp)$"
    r"|^\.(bash|ash|zsh|python|node_repl|psql|mysql|rediscli)_history$|^\.wget-hsts$|^\.lesshst$"
)


def is_written_by_programs(path: str, copied_into: Collection[str]) -> bool:
    """Whether nobody's hand is looked for there.

    A COPY that goes below such a place makes code of what is in it: ``copied_into``.
    """
    if path in _FILES or of_kernel(path):
        return True
    *above, name = path.split("/")
    if not _DIRECTORIES.isdisjoint(above) or _NAME.match(name):
        return True
    for place in _PLACES:
        if is_below(path, place):
            return not any(
                is_below(path, directory) and is_below(directory, place)
                for directory in copied_into
            )
    return False
