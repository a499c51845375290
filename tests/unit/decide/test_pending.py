"""What an earlier plan promised and did not come to is in the next plan."""

from freshd.decide.brakes.backoff import step_inputs, step_key
from freshd.decide.decide import decide, plan_text
from freshd.decide.memory import PassMemory
from freshd.model.plan import Plan, Step
from freshd.model.policy import Policy
from freshd.model.remedy import RebuildMode, Remedy
from freshd.store.markers import Failure
from tests.unit.decide.findings import finding, policy, replica, report

NOW = 1_800_000_000.0
INJECT = '[[rule]]\nname = "py"\nwhen = ["content-differs"]\ndo = ["inject", "restart"]\n'
REBUILD = Step(Remedy.REBUILD, "web", ("build-input-changed",), rebuild=RebuildMode.CACHED)


def owing(remedy: Remedy, number: int = 1) -> Step:
    return Step(
        remedy,
        "web",
        ("content-differs",),
        container=f"web-{number}",
        container_id=f"{number:064x}",
        signal="HUP" if remedy is Remedy.RELOAD else None,
        rule="py",
    )


def planned(*owed: Step, rules: str = INJECT, failures: dict[str, Failure] | None = None) -> Plan:
    given: Policy = policy(rules)
    return decide(
        report(),
        given,
        (replica(1), replica(2)),
        PassMemory(pending=owed, failures=failures or {}),
        NOW,
    )


def test_a_restart_that_is_owed_is_planned_without_any_finding() -> None:
    text = plan_text(planned(owing(Remedy.RESTART, 2)))
    assert text == "web: restart web-2 because content-differs [py]"


def test_what_is_planned_anyway_is_not_planned_twice() -> None:
    plan = decide(
        report(finding("content-differs", "app/main.py")),
        policy(INJECT),
        (replica(1),),
        PassMemory(pending=(owing(Remedy.RESTART), owing(Remedy.RELOAD), owing(Remedy.PURGE))),
        NOW,
    )
    assert [step.remedy for step in plan.steps] == [Remedy.INJECT, Remedy.PURGE, Remedy.RESTART]


def test_a_rebuild_that_is_owed_swallows_everything_else() -> None:
    plan = planned(owing(Remedy.RESTART), REBUILD)
    assert plan.steps == (REBUILD,)


def test_nothing_is_owed_by_a_container_that_is_gone_or_does_not_run() -> None:
    assert planned(owing(Remedy.RESTART, 3)).steps == ()
    stopped = replica(1, state="exited")
    plan = decide(
        report(), policy(INJECT), (stopped,), PassMemory(pending=(owing(Remedy.RESTART),)), NOW
    )
    assert plan.steps == ()


def test_what_the_policy_now_forbids_is_not_done_for_an_old_promise() -> None:
    assert planned(owing(Remedy.RESTART), rules='[never]\nrestart = ["web"]\n').steps == ()
    assert planned(REBUILD, rules='[never]\nrebuild = ["web"]\n').steps == ()


def test_an_owed_step_that_just_failed_waits_like_any_other() -> None:
    step = owing(Remedy.RESTART)
    failed = Failure(step_key(step), 1, step_inputs(step, report()), NOW, NOW + 2.0, "not up")
    assert planned(step, failures={failed.key: failed}).steps == ()


def test_nothing_is_done_for_a_promise_while_halted() -> None:
    plan = decide(
        report(),
        policy(INJECT),
        (replica(1),),
        PassMemory(pending=(owing(Remedy.RESTART),), halted="the tree vanished"),
        NOW,
    )
    assert plan.steps == ()
