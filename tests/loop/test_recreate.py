"""New containers: who makes them, what they bring back, and what is put into them again."""

import pytest

from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Verdict
from tests.loop.fake.engine import Container, Refused
from tests.loop.world import INJECT, World, causes, ended, left, planned

DONE, FAILED = StepStatus.DONE, StepStatus.FAILED
INJECTED = [(Remedy.INJECT, DONE), (Remedy.RESTART, DONE)]
RECREATE = '[[rule]]\nwhen = ["env-changed", "compose-changed"]\ndo = ["recreate"]\n'


@pytest.fixture
def kept(shop: World) -> World:
    """Injected when a file differs, recreated when the Compose file does."""
    shop.policy(INJECT + RECREATE)
    shop.freshd.consent()
    return shop


def change_environment(world: World) -> None:
    world.service("web", environment={"A": "1"})
    world.freshd.consent()


def test_an_injection_that_a_recreate_by_hand_took_away_is_made_again(shop: World) -> None:
    shop.write("app/main.py", "two\n")
    shop.reconcile()
    shop.recreate_by_hand()
    assert shop.holds("/app/main.py") == "one\n"
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert passed.plans[0].steps[0].causes == ("injection-lost",)
    assert shop.holds("/app/main.py") == "two\n"
    assert passed.report.patched


def test_another_environment_makes_a_new_container_and_the_same_pass_injects_into_it(
    kept: World,
) -> None:
    kept.write("app/main.py", "two\n")
    kept.reconcile()
    before = kept.container()
    change_environment(kept)
    passed = kept.reconcile()
    assert planned(passed) == [[Remedy.RECREATE], [Remedy.INJECT, Remedy.RESTART], []]
    assert ended(passed) == [(Remedy.RECREATE, DONE), *INJECTED]
    assert causes(passed.report) == set()
    after = kept.container()
    assert after.id != before.id
    assert after.environment == {"A": "1"}
    assert kept.holds("/app/main.py") == "two\n"
    assert planned(kept.reconcile()) == [[]]


def test_a_recreate_keeps_the_replicas_that_there_are(kept: World) -> None:
    """`docker compose up --scale web=3` is nowhere in the Compose file."""
    kept.recreate_by_hand(count=3)
    change_environment(kept)
    passed = kept.reconcile()
    assert ended(passed) == [(Remedy.RECREATE, DONE)]
    assert [one.name for one in kept.engine.of_service("web")] == [
        "shop-web-1",
        "shop-web-2",
        "shop-web-3",
    ]
    assert all(one.environment == {"A": "1"} for one in kept.engine.of_service("web"))


def test_an_up_that_fails_once_is_made_again(kept: World) -> None:
    kept.engine.before("up", refuse)
    change_environment(kept)
    passed = kept.reconcile()
    assert ended(passed) == [(Remedy.RECREATE, FAILED)]
    assert "`up` failed (Error response from daemon: no space left)" in passed.outcomes[0].detail
    assert "then worked" in passed.outcomes[0].detail
    assert kept.engine.counted()["up"] == 2
    assert kept.container().running
    assert passed.report.verdict is Verdict.FRESH


def test_an_up_that_breaks_off_with_no_container_left_brings_one_back(kept: World) -> None:
    def break_off() -> None:
        kept.engine.remove(kept.container())
        refuse()

    kept.engine.before("up", break_off)
    change_environment(kept)
    kept.reconcile()
    assert kept.container().running, "no service is left down"


def test_a_new_container_that_does_not_stay_up_is_a_failure_and_is_waited_with(
    kept: World,
) -> None:
    def dies(one: Container) -> None:
        kept.engine.stop(one, exit_code=3)

    kept.engine.on_start = dies
    change_environment(kept)
    passed = kept.reconcile()
    assert ended(passed) == [(Remedy.RECREATE, FAILED)]
    assert "exited with 3 right after it started" in passed.outcomes[0].detail
    assert causes(passed.report) == {"not-running"}
    assert kept.engine.counted()["up"] == 1, "what a container does is no failure of `up`"


