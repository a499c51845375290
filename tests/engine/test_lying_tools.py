"""A container whose own tools lie: what is not to be believed is asked of the engine.

The everyday check trusts these tools, as docs/operations.md says; `check --full`, a validation and
the reading back of what was written do not.
"""

import os
from collections.abc import Mapping

import pytest

from freshd.engine.container import contents
from freshd.model.plan import StepStatus
from freshd.model.report import Verdict
from freshd.observe.container.files import observe
from freshd.reconcile.context import Context
from freshd.reconcile.reconcile import check_service, reconcile
from tests.engine.worlds import digest
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

COMPOSE = """
services:
  web:
    build: .
    stop_grace_period: 0s
    volumes: [./bound:/bound, kept:/app/kept]
volumes: {kept: {}}
"""
# Every tool is looked for in /usr/local/sbin first; a busybox may not look for its own at all.
DOCKERFILE = """
FROM freshd-python:1
RUN mkdir -p /usr/local/sbin
COPY app /app
CMD ["sleep", "1000000"]
"""
POLICY = 'version = 1\n[[rule]]\nwhen = ["content-differs"]\ndo = ["inject"]\n'
LIE = """#!/bin/sh
for f; do
  case $f in
    -*) ;;
    /app/a|a) echo "{digest}  $f" ;;
    *) /usr/bin/sha256sum "$f" ;;
  esac
done
"""


@pytest.fixture
def tree() -> Mapping[str, str]:
    project = {"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": POLICY}
    return project | {"app/a": "old\n", "app/kept/b": "b\n", "bound/c": "c\n"}


def lie(stack: Stack, container: str, tool: str, script: str) -> None:
    """Give the container a program of its own in the place of ``tool``."""
    path = f"/usr/local/sbin/{tool}"
    stack.put(container, path, script.encode())
    stack.exec(container, ["chmod", "755", path])


def causes(report: object) -> set[str]:
    return {finding.cause for finding in report.findings}  # type: ignore[attr-defined]


@pytest.mark.timeout(180)
def test_a_replaced_sha256sum_deceives_neither_a_full_check_nor_a_validation(
    context: Context, stack: Stack, freshd: Freshd
) -> None:
    """The shape of a file that was replaced is the same: size and all, but its content."""
    web = stack.container("web")
    assert check_service(context, "web", full=True).report.verdict is Verdict.FRESH
    lie(stack, web, "sha256sum", LIE.format(digest=digest(b"old\n")))
    stack.put(web, "/app/a", b"bad\n")
    assert check_service(context, "web").report.verdict is Verdict.FRESH, "what --full is for"
    full = check_service(context, "web", full=True).report
    assert full.verdict is Verdict.STALE
    assert "changed-in-container" in causes(full) or "content-differs" in causes(full)
    assert (freshd("check").returncode, freshd("validate").returncode) == (0, 1)
    stack.put(web, "/app/a", b"old\n")
    assert check_service(context, "web", full=True).report.verdict is Verdict.FRESH


@pytest.mark.timeout(180)
def test_what_a_lying_tool_was_believed_is_forgotten(context: Context, stack: Stack) -> None:
    """A file without a change to its stat, as a tool that lies about that too would have it."""
    web = stack.container("web")
    known = context.store.container_hashes
    check_service(context, "web")
    signature, entry = known.get_many(web, ["/app/a"])["/app/a"]
    false = entry._replace(digest=digest(b"bad\n"))
    known.put_many(web, {"/app/a": (signature, false)})
    assert check_service(context, "web", full=True).report.verdict is Verdict.FRESH
    assert known.get_many(web, ["/app/a"]).get("/app/a") in (None, (signature, entry))


@pytest.mark.timeout(180)
def test_a_write_that_the_tools_only_pretend_is_no_success(context: Context, stack: Stack) -> None:
    web = stack.container("web")
    lie(stack, web, "mv", "#!/bin/sh\nexit 0\n")
    lie(stack, web, "sha256sum", LIE.format(digest=digest(b"new\n")))
    stack.write({"app/a": "new\n"})
    stack.exec(web, ["touch", "/app/a"])
    shown = check_service(context, "web", full=True).report
    assert shown.verdict is Verdict.STALE
    lie(stack, web, "sha256sum", LIE.format(digest=digest(b"old\n")))  # until mv is called
    lie(
        stack, web, "mv",
        "#!/bin/sh\n"
        f"sed -i s/{digest(b'old' + bytes([10]))}/{digest(b'new' + bytes([10]))}/"
        " /usr/local/sbin/sha256sum\n",
    )  # fmt: skip
    passed = reconcile(context, "web")
    assert [outcome.status for outcome in passed.outcomes] == [StepStatus.FAILED]
    assert "read back, it is not what was written" in passed.outcomes[0].detail
    assert stack.read(web, "/app/a") == b"old\n"
    assert context.store.injected_files.read_all(context.engine.replica(web)) == {}


@pytest.mark.timeout(180)
def test_what_lies_beside_the_files_is_not_fetched_with_them(
    context: Context, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gigabytes of packages in a mapped directory: it is taken apart where it is too much."""
    web = stack.container("web")
    monkeypatch.setattr(contents, "_MOST_AT_ONCE", 1024 * 1024)
    names = [f"/app/many/{number}" for number in range(30)]
    script = "mkdir -p /app/many/deep /app/packages; cd /app/many; for n in $(seq 0 29); do "
    script += "echo $n >$n; echo $n >deep/$n; done; head -c 3000000 /dev/zero >/app/packages/x; "
    stack.exec(web, ["sh", "-c", script + "cp /app/packages/x /app/many/odd"])
    wanted = [*names, *(name.replace("many", "many/deep") for name in names), "/app/many/none"]
    found = contents.read(context.engine, web, wanted)
    assert found.pop("/app/many/none") is None
    assert {path: entry and entry.digest for path, entry in found.items()} == {
        path: digest(path.rpartition("/")[2].encode() + b"\n") for path in wanted[:-1]
    }


@pytest.mark.timeout(180)
def test_where_the_engine_may_not_be_asked_the_tools_still_are(
    context: Context, stack: Stack
) -> None:
    """It would make a directory in the place of a bind mount's source that is gone."""
    os.rename(stack.path("bound"), stack.path("elsewhere"))
    check_service(context, "web", full=True)
    assert not os.path.lexists(stack.path("bound"))
    web = context.engine.replica(stack.container("web"))
    seen = observe(context.engine, web, ["/app/a"], cache=context.store.container_hashes, full=True)
    assert (seen.problem, seen.files["/app/a"].digest) == ("", digest(b"old\n"))
    os.rename(stack.path("elsewhere"), stack.path("bound"))
