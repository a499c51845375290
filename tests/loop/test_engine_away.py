"""An engine that goes away, and a freshd that is killed, at any call of a pass.

Afterwards all is as it would have been, and the process has started after its code landed.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from freshd.model.errors import EngineUnavailable, OutcomeUnknown
from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.reconcile import recovery
from tests.loop.world import INJECT, World, causes, ended, planned

NewWorld = Callable[[], World]
DONE = StepStatus.DONE
RECREATE = """
[[rule]]
when = ["env-changed", "compose-changed"]
do = ["recreate"]
"""


class Killed(BaseException):
    """What no error handling catches, as SIGKILL is not caught."""


def kill() -> None:
    raise Killed


def inject(world: World) -> None:
    """Written, deleted, restarted."""
    world.write("app/main.py", "two\n")
    (world.root / "app/page.html").unlink()


def rebuild(world: World) -> None:
    """Built, made anew."""
    world.policy('[[rule]]\nwhen = ["image-behind"]\ndo = ["rebuild"]\n')
    world.freshd.consent()
    world.write("app/main.py", "two\n")


def volume(name: str) -> dict[str, str]:
    return {"type": "volume", "source": name, "target": "/data"}


def recreate(world: World) -> None:
    """Made anew, and injected again."""
    world.write("app/main.py", "two\n")
    world.reconcile()
    world.policy(INJECT + RECREATE)
    world.service("web", environment={"A": "1"})
    world.freshd.consent()


SCENES = [inject, rebuild, recreate]
# What happens between two of these changes nothing, so that nobody could tell where it broke off.
CHANGING = {"put", "helper mv", "helper rm", "helper rmdir", "restart", "build", "up"}
EVERY_CALL = bool(os.environ.get("FRESHD_EVERY_CALL"))  # not all of them are always made


def begun(new_world: NewWorld, scene: Callable[[World], None]) -> World:
    world = new_world().shop()
    scene(world)
    world.engine.calls.clear()
    return world


def disturbed(
    new_world: NewWorld, scene: Callable[[World], None]
) -> Iterator[tuple[str, int, World]]:
    """A call of the pass that comes, by its name and number, and the world to make it in."""
    world = begun(new_world, scene)
    world.reconcile()
    calls = [call for call in world.engine.counted().items() if EVERY_CALL or call[0] in CHANGING]
    assert {"inject": "put", "rebuild": "build", "recreate": "up"}[scene.__name__] in dict(calls)
    for name, count in calls:
        for nth in range(1, count + 1):
            yield name, nth, begun(new_world, scene)


def settled(world: World, started: float, *, where: str) -> None:
    """Passes, as they come by themselves, lead to the tree and to a process that runs it."""
    for _ in range(4):
        passed = world.reconcile()
        if not passed.outcomes and not causes(passed.report):
            break
        world.engine.wait(120.0)
    assert causes(passed.report) == set(), where
    assert planned(passed)[-1] == [], where
    assert world.inside() == world.tree(), where
    one = world.container()
    assert one.running, where
    assert one.started > started, where
    landed = max(n.ctime for p in world.inside() if (n := one.view.get(p)) is not None)
    assert one.started > landed, where
    assert len(world.engine.of_service("web")) == 1, where


def goes_on(world: World, path: str, *, where: str) -> None:
    """The next edit is nothing special, and tidies up what was left behind."""
    world.write(path, "the next\n")
    passed = world.reconcile()
    assert {outcome.status for outcome in passed.outcomes} == {StepStatus.DONE}, where
    assert world.inside() == world.tree(), where
    assert world.left_over() == [], where


@pytest.mark.parametrize("scene", SCENES if EVERY_CALL else [inject, rebuild])
def test_an_engine_that_goes_away_at_any_call_is_caught_up_with(
    new_world: NewWorld, scene: Callable[[World], None]
) -> None:
    for name, nth, world in disturbed(new_world, scene):
        where, started = f"{name}, number {nth}", world.container().started
        world.engine.before(name, world.engine.go_away, nth=nth)
        with suppress(EngineUnavailable):
            world.freshd.reconcile("web")
        assert world.engine.away or EVERY_CALL, where
        world.engine.come_back()
        assert world.freshd.recover() == 0, where
        settled(world, started, where=where)
        goes_on(world, "app/other.py", where=where)


def test_what_landed_before_the_engine_went_away_is_no_change_by_hand(shop: World) -> None:
    shop.write("app/main.py", "two\n")
    shop.engine.after("helper mv", shop.engine.go_away)
    with suppress(EngineUnavailable):
        shop.freshd.reconcile("web")
    shop.engine.come_back()
    shop.freshd.recover()
    settled(shop, 0.0, where="")
    goes_on(shop, "app/main.py", where="")


def test_what_cannot_be_read_back_yet_is_read_back_the_next_time(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed without it, what landed would be somebody's change for ever."""

    def cut(*_: object, **__: object) -> None:
        raise OutcomeUnknown("the engine closed the connection")

    shop.write("app/main.py", "two\n")
    shop.engine.after("helper mv", shop.engine.go_away)
    with suppress(EngineUnavailable):
        shop.freshd.reconcile("web")
    shop.engine.come_back()
    with monkeypatch.context() as patched:
        patched.setattr(recovery, "_record", cut)
        assert shop.freshd.recover() == 1
    assert shop.freshd.recover() == 0
    settled(shop, 0.0, where="")
    goes_on(shop, "app/main.py", where="")


