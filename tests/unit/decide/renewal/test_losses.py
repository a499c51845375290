"""What new containers would cost stops them until a rule, or a flag, names it."""

from typing import Any

import pytest

from freshd.catalog.causes.registry import get_cause
from freshd.decide.renewal.losses import find_loss
from freshd.model.policy import Policy, Rule
from freshd.model.remedy import Remedy
from freshd.model.report import Finding


def lost(cause: str, **more: Any) -> Finding:
    entry = get_cause(cause)
    fields = {"target": "/etc/a.conf", "container": "web-1", "container_id": "c", **more}
    return Finding(cause, entry.level, entry.link, "web", f"{cause} it is", **fields)


def policy(*when: str, do: Remedy = Remedy.REBUILD) -> Policy:
    return Policy(rules=(Rule(when=when, do=(do,)),))


@pytest.mark.parametrize("cause", ["hot-patch", "changed-in-container", "other-data"])
def test_only_what_names_it_gives_it_up(cause: str) -> None:
    found = [lost(cause)]
    assert find_loss(found, Policy()) is not None
    assert find_loss(found, policy("*")) is not None
    assert find_loss(found, policy(cause, do=Remedy.NOTIFY)) is not None
    assert find_loss(found, policy(cause)) is None
    assert find_loss(found, policy(cause, do=Remedy.RECREATE)) is None
    assert find_loss(found, Policy(), frozenset({cause})) is None


def test_a_rule_for_changes_of_mapped_files_reaches_the_others() -> None:
    assert find_loss([lost("hot-patch")], policy("changed-in-container")) is None
    assert find_loss([lost("other-data")], policy("changed-in-container")) is not None


def test_other_compose_files_are_given_up_by_nothing() -> None:
    loss = find_loss(
        [lost("other-data"), lost("other-compose-files")], policy("other-compose-files")
    )
    assert loss is not None
    assert loss.reason == "other-compose-files it is"


def test_changes_are_told_together_and_what_a_program_wrote_is_none() -> None:
    found = [lost("hot-patch"), lost("hot-patch", container="web-2", container_id="d")]
    loss = find_loss(found, Policy())
    assert loss is not None
    assert "/etc/a.conf in web-1 and web-2: only a rule that names hot-patch may" in loss.reason
    assert "--discard-changes" in loss.hint
    mapped = [lost("changed-in-container")]
    assert find_loss(mapped, Policy(), by_programs=frozenset({("c", "/etc/a.conf")})) is None


def test_what_a_volume_holds_outlives_every_container() -> None:
    assert (
        find_loss([lost("changed-in-container", evidence={"mount_kind": "volume"})], Policy())
        is None
    )
