"""Plans as text: a policy and findings, and what the plan prints."""

from dataclasses import dataclass, replace
from textwrap import dedent
from typing import Any

import pytest

from freshd.decide.brakes.backoff import step_inputs, step_key
from freshd.decide.decide import decide, plan_text
from freshd.decide.match import NO_POLICY
from freshd.decide.memory import PassMemory
from freshd.model.mapping import Via
from freshd.model.observed.container import Mount, Replica
from freshd.model.plan import Plan
from freshd.model.policy import Policy
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import Finding, LinkName
from tests.unit.decide.findings import finding, policy, replica, report

NOW = 1_800_000_000.0
INJECT = """
[[rule]]
name = "py"
when = ["content-differs", "missing-in-container", "mode-differs"]
do = ["inject", "purge", "restart"]
"""
DELETE = """
[[rule]]
name = "rm"
when = ["extra-in-container"]
do = ["inject", "restart"]
"""
BUILD = """
[[rule]]
name = "build"
when = ["build-input-changed", "old-image"]
do = ["rebuild"]
"""


def planned(rules: str | Policy, *findings: Finding, **context: object) -> Plan:
    given = policy(rules) if isinstance(rules, str) else rules
    replicas: Any = context.pop("replicas", (replica(1), replica(2)))
    now: Any = context.pop("now", NOW)
    memory = PassMemory(**context)  # type: ignore[arg-type]
    return decide(report(*findings), given, replicas, memory, now)


def text(rules: str | Policy, *findings: Finding, **context: object) -> str:
    return plan_text(planned(rules, *findings, **context))


def lines(expected: str) -> str:
    return dedent(expected).strip()


def test_files_are_injected_purged_and_the_container_restarted_once() -> None:
    assert text(
        INJECT,
        finding("mode-differs", "app/new.py"),
        finding("content-differs", "app/main.py"),
        finding("content-differs", "app/main.py", at=2),
    ) == lines("""
        web: inject 2 files into web-1 because content-differs, mode-differs [py]
          write  /srv/app/main.py from app/main.py
          write  /srv/app/new.py from app/new.py
        web: inject 1 file into web-2 because content-differs [py]
          write  /srv/app/main.py from app/main.py
        web: purge the bytecode of 2 files in web-1 because content-differs, mode-differs [py]
        web: purge the bytecode of 1 file in web-2 because content-differs [py]
        web: restart web-1 because content-differs, mode-differs [py]
        web: restart web-2 because content-differs [py]
    """)


def test_a_file_that_is_no_code_needs_no_purge() -> None:
    assert text(INJECT, finding("content-differs", "app/page.html")) == lines("""
        web: inject 1 file into web-1 because content-differs [py]
          write  /srv/app/page.html from app/page.html
        web: restart web-1 because content-differs [py]
    """)


def test_the_policys_caches_are_purged_with_the_touched_modules() -> None:
    rules = INJECT + '[service.web]\npurge = ["cache/*.bin"]\n'
    assert "purge cache/*.bin in web-1" in text(rules, finding("content-differs", "app/page.html"))
    assert "purge the bytecode of 1 file, cache/*.bin in web-1" in text(
        rules, finding("content-differs", "app/main.py")
    )


def test_a_purge_without_an_injection_takes_all_bytecode() -> None:
    rules = '[[rule]]\nwhen = ["content-differs"]\ndo = ["purge"]\n'
    assert text(rules, finding("content-differs", "app/main.py")) == (
        "web: purge __pycache__/, *.pyc in web-1 because content-differs [rule[0]]"
    )


def test_a_rebuild_swallows_everything_else() -> None:
    assert text(
        INJECT + BUILD,
        finding("content-differs", "app/main.py"),
        finding("old-image", at=2),
        finding("build-input-changed"),
    ) == ("web: rebuild web (cached) because build-input-changed, old-image [build]")


def test_a_recreate_comes_before_what_the_next_pass_injects() -> None:
    rules = INJECT + '[[rule]]\nname = "new"\nwhen = ["old-image"]\ndo = ["recreate"]\n'
    assert text(rules, finding("content-differs", "app/a.py"), finding("old-image", at=1)) == (
        "web: recreate web because old-image [new]"
    )


