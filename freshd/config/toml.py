"""A configuration file's path in, its TOML tables out. Every failure is a ``ConfigError``."""

import os
import re
import stat
import tomllib
from typing import Any

from freshd.model.errors import ConfigError
from freshd.model.text import printable

LARGEST = 1024 * 1024
_PLACE = re.compile(
    r"^(?P<words>.*?) \(at line (?P<line>\d+), column (?P<column>\d+)\)$", re.DOTALL
)


def read_text(path: str) -> str:
    """The text of a regular file of at most 1 MiB. Raises ``ConfigError``."""
    name = printable(path)
    try:
        # Without O_NONBLOCK a fifo of that name would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError(f"{name} is not a regular file")
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise ConfigError(f"{name} cannot be read: {error.strerror}") from error
    if len(content) > LARGEST:
        raise ConfigError(f"{name} is larger than 1 MiB: that is no configuration file")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{name}:{line}: not UTF-8 text") from error


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """The tables of TOML text. Raises ``ConfigError`` with line and column."""
    if text.startswith("\ufeff"):
        raise ConfigError(
            f"{name}:1:1: begins with a byte order mark", hint="save it as UTF-8 without BOM"
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError(f"{name}:{line}: holds a NUL character")
    if len(text) > LARGEST:
        raise ConfigError(f"{name} is larger than 1 MiB: that is no configuration file")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_words(str(error), name), hint="the file is TOML") from error
    except RecursionError as error:
        raise ConfigError(f"{name}: nested too deeply") from error
    except ValueError as error:  # a number or a date out of range
        raise ConfigError(f"{name}: {error}") from error


def _syntax_words(message: str, name: str) -> str:
    match = _PLACE.match(message)
    if match is None:
        return f"{name}: {printable(message)}"
    return f"{name}:{match['line']}:{match['column']}: {printable(match['words'])}"
