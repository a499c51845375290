"""Whether a RUN is known to read a copied file, beside that file landing as it is. Pure.

Two signs: a command of its text names the file, or calls a tool and the file is what that tool
reads. A command that only gives files owners, modes, times or further names reads none of them.
A file so consumed needs a rebuild when it changes; injecting it alone is not enough.
"""

import fnmatch
import re
from dataclasses import dataclass
from functools import lru_cache

TOOLS_OF_MANIFESTS: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = (
    (
        (
            "requirements*.txt", "constraints*.txt", "pyproject.toml", "setup.py", "setup.cfg",
            "Pipfile", "Pipfile.lock", "poetry.lock", "uv.lock", "pdm.lock", "environment.yml",
        ),
        frozenset({"pip", "pip3", "uv", "poetry", "pdm", "pipenv", "hatch", "conda", "mamba",
                   "python", "python3"}),
    ),
    (
        (
            "package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", ".yarnrc*",
            "pnpm-lock.yaml", "pnpm-workspace.yaml", "bun.lock", "bun.lockb", ".npmrc",
        ),
        frozenset({"npm", "npx", "yarn", "pnpm", "bun", "node", "corepack"}),
    ),
    (("go.mod", "go.sum", "go.work", "go.work.sum"), frozenset({"go"})),
    (("Cargo.toml", "Cargo.lock"), frozenset({"cargo"})),
    (("Gemfile", "Gemfile.lock", "*.gemspec"), frozenset({"bundle", "bundler", "gem"})),
    (("composer.json", "composer.lock"), frozenset({"composer"})),
    (
        ("pom.xml", "build.gradle*", "settings.gradle*", "gradle.properties"),
        frozenset({"mvn", "mvnw", "gradle", "gradlew"}),
    ),
)  # fmt: skip
GENERAL_TOOLS = frozenset({"make", "just", "task"})
MANIFESTS = tuple(
    (re.compile("|".join(fnmatch.translate(name) for name in names)), tools)
    for names, tools in TOOLS_OF_MANIFESTS
)
UNREADING = frozenset(
    {
        "chmod", "chown", "chgrp", "chattr", "setfacl", "touch", "mkdir", "rmdir", "cd",
        "useradd", "usermod", "adduser", "groupadd", "groupmod", "addgroup", "deluser",
    }
)  # fmt: skip
_LEADING = frozenset({"(", "{", "!", "then", "do", "else", "sudo"})
COMMANDS = re.compile(r"&&|\|\||[;|&\n]")
TOKENS = re.compile(r"[^\s/'\"=;:,()|&<>$`{}]+")


@dataclass(frozen=True, slots=True)
class Run:
    """One RUN: where it stands in the order of events, and the words of those of its commands that
    may read or write a file's content.
    """

    at: int
    line: int
    tokens: frozenset[str]

    @property
    def leaves_contents(self) -> bool:
        """Whether it can only have given files owners, modes, times or further names."""
        return not self.tokens


def split_words(text: str) -> frozenset[str]:
    """The words of a RUN's text, paths cut into their components, but for commands that only give
    files owners, modes, times or further names.
    """
    commands = [text] if "<<" in text else COMMANDS.split(text.replace("\\\n", " "))
    return frozenset(
        token
        for command in commands
        if not _leaves_contents(command)
        for token in TOKENS.findall(command)
    )


def _leaves_contents(command: str) -> bool:
    """Whether a simple command can read no file's content, nor run one."""
    if any(mark in command for mark in "`<>") or "$(" in command:
        return False
    words = command.split()
    while words and words[0] in _LEADING:
        del words[0]
    name = words[0].rpartition("/")[2] if words else ""
    if name == "find":
        called = [words[at] for at, word in enumerate(words, 1) if word in ("-exec", "-execdir")]
        return bool(called) and UNREADING.issuperset(called)
    if name == "ln":
        return any(re.match(r"-[a-zA-Z]*s|--symbolic", word) for word in words)
    return name in UNREADING


@lru_cache(maxsize=65536)
def tools_of(name: str) -> frozenset[str]:
    """The tools that read a file of this name; empty for a file that is no manifest."""
    for pattern, tools in MANIFESTS:
        if pattern.match(name):
            return tools | GENERAL_TOOLS
    return frozenset()


def consumes(run: Run, path: str) -> bool:
    """Whether this RUN is known to read the file that was copied from ``path``."""
    name = path.rpartition("/")[2]
    return name in run.tokens or not run.tokens.isdisjoint(tools_of(name))
