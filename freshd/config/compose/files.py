"""Which files make a Compose model: those that Compose takes, and those that they refer to.

In: a directory, or files. Out: absolute paths. Nothing here resolves a model: the docker CLI does.
"""

import os
import re
from collections.abc import Iterable
from typing import Final

COMPOSE_NAMES: Final = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES: Final = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
ENV_FILE: Final = ".env"
_MAX_BYTES: Final = 4 << 20
_WORD: Final = re.compile(r"[^\s'\",\[\]{}]+")
_SETTING: Final = re.compile(
    r"^\s*(?:export\s+)?(COMPOSE_[A-Z_]+)\s*[=:]\s*(.*?)\s*$", re.MULTILINE
)


def default_files(directory: str) -> tuple[str, ...]:
    """The file Compose would take in ``directory``, with its override file; () without one."""
    main = _first(directory, COMPOSE_NAMES)
    if main is None:
        return ()
    override = _first(directory, OVERRIDE_NAMES)
    return (main,) if override is None else (main, override)


def candidates(directory: str) -> tuple[str, ...]:
    """Every path whose creation or removal could change ``default_files``, and the ``.env``."""
    names = (*COMPOSE_NAMES, *OVERRIDE_NAMES, ENV_FILE)
    return tuple(os.path.join(directory, name) for name in names)


def setting(directory: str, name: str) -> str | None:
    """A ``COMPOSE_*`` setting of the ``.env`` file in ``directory``, as Compose reads it there."""
    text = _text(os.path.join(directory, ENV_FILE))
    settings = {match[1]: match[2] for match in _SETTING.finditer(text or "")}
    value = settings.get(name)
    if value is None:
        return None
    quoted = re.fullmatch(r"""(["'])(.*)\1(?:\s+#.*)?""", value)
    if quoted is not None:
        return quoted[2]
    return re.sub(r"\s+#.*$", "", value) or None


def split_files(value: str, *, directory: str, separator: str | None = None) -> tuple[str, ...]:
    """``COMPOSE_FILE``'s value as absolute paths; the separator is the platform's unless given."""
    parts = value.split(separator or os.pathsep)
    return tuple(os.path.normpath(os.path.join(directory, part)) for part in parts if part)


def find_referenced(files: Iterable[str]) -> frozenset[str]:
    """Files that Compose files may read besides themselves: included, extended, environment.

    Every word that names a file beside the Compose file counts, so there may be more than needed;
    names that hold variables are not found.
    """
    referenced: set[str] = set()
    waiting = list(files)
    done: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in done:
            continue
        done.add(path)
        named = _find_named_files(path)
        referenced |= named
        waiting += [name for name in named if _is_model(name)]
    return frozenset(referenced)


def _find_named_files(path: str) -> set[str]:
    directory = os.path.dirname(path)
    named: set[str] = set()
    for word in set(_WORD.findall(_text(path) or "")):
        file = os.path.normpath(os.path.join(directory, word))
        if os.path.isfile(file):
            named.add(file)
    included = {os.path.join(os.path.dirname(file), ENV_FILE) for file in named if _is_model(file)}
    return named | {file for file in included if os.path.isfile(file)}


def _is_model(path: str) -> bool:
    return path.endswith((".yaml", ".yml"))


def _first(directory: str, names: Iterable[str]) -> str | None:
    paths = (os.path.join(directory, name) for name in names)
    return next((path for path in paths if os.path.isfile(path)), None)


def _text(path: str) -> str | None:
    """The text of a regular file of sensible size, else None; links are followed."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _MAX_BYTES:
            return None
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return None
