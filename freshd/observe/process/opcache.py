"""Whether the PHP that serves in a container ever looks at its files again: read from its settings.

In: a replica and its PHP server. Out: the setting that keeps old code. The container needs no
shell: its files are read through the engine, as they are now.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from freshd.catalog.runtimes.php import (
    PhpSetting,
    find_freezing,
    find_main_ini,
    read_flags,
    read_ini,
    read_pool,
)
from freshd.catalog.runtimes.processes import Served, read_php_server
from freshd.engine.client import Engine
from freshd.engine.container.contents import members_below
from freshd.model.observed.container import Replica

# where PHP's own images, distributions and others put them
DIRECTORIES: Final = (
    *("/usr/local/etc", "/etc/php", "/etc/php.d", "/etc/php-fpm.d", "/opt/bitnami/php/etc"),
    *(f"/etc/php{release}" for release in ("81", "82", "83", "84", "85")),
)
_VERSIONED: Final = re.compile(r"/etc/php/(\d+\.\d+)/(\w+)/")
_LIMIT: Final = 256 * 1024
_SCAN: Final = "PHP_INI_SCAN_DIR"


@dataclass(slots=True)
class OpcacheReader:
    """Reads once for each start of a container. One thread at a time."""

    _known: dict[tuple[str, float, Served], PhpSetting | None] = field(default_factory=dict)

    def frozen(self, engine: Engine, replica: Replica, served: Served) -> PhpSetting | None:
        """The setting; None where PHP looks at its files, or keeps nothing. Raises TargetGone."""
        key = (replica.id, replica.started_at, served)
        if key not in self._known:
            self._known = {
                known: setting for known, setting in self._known.items() if known[0] != replica.id
            }
            self._known[key] = _read(engine, replica, served)
        return self._known[key]


def _read(engine: Engine, replica: Replica, served: Served) -> PhpSetting | None:
    given = engine.creation(replica.id).environment
    variables = {name: value for name, value in given.items() if value is not None}
    words = (*_of_php(replica.command), *served.words)
    texts: dict[str, str] = {}
    for directory in directories(words, variables):
        texts |= _texts(engine, replica.id, directory)
    settings = settings_of(texts, served, variables, words)
    return find_freezing(settings, variables.get("PHP_VERSION", ""))


def _of_php(command: Sequence[str]) -> Sequence[str]:
    """PHP's own part of a command line: what starts it may have a ``-c`` or ``-n`` as well."""
    words = tuple(command)
    return next((words[at:] for at in range(len(words)) if read_php_server(words[at:])), ())


def directories(words: Sequence[str], variables: Mapping[str, str]) -> Sequence[str]:
    """Where its settings may be, each once. What is named from where PHP was started is left out:
    nothing says where that was. Pure.
    """
    main = find_main_ini(words) or ""
    named = [posixpath.dirname(main) if main.endswith(".ini") else main]
    named += variables.get(_SCAN, "").split(":")
    return [*dict.fromkeys((*DIRECTORIES, *(path for path in named if path.startswith("/"))))]


def settings_of(
    texts: Mapping[str, str],
    served: Served,
    variables: Mapping[str, str],
    words: Sequence[str] = (),
) -> Iterator[PhpSetting]:
    """What this server reads of ``texts`` (by path) and of its command line, in its order: a pool
    of FPM stands above the command line, and that above every ini file. Pure.
    """
    own, main = _own(texts, served), find_main_ini(words)
    if main != "":
        for path in _ini_files(texts, own, main, variables.get(_SCAN)):
            yield from read_ini(texts[path], path, variables)
    yield from read_flags(words)
    if served.kind == "fpm":
        for path in (path for path in own if path.endswith(".conf")):
            yield from read_pool(texts[path], path, variables)


def _ini_files(
    texts: Mapping[str, str], own: Sequence[str], main: str | None, scan: str | None
) -> Iterator[str]:
    """``main`` is the one that the command line names, or its directory."""
    usual = [path for path in own if posixpath.basename(posixpath.dirname(path)) in _SCANNED]
    extra = [directory for directory in (scan or "").split(":") if directory]
    named = [
        path
        for directory in extra
        for path in sorted(texts)
        if posixpath.dirname(path) == directory
    ]
    if scan is None or "" in scan.split(":"):
        named = [*usual, *named]
    mains = [path for path in own if posixpath.basename(path) == "php.ini"]
    if main is not None:
        mains = [path for path in (main, posixpath.join(main, "php.ini")) if path in texts]
    yield from mains
    yield from (path for path in named if path.endswith(".ini"))


_SCANNED: Final = ("conf.d", "php.d")


def _own(texts: Mapping[str, str], served: Served) -> list[str]:
    """Without what belongs to another PHP of the container: Debian keeps one set for each kind."""
    versions = {match[1] for path in texts if (match := _VERSIONED.match(path))}
    version = served.version if served.version in versions else max(versions, default="", key=_key)
    return [
        path
        for path in sorted(texts)
        if (match := _VERSIONED.match(path)) is None or match.groups() == (version, served.kind)
    ]


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _texts(engine: Engine, container_id: str, directory: str) -> dict[str, str]:
    """The ini and pool files below a directory by path, links within it followed."""
    texts, links = {}, {}
    for path, member, reader in members_below(engine, container_id, directory):
        if not path.endswith((".ini", ".conf")):
            continue
        if member.issym():
            links[path] = posixpath.join(posixpath.dirname(path), member.linkname)
        elif reader is not None and member.size <= _LIMIT:
            texts[path] = reader.read().decode("utf-8", "replace")
    for path, leads_to in links.items():
        text = texts.get(posixpath.normpath(leads_to))
        if text is not None:
            texts[path] = text
    return texts
