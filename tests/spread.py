"""Which tests go to a worker together, and in which order: by the longest that each may take.

In: the tests that were collected. Out: their order, and for xdist (`--dist loadfile`) a scheduler.
A file with a fixture of its own for all its tests goes to one worker; other tests go singly.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

UNIT_TESTS = Path(__file__).parent / "unit"
SHORT = 5.0  # seconds, for a test that asks for no timeout of its own
_SHARED = 'scope="module"'


@cache
def shares(file: Path) -> bool:
    """Whether its tests share something that is made once."""
    return _SHARED in file.read_text("utf-8")


def together(root: Path, nodeid: str) -> str:
    """The name of what goes to one worker: a file, or one test."""
    file, _, _ = nodeid.partition("::")
    whole = (root / file).is_relative_to(UNIT_TESTS) or shares(root / file)
    return file if whole else nodeid


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What may take longest begins first, so that workers end together."""
    allowed: dict[str, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        seconds = float(mark.args[0]) if mark and mark.args else SHORT
        unit = together(config.rootpath, item.nodeid)
        allowed[unit] = allowed.get(unit, 0.0) + seconds
    items.sort(
        key=lambda item: (
            item.path.is_relative_to(UNIT_TESTS),
            -allowed[together(config.rootpath, item.nodeid)],
        )
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: "Producer"
) -> "LoadScopeScheduling | None":
    """The scheduler of `--dist loadfile`, with its units as above."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Spread(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return together(config.rootpath, nodeid)

    return Spread(config, log)