@pytest.mark.parametrize(
    ("rules", "cause", "mode"),
    [
        ("", "build-input-changed", RebuildMode.CACHED),
        ('rebuild = "no-cache"', "build-input-changed", RebuildMode.NO_CACHE),
        ("", "stale-build-context", RebuildMode.FRESH_CONTEXT),
        ('rebuild = "clean"', "stale-build-context", RebuildMode.CLEAN),
        ("", "cached-layer-aged", RebuildMode.NO_CACHE),
        ('rebuild = "fresh-context"', "cached-layer-aged", RebuildMode.NO_CACHE),
    ],
)
def test_the_strongest_way_to_rebuild_wins(rules: str, cause: str, mode: RebuildMode) -> None:
    all_causes = f'[[rule]]\nwhen = ["{cause}", "old-image"]\ndo = ["rebuild"]\n{rules}\n'
    (step,) = planned(all_causes, finding(cause), finding("old-image", at=1)).steps
    assert step.rebuild is mode


# --- which rule ---------------------------------------------------------------------------------


def test_the_first_matching_rule_decides() -> None:
    rules = '[[rule]]\nwhen = ["content-differs"]\npaths = ["*.md"]\ndo = ["notify"]\n' + INJECT
    assert text(
        rules, finding("content-differs", "README.md"), finding("content-differs", "a.html")
    ) == lines("""
        web: inject 1 file into web-1 because content-differs [py]
          write  /srv/a.html from a.html
        web: restart web-1 because content-differs [py]
        web: nothing done about content-differs in web-1 (README.md): the policy says to notify
    """)


def test_a_finding_without_a_path_does_not_match_a_rule_with_paths() -> None:
    rules = '[[rule]]\nwhen = ["*"]\npaths = ["**"]\ndo = ["recreate"]\n'
    assert text(rules, finding("old-image", at=1)) == (
        "web: nothing done about old-image in web-1: no rule of the policy applies"
    )


def test_a_rule_for_other_services_does_not_apply() -> None:
    rules = INJECT.replace("when", 'services = ["worker"]\nwhen')
    assert "no rule of the policy applies" in text(rules, finding("content-differs", "a.py"))


def test_without_a_policy_it_only_notifies() -> None:
    both = (finding("content-differs", "a.py"), finding("old-image", at=1))
    assert text(Policy(), *both) == lines(f"""
        web: nothing done about content-differs in web-1 (a.py): {NO_POLICY}
        web: nothing done about old-image in web-1: {NO_POLICY}
    """)


ANY = '[[rule]]\nwhen = ["*"]\ndo = ["inject", "restart"]\n'


@pytest.mark.parametrize("cause", ["changed-in-container", "extra-in-container"])
def test_a_star_neither_deletes_nor_overwrites_what_others_changed(cause: str) -> None:
    assert text(ANY, finding(cause, "a.py")) == (
        f"web: nothing done about {cause} in web-1 (a.py): "
        f"only a rule that names {cause} may touch it"
    )
    named = ANY.replace("*", cause)
    (step, _) = planned(named, finding(cause, "a.py")).steps
    assert [change.want is None for change in step.files] == [cause == "extra-in-container"]


def test_a_delete_is_told_as_one() -> None:
    both = (finding("extra-in-container", "old.py"), finding("mode-differs", "a.py"))
    assert text(DELETE + INJECT, *both).splitlines()[:3] == [
        (
            "web: inject 1 file and delete 1 in web-1 because extra-in-container, mode-differs "
            "[py, rm]"
        ),
        "  write  /srv/a.py from a.py",
        "  delete /srv/old.py",
    ]


def test_a_star_does_not_reach_notes() -> None:
    star = '[[rule]]\nwhen = ["*"]\ndo = ["rebuild"]\n'
    assert text(star, finding("patched")) == "web: nothing to do"
    assert text(star.replace("*", "patched"), finding("patched")).startswith("web: rebuild web")


def test_nothing_stale_is_nothing_to_do() -> None:
    assert planned(ANY) == Plan("web")


# --- what is never done -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "path", "reason"),
    [
        ('[never]\ninject = ["scripts/**"]', "scripts/a.sh", "the policy never injects scripts/**"),
        ("", "conf/.env", "it looks like a secret (.env) and is never injected"),
        ("", "certs/site.PEM", "it looks like a secret (*.pem) and is never injected"),
        ("", ".ssh/config", "it looks like a secret (.ssh) and is never injected"),
    ],
)
def test_what_must_never_be_injected_is_named_and_left(rules: str, path: str, reason: str) -> None:
    assert text(INJECT + rules, finding("content-differs", path)) == (
        f"web: nothing done about content-differs in web-1 ({path}): {reason}"
    )


