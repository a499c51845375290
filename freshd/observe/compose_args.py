"""A command line in, what of Compose it watches out. Pure: which process it is, others know."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_DOCKER_VALUES: Final = frozenset(
    [
        "--config",
        "-c",
        "--context",
        "-H",
        "--host",
        "-l",
        "--log-level",
        "--tlscacert",
        "--tlscert",
        "--tlskey",
    ]
)
_COMPOSE_VALUES: Final = frozenset(
    [
        "--ansi",
        "--env-file",
        "-f",
        "--file",
        "--parallel",
        "--profile",
        "--progress",
        "--project-directory",
        "-p",
        "--project-name",
        "--workdir",
    ]
)
_UP_VALUES: Final = frozenset(
    [
        "--attach",
        "--exit-code-from",
        "--no-attach",
        "--pull",
        "--scale",
        "-t",
        "--timeout",
        "--wait-timeout",
    ]
)


@dataclass(frozen=True, slots=True)
class Watching:
    """One command line that watches. Without ``services`` it watches all that ask for it."""

    files: tuple[str, ...] = ()
    project: str = ""
    directory: str = ""
    services: tuple[str, ...] = ()


def parse(argv: Sequence[str]) -> Watching | None:
    """What the command watches; None for any other command."""
    name = posixpath.basename(argv[0]) if argv else ""
    if name not in ("docker", "docker-compose"):
        return None
    given: dict[str, list[str]] = {}
    words = _after_options(list(argv[1:]), _DOCKER_VALUES | _COMPOSE_VALUES, given)
    if words[:1] == ["compose"]:
        words = _after_options(words[1:], _COMPOSE_VALUES, given)
    elif name == "docker":
        return None
    if words[:1] == ["alpha"]:
        words = words[1:]
    verb, rest = words[:1], words[1:]
    if "--dry-run" in given or "--dry-run" in rest:
        return None
    if verb == ["up"] and not any(map(_watches, rest)):
        return None
    if verb not in (["watch"], ["up"]):
        return None
    values = _UP_VALUES if verb == ["up"] else frozenset()
    return Watching(
        files=tuple(given.get("-f", []) + given.get("--file", [])),
        project=_last(given, "-p", "--project-name"),
        directory=_last(given, "--project-directory", "--workdir"),
        services=tuple(_arguments(rest, values)),
    )


def _after_options(
    words: list[str], values: frozenset[str], given: dict[str, list[str]]
) -> list[str]:
    """The words from the first that is no option on; options and their values go into ``given``."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        name, equals, value = words[at].partition("=")
        if name[:2] in values and len(name) > 2:  # "-fcompose.yaml"
            name, equals, value = words[at][:2], "=", words[at][2:]
        if not equals and name in values:
            at += 1
            value = words[at] if at < len(words) else ""
        given.setdefault(name, []).append(value)
        at += 1
    return words[at:]


def _arguments(words: list[str], values: frozenset[str]) -> Iterator[str]:
    rest = words
    while rest:
        rest = _after_options(rest, values, {})
        yield from rest[:1]
        rest = rest[1:]


def _watches(word: str) -> bool:
    """``--watch``, or ``-w`` alone or among other short options, as in ``-Vw``."""
    if word.startswith("--"):
        return word in ("--watch", "--watch=true")
    return word.startswith("-") and word[1:].isalpha() and "w" in word


def _last(given: Mapping[str, Sequence[str]], *names: str) -> str:
    return next((given[name][-1] for name in names if name in given), "")
