"""One project in a temporary directory, and the fake engine that its containers run in.

Its files were written, built and started an hour ago; what a test does happens now.
"""

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from freshd.model.files import Kind
from freshd.model.plan import Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Level, ServiceReport
from freshd.reconcile.reconcile import Passed
from freshd.store.journal import JournalEntry
from tests.loop.fake.compose import up
from tests.loop.fake.engine import Container, FakeEngine, Image
from tests.loop.fake.files import Files, Node, directory, of_host, walk_host
from tests.loop.wiring import Freshd

NAME = "shop"
BASE = "base:1"
HOUR = 3600.0
COMPOSE_FILE = "compose.yaml"

DOCKERFILE = """FROM {base}
WORKDIR /app
COPY app /app
CMD ["python", "main.py"]
"""
INJECT = """
[[rule]]
name = "code"
when = ["content-differs", "missing-in-container", "extra-in-container", "mode-differs"]
do = ["inject", "restart"]
"""


class World:
    """The tests' words for what developers and freshd do."""

    def __init__(self, directory: Path, engine: FakeEngine) -> None:
        self.engine = engine
        self.root = directory / NAME
        self.root.mkdir()
        self.freshd = Freshd(str(self.root), str(directory / "state"), engine)
        self._services: dict[str, dict[str, Any]] = {}
        self._volumes: dict[str, Any] = {}

    # ---- the project

    def shop(self, base: str = BASE, run: str = "", **service: Any) -> "World":
        """Two files copied into ``web``; what differs is injected, and the process restarted."""
        self.service("web", **service)
        self.write(
            "Dockerfile",
            DOCKERFILE.format(base=base) + (f"RUN {run}\n" if run else ""),
            age=2 * HOUR,
        )
        self.write("app/main.py", "one\n", age=2 * HOUR)
        self.write("app/page.html", "<p>\n", age=2 * HOUR)
        self.policy(INJECT)
        self.up()
        return self

    def service(self, name: str = "web", *, image: str = "", **more: Any) -> None:
        """A service of the Compose file, built from the project unless it has an ``image``."""
        service: dict[str, Any] = {"networks": {"default": None}, **more}
        if "network_mode" in more:
            del service["networks"]
        if image:
            service["image"] = image
        else:
            service.setdefault("build", {"context": str(self.root), "dockerfile": "Dockerfile"})
        self._services[name] = service
        for mount in more.get("volumes", ()):
            if mount["type"] == "volume":
                self._volumes[mount["source"]] = {"name": mount["source"]}
        self.write(COMPOSE_FILE, json.dumps(self._model()), age=2 * HOUR)

    def write(self, path: str, text: str, *, mode: int | None = None, age: float = 0.0) -> None:
        """Save a file of the project, as of ``age`` seconds ago."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if mode is not None:
            file.chmod(mode)
        moment = self.engine.now() - age
        os.utime(file, (moment, moment))

    def policy(self, text: str) -> None:
        self.write("freshd.toml", f"version = 1\n{text}")

    def up(self) -> None:
        """What a developer did an hour ago: `docker compose up --build`, and ran freshd."""
        self.engine.wait(-HOUR)
        self._base_image()
        for name, service in self._services.items():
            if "build" in service:
                self.freshd.build_by_hand(name)
            self.recreate_by_hand(name, force=False)
        self.engine.wait(HOUR)
        self.freshd.consent()
        self.engine.calls.clear()

    def recreate_by_hand(
        self, name: str = "web", *, count: int | None = None, force: bool = True
    ) -> None:
        """`docker compose up --force-recreate`, typed by a developer, perhaps with `--scale`."""
        count = count or int(self._services[name].get("scale", 1))
        file = str(self.root / COMPOSE_FILE)
        up(self.engine, self._model(), name, count=count, force=force, file=file)

    # ---- containers

    def container(self, number: int = 1, service: str = "web") -> Container:
        return self.engine.of_service(service)[number - 1]

    def holds(self, path: str, number: int = 1, service: str = "web") -> str | None:
        """What is in a container's file; None: nothing is there."""
        node = self.container(number, service).view.follow(path)
        return None if node is None else node.content.decode()

    def tree(self) -> Mapping[str, tuple[str, bool]]:
        """What the tree has below ``app``: where it lands -> text, and whether it is executable."""
        names = [f"app/{name}" for name in walk_host(str(self.root / "app"))]
        return _texts({f"/{name}": of_host(str(self.root / name)) for name in names})

    def inside(self, number: int = 1, service: str = "web") -> Mapping[str, tuple[str, bool]]:
        """The same of a container."""
        view = self.container(number, service).view
        return _texts({path: view.get(path) for path in view.below("/app")})

    def change_inside(
        self, path: str, text: str, number: int = 1, *, container: Container | None = None
    ) -> None:
        """Somebody edits a file in a container."""
        node = Node(Kind.FILE, text.encode(), mtime=self.engine.tick())
        (container or self.container(number)).view.write(path, node)

    def flip_inside(self, path: str, text: str) -> None:
        """A file of a container is another, and all that `stat` says of it is the same."""
        files = self.container().view.own
        assert len(text.encode()) == files[path].size
        files[path] = replace(files[path], content=text.encode())

    def link_inside(self, path: str, text: str) -> None:
        """Somebody puts a symbolic link in the place of a directory of a container."""
        view = self.container().view
        view.remove(path)
        view.write(path, Node(Kind.LINK, text.encode(), 0o777, mtime=self.engine.tick()))

    def own(self, path: str, *, uid: int) -> None:
        """The image's files are a user's: nothing of them is newer than the container."""
        files = self.container().view.own
        files[path] = replace(files[path], uid=uid)

    def left_over(self, number: int = 1) -> list[str]:
        """Staging directories that an injection left in a container."""
        paths = self.container(number).view.below("/")
        return [path for path in paths if "/.freshd-" in path]

    # ---- freshd

    def reconcile(self, service: str = "web", *, paths: Collection[str] | None = None) -> Passed:
        """One whole pass, which ends as it should: the database has no step that is open."""
        passed = self.freshd.reconcile(service, paths=paths)
        assert not self.freshd.store.journal.unfinished(NAME)
        return passed

    def reconcile_with(self, event: Callable[[], None], *, before: Remedy) -> Passed:
        """One whole pass; ``event`` happens between the decision and the first such step."""
        left = [before]

        def before_step(step: Step) -> None:
            if step.remedy in left:
                left.remove(step.remedy)
                event()

        passed = self.freshd.reconcile("web", before_step=before_step)
        assert not left, "there was no such step"
        return passed

    def close(self) -> None:
        self.freshd.close()
        self.engine.close()

    def history(self, service: str = "web") -> Sequence[JournalEntry]:
        return self.freshd.history(NAME, service)

    def _base_image(self) -> None:
        """All that freshd asks of it is a shell."""
        now = self.engine.now()
        files = Files({"/": directory(now)})
        files.add("/bin/sh", Node(Kind.FILE, b"#!", 0o755, mtime=now, ctime=now), now=now)
        self.engine.tag(BASE, Image("sha256:" + "ba5e" * 16, files, created=now))
        self.engine.tick()

    def _model(self) -> dict[str, Any]:
        return {
            "name": NAME,
            "services": self._services,
            "networks": {"default": {"name": f"{NAME}_default"}},
            "volumes": self._volumes,
        }


def _texts(nodes: Mapping[str, Node | None]) -> Mapping[str, tuple[str, bool]]:
    """Directories are left out."""
    return {
        path: (node.content.decode(), node.kind is Kind.FILE and bool(node.mode & 0o100))
        for path, node in nodes.items()
        if node is not None and node.kind is not Kind.DIR
    }


# ---- what a test asks of a pass


def causes(report: ServiceReport) -> set[str]:
    """Of all findings but notes."""
    return {finding.cause for finding in report.findings if finding.level is not Level.NOTE}


def planned(passed: Passed) -> list[list[Remedy]]:
    """The remedies of each plan."""
    return [[step.remedy for step in plan.steps] for plan in passed.plans]


def ended(passed: Passed) -> list[tuple[Remedy, StepStatus]]:
    """What was done, in order, and how it ended."""
    return [(outcome.step.remedy, outcome.status) for outcome in passed.outcomes]


def left(passed: Passed) -> list[str]:
    """Why nothing is done about what the last plan leaves."""
    return [reason for _, reason in passed.plans[-1].notices]
