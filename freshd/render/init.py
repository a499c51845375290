"""A proposed policy for a terminal and as JSON; the TOML itself is ``freshd.commands.init.text``.

``Proposal`` and ``ServiceLook`` values come in, ``Line`` tuples or one document go out.
"""

from collections.abc import Iterator, Sequence

from freshd.model.text import Json, printable
from freshd.model.verbs.proposal import (
    Confidence,
    Proposal,
    ProposedRule,
    ServiceLook,
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


def summary_lines(proposal: Proposal, looks: Sequence[ServiceLook]) -> Iterator[Line]:
    """What was found, a line for each service, and what to do next."""
    yield (
        (f"{shown(proposal.project)}: ", "strong"),
        (f"{count(len(looks), 'service')}, {count(len(proposal.rules), 'rule')}", ""),
    )
    yield ()
    rows: list[Line] = []
    for look in looks:
        mode = look.way.mode if look.copied or look.bound else "—"
        style = _STYLES[look.confidence]
        words = confidence_words(look)
        rows.append(
            (
                (f"  {_MARKS[look.confidence]}", style),
                (shown(look.name), "strong"),
                (mode, "code"),
                (printable(words), style),
            )
        )
    yield from columns(rows, gap="  ")
    for words in proposal.unseen:
        yield ()
        yield (("not seen: ", "doubt"), (printable(words), ""))


def proposal_document(
    proposal: Proposal, looks: Sequence[ServiceLook], *, text: str, path: str, written: bool
) -> Document:
    """What ``init --json`` prints."""
    return {
        "schema": SCHEMA,
        "project": proposal.project,
        "path": path,
        "written": written,
        "services": [_service(look) for look in looks],
        "rules": [_rule(each) for each in proposal.rules],
        "never": {
            key: {"values": list(values), "why": why}
            for key, (values, why) in proposal.never.lists.items()
        },
        "unseen": list(proposal.unseen),
        "toml": text,
    }


def _service(look: ServiceLook) -> Document:
    held: Json = look.held
    return {
        "name": look.name,
        "reload": look.way.mode,
        "why": look.way.why,
        "program": look.way.program,
        "origin": look.origin,
        "confidence": look.confidence.value,
        "map": confidence_words(look),
        "copied": len(look.copied),
        "mounted": len(look.bound),
        "hidden": len(look.hidden),
        "held": held,
    }


def _rule(rule: ProposedRule) -> Document:
    return {
        "name": rule.name,
        "why": rule.why,
        "when": list(rule.when),
        "services": list(rule.services),
        "paths": list(rule.paths),
        "do": [each.value for each in rule.do],
    }
