"""Marks are coalesced: soon after calm, later in a burst, never lost, never two passes of a key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from freshd.daemon.work.coalescing import (
    HOLD_LIMIT,
    LONGEST_GAP,
    LONGEST_WAIT,
    MOST_PATHS,
    SHORTEST_GAP,
    Coalescer,
    Key,
    Work,
)

WEB = Key("shop", "web")
DB = Key("shop", "db")
SHOP = Key("shop", None)


def release_after(marks: list[float]) -> float:
    """The seconds from the last mark to the release, asking whenever the coalescer says."""
    rules = Coalescer()
    for at in marks:
        work, _ = rules.next(at)
        assert work is None, f"released at {at}, inside the burst"
        rules.mark(WEB, at, paths=["a"], reason="saved")
    now = marks[-1]
    while True:
        work, wait = rules.next(now)
        if work is not None:
            return now - marks[-1]
        assert wait is not None
        now += wait


@pytest.mark.parametrize(
    ("marks", "at_most"),
    [
        pytest.param([0.0], 0.011, id="one save is released after 10 ms"),
        pytest.param([0.0, 0.001, 0.0015, 0.002], 0.012, id="an editor's events are one save"),
        pytest.param([n * 0.0001 for n in range(1_000)], 0.036, id="1,000 files in 0.1 s"),
        pytest.param([n * 0.0003 for n in range(1_000)], 0.1, id="1,000 files in 0.3 s"),
        pytest.param([n * 0.005 for n in range(300)], LONGEST_GAP + 1e-6, id="a long burst"),
    ],
)
def test_a_burst_is_released_soon_after_its_last_mark(marks: list[float], at_most: float) -> None:
    assert SHORTEST_GAP - 1e-6 <= release_after(marks) <= at_most


def test_a_pause_inside_a_long_burst_does_not_split_it() -> None:
    busy = [n * 0.001 for n in range(200)]
    assert release_after([*busy, busy[-1] + 0.05]) > SHORTEST_GAP


def test_a_burst_without_end_is_released_after_the_longest_wait() -> None:
    rules = Coalescer()
    now = 0.0
    while True:
        rules.mark(WEB, now, paths=["a"], reason="saved")
        now += 0.005
        work, _ = rules.next(now)
        if work is not None:
            break
    assert now == pytest.approx(LONGEST_WAIT, abs=0.01)


def test_work_tells_paths_reasons_and_the_first_mark() -> None:
    rules = Coalescer()
    rules.mark(WEB, 1.0, paths=["a"], reason="saved")
    rules.mark(WEB, 1.001, paths=["b", "a"], reason="saved")
    rules.mark(WEB, 1.002, paths=[], reason="started")
    work, _ = rules.next(2.0)
    assert work == Work(WEB, frozenset({"a", "b"}), ("saved", "started"), 1.0)


@pytest.mark.parametrize("order", [(None, ["a"]), (["a"], None)])
def test_what_is_named_comes_before_everything(order: tuple[list[str] | None, ...]) -> None:
    rules = Coalescer()
    for paths in order:
        rules.mark(WEB, 1.0, paths=paths, reason="x")
    assert rules.knows_paths(WEB)
    first, _ = rules.next(2.0)
    assert first == Work(WEB, frozenset({"a"}), ("x",), 1.0)
    assert not rules.knows_paths(WEB)
    assert rules.next(2.0) == (None, None), "one pass at a time"
    assert rules.done(WEB)
    second, _ = rules.next(2.0)
    assert second == Work(WEB, None, ("x",), 1.0)
    assert not rules.done(WEB)


def test_everything_gets_its_turn_whatever_is_marked_meanwhile() -> None:
    rules = Coalescer()
    rules.mark(WEB, 1.0, paths=["a"], reason="saved")
    rules.mark(WEB, 1.0, paths=None, reason="patrol")
    turns: list[frozenset[str] | None] = []
    for number, name in enumerate("bcde", 2):
        work, _ = rules.next(float(number))
        assert work is not None
        turns.append(work.paths)
        rules.mark(WEB, float(number), paths=[name], reason="saved")
        assert rules.done(WEB)
    assert turns == [{"a"}, None, {"b", "c"}, {"d"}]


def test_too_many_paths_become_everything() -> None:
    rules = Coalescer()
    rules.mark(WEB, 1.0, paths=map(str, range(MOST_PATHS)), reason="x")
    rules.mark(DB, 1.0, paths=map(str, range(MOST_PATHS + 1)), reason="x")
    released: dict[Key, int | None] = {}
    for _ in range(2):
        work, _wait = rules.next(2.0)
        assert work is not None
        released[work.key] = None if work.paths is None else len(work.paths)
    assert released == {WEB: MOST_PATHS, DB: None}


def test_a_mark_during_a_pass_causes_exactly_one_more() -> None:
    rules = Coalescer()
    rules.mark(WEB, 1.0, paths=["a"], reason="saved")
    assert rules.next(2.0)[0] is not None
    for n in range(5):
        rules.mark(WEB, 2.0 + n, paths=[f"b{n}"], reason="saved")
    assert rules.next(9.0) == (None, None)
    assert rules.done(WEB)
    work, _ = rules.next(9.0)
    assert work is not None
    assert work.paths == frozenset({"b0", "b1", "b2", "b3", "b4"})
    assert not rules.done(WEB)
    assert rules.next(99.0) == (None, None)
    assert rules.idle


def test_services_run_side_by_side_and_a_whole_project_alone() -> None:
    rules = Coalescer()
    for key in (WEB, DB, Key("blog", "web")):
        rules.mark(key, 1.0, paths=None, reason="x")
    started = [rules.next(2.0)[0] for _ in range(3)]
    assert {work.key for work in started if work} == {WEB, DB, Key("blog", "web")}
    rules.mark(SHOP, 2.0, paths=None, reason="x")
    assert rules.next(3.0)[0] is None
    rules.done(WEB)
    rules.mark(WEB, 3.0, paths=None, reason="x")
    assert rules.next(4.0)[0] is None, "a service must not overtake its waiting project for ever"
    rules.done(DB)
    work, _ = rules.next(4.0)
    assert work is not None
    assert work.key == SHOP
    assert rules.next(4.0)[0] is None
    rules.done(SHOP)
    work, _ = rules.next(4.0)
    assert work is not None
    assert work.key == WEB


def test_nothing_is_released_while_git_holds_and_other_projects_go_on() -> None:
    lock: list[str] = ["lock"]
    rules = Coalescer(held=lambda project: lock[0] if project == "shop" else None)
    rules.mark(WEB, 0.0, paths=["a"], reason="saved")
    rules.mark(Key("blog", "web"), 0.0, paths=["a"], reason="saved")
    work, _ = rules.next(1.0)
    assert work is not None
    assert work.key.project == "blog"
    work, wait = rules.next(1.0)
    assert work is None
    assert wait is not None
    assert wait <= 0.05
    lock[0] = ""
    work, _ = rules.next(1.05)
    assert work is not None
    assert work.key == WEB


def test_a_dead_process_lock_holds_once_and_a_new_lock_holds_again() -> None:
    lock = ["first"]
    rules = Coalescer(held=lambda _project: lock[0])
    rules.mark(WEB, 0.0, paths=["a"], reason="saved")
    assert rules.next(1.0)[0] is None
    assert rules.next(1.0 + HOLD_LIMIT - 0.1)[0] is None
    assert rules.next(1.0 + HOLD_LIMIT)[0] is not None
    rules.done(WEB)
    rules.mark(WEB, 50.0, paths=["a"], reason="saved")
    assert rules.next(50.1)[0] is not None, "the same lock must not hold every save"
    rules.done(WEB)
    lock[0] = "second"
    rules.mark(WEB, 60.0, paths=["a"], reason="saved")
    assert rules.next(60.1)[0] is None


def test_a_held_project_mark_does_not_block_its_services_for_longer_than_the_hold() -> None:
    rules = Coalescer(held=lambda _project: "lock")
    rules.mark(SHOP, 0.0, paths=None, reason="x")
    rules.mark(WEB, 0.0, paths=None, reason="x")
    work, wait = rules.next(1.0)
    assert work is None
    assert wait is not None
    work, _ = rules.next(1.0 + HOLD_LIMIT)
    assert work is not None
    assert work.key == SHOP


class Machine(RuleBasedStateMachine):
    """Any order of marks, waits, takes and ends: no mark is lost, no key runs twice at once."""

    def __init__(self) -> None:
        super().__init__()
        self.held = False
        self.now = 0.0
        self.marks = Coalescer(held=lambda _project: self.held)
        self.wanted: dict[Key, set[str]] = {}
        self.running: set[Key] = set()
        self.count = 0

    @rule(key=st.sampled_from([WEB, DB, SHOP]))
    def mark(self, key: Key) -> None:
        self.count += 1
        self.wanted.setdefault(key, set()).add(f"p{self.count}")
        self.marks.mark(key, self.now, paths=[f"p{self.count}"], reason="x")

    @rule(held=st.booleans())
    def git(self, held: bool) -> None:
        self.held = held

    @rule(pause=st.sampled_from([0.0, 0.02, 0.3, 2.5]))
    def take(self, pause: float) -> None:
        self.now += pause
        work, _ = self.marks.next(self.now)
        if work is None:
            return
        assert work.key not in self.running
        if work.key == SHOP:
            assert not self.running
        else:
            assert SHOP not in self.running
        assert work.paths == frozenset(self.wanted.pop(work.key))
        self.running.add(work.key)

    @precondition(lambda self: bool(self.running))
    @rule(which=st.integers(0, 2))
    def end(self, which: int) -> None:
        key = sorted(self.running, key=str)[which % len(self.running)]
        self.running.discard(key)
        self.marks.done(key)

    @invariant()
    def what_is_marked_and_not_taken_is_not_idle(self) -> None:
        assert self.marks.idle == (not self.wanted and not self.running)

    def teardown(self) -> None:
        self.held = False
        for key in list(self.running):
            self.running.discard(key)
            self.marks.done(key)
        while self.wanted:
            before = len(self.wanted)
            self.take(LONGEST_WAIT)
            assert len(self.wanted) < before, "a mark was lost"
            self.marks.done(self.running.pop())


TestAnyOrder = pytest.mark.timeout(60)(Machine.TestCase)
TestAnyOrder.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


@settings(deadline=None)
@given(gaps=st.lists(st.floats(0.0, 0.009), max_size=60))
def test_a_dense_burst_is_never_split(gaps: list[float]) -> None:
    marks = [0.0]
    for gap in gaps:
        marks.append(marks[-1] + gap)
    assert release_after(marks) <= LONGEST_GAP + 1e-6
