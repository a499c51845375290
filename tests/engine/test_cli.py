"""The command line on a real engine: what it prints, its exit statuses, what it leaves alone."""

import json
from pathlib import Path

import pytest

from tests.harness.cli import Freshd
from tests.harness.stack import Stack

COMPOSE = """
services:
  web:
    build: .
    init: true
    scale: 2
    command: [sleep, "1000000"]
    stop_grace_period: 0s
"""
DOCKERFILE = "FROM freshd-busybox:1\nCOPY app /app\n"
POLICY = """
version = 1
[[rule]]
when = ["content-differs", "missing-in-container"]
do = ["inject"]
"""
HOSTILE = "app/new\nline \x1b[2J \udcff.py"


@pytest.fixture
def hostile(engine_version: int) -> str:
    """Docker 20.10 gives no archive of a name that is not UTF-8, so its image cannot be judged; 28
    builds none.
    """
    return HOSTILE if 23 <= engine_version < 28 else HOSTILE.replace("\udcff", "ü")


@pytest.fixture
def shop(stack: Stack, hostile: str) -> Stack:
    """Two fresh replicas of three files, one of them badly named."""
    stack.write({"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE})
    stack.write({"app/a.py": "a = 1\n", "app/b.py": "b = 1\n", hostile: "h = 1\n"})
    stack.up(build=True)
    return stack


@pytest.mark.timeout(240)
def test_an_edit_is_found_shown_put_right_by_hand_and_remembered(
    shop: Stack, freshd: Freshd
) -> None:
    first = freshd("check")
    assert (first.returncode, first.stderr) == (0, "")
    assert "3 files in 2 containers" in first.stdout

    shop.write({"app/a.py": "a = 2\n"})
    stale = freshd("check", "--json")
    assert stale.returncode == 1
    found = {(f["cause"], f["container"]) for f in stale.json["services"][0]["findings"]}
    one, two = shop.named_containers("web").values()
    assert {("content-differs", one), ("content-differs", two)} <= found

    diff = freshd("diff", one)
    assert diff.returncode == 1
    assert diff.stdout.endswith("@@ -1 +1 @@\n-a = 1\n+a = 2\n")
    assert two not in diff.stdout

    done = freshd("inject", "web", "app/a.py")
    assert done.returncode == 0, done
    assert shop.oracle("web", shop.files("app", "/app"), replicas=2) == []

    again = freshd("check")
    assert again.returncode == 0
    assert "fresh, patched" in again.stdout
    assert freshd("check", "--strict").returncode == 1

    status = freshd("status", environment={"DOCKER_HOST": "unix:///nowhere"})
    assert (status.returncode, "fresh, patched" in status.stdout) == (0, True)
    steps = freshd("history", "--json").json["entries"]
    assert {step["status"] for step in steps} == {"done"}
    assert {step["step"]["container"] for step in steps} == {one, two}


@pytest.mark.timeout(240)
def test_a_badly_named_file_is_shown_escaped_and_injected_exactly(
    shop: Stack, freshd: Freshd
) -> None:
    shop.write({HOSTILE: "h = 2\n"})
    text = freshd("check")
    assert text.returncode == 1
    assert r"app/new\x0aline \x1b[2J \xff.py" in text.stdout
    assert "\x1b" not in text.stdout
    document = freshd("check", "--json")
    assert HOSTILE in {f["path"] for f in document.json["services"][0]["findings"]}
    assert r"\udcff" in document.stdout
    assert freshd("inject", "web").returncode == 0
    assert shop.oracle("web", shop.files("app", "/app"), replicas=2) == []


@pytest.mark.timeout(240)
def test_apply_needs_a_policy_and_with_one_does_what_plan_said(shop: Stack, freshd: Freshd) -> None:
    shop.write({"app/b.py": "b = 2\n"})
    refused = freshd("apply")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "hint: " in refused.stderr
    shop.write({"freshd.toml": POLICY})
    plan = freshd("plan")
    assert plan.returncode == 1
    assert "inject 1 file into" in plan.stdout
    done = freshd("apply", "--json")
    assert done.returncode == 0, done
    assert [each["status"] for each in done.json["outcomes"]] == ["done", "done"]
    assert shop.oracle("web", shop.files("app", "/app"), replicas=2) == []


@pytest.mark.timeout(240)
def test_mistakes_end_with_two_and_a_missing_engine_with_four(
    shop: Stack, freshd: Freshd, tmp_path: Path
) -> None:
    unknown = freshd("check", "wbe")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "did you mean web?" in unknown.stderr

    absent = freshd("check", environment={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    assert (absent.returncode, absent.stdout) == (4, "")
    assert absent.stderr.startswith("error: ")
    assert len(absent.stderr.split("\n\nhint: ")[0].splitlines()) == 1

    shop.write({"freshd.toml": 'version = 1\n[[rule]]\nwhen = ["nonsense"]\ndo = ["dance"]\n'})
    policy = freshd("check")
    assert policy.returncode == 2
    assert "nonsense" in policy.stderr
    assert "dance" in policy.stderr
    shop.write({"freshd.toml": "version = 1\n", "compose.yaml": "services: [\n"})
    assert freshd("check").returncode == 2
    assert freshd("check", directory=str(tmp_path)).returncode == 2


@pytest.mark.timeout(240)
def test_looking_changes_nothing(shop: Stack, freshd: Freshd) -> None:
    shop.write({"app/a.py": "a = 2\n"})

    def seen() -> object:
        ids = shop.containers("web")
        inspected = json.loads(shop.docker("inspect", *ids).stdout)
        changes = [shop.docker("diff", each).stdout for each in ids]
        return [each["State"] for each in inspected], changes

    before = seen()
    for verb in (["check"], ["map"], ["plan"], ["diff", "web"], ["status"], ["history"]):
        freshd(*verb)
    assert seen() == before
