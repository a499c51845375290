"""Which cause is proved by which test, and the table of them that a run of the tests makes.

A test says what it proves: ``@pytest.mark.proves("old-image", "detected", "remedied", "silent")``.
``detected``: the staleness was seen by other means first, then freshd had exactly this finding.
``remedied``: after what the finding suggests, the new state was seen and the finding was gone.
``silent``: a near miss, or the state put right, had no such finding.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

COLUMNS = ("detected", "remedied", "silent")
OPTION = "--causes-table"
_KEY = "proves"

Proofs = dict[str, set[str]]

HEAD = """# What the tests have seen of every cause

Made by `make causes`, from the tests that passed on a real engine. *Detected*: the staleness was
shown by other means first, and freshd then had exactly that finding. *Remedied*: what the finding
suggests was carried out, the new state was seen, and the finding was gone. *Silent*: a near miss
did not have it. A `-` was not seen. [causes.md](causes.md) says what each of them means.

What an everyday `freshd check` sees of a container is told by that container's own tools (`stat`,
`sha256sum`, `find`, `readlink`, Python for bytecode): one whose tools lie can make it say fresh.
`check --full`, `validate` and the reading back of what was written ask the engine, and believe no
tool. What no archive shows stays their word: tmpfs mounts, processes, names that are not UTF-8.

"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, metavar="FILE", help="write what the passed tests prove of each cause")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "proves(cause, *columns): what the test shows of a cause; docs/proofs.md is made"
    )
    if config.getoption(OPTION) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Table(Path(config.getoption(OPTION))))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers(_KEY):
            item.user_properties.append((_KEY, list(mark.args)))


class _Table:
    """Collects what passed, in the process that hears of every worker's tests."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._proofs: Proofs = {}
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for key, value in report.user_properties:
            if key != _KEY:
                continue
            cause, *columns = value if isinstance(value, list) else []
            if report.when == "call" and report.passed:
                self._proofs.setdefault(cause, set()).update(columns)
            elif report.failed:
                self._failed.add(cause)

    def pytest_sessionfinish(self) -> None:
        for cause in self._failed:
            self._proofs.pop(cause, None)
        from freshd.catalog.causes.registry import CAUSES

        self._path.write_text(table(CAUSES, self._proofs))


def table(slugs: Iterable[str], proofs: Mapping[str, set[str]]) -> str:
    """The page, in the order of the catalogue."""
    lines = ["| cause | detected | remedied | near miss silent |", "| --- | --- | --- | --- |"]
    for slug in slugs:
        seen = proofs.get(slug, set())
        cells = ["yes" if column in seen else "-" for column in COLUMNS]
        lines.append(f"| [`{slug}`](causes.md#{slug}) | {' | '.join(cells)} |")
    return HEAD + "\n".join(lines) + "\n"
