"""Frozen values to JSON and back, by the types of their fields.

A dataclass is an object of its fields, a named tuple an array, an enum its value. What is read may
lack fields that have a default and may have others: another version wrote it.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from freshd.model.text import Json

_Value = TypeVar("_Value")
_Read = Callable[[Any], Any]


def to_json(value: object) -> Json:
    """``value``, which is of frozen values, tuples, mappings and plain values all through."""
    if isinstance(value, Enum):
        return cast(Json, value.value)
    if is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(held) for key, held in value.items()}
    if isinstance(value, Sequence | Set) and not isinstance(value, str):
        return [to_json(held) for held in value]
    return cast(Json, value)


def from_json(kind: type[_Value], value: Any) -> _Value:
    """A ``kind``; raises KeyError, TypeError or ValueError for anything of another shape."""
    return cast(_Value, _reader(cast(Hashable, kind))(value))


@cache
def _reader(kind: Any) -> _Read:
    """What makes a ``kind`` of its JSON."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        kinds = [argument for argument in arguments if argument is not NoneType]
        return _as_it_is if len(kinds) > 1 else partial(_optional, _reader(kinds[0]))
    if origin is not None and issubclass(origin, Mapping):
        return partial(_mapping, *map(_reader, arguments))
    if origin is not None:
        return partial(_tuple, _reader(arguments[0]))
    if issubclass(kind, Enum):
        return cast(_Read, kind)
    if is_dataclass(kind) or issubclass(kind, tuple):
        hints = get_type_hints(kind)
        return partial(_record, kind, {name: _reader(hint) for name, hint in hints.items()})
    return partial(_plain, (int, float) if kind is float else kind)


def _as_it_is(value: Any) -> Any:
    """JSON in JSON."""
    return value


def _optional(read: _Read, value: Any) -> Any:
    return None if value is None else read(value)


def _mapping(read_key: _Read, read: _Read, value: Any) -> Mapping[Any, Any]:
    return {read_key(key): read(held) for key, held in dict(value).items()}


def _tuple(read: _Read, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        raise TypeError(f"an array was expected, not {value!r}")
    return tuple(read(held) for held in value)


def _record(kind: Callable[..., Any], readers: Mapping[str, _Read], value: Any) -> Any:
    """An array names its fields by their order."""
    held = value if isinstance(value, Mapping) else dict(zip(readers, value, strict=False))
    return kind(**{name: read(held[name]) for name, read in readers.items() if name in held})


def _plain(kind: type | tuple[type, ...], value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not {kind}")
    return value
