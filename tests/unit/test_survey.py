"""Whether an image that differs from the tree came from a stale context, or is just behind it."""

import pytest

from freshd.model import BuildRecord, Entry, Kind, Pair, ServiceMap, Via
from freshd.survey import _built_from

NEW, OLD = "1" * 64, "0" * 64
MAPPING = ServiceMap(
    "web",
    pairs=(Pair("a.py", "/app/a.py", Via.COPY), Pair("b.py", "/app/b.py", Via.COPY)),
)
TREE = {"a.py": Entry(Kind.FILE, NEW), "b.py": Entry(Kind.FILE, NEW)}


@pytest.mark.parametrize(
    ("recorded", "odd", "stale"),
    [
        pytest.param({"a.py": NEW, "b.py": NEW}, ["/app/a.py"], True, id="it had these bytes"),
        pytest.param({"a.py": OLD, "b.py": NEW}, ["/app/a.py"], False, id="edited since"),
        pytest.param({"a.py": NEW, "b.py": OLD}, ["/app/a.py", "/app/b.py"], False, id="one is"),
        pytest.param({"b.py": NEW}, ["/app/a.py"], False, id="made since"),
        pytest.param({"a.py": NEW}, [], False, id="nothing differs"),
    ],
)
def test_a_context_is_stale_when_the_build_had_what_its_image_lacks(
    recorded: dict[str, str], odd: list[str], stale: bool
) -> None:
    record = BuildRecord("sha256:1", "web", recorded)
    assert _built_from(record, MAPPING, TREE, odd) is stale
