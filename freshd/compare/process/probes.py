"""Answers that are not what the policy expects, and log lines that are known. Pure."""

from collections.abc import Iterable, Iterator

from freshd.compare import evidence
from freshd.model.observed.container import Replica
from freshd.model.observed.processes import Answer
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import printable

_SHOWN = 200


def probe_findings(service: str, replica: Replica, answers: Iterable[Answer]) -> Iterator[Finding]:
    """``probe-failed``, or unverifiable where the question could not be put."""
    for answer in answers:
        if not answer.problem:
            continue
        how = "" if answer.asked else " could not be asked"
        yield Finding(
            cause="probe-failed",
            level=Level.STALE if answer.asked else Level.UNVERIFIABLE,
            link=LinkName.PROCESS,
            service=service,
            message=f"{replica.name}: the probe {printable(answer.name)}{how}: "
            f"{printable(_cut(answer.problem))}",
            remedy=Remedy.NOTIFY,
            container=replica.name,
            container_id=replica.id,
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
