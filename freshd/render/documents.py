"""The JSON of the contract: values of the model to JSON, and stored service reports back.

Every document carries ``schema: 1``; additive changes keep it. Digests are written with their
algorithm (``sha256:…``), times as UTC, names that are not UTF-8 as lone surrogates.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

from freshd.model.json_codec import from_json
from freshd.model.mapping import ServiceMap
from freshd.model.plan import FileChange, Outcome, Plan, Step
from freshd.model.report import (
    Finding,
    LinkName,
    LinkState,
    ProjectReport,
    ServiceReport,
)
from freshd.model.text import Json
from freshd.render.words import iso

SCHEMA = 1

Document: TypeAlias = dict[str, Json]


def dumps(document: Mapping[str, Json], *, indent: int | None = None) -> str:
    """One document as ASCII, so that a name that is not UTF-8 stays a ``\\udcXX`` escape."""
    return json.dumps(document, ensure_ascii=True, indent=indent)


def project_report(report: ProjectReport) -> Document:
    """What ``check --json`` prints."""
    return {
        "schema": SCHEMA,
        "project": report.project,
        "verdict": report.verdict.value,
        "checked_at": iso(report.checked_at),
        "services": [service_report(service) for service in report.services],
    }


def service_report(report: ServiceReport) -> Document:
    """One service of ``check --json``; the same shape is kept in the status table."""
    return {
        "name": report.name,
        "verdict": report.verdict.value,
        "patched": report.patched,
        "links": {name.value: _link(report, name) for name in LinkName},
        "containers": [asdict(replica) for replica in report.containers],
        "findings": list(map(finding, report.findings)),
    }


def _link(report: ServiceReport, name: LinkName) -> str:
    return report.links.get(name, LinkState.UNCHECKED).value


def finding(value: Finding) -> Document:
    """One finding; ``container``, ``path`` and ``target`` are null where there is none."""
    return {
        "cause": value.cause,
        "level": value.level.value,
        "link": value.link.value,
        "container": value.container,
        "path": value.path,
        "target": value.target,
        "remedy": value.remedy.value,
        "message": value.message,
        "evidence": dict(value.evidence),
    }


def digest(value: str) -> str:
    """64 hex digits with their algorithm in front."""
    return f"sha256:{value}"


def service_maps(maps: Iterable[ServiceMap]) -> Document:
    """What ``map --json`` prints: every file, one pair per (target, via)."""
    return {"schema": SCHEMA, "services": [_service_map(service_map) for service_map in maps]}


def _service_map(value: ServiceMap) -> Document:
    document: Document = {
        "name": value.service,
        "pairs": [
            {
                "source": pair.source,
                "target": pair.target,
                "via": pair.via.value,
                "effective": pair.effective,
            }
            for pair in value.pairs
        ],
        "inputs": list(value.inputs),
    }
    if value.data:
        document["data"] = dict(value.data)
    if value.opaque:
        document["opaque"] = list(value.opaque)
    return document


def plans(project: str, values: Iterable[Plan]) -> Document:
    """What ``plan --json`` prints."""
    return {"schema": SCHEMA, "project": project, "plans": [_plan(value) for value in values]}


def _plan(value: Plan) -> Document:
    return {
        "service": value.service,
        "steps": list(map(step, value.steps)),
        "notices": [{"finding": finding(notice), "why": why} for notice, why in value.notices],
    }


def step(value: Step) -> Document:
    """One step with its causes and the rule that asked for it."""
    return {
        "remedy": value.remedy.value,
        "service": value.service,
        "container": value.container,
        "causes": list(value.causes),
        "rule": value.rule,
        "files": [_change(file) for file in value.files],
        "patterns": list(value.patterns),
        "commands": [list(command.argv) for command in value.commands],
        "signal": value.signal,
        "rebuild": value.rebuild.value if value.rebuild else None,
    }


def _change(value: FileChange) -> Document:
    return {
        "action": "delete" if value.want is None else "write",
        "source": value.source,
        "target": value.target,
        "tree": _content(value.want.digest if value.want else ""),
        "container": _content(value.seen.digest if value.seen else ""),
    }


def _content(value: str) -> str | None:
    return digest(value) if value else None


def outcome(value: Outcome) -> Document:
    """What was observed after one step."""
    return {
        "step": step(value.step),
        "status": value.status.value,
        "detail": value.detail,
        "seconds": round(value.seconds, 6),
        "output": list(value.output),
    }


def applied(
    plan_values: Iterable[Plan], outcomes: Iterable[Outcome], report: ProjectReport
) -> Document:
    """What ``apply --json`` and the remedies by hand print: plans, outcomes, the report after."""
    return {
        "schema": SCHEMA,
        "project": report.project,
        "verdict": report.verdict.value,
        "plans": [_plan(plan_value) for plan_value in plan_values],
        "outcomes": list(map(outcome, outcomes)),
        "report": project_report(report),
    }


def service_report_from(document: Mapping[str, Any]) -> ServiceReport:
    """A service report as the status table keeps it.

    Entries and host details are not part of the document, so ``want`` and ``seen`` come back as
    None. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything of another shape.
    """
    name = document["name"]
    ids = {replica["name"]: replica["id"] for replica in document["containers"]}
    findings = [
        {**kept, "service": name, "container_id": ids.get(kept["container"])}
        for kept in document["findings"]
    ]
    return from_json(ServiceReport, {**document, "findings": findings})
