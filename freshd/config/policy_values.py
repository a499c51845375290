"""Values that a policy writes as text: durations, moments, reload modes, patterns and paths.

Text in, a value out; ``ValueError`` says what is wrong and how it should look.
"""

import re

from freshd.model.policy import Reload, ReloadKind, Weekly

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SIGNALS = ("HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_WILDCARDS = re.compile(r"\[[^\]]*\]|[*?.]")
_LONGEST_PATTERN = 512


def parse_duration(text: str, *, least: float, most: float) -> float:
    """Seconds of ``10s``, ``5m`` or ``1h``, between ``least`` and ``most`` seconds."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError('not a duration: write "10s", "5m" or "1h"')
    seconds = float(match[1]) * _SECONDS[match[2]]
    if not least <= seconds <= most:
        raise ValueError(f"must be between {format_duration(least)} and {format_duration(most)}")
    return seconds


def parse_layer_age(text: str) -> float:
    """How old what a build fetched may be: ``30d``."""
    return parse_duration(text, least=3600, most=3650 * 86400)


def format_duration(seconds: float) -> str:
    """A duration as it is written in a policy: the largest unit that divides it."""
    for unit in ("d", "h", "m"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:g}{unit}"
    return f"{seconds:g}s"


def parse_minute(text: str) -> int:
    """Minutes since midnight of ``03:30``."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError('not a time of day: write "03:30"')
    return int(match[1]) * 60 + int(match[2])


def parse_weekly(text: str) -> Weekly:
    """A moment of the week: ``Sun 03:30``."""
    day, _, time = text.partition(" ")
    if day not in DAYS:
        raise ValueError(f'not a moment of the week: write "Sun 03:30", with {", ".join(DAYS)}')
    minutes = parse_minute(time.strip())
    return Weekly(DAYS.index(day), minutes // 60, minutes % 60)


def parse_reload(text: str) -> Reload:
    """``restart``, ``signal:HUP``, ``self`` or ``per-request``."""
    kind, colon, signal = text.partition(":")
    if kind == ReloadKind.SIGNAL and colon:
        name = signal.removeprefix("SIG")
        if name not in SIGNALS:
            raise ValueError(f"not a signal that reloads: one of {', '.join(SIGNALS)}")
        return Reload(ReloadKind.SIGNAL, name)
    if colon or kind not in set(ReloadKind) - {ReloadKind.SIGNAL}:
        raise ValueError('must be "restart", "signal:HUP", "self" or "per-request"')
    return Reload(ReloadKind(kind))


def check_pattern(text: str) -> str:
    """A gitignore-style pattern that can be matched in reasonable time."""
    if not text.strip() or text.lstrip().startswith("#"):
        raise ValueError("an empty pattern matches nothing")
    if "\0" in text or "\n" in text:
        raise ValueError("a pattern is one line of text")
    if len(text) > _LONGEST_PATTERN:
        raise ValueError(f"longer than {_LONGEST_PATTERN} characters")
    parts = text.split("/")
    deep = sum(part == "**" for part in parts)
    if deep > 4 or any(part.count("*") > 3 for part in parts):
        raise ValueError("too many wildcards: at most 3 in a name and 4 times **")
    return text


def check_purge_pattern(text: str) -> str:
    """A pattern of caches below the mapped directories: never everything, never elsewhere."""
    check_pattern(text)
    if text.startswith(("/", "~", "\\")):
        raise ValueError("must be relative: caches are purged below the mapped directories only")
    parts = [part for part in text.removeprefix("!").split("/") if part]
    if text.startswith("!"):
        raise ValueError("a purge pattern cannot be negated")
    if ".." in parts:
        raise ValueError("must not leave the mapped directories with ..")
    if any(character in text for character in "$`{}"):
        raise ValueError("nothing is expanded in a pattern: write the name itself")
    named = (_WILDCARDS.sub("", part) for part in parts)
    if not any(named):
        raise ValueError("would purge everything: name what is a cache")
    return text


def clean_tree_path(text: str) -> str:
    """A path in the tree, relative to the project, without ``.`` and ``..``."""
    if "\0" in text or not text:
        raise ValueError("must be a path relative to the project")
    if text.startswith(("/", "~")):
        raise ValueError("must be relative to the project")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError("must not leave the project with ..")
    return "/".join(parts) or "."


def clean_container_path(text: str) -> str:
    """An absolute path in the container, normalised; a final slash stays: into that directory."""
    if not text.startswith("/") or "\0" in text:
        raise ValueError("must be an absolute path in the container, such as /app")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError("must not contain ..")
    if not parts or parts[0] in ("proc", "sys", "dev"):
        raise ValueError("must not be / nor below /proc, /sys or /dev")
    return "/" + "/".join(parts) + ("/" if text.endswith("/") else "")
