"""About the least that a check costs: both sides read at once and compared, and nothing else.

No map, no modes, no links, nothing remembered, nothing proved: what is left is the processor time
of hashing a file twice, or of two stats; of many services one exec each, beside what reads the
Compose files. What a check takes above that is freshd's.
"""

import json
import os
import subprocess
import sys

from benchmarks.stack import Bare, Stack
from benchmarks.table import say

LEAST = r"""
import hashlib, json, os, subprocess, sys, time
container, hashes = sys.argv[1], sys.argv[2] == "hash"
# sha256sum writes line by line, which the engine passes on one by one: slower than all at once
together = "sh -c 'lines=$(sha256sum -- \"$@\"); echo \"$lines\"' sh"
each = together if hashes else "stat -c '%s %n'"
script = f"find /app/src -type f -print0 | xargs -0 {each}"

def told(path):
    if not hashes:
        return str(os.lstat(path).st_size)
    with open(path, "rb", 0) as file:
        return hashlib.sha256(file.read()).hexdigest()

def tree(top):
    found, left = {}, [top]
    while left:
        with os.scandir(left.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    found["/app/" + entry.path] = told(entry.path)
    return found

seconds = []
for _ in range(5):
    begun = time.monotonic()
    asked = subprocess.Popen(["docker", "exec", container, "sh", "-c", script],
                             stdout=subprocess.PIPE, text=True)
    here = tree("src")
    lines = asked.communicate()[0].splitlines()
    there = dict(reversed(line.split(None, 1)) for line in lines)
    assert here == there and here, "the container is not as the tree"
    seconds.append(time.monotonic() - begun)
print(json.dumps(seconds))
"""


ASK = r"""
import json, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
import docker
api = docker.from_env().api

def ask(container):
    api.exec_start(api.exec_create(container, ["stat", "/app/src"])["Id"])

seconds = []
with ThreadPoolExecutor(4) as pool:
    for _ in range(5):
        begun = time.monotonic()
        model = subprocess.Popen(["docker", "compose", "config"], stdout=subprocess.DEVNULL)
        list(pool.map(ask, sys.argv[1:]))
        assert model.wait() == 0
        seconds.append(time.monotonic() - begun)
print(json.dumps(seconds))
"""


def least(stack: Stack, what: str) -> float:
    """Seconds, the fastest of five; ``what`` is hash or stat."""
    say(f"what a check by {what} costs at least")
    return min(_seconds(stack, LEAST, stack.container, what))


def least_of_many(stack: Bare) -> float:
    """Seconds: one exec in each container of the stack, and its Compose files read meanwhile."""
    return min(_seconds(stack, ASK, *stack.run("docker", "compose", "ps", "-q").split()))


def _seconds(stack: Bare, script: str, *arguments: str) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=stack.root,
        env={**os.environ, **stack.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"bench: what stands beside freshd failed:\n{done.stdout}{done.stderr}")
    seconds: list[float] = json.loads(done.stdout)
    return seconds
