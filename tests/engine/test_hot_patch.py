"""What somebody changed inside a container stays until a rule that names it says otherwise."""

from collections.abc import Mapping

import pytest

from freshd.commands.remedy import carry_out
from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.reconcile.context import Context
from freshd.reconcile.reconcile import act, check_service, make_plan, reconcile
from tests.harness.stack import Stack

COMPOSE = "services: {web: {build: ., stop_grace_period: 0s}}\n"
DOCKERFILE = """
FROM freshd-busybox:1
COPY words.txt /in/words.txt
RUN tr a-z A-Z </in/words.txt >/words.txt
COPY app /app
CMD ["sleep", "1000000"]
"""
POLICY = """
version = 1
[[rule]]
when = ["content-differs", "missing-in-container", "extra-in-container"]
do = ["inject"]
[[rule]]
when = ["build-input-changed"]
do = ["rebuild"]
"""


@pytest.fixture
def tree() -> Mapping[str, str]:
    """Two files that land as they are, one that a RUN reads, and a policy for each."""
    project = {"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": POLICY}
    return project | {"app/a": "a", "app/b": "b", "words.txt": "one\n"}


@pytest.mark.timeout(180)
def test_a_look_at_a_few_paths_does_not_rebuild_over_a_hot_patch_elsewhere(
    context: Context, stack: Stack
) -> None:
    """A pass over the changed file alone sees no other: a rebuild asks for the whole service."""
    reconcile(context, "web")
    web = stack.container("web")
    stack.put(web, "/app/b", b"somebody's only copy")
    stack.write({"words.txt": "two\n"})
    passed = reconcile(context, "web", paths={"words.txt"})
    assert Remedy.REBUILD not in {outcome.step.remedy for outcome in passed.outcomes}
    assert stack.read(web, "/app/b") == b"somebody's only copy"
    assert any("would lose" in why for plan in passed.plans for _, why in plan.notices)


@pytest.mark.timeout(180)
def test_an_edit_inside_between_the_look_and_the_write_is_not_written_over(
    context: Context, stack: Stack
) -> None:
    web = stack.container("web")
    stack.write({"app/a": "a2", "app/b": "b2"})
    seen = check_service(context, "web")
    plan = make_plan(context, seen)
    stack.put(web, "/app/b", b"B")
    (outcome,) = act(context, plan, replicas=seen.replicas, on_step=lambda *_: None)
    assert outcome.status is StepStatus.SKIPPED, outcome
    assert "/app/b: it changed in the container" in outcome.detail
    assert (stack.read(web, "/app/a"), stack.read(web, "/app/b")) == (b"a2", b"B")
    causes = {finding.path: finding.cause for finding in reconcile(context, "web").report.findings}
    assert causes["app/b"] == "changed-in-container"
    assert stack.read(web, "/app/b") == b"B"

    # By hand it takes the path, typed.
    for paths, content in (((), b"B"), (("app/a",), b"B"), (("app/b",), b"b2")):
        carry_out(context, "web", Remedy.INJECT, paths=paths, on_step=lambda *_: None)
        assert stack.read(web, "/app/b") == content
