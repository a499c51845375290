"""What a broken-off injection left is looked at, not guessed; what still runs is left alone."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from freshd.engine.client import Engine
from freshd.engine.container.shell_session import ShellSession
from freshd.model.errors import OutcomeUnknown
from freshd.model.plan import Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.observe.container.members import replicas_of
from freshd.reconcile.consent import agree
from freshd.reconcile.context import Context
from freshd.reconcile.locks import locked
from freshd.reconcile.reconcile import reconcile
from freshd.reconcile.recovery import recover
from tests.harness.stack import Stack

COMPOSE = "services: {web: {build: ., stop_grace_period: 0s}}\n"
DOCKERFILE = 'FROM freshd-busybox:1\nCOPY app /app\nCMD ["sleep", "1000000"]\n'
POLICY = """
version = 1
[[rule]]
when = ["content-differs", "missing-in-container", "extra-in-container"]
do = ["inject"]
"""


@pytest.fixture
def tree() -> Mapping[str, str]:
    """Two files, and a policy that injects."""
    project = {"compose.yaml": COMPOSE, "Dockerfile": DOCKERFILE, "freshd.toml": POLICY}
    return project | {"app/a": "a", "app/b": "b"}


@pytest.mark.timeout(180)
def test_what_landed_though_nobody_answered_may_be_written_over(
    context: Context, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The renames were done and the answer never came: the next edit is no foreign change."""
    real = ShellSession.rename

    def unanswered(
        self: ShellSession, moves: Mapping[str, list[str]], *, keep_times: bool = False
    ) -> tuple[bool, str]:
        real(self, moves, keep_times=keep_times)
        self.close()
        raise OutcomeUnknown("no answer before the deadline")

    stack.write({"app/a": "a2"})
    with monkeypatch.context() as patch:
        patch.setattr(ShellSession, "rename", unanswered)
        passed = reconcile(context, "web")
    assert [outcome.status for outcome in passed.outcomes] == [StepStatus.UNKNOWN]
    stack.write({"app/a": "a3"})
    context.store.failures.clear(context.project.name, "web")
    passed = reconcile(context, "web")
    assert [outcome.status for outcome in passed.outcomes] == [StepStatus.DONE]
    assert stack.oracle("web", stack.files("app", "/app")) == []
    names = stack.exec(stack.container("web"), ["ls", "-A", "/"]).stdout
    assert b".freshd-" not in names


@pytest.mark.timeout(180)
def test_a_step_that_somebody_is_at_is_not_taken_for_a_dead_ones(context: Context) -> None:
    """The lock of the service tells, not a process number."""
    project, said = context.project.name, list[str]()
    step = Step(Remedy.RESTART, "web", ("content-differs",))
    context.store.journal.begin(project, "web", step=step, plan_text="", at=1.0)
    with locked(context, "web"):
        assert recover(context, say=said.append) == 1
    assert len(context.store.journal.unfinished(project)) == 1
    assert said == []
    assert recover(context, say=said.append) == 0
    assert context.store.journal.unfinished(project) == ()
    assert len(said) == 1


@pytest.mark.timeout(180)
def test_a_service_is_brought_up_again_only_from_files_that_were_agreed_to(
    context: Context, stack: Stack
) -> None:
    """Rule 12: a recreate was cut off, and the Compose file has changed since."""
    project, said = context.project.name, list[str]()
    step = Step(Remedy.RECREATE, "web", ("old-image",))
    entry = context.store.journal.begin(project, "web", step=step, plan_text="", at=1.0)
    context.store.journal.phase(entry, "recreate", at=1.0, data={"scale": {"web": 1}})
    stack.docker("rm", "-f", stack.container("web"))
    context = replace(context, asked=False)
    agree(context)
    stack.write({"compose.yaml": COMPOSE.replace("build: .", "build: ., cap_add: [CHOWN]")})
    assert recover(context, say=said.append) == 1
    assert replicas_of(context.engine, context.project, "web") == ()
    assert "compose.yaml changed since you agreed" in said[-1]
    agree(context)
    assert recover(context, say=said.append) == 0
    assert [replica.state for replica in replicas_of(context.engine, context.project, "web")] == [
        "running"
    ]


@pytest.mark.timeout(180)
def test_the_promised_restart_is_made_up_for_by_the_next_pass(
    context: Context, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files landed, the restart did not: they look fresh, and the process is not."""
    stack.write({"freshd.toml": POLICY.replace('["inject"]', '["inject", "restart"]')})
    context.project.refresh()
    web = stack.container("web")
    before = context.engine.replica(web).started_at

    class Killed(BaseException):
        pass

    def killed(_engine: Engine, _container: str, **_: object) -> None:
        raise Killed

    stack.write({"app/b": "b2"})
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "restart", killed)
        with pytest.raises(Killed):
            reconcile(context, "web")
    assert stack.oracle("web", stack.files("app", "/app")) == []
    assert context.engine.replica(web).started_at == before
    recover(context, say=lambda _: None)
    passed = reconcile(context, "web")
    assert [outcome.step.remedy for outcome in passed.outcomes] == [Remedy.RESTART]
    assert context.engine.replica(web).started_at > before
    assert reconcile(context, "web").outcomes == ()
