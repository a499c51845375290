"""What ``freshd explain PATH`` answers, as lines for a terminal and as JSON."""

import os
from collections.abc import Iterator

from freshd.catalog.causes.registry import get_cause
from freshd.model.text import Json, printable
from freshd.model.verbs.explanation import (
    IgnoredBy,
    Landing,
    PathExplanation,
    PathInService,
    PolicyAnswer,
)
from freshd.render.documents import SCHEMA, Document
from freshd.render.words import Line, count, shown

_KINDS = {"file": "a file", "dir": "a directory", "link": "a symbolic link", "": "not in the tree"}


def explanation_lines(explanation: PathExplanation, *, project_dir: str) -> Iterator[Line]:
    """The path, each service's view of it, and what leaves it out."""
    name = explanation.path if explanation.path is not None else explanation.asked
    yield (
        (shown(name), "strong"),
        (f"   {_KINDS.get(explanation.kind, 'neither file nor link')}", "dim"),
    )
    if explanation.ignored is not None:
        yield (
            ("  not watched: ", "doubt"),
            (f"{_place(explanation.ignored, project_dir)}; the patrol finds its changes", ""),
        )
    for service in explanation.services:
        yield ()
        yield from _service(service, project_dir)
    for words in explanation.unseen:
        yield ()
        yield (("not seen: ", "doubt"), (printable(words), ""))


def _service(view: PathInService, project_dir: str) -> Iterator[Line]:
    yield ((shown(view.service), "strong"),)
    if view.absent:
        place = f": {_place(view.left_out, project_dir)}" if view.left_out is not None else ""
        yield (("  not in it: ", "dim"), (f"{printable(view.absent)}{place}", ""))
    for landing in view.landings:
        yield from _landing(landing)
    for target, number in view.below[:6]:
        yield ((f"  {count(number, 'file')} of it below ", ""), (shown(target), "code"))
    if view.is_input:
        yield (("  its build reads it: an injection alone would not be enough", ""),)
    if view.input_answer is not None:
        yield _answer(view.input_answer)


def _landing(landing: Landing) -> Iterator[Line]:
    pair = landing.pair
    yield (
        ("  → ", "dim"),
        (shown(pair.target), "code"),
        (
            f"   {pair.via.value}, {printable(pair.why)}" if pair.why else f"   {pair.via.value}",
            "dim",
        ),
    )
    if not pair.effective:
        yield (("    hidden by the mount at ", "doubt"), (shown(pair.hidden_by or "?"), "code"))
    for answer in landing.answers:
        yield _answer(answer)


def _answer(answer: PolicyAnswer) -> Line:
    *causes, last = (get_cause(slug).if_it or slug for slug in answer.causes)
    when = f"{', '.join(causes)} or {last}" if causes else last
    does = ", ".join(answer.does) or "nothing is done"
    words = [f"[{answer.rule}]"] if answer.rule else []
    words += [answer.reason] if answer.reason else []
    return (
        (f"    if it {when}: ", "dim"),
        (does, "good" if answer.does else "doubt"),
        (f"   {printable(': '.join(words))}" if words else "", "dim"),
    )


def _place(by: IgnoredBy, project_dir: str) -> str:
    """``.gitignore:4 names *.log``."""
    pattern = printable(by.pattern)
    if by.builtin:
        return f"{pattern} is never code (built in)"
    if not by.file:
        return f"the policy's ignore has {pattern}"
    file = os.path.relpath(by.file, project_dir)
    return f"{printable(file)}:{by.line} has {pattern}"


def explanation_document(explanation: PathExplanation, *, project_dir: str) -> Document:
    """What ``explain PATH --json`` prints."""
    return {
        "schema": SCHEMA,
        "asked": explanation.asked,
        "path": explanation.path,
        "kind": explanation.kind or None,
        "ignored": _ignored(explanation.ignored, project_dir),
        "services": [
            {
                "name": service.service,
                "landings": [_landing_document(landing) for landing in service.landings],
                "below": [{"target": target, "files": number} for target, number in service.below],
                "input": service.is_input,
                "if_input_changes": _answer_document(service.input_answer),
                "absent": service.absent or None,
                "left_out": _ignored(service.left_out, project_dir),
            }
            for service in explanation.services
        ],
        "unseen": list(explanation.unseen),
    }


def _landing_document(landing: Landing) -> Document:
    pair = landing.pair
    return {
        "source": pair.source,
        "target": pair.target,
        "via": pair.via.value,
        "why": pair.why,
        "effective": pair.effective,
        "hidden_by": pair.hidden_by,
        "answers": [_answer_document(answer) for answer in landing.answers],
    }


def _answer_document(answer: PolicyAnswer | None) -> Json:
    if answer is None:
        return None
    return {
        "causes": list(answer.causes),
        "does": list(answer.does),
        "rule": answer.rule or None,
        "reason": answer.reason or None,
    }


def _ignored(by: IgnoredBy | None, project_dir: str) -> Json:
    if by is None:
        return None
    return {
        "path": by.path,
        "pattern": by.pattern,
        "file": os.path.relpath(by.file, project_dir) if by.file else None,
        "line": by.line or None,
        "builtin": by.builtin,
    }
