"""Mistakes in a configuration file: pydantic's errors in, one readable line per mistake out.

Each line has the dotted path, the value and what it should be; for an unknown key the nearest known
one is named.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from freshd.config.schema import suggest
from freshd.model.policy import without_secrets
from freshd.model.text import printable

_LONGEST_VALUE = 60
_WORDS = {
    "missing": "is required",
    "string_type": "must be a string in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be a list in [brackets]",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}


def list_problems(error: ValidationError, model: type[BaseModel]) -> tuple[str, ...]:
    """Every mistake in the order of the model, each once."""
    lines = (_line(detail, model) for detail in error.errors(include_url=False))
    return tuple(dict.fromkeys(lines))


def format_path(location: Sequence[int | str]) -> str:
    """``("rule", 0, "do", 1)`` as ``rule[0].do[1]``."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        word = part if part.replace("-", "").replace("_", "").isalnum() else json.dumps(part)
        text += f".{word}" if text else word
    return printable(text)


def format_value(value: object) -> str:
    """A value as TOML would have it, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):  # a TOML date, or infinity
        text = str(value)
    text = printable(text)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _line(detail: Mapping[str, Any], model: type[BaseModel]) -> str:
    location: tuple[int | str, ...] = tuple(detail["loc"])
    kind, value = detail["type"], detail["input"]
    path = format_path(location)
    if kind == "extra_forbidden":
        key = str(location[-1])
        return f"{path}: unknown key{suggest(key, _known_keys(model, location[:-1]))}"
    if kind == "missing":
        return f"{path}: {_WORDS[kind]}"
    words = _WORDS.get(kind) or _own_words(detail)
    if isinstance(value, dict):
        return f"{path}: {words}"
    if location[-1:] == ("http",) and isinstance(value, str):
        value = without_secrets(value)
    return f"{path} = {format_value(value)}: {words}"


def _own_words(detail: Mapping[str, Any]) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    message = str(detail["msg"])
    return message[:1].lower() + message[1:]


def _known_keys(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The keys of the table at ``location``, as they are written in the file."""
    table = model
    named = False  # the next part is a name of the author's: service.NAME
    for part in location:
        if isinstance(part, int) or named:
            named = False
            continue
        fields = table.model_fields.items()
        field = next((field for name, field in fields if part in (field.alias, name)), None)
        inner = _model_in(field.annotation) if field is not None else None
        if field is None or inner is None:
            return []
        named = get_origin(field.annotation) is dict
        table = inner
    return [field.alias or name for name, field in table.model_fields.items()]


def _model_in(annotation: object) -> type[BaseModel] | None:
    """The table's model inside ``Table``, ``list[Table]`` or ``dict[str, Table]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in inner if model is not None), None)
