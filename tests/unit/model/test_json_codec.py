"""Values come back from JSON as they were, and other shapes are refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import pytest

from freshd.model.json_codec import from_json, to_json
from freshd.model.text import Json


class Colour(StrEnum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclass(frozen=True, slots=True)
class Inner:
    name: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outer:
    colour: Colour
    at: float
    point: Point | None = None
    inner: tuple[Inner, ...] = ()
    counts: Mapping[Colour, int] = field(default_factory=dict)
    extra: Mapping[str, Json] = field(default_factory=dict)
    sure: bool = False


FULL = Outer(
    colour=Colour.RED,
    at=1.5,
    point=Point(1, 2),
    inner=(Inner("a", ("b", "c")), Inner("d")),
    counts={Colour.RED: 3},
    extra={"any": [1, None, {"x": True}]},
    sure=True,
)


@pytest.mark.parametrize("value", [FULL, Outer(Colour.RED, 0.0)])
def test_a_value_comes_back(value: Outer) -> None:
    assert from_json(Outer, json.loads(json.dumps(to_json(value)))) == value


def test_a_named_tuple_is_an_array_and_a_dataclass_an_object() -> None:
    written = to_json(Outer(Colour.RED, 1.0, point=Point(1)))
    assert isinstance(written, Mapping)
    assert (written["point"], written["colour"], written["inner"]) == ([1, 0], "red", [])


def test_another_version_wrote_more_or_less() -> None:
    assert from_json(Outer, {"colour": "red", "at": 1, "newer": {}}) == Outer(Colour.RED, 1)
    assert from_json(Inner, ["a", ["b"]]) == Inner("a", ("b",)), "an array, as it was before"


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "text",
        [],
        {"colour": "red"},
        {"colour": "green", "at": 1.0},
        {"colour": "red", "at": "1"},
        {"colour": "red", "at": 1.0, "inner": [{"name": "a", "words": "word"}]},
        {"colour": "red", "at": 1.0, "counts": {"green": 1}},
        {"colour": "red", "at": 1.0, "counts": 5},
    ],
)
def test_another_shape_is_refused(value: Any) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_json(Outer, value)