def test_a_secret_is_known_by_its_place_in_the_container_too() -> None:
    there = replace(finding("content-differs", "conf/prod"), target="/app/.env")
    assert "looks like a secret (.env)" in text(INJECT, there)


def test_one_secret_can_be_allowed_and_only_that_one() -> None:
    rules = INJECT + '[never]\nallow = ["certs/dev.pem"]\n'
    plan = planned(
        rules,
        finding("content-differs", "certs/dev.pem"),
        finding("content-differs", "certs/live.pem"),
    )
    assert [change.source for change in plan.steps[0].files] == ["certs/dev.pem"]
    assert [each.path for each, _ in plan.notices] == ["certs/live.pem"]


def test_a_volume_is_written_only_where_the_service_permits_it() -> None:
    holder = replica(1, mounts=(Mount("volume", "/srv"),))
    edit = finding("content-differs", "a.html")
    assert text(INJECT, edit, replicas=(holder,)) == (
        "web: nothing done about content-differs in web-1 (a.html): "
        "it is on the volume at /srv: `volumes = true` permits writing there"
    )
    allowed = INJECT + "[service.web]\nvolumes = true\n"
    assert planned(allowed, edit, replicas=(holder,)).steps[0].remedy is Remedy.INJECT


def test_a_bind_is_never_written_but_restarted() -> None:
    bound = replica(1, mounts=(Mount("bind", "/srv"),))
    edit = replace(finding("content-differs", "a.py"), via=Via.BIND)
    rules = INJECT + "[service.web]\nvolumes = true\n"
    assert text(rules, edit, replicas=(bound,)) == (
        "web: restart web-1 because content-differs [py]"
    )
    inject_only = INJECT.replace(', "purge", "restart"', "")
    assert "bind-mounted: the mount is never written" in text(inject_only, edit, replicas=(bound,))
    below = finding("content-differs", "a.py")
    assert "below the bind mount /srv" in text(rules, below, replicas=(bound,))


@pytest.mark.parametrize(
    ("cause", "reload", "remedies"),
    [
        ("process-older-than-code", "restart", [Remedy.RESTART]),
        ("process-older-than-code", "signal:HUP", [Remedy.RELOAD]),
        ("partial-reload", "signal:HUP", [Remedy.RELOAD]),
        ("preloaded-master", "signal:HUP", [Remedy.RESTART]),
        ("reloader-deaf", "self", [Remedy.RESTART]),
        ("stale-bytecode", "restart", [Remedy.PURGE, Remedy.RESTART]),
    ],
)
def test_a_process_that_runs_old_code_gets_no_file_but_is_renewed(
    cause: str, reload: str, remedies: list[Remedy]
) -> None:
    old = replace(finding(cause, at=1), link=LinkName.PROCESS)
    every = '[[rule]]\nwhen = ["*"]\ndo = ["inject", "purge", "restart"]\n'
    plan = planned(f'{every}[service.web]\nreload = "{reload}"\n', old)
    assert [step.remedy for step in plan.steps] == remedies


def test_an_injection_is_not_tried_where_it_cannot_help() -> None:
    both = (finding("old-image", at=1), finding("target-not-writable", "a.py"))
    assert text(ANY, *both) == lines("""
        web: nothing done about old-image in web-1: an injection does not help against old-image
        web: nothing done about target-not-writable in web-1 (a.py): nothing can be written there
    """)


@pytest.mark.parametrize(
    ("never", "rules", "found", "reason"),
    [
        ("rebuild", BUILD, finding("build-input-changed"), "the policy never does rebuild for web"),
        (
            "restart",
            ANY.replace('"inject", ', ""),
            finding("not-running", at=1),
            "the policy never does restart for web",
        ),
    ],
)
def test_services_can_be_left_alone(never: str, rules: str, found: Finding, reason: str) -> None:
    for name in ("web", "*"):
        plan = planned(f'{rules}\n[never]\n{never} = ["{name}"]\n', found)
        assert (plan.steps, [why for _, why in plan.notices]) == ((), [reason])


