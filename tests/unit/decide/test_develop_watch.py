"""What ``develop.watch`` asks for: all rules that fit a path together, behind the policy's own."""

import os
from collections.abc import Collection
from dataclasses import dataclass, replace

import pytest

from freshd.decide.decide import decide
from freshd.decide.match import matching_rule
from freshd.decide.memory import PassMemory
from freshd.decide.text import plan_text
from freshd.model.plan import Command, Plan, Step
from freshd.model.policy import Hook, Policy, WatchRule
from freshd.model.remedy import Remedy
from freshd.model.report import Finding
from tests.unit.decide.findings import finding, policy, replica, report

INJECT, RESTART, EXEC, REBUILD = Remedy.INJECT, Remedy.RESTART, Remedy.EXEC, Remedy.REBUILD


@dataclass(frozen=True)
class Below:
    """Everything below a directory, or one file."""

    directory: str

    def __call__(self, path: str) -> bool:
        return path == self.directory or path.startswith(self.directory + "/")

    def enters(self, directory: str) -> bool:
        return self(directory)

    def below(self, path: str) -> str | None:
        return os.path.relpath(path, self.directory) if self(path) else None

    def takes(self, below: str, path: str, *, sent: bool = False) -> bool:
        return self(path)

    def covers(self, context: str, ignore: object) -> bool:
        return False


def rule(number: int, does: Collection[Remedy], path: str, *, to: str | None = None) -> WatchRule:
    """Lands where the findings' targets are, unless ``to`` says otherwise."""
    return WatchRule(
        service="web",
        number=number,
        does=frozenset(does),
        source=f"/shop/{path}",
        selects=Below(path),
        target=(to or f"/srv/{path}") if INJECT in does else None,
        hook=Hook(("run", str(number))) if EXEC in does else None,
    )


def watch(*rules: WatchRule) -> Policy:
    return Policy(watch=rules)


SYNC = rule(1, {INJECT}, "app")
FULL = watch(SYNC, rule(2, {INJECT, RESTART}, "conf"), rule(3, {REBUILD}, "deps"))


@pytest.mark.parametrize(
    ("found", "does", "name"),
    [
        (finding("content-differs", "app/a.py"), (INJECT,), "develop.watch web 1"),
        (finding("missing-in-container", "app/a.py"), (INJECT,), "develop.watch web 1"),
        (finding("mode-differs", "app/a.py"), (INJECT,), "develop.watch web 1"),
        (finding("extra-in-container", "app/a.py"), (INJECT,), "develop.watch web 1"),
        (finding("content-differs", "conf/c"), (INJECT, RESTART), "develop.watch web 2"),
        (finding("content-differs", "deps/lock"), (REBUILD,), "develop.watch web 3"),
        (finding("content-differs", "elsewhere"), None, ""),
        (finding("changed-in-container", "app/a.py"), None, ""),
        (finding("target-not-writable", "app/a.py"), None, ""),
        (finding("not-running", at=1), None, ""),
        (finding("old-image", at=1), None, ""),
        (finding("image-behind"), None, ""),
        (finding("build-unrecorded"), None, ""),
        (replace(finding("build-input-changed"), paths=("x", "deps/lock")), (REBUILD,), "... 3"),
        (replace(finding("build-input-changed"), paths=("app/a.py",)), None, ""),
        (replace(finding("build-unrecorded"), paths=("deps/lock",)), (REBUILD,), "... 3"),
        (replace(finding("stale-build-context"), paths=("deps/lock",)), (REBUILD,), "... 3"),
        (replace(finding("content-differs", "app/a.py"), service="db"), None, ""),
    ],
)
def test_each_finding_has_the_remedies_of_the_rules_that_speak_of_it(
    found: Finding, does: tuple[Remedy, ...] | None, name: str
) -> None:
    chosen = matching_rule(found, FULL)
    assert (chosen.do if chosen else None) == does
    assert (chosen.name if chosen else "") == name.replace("...", "develop.watch web")


def test_a_changed_dockerfile_is_a_changed_file_of_the_rule_that_covers_it() -> None:
    found = replace(finding("build-input-changed"), evidence={"trace": "COPY a b"})
    over = replace(rule(1, {REBUILD}, "."), dockerfile=True)
    assert matching_rule(found, watch(over)) is not None
    assert matching_rule(found, watch(replace(over, dockerfile=False))) is None