@pytest.mark.parametrize("scene", SCENES if EVERY_CALL else [inject, recreate])
def test_a_freshd_that_is_killed_at_any_call_is_made_up_for_at_its_next_start(
    new_world: NewWorld, scene: Callable[[World], None]
) -> None:
    for name, nth, world in disturbed(new_world, scene):
        where, started = f"{name}, number {nth}", world.container().started
        world.engine.after(name, kill, nth=nth)
        with pytest.raises(Killed) if not EVERY_CALL else suppress(Killed):
            world.freshd.reconcile("web")
        world.freshd.restart()
        world.engine.wait(5.0)
        assert world.freshd.recover() == 0, where
        settled(world, started, where=where)
        goes_on(world, "app/main.py", where=where)


def test_an_engine_that_is_away_when_a_pass_begins_leaves_everything_as_it_is(shop: World) -> None:
    shop.write("app/main.py", "two\n")
    shop.engine.away = True
    with pytest.raises(EngineUnavailable):
        shop.freshd.reconcile("web")
    assert shop.history() == ()
    shop.engine.come_back()
    assert ended(shop.reconcile()) == [(Remedy.INJECT, DONE), (Remedy.RESTART, DONE)]


def test_an_engine_that_goes_away_before_the_restart_leaves_it_owed(shop: World) -> None:
    shop.write("app/main.py", "two\n")
    shop.engine.before("restart", shop.engine.go_away)
    with pytest.raises(EngineUnavailable):
        shop.freshd.reconcile("web")
    inject, restart = shop.history()
    assert (inject.status, restart.finished_at) == ("done", None)
    shop.engine.come_back()
    assert shop.freshd.recover() == 0
    assert shop.history()[1].status == "interrupted"
    assert ended(shop.reconcile()) == [(Remedy.RESTART, DONE)]


def test_a_run_that_was_killed_half_way_through_a_recreate_is_brought_up_at_the_next_start(
    shop: World,
) -> None:
    """Compose had removed the old container, and no new one was there yet."""

    def half_way() -> None:
        shop.engine.remove(shop.container())
        kill()

    recreate(shop)
    shop.engine.before("up", half_way)
    with pytest.raises(Killed):
        shop.freshd.reconcile("web")
    shop.freshd.restart()
    assert shop.engine.of_service("web") == []
    assert shop.freshd.recover() == 0
    assert shop.container().running
    assert shop.history()[-1].status == "interrupted"


def test_what_is_brought_up_again_replaces_no_container_that_has_other_data(world: World) -> None:
    """The files were changed, and agreed to, while freshd was dead."""
    shop = world.shop(volumes=[volume("data")])
    shop.write("app/main.py", "two\n")
    shop.reconcile()
    shop.policy(INJECT + RECREATE)
    shop.service("web", environment={"A": "1"}, volumes=[volume("data")])
    shop.freshd.consent()
    shop.engine.before("up", kill)
    with pytest.raises(Killed):
        shop.freshd.reconcile("web")
    shop.freshd.restart()
    before = shop.container()
    shop.engine.stop(before)
    shop.service("web", volumes=[volume("other")])
    shop.freshd.consent()
    assert shop.freshd.recover() == 0
    assert shop.container() is before
    assert before.running


def test_what_an_interrupted_step_would_carry_out_waits_for_consent_to_the_files(
    shop: World,
) -> None:
    recreate(shop)
    shop.engine.before("up", kill)
    with pytest.raises(Killed):
        shop.freshd.reconcile("web")
    shop.freshd.restart()
    shop.service("web", environment={"A": "2"})
    assert shop.freshd.recover() == 1
    assert shop.container().environment == {}
    shop.freshd.consent()
    assert shop.freshd.recover() == 0
