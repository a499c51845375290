"""Answers to the policy's probes that are not what it expects."""

from collections.abc import Iterator

from freshd.compare import evidence
from freshd.compare.comparison import ServingReplica, per_replica
from freshd.compare.finding import make_finding
from freshd.model.report import Finding, Level
from freshd.model.text import printable

_SHOWN = 200


def probe_findings(serving: ServingReplica) -> Iterator[Finding]:
    """``probe-failed``, or unverifiable where the question could not be put."""
    for answer in serving.runtime.answers:
        if not answer.problem:
            continue
        how = "" if answer.asked else " could not be asked"
        yield make_finding(
            "probe-failed",
            serving.service,
            f"{serving.replica.name}: the probe {printable(answer.name)}{how}: "
            f"{printable(_cut(answer.problem))}",
            replica=serving.replica,
            level=None if answer.asked else Level.UNVERIFIABLE,
            evidence={
                "probe": answer.name,
                "asked": answer.question,
                "problem": answer.problem,
                "answer": _cut(answer.text),
                **({"expected": _cut(answer.expected)} if answer.expected else {}),
                "drift": evidence.drift([(answer.name, f"{answer.problem}\0{answer.text}")]),
            },
        )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


FINDERS = (per_replica(probe_findings),)
