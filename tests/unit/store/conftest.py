"""A store in a file of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from freshd.store import Store, open_store


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "freshd.sqlite3")


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database, now=1_000.0)
    yield opened
    opened.close()
