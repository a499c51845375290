"""Laws of decide, for any report and policy; and that its plans lead to fresh containers."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from freshd.catalog.causes.registry import CAUSES
from freshd.compare import compare
from freshd.decide.decide import decide, plan_text
from freshd.decide.memory import PassMemory
from freshd.decide.secrets import secret_pattern
from freshd.model.observed.snapshot import Snapshot
from freshd.model.plan import Plan, Step
from freshd.model.policy import Never, Policy, Reload, ReloadKind, Rule, ServicePolicy
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level
from tests.unit.compare.stack import Stack
from tests.unit.compare.stack import replica as running
from tests.unit.decide.findings import CONTENT, finding, replica, report

NOW = 1_800_000_000.0
REPLICAS = (replica(1), replica(2))
PATHS = ("app/a.py", "app/b.html", "conf/.env", "certs/x.pem", "scripts/run")
SLUGS = st.sampled_from(sorted(CAUSES))
FINDINGS = st.lists(
    st.builds(
        lambda cause, path, at: finding(cause, path if cause in CONTENT else None, at=at),
        SLUGS,
        st.sampled_from(PATHS),
        st.sampled_from([1, 2]),
    ),
    max_size=8,
    unique_by=lambda each: (each.container, each.path, each.cause),
)
RULES = st.builds(
    Rule,
    when=st.lists(SLUGS | st.just("*"), min_size=1, max_size=3).map(tuple),
    do=st.lists(st.sampled_from(Remedy), min_size=1, max_size=3).map(tuple),
    paths=st.sampled_from([(), ("app/**",), ("*.py", "!app/a.py"), ("**",)]),
    name=st.sampled_from(["one", "two", ""]),
)
POLICIES = st.builds(
    Policy,
    rules=st.lists(RULES, max_size=4).map(tuple),
    never=st.sampled_from([Never(), Never(inject=("scripts/**",)), Never(rebuild=("*",))]),
    services=st.sampled_from(
        [{}, {"web": ServicePolicy(reload=Reload(ReloadKind.SELF), volumes=True)}]
    ),
)


def plan(policy: Policy, *findings: Finding, **context: object) -> Plan:
    memory = PassMemory(**context)  # type: ignore[arg-type]
    return decide(report(*findings), policy, REPLICAS, memory, NOW)


@given(POLICIES, FINDINGS, st.randoms())
def test_a_plan_does_not_depend_on_the_order_of_findings(
    policy: Policy, findings: list[Finding], random: Random
) -> None:
    before = plan(policy, *findings)
    random.shuffle(findings)
    after = decide(report(*findings), policy, REPLICAS[::-1], PassMemory(), NOW)
    assert after == before
    assert plan_text(after) == plan_text(before)


@given(POLICIES, FINDINGS)
def test_every_finding_that_is_no_note_is_in_a_step_or_has_a_reason(
    policy: Policy, findings: list[Finding]
) -> None:
    made = plan(policy, *findings)
    told = [each for each, reason in made.notices if reason]
    swallowed = any(step.container_id is None for step in made.steps)
    causes = {cause for step in made.steps for cause in step.causes}
    for each in findings:
        if each.level is not Level.NOTE:
            assert each in told or each.cause in causes or swallowed


@given(POLICIES, FINDINGS)
def test_no_plan_injects_a_secret_or_what_the_policy_forbids(
    policy: Policy, findings: list[Finding]
) -> None:
    for step in plan(policy, *findings).steps:
        if step.remedy is Remedy.INJECT:
            sources = [change.source or "" for change in step.files]
            assert not any(map(secret_pattern, sources))
            assert not (policy.never.inject and "scripts/run" in sources)


@given(POLICIES, FINDINGS)
def test_steps_are_few_and_in_the_order_of_the_remedies(
    policy: Policy, findings: list[Finding]
) -> None:
    steps = plan(policy, *findings).steps
    order = [list(Remedy).index(step.remedy) for step in steps]
    assert order == sorted(order)
    places = [(step.remedy, step.container_id) for step in steps]
    assert len(places) == len(set(places))
    if any(step.remedy in (Remedy.REBUILD, Remedy.RECREATE) for step in steps):
        assert len(steps) == 1
    for step in steps:
        targets = [change.target for change in step.files]
        assert targets == sorted(set(targets))


@given(POLICIES, FINDINGS)
def test_only_a_rule_that_names_it_deletes_or_overwrites(
    policy: Policy, findings: list[Finding]
) -> None:
    careful = {"changed-in-container", "extra-in-container"}
    named = {cause for rule in policy.rules for cause in rule.when}
    for step in plan(policy, *findings).steps:
        if step.remedy is Remedy.INJECT:
            assert careful & set(step.causes) <= named
            if any(change.want is None for change in step.files):
                assert "extra-in-container" in named


@given(POLICIES, FINDINGS)
def test_halted_or_without_policy_there_is_no_step(policy: Policy, findings: list[Finding]) -> None:
    assert plan(policy, *findings, halted="gone").steps == ()
    assert plan(Policy(), *findings).steps == ()


@given(POLICIES)
def test_nothing_found_is_an_empty_plan(policy: Policy) -> None:
    assert plan(policy) == Plan("web")


NAMES = st.sampled_from(["app/a.py", "app/b.py", "app/c/d.py", "app/page.html"])
TEXTS = st.sampled_from(["one", "two", "+one", "three"])
TREES = st.dictionaries(NAMES, TEXTS, max_size=4)
INSIDE = st.dictionaries(NAMES, st.none() | TEXTS, max_size=4)
REPAIR = Policy(
    rules=(Rule(when=tuple(sorted(CONTENT)), do=(Remedy.INJECT, Remedy.PURGE, Remedy.RESTART)),)
)


@given(TREES, TREES, INSIDE, INSIDE)
def test_doing_the_plan_once_leaves_no_content_finding(
    tree: dict[str, str],
    built: dict[str, str],
    first: dict[str, str | None],
    second: dict[str, str | None],
) -> None:
    replicas = (running(1), running(2))
    facts = Stack(tree, built, replicas, {"web-1": first, "web-2": second}).facts()
    steps = decide(compare(facts), REPAIR, replicas, PassMemory(), NOW).steps
    after = compare(_done(facts, steps))
    assert not {each.cause for each in after.findings} & CONTENT
    assert decide(after, REPAIR, replicas, PassMemory(), NOW).steps == ()


def _done(facts: Snapshot, steps: tuple[Step, ...]) -> Snapshot:
    """The injections of a plan, done in memory, and written down as freshd does."""
    written = dict(facts.written)
    observations = {each.replica.id: each for each in facts.observations}
    for step in steps:
        if step.remedy is not Remedy.INJECT or step.container_id is None:
            continue
        files = dict(observations[step.container_id].files)
        for change in step.files:
            files.pop(change.target, None)
            written[step.container_id, change.target] = change.want.digest if change.want else ""
            if change.want is not None:
                files[change.target] = change.want
        seen = observations[step.container_id]
        observations[step.container_id] = replace(seen, files=files)
    return replace(facts, written=written, observations=tuple(observations.values()))
