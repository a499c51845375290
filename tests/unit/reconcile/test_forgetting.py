"""When the engine is asked what it still has, and what happens where it does not answer."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from freshd.engine import inventory
from freshd.engine.client import Engine
from freshd.engine.inventory import Missing
from freshd.model.errors import EngineUnavailable
from freshd.reconcile.forgetting import forget_gone
from freshd.store import Store, open_store
from freshd.store.records.creation_records import CreationRecord

ONE, TWO = "1" * 64, "2" * 64
MADE = CreationRecord("v2", {})


class _Client:
    """Has inspected ``seen`` since it was asked last."""

    def __init__(self, *seen: str) -> None:
        self.seen: Mapping[str, str] = dict.fromkeys(seen, "")

    def take_seen(self) -> Mapping[str, str]:
        seen, self.seen = self.seen, {}
        return seen


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(str(tmp_path / "state"), now=0.0)) as opened:
        for container in (ONE, TWO):
            opened.creation_records.record(container, MADE)
        yield opened


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """What the engine was asked for: it has ONE no more, and nothing else went."""
    found: list[frozenset[str]] = []

    def missing(_: object, objects: frozenset[str]) -> Missing:
        found.append(objects)
        return Missing(gone=objects & {ONE})

    monkeypatch.setattr(inventory, "identity", lambda _: "here")
    monkeypatch.setattr(inventory, "missing", missing)
    return found


def forget(store: Store, *clients: _Client) -> None:
    forget_gone(store, cast(Sequence[Engine], clients))


def test_a_look_that_saw_nothing_new_asks_nothing(
    store: Store, asked: list[frozenset[str]]
) -> None:
    forget(store, _Client(ONE), _Client(TWO))
    assert asked == [{ONE, TWO}]
    assert (store.creation_records.get(ONE), store.creation_records.get(TWO)) == (None, MADE)
    forget(store, _Client(TWO))
    forget(store, _Client())
    forget(store)
    assert asked == [{ONE, TWO}]


def test_where_the_engine_does_not_answer_nothing_is_forgotten(
    store: Store, asked: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Missing:
        raise EngineUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(inventory, "missing", away)
        forget(store, _Client(ONE))
    assert store.creation_records.get(ONE) == MADE
    forget(store, _Client(TWO))
    assert asked == [{ONE, TWO}], "what was known then is asked for at the next look"
    assert store.creation_records.get(ONE) is None
