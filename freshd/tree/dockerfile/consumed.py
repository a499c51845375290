"""Whether a RUN is known to read a copied file, beside that file landing as it is. Pure.

Two signs: its text names the file, or it calls a tool and the file is what that tool reads.
A file so consumed needs a rebuild when it changes; injecting it alone is not enough.
"""

import fnmatch
import posixpath
import re
from dataclasses import dataclass

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
TOKENS = re.compile(r"[^\s/'\"=;:,()|&<>$`{}]+")


@dataclass(frozen=True, slots=True)
class Run:
    """One RUN: where it stands in the order of events, and the words of its text."""

    at: int
    line: int
    tokens: frozenset[str]


def tokens(text: str) -> frozenset[str]:
    """The words of a command, paths cut into their components."""
    return frozenset(TOKENS.findall(text))


def consumes(run: Run, path: str) -> bool:
    """Whether this RUN is known to read the file that was copied from ``path``."""
    name = posixpath.basename(path)
    if name in run.tokens:
        return True
    for patterns, tools in TOOLS_OF_MANIFESTS:
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            return bool(run.tokens & (tools | GENERAL_TOOLS))
    return False
