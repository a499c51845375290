"""What is to follow an injection is owed until it was done, whatever happens in between."""

from dataclasses import replace

import pytest

from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Mount, Replica
from freshd.model.plan import Command, FileChange, Outcome, Plan, Step, StepStatus
from freshd.model.remedy import RebuildMode, Remedy
from freshd.reconcile.pending import BY_HAND, PlanProgress, pending_steps
from freshd.store.store import Store, memory_store

WEB = Replica(id="c" * 64, name="web-1", service="web", started_at=10.0)
NEW = Entry(Kind.FILE, "ab" * 32, 3)
OLD = Entry(Kind.FILE, "cd" * 32, 3)
CHANGE = FileChange("/app/a.py", "app/a.py", NEW, OLD)


def step(remedy: Remedy, *files: FileChange) -> Step:
    return Step(remedy, "web", ("content-differs",), "web-1", WEB.id, files=files)


INJECT, PURGE, RESTART = (
    step(Remedy.INJECT, CHANGE),
    step(Remedy.PURGE, CHANGE),
    step(Remedy.RESTART),
)
PLAN = Plan("web", (INJECT, PURGE, RESTART))
REBUILD = Step(Remedy.REBUILD, "web", ("old-image",), rebuild=RebuildMode.CACHED, rule="rule[0]")


@pytest.fixture
def store() -> Store:
    return memory_store()


def begun(store: Store, plan: Plan) -> PlanProgress:
    pending = PlanProgress(store, "shop", plan, [WEB])
    pending.begin()
    return pending


def owed(store: Store, replica: Replica = WEB) -> list[Remedy]:
    """Asked of a new object, as after a kill."""
    return [each.remedy for each in pending_steps(store, "shop", "web", [replica])]


def test_a_kill_at_any_point_after_the_promise_leaves_the_rest_owed(store: Store) -> None:
    pending = begun(store, PLAN)
    assert owed(store) == [Remedy.PURGE, Remedy.RESTART]
    assert pending.settle(Outcome(INJECT, StepStatus.DONE))
    assert owed(store) == [Remedy.PURGE, Remedy.RESTART]
    assert pending.settle(Outcome(PURGE, StepStatus.DONE))
    assert owed(store) == [Remedy.RESTART]
    assert pending.settle(Outcome(RESTART, StepStatus.DONE))
    assert owed(store) == []


def test_a_restart_that_failed_or_whose_end_is_unknown_is_still_owed(store: Store) -> None:
    pending = begun(store, PLAN)
    for status in (StepStatus.FAILED, StepStatus.UNKNOWN):
        assert not pending.settle(Outcome(RESTART, status))
        assert Remedy.RESTART in owed(store)


def test_a_container_that_was_started_since_owes_no_restart_and_its_purge_still(
    store: Store,
) -> None:
    begun(store, PLAN)
    assert owed(store, Replica(id=WEB.id, name="web-1", service="web", started_at=11.0)) == [
        Remedy.PURGE
    ]


def test_a_container_that_is_gone_owes_nothing(store: Store) -> None:
    begun(store, PLAN)
    assert pending_steps(store, "shop", "web", []) == ()
    assert owed(store) == []


@pytest.mark.parametrize("status", [StepStatus.FAILED, StepStatus.REFUSED, StepStatus.SKIPPED])
def test_an_injection_that_wrote_nothing_takes_its_promise_back(
    store: Store, status: StepStatus
) -> None:
    pending = begun(store, PLAN)
    assert not pending.settle(Outcome(INJECT, status))
    assert owed(store) == []


def test_taking_back_leaves_what_was_owed_before(store: Store) -> None:
    begun(store, Plan("web", (INJECT, RESTART)))
    pending = begun(store, PLAN)
    pending.settle(Outcome(INJECT, StepStatus.REFUSED))
    assert owed(store) == [Remedy.RESTART]


