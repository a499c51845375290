"""Findings, reports and replicas in few words, for the tables of the policy tests."""

import hashlib
from dataclasses import replace

from freshd.config.load import parse_policy
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Via
from freshd.model.observed.container import Replica
from freshd.model.policy import Policy
from freshd.model.report import Finding, Level, LinkName, ServiceReport, Verdict

CONTENT = frozenset(
    {
        "content-differs",
        "missing-in-container",
        "extra-in-container",
        "mode-differs",
        "changed-in-container",
        "target-not-writable",
    }
)
NOTES = frozenset({"patched"})
DOUBTS = frozenset({"build-unrecorded", "unreadable", "not-observed"})


def file(text: str) -> Entry:
    return Entry(Kind.FILE, hashlib.sha256(text.encode()).hexdigest(), len(text))


def replica(number: int = 1, **changes: object) -> Replica:
    base = Replica(id=f"{number:064x}", name=f"web-{number}", service="web", number=number)
    return replace(base, **changes)  # type: ignore[arg-type]


def finding(cause: str, path: str | None = None, *, at: int | None = None) -> Finding:
    """A finding of ``web``; with a path or a number it is one replica's, else the service's."""
    in_replica = at if at is not None else (1 if path is not None else None)
    level = Level.NOTE if cause in NOTES else Level.UNVERIFIABLE if cause in DOUBTS else Level.STALE
    gone = cause == "extra-in-container"
    return Finding(
        cause=cause,
        level=level,
        link=LinkName.CONTAINER if in_replica else LinkName.IMAGE,
        service="web",
        message=f"{cause} {path}",
        container=f"web-{in_replica}" if in_replica else None,
        container_id=f"{in_replica:064x}" if in_replica else None,
        path=path,
        target=f"/srv/{path}" if path else None,
        via=Via.COPY if path else None,
        want=file("new") if path and not gone else None,
        seen=None if cause == "missing-in-container" or path is None else file("old"),
    )


def report(*findings: Finding) -> ServiceReport:
    return ServiceReport(
        name="web",
        verdict=Verdict.STALE,
        patched=False,
        links={},
        containers=(),
        findings=tuple(findings),
    )


def policy(text: str) -> Policy:
    """A policy from TOML text, as a project has it."""
    return replace(parse_policy(text), path="freshd.toml")
