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


@pytest.mark.timeout(600)
@pytest.mark.proves("foreign-bytecode", "detected", "remedied", "silent")
def test_bytecode_that_was_copied_in_from_another_machine(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """Compiled elsewhere, from other bytes of the same size and time."""
    stack.write({**FILES, "compose.yaml": COMPOSE, "Dockerfile": dockerfile("")})
    os.utime(stack.path("app/answer.py"), (STAMP, STAMP))
    stack.up(build=True)
    script = (
        f"mkdir /host && cp -p /app/answer.py /host && touch -d @{STAMP} /app/answer.py /host/*"
        " && python3 -m compileall -q /host && mv /host/__pycache__ /app && rm -r /host"
    )
    stack.exec(stack.container("web"), ["sh", "-c", script])
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == set()  # near miss: of elsewhere, and right
    replaced(stack, "TEXT = 'new'\n", at=STAMP)
    assert imported(stack) == "old", "the bytecode does not lie"
    document = looked(freshd, exit_code=1)
    assert found(document) == {*PATCHED, Found("foreign-bytecode", "stale")}
    one = finding(document, "foreign-bytecode")
    assert one["evidence"]["compiled_from"] == ["/host/answer.py"]
    stack.write({"freshd.toml": PURGE.replace("stale-bytecode", "foreign-bytecode")})
    assert freshd("apply").returncode == 0
    assert imported(stack) == "new"
    assert found(looked(freshd, exit_code=0)) == PATCHED


@pytest.mark.timeout(600)
@pytest.mark.proves("installed-copy-shadows", "detected", "remedied", "silent")
def test_an_installed_copy_that_is_imported_in_place_of_the_sources(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """What `pip install .` leaves, made by hand: there is no pip in the test image."""
    run = (
        "RUN S=$(python3 -S -c \"import sysconfig; print(sysconfig.get_paths()['purelib'])\")"
        " && mkdir -p $S/shop-1.dist-info && cp -r /app/src/shop $S/shop"
        " && echo 'shop/__init__.py,,' >$S/shop-1.dist-info/RECORD"
        ' && echo \'{"url": "file:///app", "dir_info": {EDITABLE}}\''
        " >$S/shop-1.dist-info/direct_url.json"
    )
    source = "FROM freshd-python:1\nWORKDIR /app\nCOPY src src\n"
    stack.write({"src/shop/__init__.py": "TEXT = 'old'\n", "compose.yaml": COMPOSE})
    stack.write({"Dockerfile": source + run.replace("EDITABLE", "") + "\n"})
    stack.up(build=True)
    freshd = make_freshd(stack)
    assert freshd("rebuild", "web").returncode == 0  # so that its inputs are recorded
    assert found(looked(freshd, exit_code=0)) == set()

    stack.write({"src/shop/__init__.py": "TEXT = 'new'\n"})
    stack.docker("cp", "src/shop/__init__.py", f"{stack.container('web')}:/app/src/shop/")
    assert imported(stack, "shop") == "old", "the sources are imported"
    document = looked(freshd, exit_code=1)
    assert "installed-copy-shadows" in {each.cause for each in found(document)}
    one = finding(document, "installed-copy-shadows")
    assert one["evidence"]["paths"] == ["src/shop/__init__.py"]
    assert one["evidence"]["installed"][0].endswith("-packages/shop/__init__.py")
    assert freshd("rebuild", "web").returncode == 0
    assert imported(stack, "shop") == "new"
    assert found(looked(freshd, exit_code=0)) == set()

    # near miss: the program imports the sources, whatever is installed
    path = f"{COMPOSE}    environment: {{PYTHONPATH: /app/src}}\n"
    stack.write({"src/shop/__init__.py": "TEXT = 'newer'\n", "compose.yaml": path})
    stack.compose("up", "-d", "-t", "0")
    stack.docker("cp", "src/shop/__init__.py", f"{stack.container('web')}:/app/src/shop/")
    assert imported(stack, "shop") == "newer"
    assert "installed-copy-shadows" not in {
        each.cause for each in found(looked(freshd, exit_code=1))
    }
