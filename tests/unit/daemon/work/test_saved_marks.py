"""What a program writes into its mounts is kept out of the way of saves."""

from collections.abc import Collection
from dataclasses import dataclass, field

from freshd.daemon.work.requeue import DATA_APART
from freshd.daemon.work.saved_marks import SavedMarks


@dataclass
class Project:
    """Marks and worker in one; everything below ``/p/logs`` is data."""

    marked: list[set[str] | None] = field(default_factory=list)
    told: list[bool] = field(default_factory=list)

    def mark(self, _service: str, _reason: str, paths: Collection[str] | None = None) -> None:
        self.marked.append(None if paths is None else set(paths))

    def mark_all(self, _reason: str) -> None:
        self.marked.append(None)

    def is_data(self, _service: str, path: str) -> bool:
        return path.startswith("/p/logs/")

    def data_changed(self, _service: str, *, known: bool) -> None:
        self.told.append(known)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_log_is_no_save_and_code_beside_it_is() -> None:
    project = Project()
    marks = SavedMarks(project, project)
    marks.mark("web", "files changed", {"/p/logs/a.log", "/p/main.py"})
    marks.mark("web", "files changed", {"/p/logs/a.log"})
    assert project.marked == [{"/p/main.py"}]
    assert project.told == [False, True]
    marks.mark("web", "overflow")
    marks.mark_all("overflow")
    assert project.marked[1:] == [None, None]


def test_what_was_quiet_for_a_while_or_is_new_is_looked_at_soon() -> None:
    project, clock = Project(), Clock()
    marks = SavedMarks(project, project, clock)
    marks.mark("web", "files changed", {"/p/logs/a.log"})
    clock.now += DATA_APART / 2
    marks.mark("web", "files changed", {"/p/logs/a.log", "/p/logs/b.log"})
    marks.mark("web", "files changed", {"/p/logs/a.log", "/p/logs/b.log"})
    clock.now += DATA_APART
    marks.mark("web", "files changed", {"/p/logs/b.log"})
    assert project.told == [False, False, True, False]
