"""Lines of a Dockerfile whose outcome hangs on a network, so that a layer of them ages. Pure.

In: the stages. Out: the command that fetches, by line of the final chain; of a stage that is copied
from, the line that copies.
"""

import re
from collections.abc import Mapping
from typing import Final

from freshd.mapping.dockerfile.stages import Plan
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
"""What each program is told when it asks a network; empty: an address among its words."""

_OFFLINE: Final = frozenset({"--offline", "--no-index"})
_BETWEEN: Final = re.compile(r"&&|\|\||[;|&(){}\n]")
_BEFORE: Final = frozenset(
    {"sudo", "env", "exec", "time", "if", "then", "else", "elif", "do", "while", "until", "!"}
)
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=")
_PYTHON: Final = re.compile(r"python[\d.]*")
_VALUED: Final = frozenset({"-C", "--prefix", "--cwd", "--directory", "-f", "--file", "-c"})


def fetching(plan: Plan) -> Mapping[int, str]:
    """Of the stages that the target needs; ``ADD`` of an address asks anew in every build."""
    found: dict[int, str] = {}
    for stage in plan.chain(plan.target):
        for one in stage.instructions:
            command = _of_run(one) or _of_sources(plan, one)
            if command:
                found[one.line] = command
    return found


def command_that_fetches(script: str) -> str:
    """The first program of a shell script that asks a network, with what it is told; else ""."""
    joined = re.sub(r"\\\n", " ", script)
    return next(filter(None, (_fetches(part.split()) for part in _BETWEEN.split(joined))), "")


def _of_run(one: Instruction) -> str:
    return command_that_fetches(one.script) if one.name == "RUN" else ""


def _of_sources(plan: Plan, one: Instruction) -> str:
    stages = [stage for name in one.sources if (stage := plan.find(name)) is not None]
    needed = plan.needed(below for stage in stages for below in plan.chain(stage))
    runs = (each for stage in needed for each in stage.instructions)
    return next(filter(None, map(_of_run, runs)), "")


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
