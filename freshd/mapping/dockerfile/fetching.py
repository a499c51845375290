"""Lines of a Dockerfile whose result depends on a network, so that a cached layer ages. Pure.

In: the stages. Out: line of the final chain -> the command that fetches. Where a stage that is
copied from fetches, the line is that of the copy.
"""

import re
from collections.abc import Mapping
from typing import Final

from freshd.mapping.dockerfile.stages import Stages
from freshd.mapping.dockerfile.syntax.parse import Instruction

_SYSTEM: Final = frozenset({"install", "update", "upgrade", "dist-upgrade", "makecache"})
_PACKAGES: Final = frozenset({"ci", "install", "i", "add", "update", "fetch"})
_ANY: Final[frozenset[str]] = frozenset()
_FETCHERS: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("apt", "apt-get", "aptitude", "dnf", "yum", "microdnf", "zypper"), _SYSTEM),
    **dict.fromkeys(("pip", "pip3", "pipx"), frozenset({"install", "download"})),
    **dict.fromkeys(("conda", "mamba", "micromamba"), frozenset({"install", "create", "update"})),
    **dict.fromkeys(("npm", "pnpm", "bun"), _PACKAGES),
    **dict.fromkeys(("curl", "wget"), _ANY),
    "apk": frozenset({"add", "update", "upgrade", "fetch"}),
    "bundle": frozenset({"install", "update"}),
    "cargo": frozenset({"fetch", "install", "build"}),
    "composer": frozenset({"install", "update", "require", "create-project"}),
    "dotnet": frozenset({"restore", "build", "publish"}),
    "gem": frozenset({"install", "update"}),
    "git": frozenset({"clone", "fetch", "pull", "submodule"}),
    "go": frozenset({"mod", "get", "install", "build"}),
    "gradle": frozenset({"build", "assemble", "bootJar", "dependencies"}),
    "mix": frozenset({"deps.get"}),
    "mvn": frozenset({"package", "install", "verify", "compile", "dependency:go-offline"}),
    "pdm": frozenset({"install", "sync"}),
    "pipenv": frozenset({"install", "sync"}),
    "poetry": frozenset({"install", "update"}),
    "uv": frozenset({"sync", "pip", "tool"}),
    "yarn": frozenset({"install", "add", ""}),
}
"""Program -> the subcommands that use a network; empty: it does where a word is an address."""

_OFFLINE: Final = frozenset({"--offline", "--no-index"})
_BETWEEN: Final = re.compile(r"&&|\|\||[;|&(){}\n]")
_BEFORE: Final = frozenset(
    {"sudo", "env", "exec", "time", "if", "then", "else", "elif", "do", "while", "until", "!"}
)
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=")
_PYTHON: Final = re.compile(r"python[\d.]*")
_VALUED: Final = frozenset({"-C", "--prefix", "--cwd", "--directory", "-f", "--file", "-c"})


def find_fetching(stages: Stages) -> Mapping[int, str]:
    """Line -> command, of the target's chain. ``ADD`` of a URL is none: it is fetched each time."""
    commands: dict[int, str] = {}
    for stage in stages.chain(stages.target):
        for instruction in stage.instructions:
            command = _run_fetches(instruction) or _source_fetches(stages, instruction)
            if command:
                commands[instruction.line] = command
    return commands


def command_that_fetches(script: str) -> str:
    """The first program of a shell script that uses a network, with its subcommand; else ""."""
    joined = re.sub(r"\\\n", " ", script)
    return next(filter(None, (_fetches(part.split()) for part in _BETWEEN.split(joined))), "")


def _run_fetches(instruction: Instruction) -> str:
    return command_that_fetches(instruction.script) if instruction.name == "RUN" else ""


def _source_fetches(stages: Stages, instruction: Instruction) -> str:
    origins = [origin for name in instruction.sources if (origin := stages.find(name)) is not None]
    needed = stages.needed(stage for origin in origins for stage in stages.chain(origin))
    runs = (run for stage in needed for run in stage.instructions)
    return next(filter(None, map(_run_fetches, runs)), "")


def _fetches(words: list[str]) -> str:
    while words and (words[0] in _BEFORE or _ASSIGNED.match(words[0])):
        words = words[1:]
    if not words:
        return ""
    program = words[0].rpartition("/")[2]
    if _PYTHON.fullmatch(program) and words[1:2] == ["-m"]:
        return _fetches(words[2:])
    verbs, rest = _FETCHERS.get(program), words[1:]
    if verbs is None or not _OFFLINE.isdisjoint(rest):
        return ""
    if not verbs:
        return program if any("://" in word or word.startswith("$") for word in rest) else ""
    verb = _verb(rest)
    return f"{program} {verb}".rstrip() if verb in verbs else ""


def _verb(words: list[str]) -> str:
    """The first word that is neither an option nor an option's value."""
    skip = False
    for word in words:
        if skip or word.startswith(("-", ">", "<")) or "$" in word:
            skip = not skip and word in _VALUED
        else:
            return word
    return ""
