"""Files that people write, with a few characters changed: never a bug, never a long wait."""

import os
import random
import time
from collections.abc import Callable
from typing import Final

import pytest

from freshd.config.load import parse_policy, parse_user_config
from freshd.mapping.dockerfile.syntax import parse as dockerfiles
from freshd.mapping.dockerfile.syntax.expand import ExpansionError, expand_word
from freshd.model.errors import FreshdError
from freshd.model.globs.git import GitRules
from freshd.tree.dockerignore import DockerIgnore
from tests.patterns import PATHS, PIECES

MANY: Final = int(os.environ.get("FRESHD_MUTATED", "2000"))
PATH: Final = "/".join(["aab", "a" * 60, *"ab" * 20])
ODD: Final = (
    *PIECES,
    *("*a" * 12, "**/a/" * 6, "${V#*a*a*a*b}"),
    *("$", "\n", '"', "'", "\\", "\0", "é"),
)

GITIGNORE = "*.pyc\n/build/\n!keep.log\ndocs/**/x\n[a-c]?.py\n"
DOCKERIGNORE = "**/*.pyc\nnode_modules\n!src/keep\n*.md\ndist/**\n"
DOCKERFILE = (
    'ARG V=aaaa\nFROM scratch AS base\nENV X=${V#*a*b} Y="${V%%a*}"\nCOPY --chown=1 a* /app/\n'
    "RUN <<EOF\necho hi\nEOF\nWORKDIR /app\nCMD [\"a\", 'b']\n"
)
POLICY = (
    'version = 1\n[service.web]\nmap = [{ from = "app", to = "/app" }]\n[[rule]]\n'
    'when = ["content-differs"]\npaths = ["**/*.py"]\ndo = ["inject"]\n'
)
CONFIG = '[[project]]\ndir = "/src/shop"\n[notifications]\nquiet_hours = "22:00-07:00"\n'


def read_gitignore(text: str) -> None:
    rules = GitRules(text.split("\n"))
    for path in (PATH, *PATHS[:5]):
        rules.decide(path, directory=False)
        rules.covers(path)


def read_dockerignore(text: str) -> None:
    ignore = DockerIgnore.from_text(text)
    for path in (PATH, *PATHS[:5]):
        ignore.excludes(path)
        ignore.may_reinclude_below(path)


def read_dockerfile(text: str) -> None:
    file = dockerfiles.parse(text)
    for line in text.split("\n"):
        try:
            expand_word(line, {"V": "a" * 60}, escape=file.escape)
        except ExpansionError:
            continue  # the frontend refuses it too


READERS: Final[list[tuple[str, Callable[[str], object]]]] = [
    (GITIGNORE, read_gitignore),
    (DOCKERIGNORE, read_dockerignore),
    (DOCKERFILE, read_dockerfile),
    (POLICY, parse_policy),
    (CONFIG, parse_user_config),
]


def mutated(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 4)):
        at, end = sorted(chance.choices(range(len(text) + 1), k=2))
        end = min(end, at + chance.randrange(4))
        text = text[:at] + chance.choice(ODD) + text[end:]
    return text


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("text", "read"), READERS, ids=lambda one: getattr(one, "__name__", ""))
def test_no_mutated_file_is_a_bug_or_takes_long(text: str, read: Callable[[str], object]) -> None:
    longest, refused, rounds = 0.0, 0, MANY // len(READERS)
    for seed in range(rounds):
        changed = mutated(text, random.Random(seed))
        began = time.thread_time()
        try:
            read(changed)
        except FreshdError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {changed!r}") from error
        longest = max(longest, time.thread_time() - began)
    print(f"{rounds} of {read.__name__}, {refused} refused, the longest {longest:.3f} s")
    assert longest < 1.0