def test_an_injection_that_left_some_out_is_followed_when_some_landed(store: Store) -> None:
    pending = begun(store, PLAN)
    store.injected_files.record(WEB, {"/app/a.py": NEW.digest}, 1.0)
    assert pending.settle(Outcome(INJECT, StepStatus.SKIPPED))
    assert not pending.settle(Outcome(INJECT, StepStatus.FAILED))
    assert owed(store) == [Remedy.PURGE, Remedy.RESTART]


def test_a_second_purge_takes_the_files_of_the_first_in(store: Store) -> None:
    other = FileChange("/app/b.py", "app/b.py", NEW, OLD)
    begun(store, PLAN)
    second = step(Remedy.PURGE, other)
    begun(store, Plan("web", (step(Remedy.INJECT, other), second)))
    due = {each.remedy: each for each in pending_steps(store, "shop", "web", [WEB])}
    assert [change.target for change in due[Remedy.PURGE].files] == ["/app/a.py", "/app/b.py"]


def test_a_rebuild_by_the_policy_is_owed_until_its_end_is_known(store: Store) -> None:
    pending = begun(store, Plan("web", (REBUILD,)))
    pending.settle(Outcome(REBUILD, StepStatus.UNKNOWN))
    assert owed(store) == [Remedy.REBUILD]
    pending.settle(Outcome(REBUILD, StepStatus.FAILED))
    assert owed(store) == []


def test_a_rebuild_that_a_person_typed_is_not_carried_on(store: Store) -> None:
    typed = Step(Remedy.REBUILD, "web", ("by-hand",), rebuild=RebuildMode.CACHED, rule=BY_HAND)
    begun(store, Plan("web", (typed,)))
    assert owed(store) == []


def test_another_project_with_the_same_service_owes_nothing(store: Store) -> None:
    begun(store, Plan("web", (REBUILD,)))
    assert pending_steps(store, "other", "web", [WEB]) == ()
    PlanProgress(store, "other", PLAN, []).settle(Outcome(REBUILD, StepStatus.DONE))
    assert owed(store) == [Remedy.REBUILD]


def test_what_was_written_on_a_volume_is_known_in_every_container_that_has_it(
    store: Store,
) -> None:
    volume = Mount("volume", "/data", name="shared")
    one = Replica(id="1" * 64, name="web-1", service="web", mounts=(volume,))
    two = Replica(
        id="2" * 64,
        name="job-1",
        service="job",
        mounts=(Mount("volume", "/in", name="shared"), Mount("tmpfs", "/in/tmp")),
    )
    store.injected_files.record(one, {"/app/a": "aa" * 32, "/data/x": "bb" * 32}, 1.0)
    store.injected_files.record(one, {"/data/tmp/y": "cc" * 32, "/data/gone": ""}, 1.0)
    assert store.injected_files.read_all(two) == {"/in/x": "bb" * 32, "/in/gone": ""}
    store.forget("here", gone=[one.id], unused=())
    assert store.injected_files.read_all(two) == {"/in/x": "bb" * 32, "/in/gone": ""}
    assert "/app/a" not in store.injected_files.read_all(one)


@pytest.mark.parametrize("status", [StepStatus.DONE, StepStatus.FAILED])
def test_a_command_that_ran_is_owed_no_more_whatever_came_of_it(
    store: Store, status: StepStatus
) -> None:
    first, second = (_command(f"develop.watch web {number}") for number in (1, 2))
    begun(store, Plan("web", (INJECT, first)))
    pending = begun(store, Plan("web", (INJECT, second)))
    (step_owed,) = pending_steps(store, "shop", "web", [WEB])
    assert step_owed.commands == (*first.commands, *second.commands)
    started_again = replace(WEB, started_at=20.0)
    assert owed(store, started_again) == [Remedy.EXEC], "a new process has not run it"
    pending.settle(Outcome(second, StepStatus.UNKNOWN))
    assert owed(store) == [Remedy.EXEC]
    pending.settle(Outcome(second, status))
    assert owed(store) == []


def _command(rule: str) -> Step:
    made = step(Remedy.EXEC)
    return replace(made, commands=(Command(rule, ("app", "reload")),))
