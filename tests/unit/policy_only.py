"""Projects that need no Compose file and no engine: their policy names a container."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freshd.config.locations import Locations, prepare
from freshd.daemon.project import Shared
from freshd.engine.transport.endpoint import Endpoint
from freshd.notify import Notifier
from freshd.store.store import open_store
from tests.conftest import NOWHERE

POLICY = '[service.web]\ncontainer = "{name}-web"\nmap = [{{ from = "app", to = "/app" }}]\n'


def make_project(directory: Path, name: str = "") -> Path:
    """A project in ``directory``, made if need be."""
    (directory / "app").mkdir(parents=True, exist_ok=True)
    (directory / "app" / "a.py").write_text("a = 1\n")
    head = f'[project]\nname = "{name}"\n' if name else ""
    (directory / "freshd.toml").write_text(head + POLICY.format(name=directory.name))
    return directory


@contextmanager
def sharing(own: Path) -> Iterator[Shared]:
    """What daemons share, in a state directory below ``own``, with no engine and no desktop."""
    locations = Locations(config=str(own / "config"), state=str(own / "state"))
    prepare(locations)
    store = open_store(locations.database, now=0.0)
    notifier = Notifier(enabled=False)
    try:
        yield Shared(
            Endpoint(NOWHERE, "test"), {}, store, locations, notifier, threading.Semaphore(4)
        )
    finally:
        store.close()
