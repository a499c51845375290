"""The queue between threads: nothing is lost or doubled, and whoever waits can be woken."""

import threading
import time

import pytest

from freshd.daemon.work.coalescing import SHORTEST_GAP, Key, Work
from freshd.daemon.work.queue import WorkQueue

WEB = Key("shop", "web")
SHOP = Key("shop", None)


class Clock:
    """Stands still until told to move."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_take_waits_for_a_mark_from_another_thread() -> None:
    queue = WorkQueue()
    threading.Timer(0.02, lambda: queue.mark("shop", "web", paths=["a"], reason="saved")).start()
    work = queue.take(timeout=5)
    assert work is not None
    assert (work.key, work.paths) == (WEB, frozenset({"a"}))
    queue.done(work.key)
    assert queue.idle()
    queue.close()


def test_take_gives_up_after_its_timeout_by_the_injected_clock() -> None:
    clock = Clock()
    queue = WorkQueue(clock=clock)
    assert queue.take(timeout=0) is None
    queue.mark("shop", reason="patrol")
    assert queue.take(timeout=0) is None
    clock.now += SHORTEST_GAP
    work = queue.take(timeout=0)
    assert work is not None
    assert (work.key, work.paths) == (SHOP, None)


@pytest.mark.parametrize("end", ["wake", "close"])
def test_waiting_workers_return_when_woken_or_closed(end: str) -> None:
    queue = WorkQueue()
    results: list[Work | None] = []
    workers = [threading.Thread(target=lambda: results.append(queue.take())) for _ in range(3)]
    for worker in workers:
        worker.start()
    deadline = time.monotonic() + 5
    while len(queue._changed._waiters) < 3:  # type: ignore[attr-defined]
        assert time.monotonic() < deadline
    getattr(queue, end)()
    for worker in workers:
        worker.join(timeout=5)
    assert results == [None, None, None]


def test_many_threads_mark_and_work_and_nothing_is_lost_or_doubled() -> None:
    queue = WorkQueue()
    seen: dict[Key, list[str]] = {}
    running: set[Key] = set()
    problems: list[str] = []
    lock = threading.Lock()

    def work_on() -> None:
        while (work := queue.take(timeout=10)) is not None:
            with lock:
                if work.key in running:
                    problems.append(f"{work.key} twice at once")
                running.add(work.key)
                seen.setdefault(work.key, []).extend(work.paths or ())
            with lock:
                running.discard(work.key)
            queue.done(work.key)

    def mark(thread: int) -> None:
        for n in range(300):
            queue.mark("shop", f"s{n % 5}", paths=[f"{thread}/{n}"], reason="saved")

    workers = [threading.Thread(target=work_on) for _ in range(3)]
    markers = [threading.Thread(target=mark, args=(n,)) for n in range(3)]
    for thread in (*workers, *markers):
        thread.start()
    for thread in markers:
        thread.join()
    deadline = time.monotonic() + 8
    while not queue.idle():
        assert time.monotonic() < deadline
    queue.close()
    for thread in workers:
        thread.join()
    assert problems == []
    assert sorted(path for paths in seen.values() for path in paths) == sorted(
        f"{thread}/{n}" for thread in range(3) for n in range(300)
    )
