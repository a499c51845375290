"""The README's console blocks, run for real on a copy of the demo's shop, in the order they have.

Each ``$`` line must end with the status it names (``# exits N``, else 0), and every line shown
below it must come out, in that order; ``…`` stands for anything. Times, process numbers and
columns may differ.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "docs" / "demo" / "shop"
NAME = "freshd-demo"


@dataclass
class Shown:
    """One command line of the README and what it shows below it."""

    command: str
    status: int = 0
    lines: list[str] = field(default_factory=list)


def shown_in_readme() -> list[Shown]:
    found: list[Shown] = []
    text = (ROOT / "README.md").read_text("utf-8")
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                command, _, status = line[2:].partition("  # exits ")
                found.append(Shown(command, int(status or 0)))
            elif line.strip():
                found[-1].lines.append(line)
    return found


def settled(line: str) -> str:
    """A line without what differs from run to run."""
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", line)
    line = re.sub(r"\b[\d.]+ (ms|s|min)( ago)?\b|\bjust now\b", "SPAN", line)
    line = re.sub(r"\bpid \d+", "pid N", line)
    return " ".join(line.split())


def missing(shown: Shown, output: str) -> str:
    """The first line that did not come out in its place, or ""."""
    lines = iter(settled(line) for line in output.splitlines())
    for wanted in map(settled, shown.lines):
        if wanted != "…" and wanted not in lines:  # consumes up to the one found
            return wanted
    return ""


def call(shown: Shown, shop: Stack, environment: dict[str, str]) -> tuple[int, str, str]:
    command = shown.command.replace(NAME, shop.project)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=shop.directory, env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    return done.returncode, done.stdout.replace(shop.project, NAME), done.stderr


def test_the_judge_of_this_test_sees_what_is_missing_and_what_is_out_of_order() -> None:
    shown = Shown("x", lines=["a  1.5 s", "…", "b"])
    assert missing(shown, "a 20 ms\nc\nb\n") == ""
    assert missing(shown, "b\na 20 ms\n") == "b"
    assert missing(shown, "a\nb\n") == "a SPAN"


@pytest.mark.timeout(600)
def test_what_the_readme_shows_is_what_happens(stack: Stack, freshd: Freshd) -> None:
    shutil.copytree(SHOP, stack.directory, dirs_exist_ok=True)
    for name in ("compose.yaml", "freshd.toml"):
        path = Path(stack.path(name))
        path.write_text(path.read_text().replace(NAME, stack.project))
    environment = freshd.full_environment
    here = os.path.dirname(sys.executable)
    environment["PATH"] = f"{here}{os.pathsep}{environment['PATH']}"
    watching = False
    every = shown_in_readme()
    assert len(every) > 8
    for shown in every:
        if shown.command == "freshd run":
            freshd.run().wait_ready()
            watching = True
            continue
        last: list[tuple[int, str, str]] = []

        def as_shown(shown: Shown = shown, last: list[tuple[int, str, str]] = last) -> bool:
            last[:] = [call(shown, stack, environment)]
            status, output, _ = last[0]
            return status == shown.status and not missing(shown, output)

        if watching and shown.command.startswith("freshd "):
            wait_until(as_shown, 180, what=f"{shown.command} to show what the README shows")
        else:
            good = as_shown()
            assert good, f"{shown}: {missing(shown, last[0][1])!r} is missing in {last}"
    web = stack.files("app", "/app/app")
    assert stack.oracle("web", web, replicas=2) == []