def test_a_hot_patch_holds_back_what_would_make_new_containers() -> None:
    patch = finding("changed-in-container", "hot.py")
    plan = planned(BUILD, finding("old-image", at=2), patch)
    assert plan.steps == ()
    assert "it would lose the change to hot.py in web-1" in plan_text(plan)
    permitted = BUILD + '[[rule]]\nwhen = ["changed-in-container"]\ndo = ["inject"]\n'
    (step,) = planned(permitted, finding("old-image", at=2), patch).steps
    assert step.remedy is Remedy.REBUILD
    on_volume = replace(patch, evidence={"mount_kind": "volume"})
    assert planned(BUILD, finding("old-image", at=2), on_volume).steps != ()


# --- how a service reloads ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("restart", "web: restart web-1 because content-differs [py]"),
        ("signal:HUP", "web: signal HUP to web-1 because content-differs [py]"),
        ("self", None),
        ("per-request", None),
    ],
)
@pytest.mark.parametrize("word", ["restart", "reload"])
def test_the_services_reload_mode_says_what_a_restart_means(
    mode: str, expected: str | None, word: str
) -> None:
    rules = INJECT.replace('"restart"', f'"{word}"') + f'[service.web]\nreload = "{mode}"\n'
    steps = text(rules, finding("content-differs", "a.html")).splitlines()[2:]
    assert steps == ([expected] if expected else [])


def test_a_dead_process_is_restarted_whatever_the_mode() -> None:
    rules = '[[rule]]\nwhen = ["not-running"]\ndo = ["reload"]\n[service.web]\nreload = "self"\n'
    down = replica(1, state="exited", exit_code=1)
    assert text(rules, finding("not-running", at=1), replicas=(down,)) == (
        "web: restart web-1 because not-running [rule[0]]"
    )


def test_nothing_to_reload_is_said() -> None:
    rules = (
        '[[rule]]\nwhen = ["content-differs"]\ndo = ["reload"]\n[service.web]\nreload = "self"\n'
    )
    assert "the service takes up new code by itself" in text(rules, finding("content-differs", "a"))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("exited", [Remedy.INJECT, Remedy.RESTART]),
        ("paused", []),
        ("restarting", []),
        ("dead", []),
    ],
)
def test_only_what_a_stopped_container_can_take_is_tried(
    state: str, expected: list[Remedy]
) -> None:
    down = replica(1, state=state, exit_code=1)
    plan = planned(INJECT, finding("content-differs", "a.py"), replicas=(down,))
    assert [step.remedy for step in plan.steps] == expected


def test_a_container_that_is_gone_gets_no_step() -> None:
    plan = planned(INJECT, finding("content-differs", "a.py"), replicas=())
    assert (plan.steps, plan.notices[0][1]) == ((), "the container is gone")


def test_a_finding_of_the_service_restarts_every_running_replica() -> None:
    rules = '[[rule]]\nwhen = ["image-behind"]\ndo = ["restart"]\n'
    replicas = (replica(2), replica(1), replica(3, state="exited"), replica(4, oneoff=True))
    plan = planned(rules, finding("image-behind"), replicas=replicas)
    assert [step.container for step in plan.steps] == ["web-1", "web-2"]


# --- brakes -------------------------------------------------------------------------------------


def test_halted_nothing_is_done_at_all() -> None:
    plan = planned(
        INJECT + BUILD,
        finding("content-differs", "a.py"),
        finding("old-image", at=1),
        finding("patched"),
        halted="the project directory has vanished",
    )
    assert plan.steps == ()
    assert {why for _, why in plan.notices} == {"halted: the project directory has vanished"}
    assert len(plan.notices) == 2


def test_without_consent_what_executes_files_waits_and_injection_goes_on() -> None:
    words = "compose.yaml changed since you agreed"
    assert text(
        INJECT + BUILD,
        finding("content-differs", "a.html"),
        finding("old-image", at=1),
        consent_problem=words,
    ) == lines(f"""
        web: inject 1 file into web-1 because content-differs [py]
          write  /srv/a.html from a.html
        web: restart web-1 because content-differs [py]
        web: nothing done about old-image in web-1: {words}
    """)