def test_several_rules_on_one_path_are_done_together() -> None:
    rules = watch(
        rule(1, {INJECT}, "app"),
        rule(2, {RESTART}, "app/conf"),
        rule(3, {INJECT, EXEC}, "app/conf", to="/srv/app/conf"),
        rule(4, {INJECT}, "app/conf", to="/elsewhere"),
    )
    plan = _decided(rules, finding("content-differs", "app/conf/c"))
    assert plan_text(plan).splitlines() == [
        "web: inject 1 file into web-1 because content-differs [develop.watch web 1+2+3]",
        "  write  /srv/app/conf/c from app/conf/c",
        "web: restart web-1 because content-differs [develop.watch web 1+2+3]",
        "web: run `run 3` in web-1 because content-differs [develop.watch web 1+2+3]",
    ]
    rebuilt = replace(rules, watch=(*rules.watch, rule(5, {REBUILD}, "app/conf")))
    plan = _decided(rebuilt, finding("content-differs", "app/conf/c"))
    assert [step.remedy for step in plan.steps] == [REBUILD]


def test_a_rule_brings_a_file_to_its_own_target_and_nowhere_else() -> None:
    found = replace(finding("content-differs", "app/a.py"), target="/opt/app/a.py")
    assert matching_rule(found, FULL) is None


def test_a_restart_alone_is_no_help_against_a_file_that_differs() -> None:
    only = watch(rule(1, {RESTART}, "app"))
    assert matching_rule(finding("content-differs", "app/a.py"), only) is None
    due = replace(finding("restart-due", at=1), paths=("x", "app/a.py"))
    plan = decide(report(due), only, [replica()], PassMemory(), 0.0)
    assert [(step.remedy, step.rule) for step in plan.steps] == [(RESTART, "develop.watch web 1")]


def test_a_restart_that_is_due_is_one_whatever_the_reload_mode() -> None:
    own = replace(policy('[service.web]\nreload = "self"'), watch=(rule(1, {RESTART}, "app"),))
    due = replace(finding("restart-due", at=1), paths=("app/a.py",))
    plan = decide(report(due), own, [replica()], PassMemory(), 0.0)
    assert [step.remedy for step in plan.steps] == [RESTART]


def test_the_policys_own_rules_come_first_finding_by_finding() -> None:
    own = policy('[[rule]]\nname = "mine"\nwhen = ["content-differs"]\ndo = ["restart"]')
    both = replace(own, watch=FULL.watch)
    first = matching_rule(finding("content-differs", "app/a.py"), both)
    second = matching_rule(finding("missing-in-container", "app/a.py"), both)
    assert first is not None
    assert first.name == "mine"
    assert second is not None
    assert second.name == "develop.watch web 1"


def test_what_is_never_done_is_not_done_for_a_rule_either() -> None:
    own = replace(policy('[never]\ninject = ["app/b.py"]\nrebuild = ["*"]'), watch=FULL.watch)
    for path in ("app/.env", "app/b.py", "deps/lock"):
        plan = _decided(own, finding("content-differs", path))
        assert plan.steps == (), path
        assert len(plan.notices) == 1


def test_what_executes_the_compose_file_waits_for_consent() -> None:
    rules = watch(rule(1, {INJECT, EXEC}, "app"), rule(2, {REBUILD}, "deps"))
    found = [finding("content-differs", "app/a.py"), finding("content-differs", "deps/lock")]
    plan = decide(
        report(*found), rules, [replica()], PassMemory(consent_problem="compose.yaml changed"), 0.0
    )
    assert [step.remedy for step in plan.steps] == [INJECT]
    assert [reason for _, reason in plan.notices if "compose.yaml changed" in reason]


def test_while_somebody_else_is_at_work_everything_is_only_told() -> None:
    found = [finding("content-differs", "app/a.py"), finding("patched")]
    plan = decide(report(*found), FULL, [replica()], PassMemory(watcher="compose: verified"), 0.0)
    assert plan.steps == ()
    assert plan.notices == ((found[0], "compose: verified"),)


def test_each_command_runs_once_in_the_order_of_the_rules_and_takes_what_is_owed_along() -> None:
    rules = watch(*(rule(number, {INJECT, EXEC}, f"app{number}") for number in (10, 2)))
    found = [finding("content-differs", f"app{n}/{name}") for n in (10, 2) for name in "ab"]
    owed = Step(
        EXEC, "web", ("content-differs",), "web-1", replica().id,
        commands=(Command("develop.watch web 3", ("late",)),),
    )  # fmt: skip
    plan = decide(report(*found), rules, [replica()], PassMemory(pending=(owed,)), 0.0)
    (step,) = [step for step in plan.steps if step.remedy is EXEC]
    assert [each.argv for each in step.commands] == [("run", "2"), ("late",), ("run", "10")]


def test_without_any_rule_that_fits_the_reason_is_told() -> None:
    (notice,) = _decided(FULL, finding("content-differs", "elsewhere")).notices
    assert notice[1] == "no develop.watch rule speaks of it"


def _decided(rules: Policy, found: Finding) -> Plan:
    return decide(report(found), rules, [replica()], PassMemory(), 0.0)
