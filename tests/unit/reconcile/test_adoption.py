"""What came from the tree by another hand counts as written, and is expected from then on."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from freshd.config.compose.develop_watch import Selection
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.container import Observation, Replica
from freshd.model.observed.snapshot import Snapshot
from freshd.model.policy import Policy, WatchRule
from freshd.model.remedy import Remedy
from freshd.reconcile.adoption import adopt, expect_asked
from freshd.reconcile.context import Context
from freshd.store.store import Store, memory_store
from tests.unit.compare.stack import entry, image, sha
from tests.unit.decide.findings import finding, report

TARGET = "/srv/a"
REPLICA = Replica(id="c1", name="web-1", service="web", image_id="i")


def context(*does: Remedy) -> Context:
    source = "/shop"
    rule = WatchRule("web", 1, frozenset(does), source, Selection(source, source), "/srv")
    project = SimpleNamespace(name="shop", policy=Policy(watch=(rule,)))
    made = SimpleNamespace(project=project, store=memory_store(), clock=lambda: 1.0)
    return cast("Context", made)


def facts(tree: str, there: str, built: str) -> Snapshot:
    pair = Pair("a", TARGET, Via.DECLARED)
    return Snapshot(
        service="web",
        builds=True,
        mapping=ServiceMap("web", pairs=(pair, pair._replace(source="b", target="/other"))),
        tree={"a": entry(tree), "b": entry(tree)},
        observations=(
            Observation(
                REPLICA, frozenset({TARGET}), {TARGET: entry(there), "/other": entry(tree)}
            ),
        ),
        images={"i": image("i", {"a": built})},
    )


def kept(store: Store) -> tuple[dict[str, str], dict[str, str]]:
    return dict(store.injected_files.read_all(REPLICA)), dict(
        store.injected_files.read_synced("shop", "web")
    )


def test_what_equals_the_tree_and_not_the_image_was_brought() -> None:
    made = context(Remedy.INJECT)
    adopt(made, facts("v2", "v2", "v1"))
    assert kept(made.store) == ({TARGET: sha("v2")}, {TARGET: sha("v2")})


def test_what_the_image_has_or_the_tree_has_not_was_not() -> None:
    for there, built in (("v1", "v1"), ("v2", "v2"), ("patched", "v1")):
        made = context(Remedy.INJECT)
        adopt(made, facts("v2", there, built))
        assert kept(made.store) == ({}, {}), (there, built)


def test_without_a_sync_rule_nothing_is_taken_over() -> None:
    made = context(Remedy.RESTART)
    adopt(made, facts("v2", "v2", "v1"))
    assert kept(made.store) == ({}, {})


def test_what_is_known_already_is_left_as_it_is() -> None:
    made = context(Remedy.INJECT)
    written = {("c1", TARGET): sha("v2")}
    adopt(made, replace(facts("v2", "v2", "v1"), written=written))
    assert kept(made.store) == ({}, {TARGET: sha("v2")})


def test_what_is_about_to_be_synced_is_expected_after_a_rebuild_too() -> None:
    made = context(Remedy.INJECT)
    asked = replace(finding("missing-in-container", "a"), target=TARGET)
    elsewhere = replace(finding("missing-in-container", "b"), target="/other/b")
    gone = replace(finding("extra-in-container", "c"), target="/srv/c")
    expect_asked(made, report(asked, elsewhere, gone))
    assert set(made.store.injected_files.read_synced("shop", "web")) == {TARGET}
    made.store.forget("here", gone=["c1"], unused=())
    synced = made.store.injected_files.read_synced("shop", "web")
    assert set(synced) == {TARGET}, "no container's, so it stays"
    assert made.store.injected_files.read_synced("other", "web") == {}