@pytest.mark.parametrize(("health", "status"), [("healthy", DONE), ("unhealthy", FAILED)])
def test_a_new_container_is_waited_for_until_its_health_check_says_something(
    kept: World, health: str, status: StepStatus
) -> None:
    def starting(one: Container) -> None:
        one.health = "starting"
        kept.engine.before("list", lambda: setattr(one, "health", health), nth=5)

    kept.engine.on_start = starting
    change_environment(kept)
    passed = kept.reconcile()
    assert ended(passed)[0] == (Remedy.RECREATE, status)
    assert kept.container().health == health


def test_a_container_that_is_never_healthy_is_not_waited_for_without_end(kept: World) -> None:
    kept.engine.on_start = lambda one: setattr(one, "health", "starting")
    change_environment(kept)
    began = kept.engine.now()
    passed = kept.reconcile()
    assert ended(passed) == [(Remedy.RECREATE, FAILED)]
    assert passed.outcomes[0].detail == "not up after 60 s"
    assert 60 < kept.engine.now() - began < 120


def test_what_shares_its_network_is_made_anew_with_it(kept: World) -> None:
    kept.service("side", image="base:1", network_mode="service:web")
    kept.freshd.consent()
    kept.recreate_by_hand("side")
    before = kept.container(service="side")
    change_environment(kept)
    passed = kept.reconcile()
    assert ended(passed) == [(Remedy.RECREATE, DONE)]
    after = kept.container(service="side")
    assert after.id != before.id
    assert after.joins == f"container:{kept.container().id}"


def test_what_shares_its_network_is_restarted_with_it(shop: World) -> None:
    shop.service("side", image="base:1", network_mode="service:web")
    shop.recreate_by_hand("side")
    side, started = shop.container(service="side"), shop.container(service="side").started
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert ended(passed) == INJECTED
    assert "with it shop-side-1" in passed.outcomes[1].detail
    assert side.started > shop.container().started > started


def test_what_somebody_changed_beside_the_mapped_files_is_no_price_of_a_recreate(
    kept: World,
) -> None:
    """In the second of two replicas; the rule that names it gives it up."""
    kept.recreate_by_hand(count=2)
    kept.reconcile()
    kept.change_inside("/bin/sh", "#!somebody's only copy", number=2)
    change_environment(kept)
    before = {one.id for one in kept.engine.of_service("web")}
    passed = kept.reconcile()
    assert planned(passed) == [[]]
    assert any("would lose the change to /bin/sh in shop-web-2" in why for why in left(passed))
    assert {one.id for one in kept.engine.of_service("web")} == before
    kept.policy(INJECT + RECREATE.replace('"env-changed"', '"env-changed", "hot-patch"'))
    kept.freshd.consent()
    assert (Remedy.RECREATE, DONE) in ended(kept.reconcile())
    assert not before & {one.id for one in kept.engine.of_service("web")}


def test_a_change_between_the_plan_and_the_step_stops_the_step(kept: World) -> None:
    before = kept.container()
    change_environment(kept)

    def patch() -> None:
        kept.change_inside("/bin/sh", "#!somebody's only copy")

    passed = kept.reconcile_with(patch, before=Remedy.RECREATE)
    assert ended(passed) == [(Remedy.RECREATE, StepStatus.REFUSED)]
    assert "/bin/sh in shop-web-1" in passed.outcomes[0].detail
    assert kept.container() is before


def test_without_consent_the_compose_file_is_not_carried_out(kept: World) -> None:
    before = kept.container()
    kept.service("web", environment={"A": "1"})
    passed = kept.reconcile()
    assert planned(passed) == [[]]
    assert any("compose.yaml changed since you agreed" in reason for reason in left(passed))
    assert kept.container() is before
    assert causes(passed.report) == {"env-changed"}


def refuse() -> None:
    raise Refused(500, "no space left")