@pytest.mark.parametrize(
    ("ago", "allowed"),
    [((), True), ((1, 2), True), ((1, 2, 3), False), ((1, 2, 600), False), ((1, 2, 601), True)],
)
def test_a_fourth_rebuild_within_ten_minutes_waits(ago: tuple[float, ...], allowed: bool) -> None:
    recent = {Remedy.REBUILD: tuple(NOW - seconds for seconds in ago)}
    policy = BUILD + "[limits]\nrebuilds = 3\n"
    plan = planned(policy, finding("old-image", at=1), recent=recent)
    assert bool(plan.steps) is allowed
    assert allowed or "rebuilds within 10 minutes: the next not before" in plan.notices[0][1]


@dataclass(frozen=True)
class Failed:
    """A failure as the store remembers it."""

    count: int
    inputs: str
    next_try: float
    detail: str = ""


def failed(plan: Plan, *findings: Finding, remedy: Remedy, wait: float = 60) -> dict[str, Failed]:
    return {
        step_key(step): Failed(2, step_inputs(step, report(*findings)), NOW + wait, "no space left")
        for step in plan.steps
        if step.remedy is remedy
    }


def test_what_failed_with_the_same_content_waits_and_takes_its_followers_along() -> None:
    edit = finding("content-differs", "a.py")
    failures = failed(planned(INJECT, edit), edit, remedy=Remedy.INJECT)
    assert text(INJECT, edit, failures=failures) == (
        "web: nothing done about content-differs in web-1 (a.py): inject failed 2 times with the "
        "same content (no space left); waiting for a change or until 08:01:00 UTC"
    )


def test_a_failure_is_forgotten_with_new_content_after_the_wait_or_elsewhere() -> None:
    edit = finding("content-differs", "a.py")
    failures = failed(planned(INJECT, edit), edit, remedy=Remedy.INJECT)
    again = replace(edit, want=finding("content-differs", "b").seen)
    assert planned(INJECT, again, failures=failures).steps
    assert planned(INJECT, edit, failures=failures, now=NOW + 61).steps
    elsewhere = finding("content-differs", "a.py", at=2)
    plan = planned(INJECT, elsewhere, edit, failures=failures)
    assert {step.container for step in plan.steps} == {"web-2"}


def test_when_a_rebuild_is_held_back_the_rest_goes_on() -> None:
    both = (finding("content-differs", "a.html"), finding("build-input-changed"))
    failures = failed(planned(INJECT + BUILD, *both), *both, remedy=Remedy.REBUILD)
    plan = planned(INJECT + BUILD, *both, failures=failures)
    assert [step.remedy for step in plan.steps] == [Remedy.INJECT, Remedy.RESTART]
    assert "rebuild failed 2 times" in plan.notices[0][1]


def test_a_held_restart_leaves_the_injection() -> None:
    edit = finding("content-differs", "a.html")
    failures = failed(planned(INJECT, edit), edit, remedy=Remedy.RESTART)
    plan = planned(INJECT, edit, failures=failures)
    assert [step.remedy for step in plan.steps] == [Remedy.INJECT]
    assert len(plan.notices) == 1


# --- the text -----------------------------------------------------------------------------------


def test_many_files_and_many_notices_are_counted() -> None:
    many = [finding("content-differs", f"{number:02}.html") for number in range(30)]
    shown = text(INJECT, *many).splitlines()
    assert len(shown) == 23
    assert shown[21] == "  … and 10 more"
    assert text(Policy(), *many) == (
        "web: nothing done about content-differs in web-1 (00.html, 01.html, 02.html and 27 more): "
        + NO_POLICY
    )


def test_names_cannot_break_a_line() -> None:
    odd = "a\n\x1b[31m\udcff.html"
    shown = text(INJECT, finding("content-differs", odd))
    assert len(shown.splitlines()) == 3
    assert "a\\x0a\\x1b[31m\\xff.html" in shown


def test_replicas_are_named_in_order() -> None:
    replicas: tuple[Replica, ...] = (replica(10), replica(2))
    findings = [finding("content-differs", "a.html", at=number) for number in (10, 2)]
    plan = planned(INJECT, *findings, replicas=replicas)
    assert [step.container for step in plan.steps] == ["web-2", "web-10", "web-2", "web-10"]


def test_without_consent_neither_a_rebuild_nor_a_recreate_is_tried() -> None:
    for remedy in ("rebuild", "recreate"):
        rules = f'[[rule]]\nwhen = ["old-image"]\ndo = ["{remedy}"]\n'
        plan = planned(rules, finding("old-image", at=1), consent_problem="compose.yaml changed")
        assert (plan.steps, plan.notices[0][1]) == ((), "compose.yaml changed")
