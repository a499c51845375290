"""What the next save will ask of an image, asked before: once each, in a thread of its own."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest

from freshd.engine.shared_cache import SharedCache
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import TargetGone
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.image import ImageFacts
from freshd.observe.image import prefetch
from freshd.observe.image.prefetch import LayerPrefetcher

PATIENCE = 10.0
PAIRS = (Pair("a", "/app/a", Via.COPY), Pair("b", "/srv/b", Via.BIND))
MAPPING = ServiceMap("web", PAIRS, copied_into=("/app",))


def image(number: int) -> ImageFacts:
    return ImageFacts(id=f"sha256:{number}", chain_id=f"chain {number}")


class Asked:
    """Stands for the engine: what it was asked, one at a time, and what it answers."""

    def __init__(self) -> None:
        self.images: SimpleQueue[str] = SimpleQueue()
        self.logged: SimpleQueue[str] = SimpleQueue()
        self.answer: Callable[[], None] = lambda: None

    @contextmanager
    def client(self, _endpoint: Endpoint, *, memory: SharedCache) -> Iterator[None]:
        assert memory is not None
        yield

    def writers(
        self, _engine: None, image_id: str, paths: Collection[str], **how: Any
    ) -> dict[str, str]:
        assert (list(paths), how["below"]) == (["/app/a"], ("/app",))
        self.images.put(image_id)
        self.answer()
        return {}

    def exception(self, event: str, **values: Any) -> None:
        self.logged.put(f"{event}: {values['why']}")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked()
    monkeypatch.setattr(prefetch, "writers", made.writers)
    monkeypatch.setattr(prefetch, "Engine", made.client)
    return made


@pytest.fixture
def looking(asked: Asked) -> Iterator[LayerPrefetcher]:
    cache: Any = None
    made = LayerPrefetcher(
        Endpoint("unix:///none", "test"), memory=SharedCache(), cache=cache, log=asked
    )
    yield made
    made.stop()


def test_each_image_is_asked_once_and_one_after_the_other(
    asked: Asked, looking: LayerPrefetcher
) -> None:
    go_on = threading.Event()
    asked.answer = lambda: None if go_on.wait(PATIENCE) else pytest.fail("never let go")
    for number in (1, 2, 1, 1, 2):
        looking.prefetch(image(number), MAPPING)
    assert asked.images.get(timeout=PATIENCE) == "sha256:1"
    assert asked.images.empty(), "the second waits for the first"
    go_on.set()
    assert asked.images.get(timeout=PATIENCE) == "sha256:2"
    looking.prefetch(image(2), MAPPING)
    looking.prefetch(image(3), MAPPING)
    assert asked.images.get(timeout=PATIENCE) == "sha256:3"


def test_what_failed_is_asked_at_the_next_look(asked: Asked, looking: LayerPrefetcher) -> None:
    def gone() -> None:
        asked.answer = lambda: None
        raise TargetGone("no such image")

    asked.answer = gone
    looking.prefetch(image(1), MAPPING)
    looking.prefetch(image(2), MAPPING)
    assert [asked.images.get(timeout=PATIENCE) for _ in range(2)] == ["sha256:1", "sha256:2"]
    looking.prefetch(image(1), MAPPING)
    assert asked.images.get(timeout=PATIENCE) == "sha256:1"


def test_a_bug_is_logged_and_ends_nothing(asked: Asked, looking: LayerPrefetcher) -> None:
    def fail() -> None:
        asked.answer = lambda: None
        raise KeyError("lines")

    asked.answer = fail
    looking.prefetch(image(1), MAPPING)
    assert asked.logged.get(timeout=PATIENCE) == "looking ahead failed: KeyError('lines')"
    looking.prefetch(image(2), MAPPING)
    assert [asked.images.get(timeout=PATIENCE) for _ in range(2)] == ["sha256:1", "sha256:2"]


def test_two_workers_at_once_make_one_thread(
    asked: Asked, looking: LayerPrefetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    other = threading.Thread(target=lambda: looking.prefetch(image(2), MAPPING))

    class Slow(threading.Thread):
        """While the first is being made, another worker comes."""

        def __init__(self, **how: Any) -> None:
            made.append(how["name"])
            if len(made) == 1:
                other.start()
                other.join(0.1)
            super().__init__(**how)

    monkeypatch.setattr(threading, "Thread", Slow)
    looking.prefetch(image(1), MAPPING)
    other.join(PATIENCE)
    assert made == ["ahead"]
    assert {asked.images.get(timeout=PATIENCE) for _ in range(2)} == {"sha256:1", "sha256:2"}
