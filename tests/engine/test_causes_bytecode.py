"""Bytecode that lies: a new process imports old code though the source is new.

What is imported is asked of a fresh interpreter in the container, which is what a restart would do.
"""

import os
from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

COMPOSE = f"services:\n  web:\n    build: .\n    {SLEEP}\n"
PURGE = (
    'version = 1\n[[rule]]\nwhen = ["stale-bytecode", "unchecked-bytecode", "orphan-bytecode"]\n'
    'do = ["purge"]\n[service.web]\npurge = ["*.pyc"]\n'
)
FILES = {"app/answer.py": "TEXT = 'old'\n", "app/gone.py": "TEXT = 'gone'\n"}
PATCHED = {Found("image-behind", "note"), Found("patched", "note")}
STAMP = 1_700_000_000


def dockerfile(run: str) -> str:
    return f"FROM freshd-python:1\nWORKDIR /app\nCOPY app /app\n{run}\n"


def imported(stack: Stack, module: str = "answer") -> str:
    """What a process that starts now would run."""
    script = f"import {module}; print({module}.TEXT)"
    argv = ["python3", "-B", "-c", script]
    done = stack.exec(stack.container("web"), argv, check=False)
    return done.stdout.decode().strip()


def replaced(stack: Stack, text: str, *, at: int) -> None:
    """The same edit in tree and container, with the same times, as `docker cp -a` brings it."""
    stack.write({"app/answer.py": text})
    os.utime(stack.path("app/answer.py"), (at, at))
    stack.docker("cp", "-a", "app/answer.py", f"{stack.container('web')}:/app/answer.py")


@pytest.mark.timeout(600)
@pytest.mark.proves("stale-bytecode", "detected", "remedied", "silent")
def test_bytecode_of_equal_size_and_time_is_found_purged_and_new_code_runs(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack.write({**FILES, "compose.yaml": COMPOSE})
    stack.write({"Dockerfile": dockerfile("RUN python3 -m compileall -q /app")})
    stack.up(build=True)
    replaced(stack, "TEXT = 'one'\n", at=STAMP)
    stack.exec(stack.container("web"), ["python3", "-m", "compileall", "-q", "-f", "/app"])
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == PATCHED
    assert imported(stack) == "one"
    # near miss: another time, so that Python sees the difference
    replaced(stack, "TEXT = 'two'\n", at=STAMP + 1)
    assert imported(stack) == "two"
    assert found(looked(freshd, exit_code=0)) == PATCHED

    stack.exec(stack.container("web"), ["python3", "-m", "compileall", "-q", "/app"])
    replaced(stack, "TEXT = 'new'\n", at=STAMP + 1)
    assert imported(stack) == "two", "the bytecode does not lie"
    for each in (freshd, make_freshd(stack)):
        document = looked(each, exit_code=1)
        assert found(document) == {*PATCHED, Found("stale-bytecode", "stale")}
        one = finding(document, "stale-bytecode")
        assert one["evidence"]["paths"] == ["app/answer.py"]
        (compiled,) = one["evidence"]["bytecode"]
        assert compiled.startswith("/app/__pycache__/answer.")
        assert one["remedy"] == "purge"
    stack.write({"freshd.toml": PURGE})
    assert freshd("apply").returncode == 0
    assert imported(stack) == "new"
    assert found(looked(freshd, exit_code=0)) == PATCHED


@pytest.mark.timeout(600)
@pytest.mark.proves("unchecked-bytecode", "detected", "remedied", "silent")
@pytest.mark.proves("orphan-bytecode", "detected", "remedied", "silent")
def test_bytecode_that_never_looks_and_bytecode_without_a_source(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    run = "RUN python3 -m compileall -q --invalidation-mode unchecked-hash /app"
    stack.write({**FILES, "compose.yaml": COMPOSE, "Dockerfile": dockerfile(run)})
    stack.up(build=True)
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == set()
    replaced(stack, "TEXT = 'something new'\n", at=STAMP)
    assert imported(stack) == "old", "the bytecode does not lie"
    document = looked(freshd, exit_code=1)
    assert found(document) == {*PATCHED, Found("unchecked-bytecode", "stale")}
    stack.write({"freshd.toml": PURGE})
    assert freshd("apply").returncode == 0
    assert imported(stack) == "something new"
    assert found(looked(freshd, exit_code=0)) == PATCHED

    web = stack.container("web")
    stack.exec(web, ["python3", "-m", "compileall", "-q", "-b", "/app"])
    assert found(looked(freshd, exit_code=0, full=True)) == PATCHED  # beside its source: no matter
    os.unlink(stack.path("app/gone.py"))
    stack.exec(web, ["rm", "/app/gone.py"])
    assert imported(stack, "gone") == "gone", "the module cannot be imported"
    document = looked(freshd, exit_code=1)
    assert found(document) == {*PATCHED, Found("orphan-bytecode", "stale")}
    assert finding(document, "orphan-bytecode")["evidence"]["paths"] == ["app/gone.py"]
    assert freshd("apply").returncode == 0
    assert imported(stack, "gone") == ""
    assert found(looked(freshd, exit_code=0)) == PATCHED
