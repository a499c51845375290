"""Several projects in one process, without an engine: none waits for another, none is forgotten."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from freshd.daemon import boundary, projects
from freshd.daemon.log import set_up
from freshd.daemon.project import ProjectDaemon, Shared, open_daemon
from freshd.daemon.projects import Projects
from freshd.model.daemon_state import ProjectsState
from freshd.model.errors import AlreadyRunning, StateError
from freshd.store.instance_lock import InstanceLock
from freshd.triggers.time_events import TimeEvents
from tests.harness.waiting import wait_until
from tests.unit.policy_only import make_project, sharing


@dataclass
class House:
    """A running ``Projects``, its ``config.toml`` and where its projects are."""

    shared: Shared
    top: Path
    config: Path
    running: Projects

    def write(self, *projects: str, more: str = "") -> None:
        tables = [f'[[project]]\ndir = "{self.top / name}"\n' for name in projects]
        self.config.write_text("".join(tables) + more)

    def start(self) -> None:
        self.running.start()
        wait_until(lambda: self.running.ready)

    def problems(self) -> dict[str, str]:
        """What the store says of each project after a tick, by its directory's name."""
        self.running.tick()
        state = ProjectsState.from_json(self.shared.store.projects_document.load())
        assert state is not None
        return {Path(each.directory).name: each.problem for each in state.projects}

    def until(self, condition: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        found: dict[str, str] = {}

        def met() -> bool:
            found.clear()
            found.update(self.problems())
            return condition(found)

        wait_until(met, what="the projects to be so")
        return found


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(projects, "_ROUND_EVERY", 0.02)
    config = tmp_path / "config.toml"
    with open("/dev/null", "w", encoding="utf-8") as nowhere, sharing(tmp_path) as shared:
        set_up(nowhere)
        running = Projects(shared, config=str(config), lock="all.lock")
        house = House(shared, tmp_path, config, running)
        yield house
        running.stop()


def test_a_broken_project_is_told_and_stops_no_other(house: House) -> None:
    make_project(house.top / "good")
    make_project(house.top / "bad")
    (house.top / "bad" / "freshd.toml").write_text("version = 7\n")
    house.write("gone", "bad", "good")
    house.start()
    found = house.problems()
    assert found["good"] == ""
    assert found["gone"] == f"there is no directory {house.top / 'gone'}"
    assert "this freshd reads version 1" in found["bad"]
    assert house.running.summary == (
        f"watches good; waits for {house.top / 'gone'}: there is no directory "
        f"{house.top / 'gone'}, and 1 more"
    )
    assert house.running.trouble() == ""

    make_project(house.top / "gone")
    make_project(house.top / "bad")
    assert set(house.until(lambda found: not any(found.values()))) == {"gone", "bad", "good"}


def test_without_a_project_it_idles_says_so_and_takes_up_what_is_added(house: House) -> None:
    house.start()
    assert house.running.summary == f"watches nothing: no [[project]] in {house.config}"
    directory = make_project(house.top / "shop")
    house.write("shop")
    house.until(lambda found: found == {"shop": ""})
    assert house.shared.store.consents.get(str(directory)) is None, "nobody typed a word"
    house.config.write_text("")
    house.until(lambda found: found == {})

    def given_back() -> bool:
        try:
            with InstanceLock(house.shared.locations.locks, str(directory)):
                return True
        except AlreadyRunning:
            return False

    wait_until(given_back)


def test_an_invalid_configuration_changes_nothing_and_is_told(house: House) -> None:
    make_project(house.top / "shop")
    house.write("shop")
    house.start()
    house.write("shop", more="[log]\nlevel = 'loud'\n")

    def told() -> bool:
        house.running.tick()
        state = ProjectsState.from_json(house.shared.store.projects_document.load())
        return state is not None and 'log.level = "loud"' in state.problem

    wait_until(told)
    assert house.problems() == {"shop": ""}


def test_a_configuration_that_is_invalid_at_the_start_is_waited_for(house: House) -> None:
    house.config.write_text("[[project]]\n")
    house.start()
    assert "project[0].dir: is required" in house.running.summary
    make_project(house.top / "shop")
    house.write("shop")
    house.until(lambda found: found == {"shop": ""})


def test_a_project_that_another_freshd_watches_is_left_to_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects, "_RETRY", 0.02)
    directory = make_project(house.top / "shop")
    house.write("shop")
    with InstanceLock(house.shared.locations.locks, str(directory)):
        house.start()
        assert f"watches {directory} already" in house.problems()["shop"]
    house.until(lambda found: found == {"shop": ""})


def test_two_projects_of_one_name_are_not_mixed_up(house: House) -> None:
    make_project(house.top / "a", name="shop")
    make_project(house.top / "b", name="shop")
    house.write("a", "b")
    house.start()
    found = house.problems()
    assert found["a"] == ""
    assert f"{house.top / 'a'} has the project name shop already" in found["b"]


def test_what_troubles_one_daemon_is_told_with_its_name(house: House) -> None:
    make_project(house.top / "shop")
    house.write("shop")
    house.start()
    (entry,) = house.running._entries.values()
    assert entry.daemon is not None
    for trigger in entry.daemon._triggers:
        if isinstance(trigger, TimeEvents):
            trigger.stop()
    assert house.running.trouble() == "shop: the schedule has died"


def test_a_bug_at_one_project_is_told_and_stops_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:

    def broken(located: object, *rest: object, **named: object) -> object:
        if "bad" in str(located):
            raise RuntimeError("a bug")
        return open_daemon(located, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(projects, "open_daemon", broken)
    for name in ("bad", "good"):
        make_project(house.top / name)
    house.write("bad", "good")
    house.start()
    assert house.problems() == {"bad": "a bug in freshd: RuntimeError('a bug')", "good": ""}


def test_a_project_whose_tick_raises_stops_no_other_and_is_ticked_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bad", "good"):
        make_project(house.top / name)
    house.write("bad", "good")
    house.start()
    ticked: list[str] = []

    def tick(daemon: ProjectDaemon) -> None:
        ticked.append(daemon.name)
        if daemon.name == "bad":
            raise RuntimeError("a bug")

    monkeypatch.setattr(ProjectDaemon, "tick", tick)
    house.running.tick()
    house.running.tick()
    assert sorted(ticked) == ["bad", "good", "good"]
    assert house.running.trouble() == ""


def test_a_state_that_cannot_be_written_is_written_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StateError("the disk is full")

    monkeypatch.setattr(boundary, "FIRST_PAUSE", 0.0)
    house.start()
    with monkeypatch.context() as full:
        full.setattr(type(house.shared.store.projects_document), "save", refuse)
        house.running.tick()
    assert house.shared.store.projects_document.load() == {}

    def written() -> bool:
        house.running.tick()
        return bool(house.shared.store.projects_document.load())

    wait_until(written)
