"""Whether a RUN is known to read a copied file, beside that file landing as it is. Pure.

Two signs: its text names the file, or it calls a tool and the file is what that tool reads.
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
TOKENS = re.compile(r"[^\s/'\"=;:,()|&<>$`{}]+")


@dataclass(frozen=True, slots=True)
class Run:
    """One RUN: where it stands in the order of events, and the words of its text."""

    at: int
    line: int
    tokens: frozenset[str]


def split_words(text: str) -> frozenset[str]:
    """The words of a command, paths cut into their components."""
    return frozenset(TOKENS.findall(text))


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
