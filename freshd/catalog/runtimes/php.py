"""PHP's settings: ini files, pools of FPM and a command line in, values in force out. Pure.

Only what decides whether PHP reads a file again once it has compiled it.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(r"\s*([A-Za-z_][\w.-]*)\s*=\s*(.*)")
_POOL: Final = re.compile(r"\s*php(?:_admin)?_(?:value|flag)\[([\w.-]+)\]\s*=\s*(.*)")
_SPECIAL: Final = re.compile(r"\s*\[\s*(?:HOST|PATH)\s*=", re.IGNORECASE)
_SECTION: Final = re.compile(r"\s*\[")
_VARIABLE: Final = re.compile(r"\$\{([^}:]+)(?::-([^}]*))?\}")
_ON: Final = frozenset({"on", "yes", "true"})
_BUILT_IN: Final = (8, 5)  # from here on opcache is no extension

ENABLED: Final = "opcache.enable"
VALIDATES: Final = "opcache.validate_timestamps"


@dataclass(frozen=True, slots=True)
class PhpSetting:
    """One value and the file it is from; ``file`` is "" for the command line."""

    key: str
    value: str
    file: str = ""

    @property
    def on(self) -> bool:
        """As PHP reads a switch: words, or a number that is not 0."""
        number = re.match(r"[+-]?\d+", self.value)
        return self.value.lower() in _ON or (number is not None and int(number[0]) != 0)


def read_ini(text: str, file: str, variables: Mapping[str, str]) -> Iterator[PhpSetting]:
    """The settings of an ini file, in order. Sections for one host or path are nobody else's."""
    skipped = False
    for line in text.splitlines():
        if _SECTION.match(line):
            skipped = _SPECIAL.match(line) is not None
        elif not skipped and (match := _LINE.fullmatch(line)):
            yield PhpSetting(match[1], _value(match[2], variables), file)


def read_pool(text: str, file: str, variables: Mapping[str, str]) -> Iterator[PhpSetting]:
    """What a pool of FPM sets for its workers."""
    for line in text.splitlines():
        if match := _POOL.fullmatch(line):
            yield PhpSetting(match[1], _value(match[2], variables), file)


def read_flags(words: Iterable[str]) -> Iterator[PhpSetting]:
    """``-d key=value``; without a value it is switched on."""
    rest = iter(words)
    for word in rest:
        if word.startswith("-d"):
            key, equals, value = (word[2:] or next(rest, "")).partition("=")
            yield PhpSetting(key.strip(), _value(value, {}) if equals else "1")


def find_main_ini(words: Sequence[str]) -> str | None:
    """The php.ini, or its directory, that PHP's own command line names (``-c``): "" is none at all
    (``-n``), and no scanned directory either; None is the usual ones.
    """
    named = None
    rest = iter(words)
    for word in rest:
        if word == "--":
            break
        if word in ("-n", "--no-php-ini"):
            return ""
        if word in ("-c", "--php-ini"):
            named = next(rest, None)
        elif word.startswith("--php-ini="):
            named = word.partition("=")[2]
        elif word.startswith("-c"):
            named = word[2:]
    return named or None


def find_freezing(settings: Iterable[PhpSetting], version: str) -> PhpSetting | None:
    """The setting by which PHP never reads compiled code again; the last of each key holds.

    ``version`` is PHP's, "" where it is not known.
    """
    every = list(settings)
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    loaded = numbers >= _BUILT_IN or any(map(_loads_opcache, every))
    last = {setting.key: setting for setting in every}
    validates = last.get(VALIDATES)
    if not loaded or validates is None or validates.on:
        return None
    enabled = last.get(ENABLED)
    return validates if enabled is None or enabled.on else None


def _loads_opcache(setting: PhpSetting) -> bool:
    return setting.key == "zend_extension" and "opcache" in posixpath.basename(setting.value)


def _value(text: str, variables: Mapping[str, str]) -> str:
    text = text.strip()
    if text[:1] in ("'", '"'):
        text = text[1:].partition(text[0])[0]
    else:
        text = text.partition(";")[0].strip()
    return _VARIABLE.sub(lambda match: variables.get(match[1]) or match[2] or "", text)
