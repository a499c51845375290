"""Changes are reported at once, losses are told, and nothing ends the watching."""

import ctypes
import errno
import os
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from watchdog.observers.inotify_c import inotify_add_watch
from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper
from watchdog.observers.polling import PollingObserver

from freshd.triggers.watch import Watcher, WatchMode, inotify_reader
from freshd.triggers.watch.observer import ObserverBackend

pytestmark = pytest.mark.timeout(60)

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify")


def descriptors(watcher: Watcher) -> dict[int, Any]:
    backend: Any = watcher._backend
    found: dict[int, Any] = backend._reader._watch_for_wd
    return found


def test_a_save_is_reported_by_its_path(watching: Any) -> None:
    (watching.root / "a").mkdir()
    watcher = watching.start()
    file = watching.root / "a" / "main.py"
    file.write_text("x = 1")
    watching.reports.wait_for(file)
    assert watcher.state().mode is WatchMode.WATCHING
    assert str(watcher.state()) == "watching"
    assert watcher.alive()


@pytest.mark.parametrize("name", [b"\xff\xfe", b"new\nline", b"-rf", b"it's", b"\x1b[31m"])
def test_any_name_is_reported_as_it_is(watching: Any, name: bytes) -> None:
    watching.start()
    path = os.path.join(os.fsencode(watching.root), name)
    with open(path, "wb"):
        pass
    watching.reports.wait_for(os.fsdecode(path))


def test_an_atomic_save_reports_the_name_it_ends_with(watching: Any) -> None:
    file = watching.root / "main.py"
    file.write_text("1")
    watching.start()
    other = watching.root / ".main.py.tmp"
    other.write_text("2")
    other.rename(file)
    watching.reports.wait_for(file)


def test_delete_and_chmod_are_changes(watching: Any) -> None:
    gone, mode = watching.root / "gone", watching.root / "mode"
    for file in (gone, mode):
        file.write_text("1")
    watching.start()
    gone.unlink()
    mode.chmod(0o755)
    watching.reports.wait_for(gone, mode)


def test_reading_files_and_directories_reports_nothing(watching: Any) -> None:
    file = watching.root / "main.py"
    file.write_text("1")
    watching.start()
    file.read_text()
    os.listdir(watching.root)
    marker = watching.root / "marker"
    marker.touch()
    watching.reports.wait_for(marker)
    assert set(watching.reports.paths) == {str(marker)}


def test_files_that_were_in_a_new_directory_before_its_watch_are_reported(watching: Any) -> None:
    watching.start()
    made = []
    for number in range(50):
        directory = watching.root / f"d{number}" / "deep" / "er"
        directory.mkdir(parents=True)
        (directory / "file").write_text("1")
        made.append(directory / "file")
    watching.reports.wait_for(*made)


@linux
def test_a_move_out_of_the_tree_holds_nothing_back(watching: Any, tmp_path: Path) -> None:
    """watchdog would hold the move and all behind it for its pairing delay."""
    file, other = watching.root / "moved", watching.root / "other"
    file.write_text("1")
    watching.start()
    began = time.monotonic()
    file.rename(tmp_path / "elsewhere")
    other.write_text("2")
    watching.reports.wait_for(file, other)
    assert time.monotonic() - began < InotifyMoveEventGrouper.delay


def test_a_directory_that_left_is_no_longer_watched(watching: Any, tmp_path: Path) -> None:
    (watching.root / "a" / "b").mkdir(parents=True)
    watcher = watching.start()
    assert len(descriptors(watcher)) == 3
    outside = tmp_path / "outside"
    (watching.root / "a").rename(outside)
    watching.reports.wait_for(watching.root / "a")
    watching.reports.clear()
    (outside / "b" / "unseen").touch()
    marker = watching.root / "marker"
    marker.touch()
    watching.reports.wait_for(marker)
    assert set(watching.reports.paths) == {str(marker)}
    assert len(descriptors(watcher)) == 1


def test_a_renamed_directory_reports_under_its_new_name(watching: Any) -> None:
    (watching.root / "a" / "b").mkdir(parents=True)
    (watching.root / "a" / "b" / "file").touch()
    watching.start()
    (watching.root / "a").rename(watching.root / "c")
    moved = watching.root / "c" / "b" / "file"
    watching.reports.wait_for(watching.root / "a", moved)
    watching.reports.clear()
    moved.write_text("1")
    watching.reports.wait_for(moved)
    assert all("/a" not in path[len(str(watching.root)) :] for path in watching.reports.paths)


@linux
def test_pruned_directories_have_no_watch_and_report_nothing(watching: Any) -> None:
    for number in range(20):
        (watching.root / "node_modules" / f"m{number}").mkdir(parents=True)
    (watching.root / "src").mkdir()
    watcher = watching.start(skip=lambda path, is_dir: is_dir and path.endswith("/node_modules"))
    assert len(descriptors(watcher)) == 2
    (watching.root / "node_modules" / "m1" / "x").touch()
    (watching.root / "src" / "node_modules").mkdir()
    marker = watching.root / "src" / "marker"
    marker.touch()
    watching.reports.wait_for(marker)
    assert set(watching.reports.paths) == {str(marker)}
    assert len(descriptors(watcher)) == 2


