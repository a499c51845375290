"""Saved files of one project as a trigger: paths that changed come in, marks go out.

A file that the project itself is made of (policy, Compose file, Dockerfile, ignore file) may change
what has to be watched. ``on_stale`` reports that, and ``refresh`` follows when no pass runs.
"""

from collections.abc import Callable, Collection

from freshd.config.project import Project
from freshd.triggers.routes import Routes
from freshd.triggers.trigger import Marks, Trigger
from freshd.triggers.watch import Watcher, WatchMode


class FileEvents(Trigger):
    """``own`` are freshd's directories, which are left out. ``on_stale`` must be quick."""

    died = "file watching has died"
    status_field = "watching"

    def __init__(
        self,
        project: Project,
        marks: Marks,
        *,
        own: Collection[str],
        on_stale: Callable[[], None],
    ) -> None:
        self._project = project
        self._marks = marks
        self._own = own
        self._on_stale = on_stale
        self._routes = Routes(project, own=own)
        self._watcher = self._make_watcher()

    def start(self) -> None:
        self._watcher.start()

    def stop(self) -> None:
        self._watcher.stop()

    def alive(self) -> bool:
        return self._watcher.alive()

    def state(self) -> str:
        """The directories that are watched, and why they are not watched as they should be."""
        state, roots = self._watcher.state(), ", ".join(self._routes.roots)
        return roots if state.mode is WatchMode.WATCHING else f"{roots} ({state})"

    def refresh(self) -> None:
        before = self._routes
        self._routes = Routes(self._project, own=self._own)
        if self._routes.roots == before.roots and self._watcher.alive():
            self._watcher.refresh()
            if self._routes.places != before.places:  # an edit there was nobody's until now
                self._marks.mark_all("what a service names leads elsewhere")
            return
        self._watcher.stop()
        self._watcher = self._make_watcher()
        self._watcher.start()
        self._marks.mark_all("other directories are watched")

    def _make_watcher(self) -> Watcher:
        return Watcher(
            self._routes.roots,
            skip=self._skip,
            on_change=self._on_change,
            on_lost=self._marks.mark_all,
        )

    def _skip(self, path: str, is_dir: bool) -> bool:  # noqa: FBT001 - the watcher's shape
        return self._routes.skip(path, is_dir)  # of the routes as they are at that moment

    def _on_change(self, paths: Collection[str]) -> None:
        if self._routes.reload_ignores(paths):
            self._on_stale()
        if any(self._routes.is_project_file(path) for path in paths):
            self._marks.mark_all("a file of the project itself changed")
            self._on_stale()
            return
        for service, changed in self._routes.services_of(paths).items():
            self._marks.mark(service, "files changed", changed)
