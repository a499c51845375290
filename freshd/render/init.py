"""A proposed policy for a terminal and as JSON; the TOML itself is ``freshd.commands.init.text``.

In: ``Proposal`` and ``DetectedService`` values. Out: ``Line`` tuples or one document.
"""

from collections.abc import Iterator, Sequence

from freshd.model.text import Json, printable
from freshd.model.verbs.proposal import (
    Confidence,
    DetectedService,
    Proposal,
    ProposedRule,
    confidence_words,
)
from freshd.render.documents import SCHEMA, Document
from freshd.render.words import Line, columns, count, shown

_STYLES = {
    Confidence.PROVED: "good",
    Confidence.INFERRED: "",
    Confidence.UNTOLD: "doubt",
    Confidence.NOTHING: "dim",
}
_MARKS = {
    Confidence.PROVED: "✓",
    Confidence.INFERRED: "·",
    Confidence.UNTOLD: "?",
    Confidence.NOTHING: " ",
}


def summary_lines(proposal: Proposal, services: Sequence[DetectedService]) -> Iterator[Line]:
    """What was found, a line for each service, and what to do next."""
    yield (
        (f"{shown(proposal.project)}: ", "strong"),
        (f"{count(len(services), 'service')}, {count(len(proposal.rules), 'rule')}", ""),
    )
    yield ()
    rows: list[Line] = []
    for service in services:
        mode = service.way.mode if service.copied or service.bound else "—"
        style = _STYLES[service.confidence]
        words = confidence_words(service)
        rows.append(
            (
                (f"  {_MARKS[service.confidence]}", style),
                (shown(service.name), "strong"),
                (mode, "code"),
                (printable(words), style),
            )
        )
    yield from columns(rows, gap="  ")
    for words in proposal.unseen:
        yield ()
        yield (("not seen: ", "doubt"), (printable(words), ""))


def proposal_document(
    proposal: Proposal, services: Sequence[DetectedService], *, text: str, path: str, written: bool
) -> Document:
    """What ``init --json`` prints."""
    return {
        "schema": SCHEMA,
        "project": proposal.project,
        "path": path,
        "written": written,
        "services": [_service(service) for service in services],
        "rules": [_rule(rule) for rule in proposal.rules],
        "never": {
            key: {"values": list(values), "why": why}
            for key, (values, why) in proposal.never.lists.items()
        },
        "unseen": list(proposal.unseen),
        "toml": text,
    }


def _service(service: DetectedService) -> Document:
    held: Json = service.held
    return {
        "name": service.name,
        "reload": service.way.mode,
        "why": service.way.why,
        "program": service.way.program,
        "origin": service.origin,
        "confidence": service.confidence.value,
        "map": confidence_words(service),
        "copied": len(service.copied),
        "mounted": len(service.bound),
        "hidden": len(service.hidden),
        "held": held,
    }


def _rule(rule: ProposedRule) -> Document:
    return {
        "name": rule.name,
        "why": rule.why,
        "when": list(rule.when),
        "services": list(rule.services),
        "paths": list(rule.paths),
        "do": [remedy.value for remedy in rule.do],
    }