@linux
def test_refresh_follows_a_changed_skip(watching: Any) -> None:
    (watching.root / "build").mkdir()
    (watching.root / "src").mkdir()
    skipped = {"build"}
    watcher = watching.start(skip=lambda path, _is_dir: os.path.basename(path) in skipped)
    skipped.clear()
    watcher.refresh()
    (watching.root / "build" / "a").touch()
    watching.reports.wait_for(watching.root / "build" / "a")
    skipped.add("src")
    watcher.refresh()
    assert len(descriptors(watcher)) == 2


@linux
def test_an_overflow_is_told_once_watching_is_whole_again_and_does_not_livelock(
    watching: Any,
) -> None:
    """The reader is held while more events happen than the kernel queues."""
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        most = int(file.read())
    hold, held = threading.Event(), threading.Event()

    def skip(path: str, _is_dir: bool) -> bool:
        if path.endswith("/block"):
            held.set()
            assert hold.wait(30)
        return False

    for number in range(300):
        (watching.root / f"d{number}").mkdir()
    pair = [str(watching.root / name) for name in ("one", "two")]
    for name in pair:
        Path(name).touch()
    watcher = watching.start(skip=skip)
    (watching.root / "block").touch()
    assert held.wait(10)
    for number in range(most + 500):
        os.utime(pair[number % 2])
    new = watching.root / "born" / "unseen"
    new.mkdir(parents=True)
    shutil.rmtree(watching.root / "d7")
    (watching.root / "d8").rename(watching.root / "d8-renamed")
    hold.set()
    watching.reports.wait_lost("overflowed")
    probes = [new / "probe", watching.root / "d9" / "probe", watching.root / "d8-renamed" / "probe"]
    for probe in probes:
        probe.touch()
    watching.reports.wait_for(*probes)
    assert len(watching.reports.lost) == 1
    assert len(descriptors(watcher)) == 1 + 299 + 2
    assert watcher.alive()


