"""The full check, with nothing remembered and with everything, beside the plain tools."""

import json
import subprocess
import sys
import time

from benchmarks.floor import least
from benchmarks.stack import Bare, Stack
from benchmarks.table import Row, fastest, ratio, say


def checks(stack: Stack) -> list[Row]:
    """The full check, with nothing remembered and with everything, beside the plain tools."""
    say("full checks")
    names = stack.run(
        "docker", "exec", stack.container, "sh", "-c", "find /app/src -type f | sort"
    ).splitlines()
    hashed = fastest(3, lambda: in_container(stack, HASH_ALL))
    walked = fastest(3, lambda: in_container(stack, STAT_ALL))
    sample = names[:: max(1, len(names) // 30)][:30]
    begun = time.monotonic()
    for name in sample:
        stack.run("docker", "exec", stack.container, "md5sum", name)
    loop = (time.monotonic() - begun) / len(sample) * len(names)
    least_cold, least_warm = least(stack, "hash"), least(stack, "stat")
    cold, warm = in_process(stack)
    whole = fastest(3, lambda: expect_fresh(stack))
    hashing = "xargs sha256sum"
    alone = "without freshd"
    return [
        ratio("full check, nothing cached", cold, hashed, f"{hashing} in the container", 1.3),
        ratio("both sides hashed at once, compared", least_cold, hashed, f"{hashing}, {alone}"),
        Row(
            "the same, a docker exec md5sum a file",
            f"{cold:.2f} s",
            f"{loop:.0f} s  from a sample of {len(sample)}",
            f"1/{loop / cold:.0f}",
            "",
            None,
        ),
        ratio("full check, warm", warm, walked, "xargs stat in the container", 2),
        ratio("a stat of both sides at once, compared", least_warm, walked, f"xargs stat, {alone}"),
        ratio("freshd check, the whole process, warm", whole, hashed, hashing),
    ]


HASH_ALL = "find /app/src -type f -print0 | xargs -0 sha256sum > /dev/null"
STAT_ALL = "find /app/src -type f -print0 | xargs -0 stat -c '%n %s %Y %Z %i' > /dev/null"


def in_container(stack: Stack, script: str) -> None:
    stack.run("docker", "exec", stack.container, "sh", "-c", script)


def in_process(stack: Bare) -> tuple[float, float]:
    """Seconds of a check in a process that runs already, as the daemon's: cold and warm."""
    cold, warm = [], []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", CHECK],
            cwd=stack.root,
            env=stack.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"bench: the check failed:\n{done.stdout}{done.stderr}")
        first, *rest = json.loads(done.stdout)
        cold.append(first)
        warm.append(min(rest))
    return min(cold), min(warm)


CHECK = """
import gc, json, os, shutil, sys, time
from freshd.commands.session import open_session
from freshd.config.invocation import Invocation
from freshd.model.report import Verdict
gc.set_threshold(50_000)  # as in a process of freshd
shutil.rmtree(os.environ["FRESHD_STATE_DIR"], ignore_errors=True)
session = open_session(Invocation(".", os.environ))
seconds = []
with session:
    for _ in range(4):
        begun = time.monotonic()
        report = session.check([])
        seconds.append(time.monotonic() - begun)
        assert report.verdict is Verdict.FRESH, report.services[0].findings[:3]
        time.sleep(2.5)
print(json.dumps(seconds))
"""


def expect_fresh(stack: Bare) -> None:
    done = stack.freshd("check")
    if done.returncode != 0:
        raise SystemExit(f"bench: freshd check exits {done.returncode}:\n{done.stdout}")
