"""What a build prints is shown and kept without the values of its arguments."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from freshd.reconcile.build_record import BuildRecorder


def recorder(**args: str | None) -> BuildRecorder:
    build = SimpleNamespace(args=args)
    project = SimpleNamespace(service=lambda _name: SimpleNamespace(build=build))
    return BuildRecorder(cast(Any, SimpleNamespace(project=project)), "web")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("#7 RUN curl -H hunter2hunter2 x", "#7 RUN curl -H *** x"),
        ("hunter2hunter2-and-more", "***"),
        ("#1 transferring context: 2B done", "#1 transferring context: 2B done"),
    ],
)
def test_no_line_of_a_build_shows_the_value_of_an_argument(line: str, shown: str) -> None:
    hides = recorder(TOKEN="hunter2hunter2", LONGER="hunter2hunter2-and-more", LEVEL="2", NONE=None)
    assert hides.conceal(line) == shown