@linux
def test_directories_beyond_the_watch_limit_are_polled_and_the_limit_is_named(
    watching: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        (watching.root / f"d{number}" / "deep").mkdir(parents=True)
    real = inotify_add_watch
    watched: set[bytes] = set()

    def limited(instance: int, path: bytes, mask: int) -> int:
        if path not in watched and len(watched) >= 5:
            ctypes.set_errno(errno.ENOSPC)
            return -1
        watched.add(path)
        return real(instance, path, mask)

    monkeypatch.setattr(inotify_reader, "inotify_add_watch", limited)
    watcher = watching.start()
    state = watcher.state()
    assert state.mode is WatchMode.DEGRADED
    assert "fs.inotify.max_user_watches" in state.reason
    for number in range(6):
        (watching.root / f"d{number}" / "deep" / "file").write_text("1")
    for number in range(6):
        watching.reports.wait(
            lambda number=number: watching.reports.covers(
                str(watching.root / f"d{number}" / "deep" / "file")
            ),
            f"d{number}",
        )


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EMFILE, "inotify instance limit reached"), RuntimeError("libc"), None],
)
def test_without_file_events_the_tree_is_polled_and_state_says_why(
    watching: Any, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def broken(**_options: Any) -> Any:
        assert error is not None
        raise error

    file = watching.root / "main.py"
    file.write_text("1")
    if error is None:  # the module cannot be imported
        monkeypatch.setitem(sys.modules, "freshd.triggers.watch.inotify", None)
        monkeypatch.setitem(sys.modules, "freshd.triggers.watch.observer", None)
        watcher = watching.start()
    else:
        watcher = watching.start(make_backend=broken)
    assert watcher.state().mode is WatchMode.POLLING
    assert watcher.state().reason
    file.write_text("22")
    watching.reports.wait_for(file)
    assert watcher.alive()


def test_a_root_that_goes_and_comes_back_is_told_and_watched_again(watching: Any) -> None:
    watcher = watching.start()
    shutil.rmtree(watching.root)
    watching.reports.wait_lost("root vanished")
    assert watcher.state().mode is WatchMode.DEGRADED
    watching.root.mkdir()
    watching.reports.wait_lost("root is back")
    file = watching.root / "main.py"
    file.write_text("1")
    watching.reports.wait_for(file)
    assert watcher.state().mode is WatchMode.WATCHING


def test_a_root_replaced_by_another_directory_is_told_and_watched(
    watching: Any, tmp_path: Path
) -> None:
    watching.start()
    other = tmp_path / "other"
    other.mkdir()
    watching.root.rename(tmp_path / "old")
    other.rename(watching.root)
    watching.reports.wait(
        lambda: any(
            reason.startswith(("root replaced:", "root is back:"))
            for reason in watching.reports.lost  # the path itself has "replaced" in it
        ),
        "replaced",
    )
    file = watching.root / "main.py"
    file.write_text("1")
    watching.reports.wait_for(file)


@pytest.mark.parametrize("become", ["file", "nothing"])
def test_a_root_that_is_no_directory_is_not_there(watching: Any, become: str) -> None:
    watcher = watching.start()
    watching.root.rmdir()
    if become == "file":
        watching.root.write_text("not a directory")
    watching.reports.wait_lost("root vanished")
    assert "is not there" in watcher.state().reason


def test_a_root_that_is_not_there_at_the_start_is_waited_for(watching: Any) -> None:
    late = watching.root / "late"
    watching.start(watching.root / "late")
    late.mkdir()
    watching.reports.wait_lost("root is back")
    (late / "a").touch()
    watching.reports.wait_for(late / "a")


def test_several_roots_are_watched_by_one_watcher(watching: Any) -> None:
    roots = [watching.root / "a", watching.root / "b"]
    for root in roots:
        root.mkdir()
    watching.start(*roots)
    for root in roots:
        (root / "file").touch()
    watching.reports.wait_for(*(root / "file" for root in roots))


@linux
def test_a_dead_thread_is_seen_told_and_replaced(
    watching: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = watching.start()
    real = inotify_reader.InotifyReader.read_events
    failures = iter([True])

    def failing(self: Any, **options: Any) -> Any:
        if next(failures, False):
            raise OSError(errno.EIO, "broken")
        return real(self, **options)

    monkeypatch.setattr(inotify_reader.InotifyReader, "read_events", failing)
    (watching.root / "wakes-the-reader").touch()
    watching.reports.wait_lost("started again")
    file = watching.root / "main.py"
    file.write_text("1")
    watching.reports.wait_for(file)
    assert watcher.alive()
    assert watcher.state().mode is WatchMode.WATCHING


@linux
def test_threads_that_keep_dying_end_in_polling(
    watching: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_self: Any, **_options: Any) -> Any:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(inotify_reader.InotifyReader, "read_events", failing)
    watcher = watching.start()
    watching.reports.wait_lost("polling from now on")
    assert watcher.state().mode is WatchMode.POLLING
    file = watching.root / "main.py"
    file.write_text("1")
    watching.reports.wait_for(file)


def test_a_callback_that_raises_ends_nothing_and_shows_in_the_state(watching: Any) -> None:
    seen: list[str] = []

    def on_change(paths: Any) -> None:
        seen.extend(paths)
        raise ValueError("bad handler")

    watcher = watching.start(on_change=on_change)
    (watching.root / "one").touch()
    watching.reports.wait_lost("bad handler")
    (watching.root / "two").touch()
    watching.reports.wait(lambda: str(watching.root / "two") in seen, "two")
    assert watcher.alive()
    assert watcher.state().mode is WatchMode.DEGRADED


@linux
def test_a_skip_that_raises_is_a_loss_and_ends_nothing(watching: Any) -> None:
    def skip(path: str, _is_dir: bool) -> bool:
        if path.endswith("bad"):
            raise ValueError("cannot say")
        return False

    watcher = watching.start(skip=skip)
    (watching.root / "bad").touch()
    watching.reports.wait_lost("cannot say")
    (watching.root / "good").touch()
    watching.reports.wait_for(watching.root / "good")
    assert watcher.alive()


def test_other_platforms_events_come_through_watchdogs_observer(watching: Any) -> None:
    (watching.root / "skipped" / "deep").mkdir(parents=True)
    watcher = watching.start(
        skip=lambda path, is_dir: is_dir and path.endswith("/skipped"),
        make_backend=lambda *, skip, sink: ObserverBackend(
            skip=skip, sink=sink, make=lambda: PollingObserver(timeout=0.05)
        ),
    )
    (watching.root / "skipped" / "deep" / "x").touch()
    file = watching.root / "main.py"
    file.write_text("1")
    watching.reports.wait_for(file)
    assert not any("skipped" in path for path in watching.reports.paths)
    assert watcher.alive()
    assert watcher.state().mode is WatchMode.WATCHING


def test_nothing_is_reported_after_stop_and_no_thread_stays(watching: Any) -> None:
    before = {thread.ident for thread in threading.enumerate()}
    watcher = watching.start()
    watcher.stop()
    watcher.stop()
    (watching.root / "late").touch()
    assert watching.reports.paths == []
    left = [t.name for t in threading.enumerate() if t.ident not in before]
    assert left == []


def test_a_root_that_is_missing_is_looked_for_more_often(watching: Any) -> None:
    """It may come back and go again, which nothing but a look in between can tell."""
    shutil.rmtree(watching.root)
    watcher = watching.start(root_interval=60.0)  # longer than the report is waited for
    watching.root.mkdir()
    watching.reports.wait_lost("root is back")
    assert watcher.state().mode is WatchMode.WATCHING
