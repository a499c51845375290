"""Answers that are not as expected, and log lines that are known."""

import pytest

from freshd.compare.process.log_signatures import SIGNATURES, signature_findings
from freshd.compare.process.probes import probe_findings
from freshd.model.observed.processes import ProbeAnswer
from freshd.model.remedy import Remedy
from freshd.model.report import Level
from tests.unit.compare.stack import serving


def test_only_what_is_not_as_expected_is_told_and_what_could_not_be_asked_as_such() -> None:
    answers = (
        ProbeAnswer("fine", "true"),
        ProbeAnswer("heads", "alembic current", "it is not what was expected", "a" * 500, "b"),
        ProbeAnswer("gone", "nothing", "there is no nothing in the container", asked=False),
    )
    wrong, open_ = probe_findings(serving(answers=answers))
    assert (wrong.level, open_.level) == (Level.STALE, Level.UNVERIFIABLE)
    assert wrong.message == "web-1: the probe heads: it is not what was expected"
    assert "could not be asked: there is no nothing" in open_.message
    assert wrong.evidence["answer"] == "a" * 200 + "…"
    assert (wrong.evidence["expected"], wrong.remedy) == ("b", Remedy.NOTIFY)
    other = ProbeAnswer("heads", "alembic current", "other", "b")
    (again,) = probe_findings(serving(answers=(other,)))
    assert again.evidence["drift"] != wrong.evidence["drift"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('psycopg.errors.UndefinedTable: relation "page" does not exist', "missing-relation"),
        ("sqlite3.OperationalError: no such table: page", "missing-relation"),
        ("ERROR 1146 (42S02): Table 'shop.page' doesn't exist", "missing-relation"),
        ("ERROR:  column page.title does not exist at character 8", "missing-column"),
        ('column "title" of relation "page" does not exist', "missing-column"),
        ("Unknown column 'title' in 'field list'", "missing-column"),
        ("You have 3 unapplied migration(s).", "pending-migrations"),
        ("ImportError: failed to find libmagic.  Check your installation", "missing-library"),
        ("ImportError: libGL.so.1: cannot open shared object file", "missing-library"),
        ("ModuleNotFoundError: No module named 'redis'", "missing-module"),
        ("Error: Cannot find module 'express'", "missing-module"),
        ("ImportError: cannot import name 'soft_unicode' from 'markupsafe'", "missing-name"),
        ("Error: listen EADDRINUSE: address already in use :::3000", "address-in-use"),
        ("exec /app/server: exec format error", "wrong-architecture"),
    ],
)
def test_each_known_line_has_its_signature(line: str, name: str) -> None:
    (found,) = signature_findings(serving(logged=("started", line, "going on")))
    assert found.evidence["signature"] == name
    assert found.level is Level.NOTE
    assert found.evidence["line"] == line


@pytest.mark.parametrize(
    "line",
    [
        "GET /articles/why-does-not-exist 200",
        'role "root" does not exist, retrying',
        "file does not exist, creating it",
        "listening on 0.0.0.0:8000",
        "loaded module 'app'",
        "DEBUG cannot import optional accelerator, using pure Python",
    ],
)
def test_lines_of_a_healthy_service_have_none(line: str) -> None:
    assert [*signature_findings(serving(logged=(line,)))] == []


def test_a_signature_is_told_once_with_its_newest_line_and_how_often() -> None:
    lines = ("ModuleNotFoundError: No module named 'a'", "ModuleNotFoundError: No module named 'b'")
    (found,) = signature_findings(serving(logged=lines))
    assert (found.evidence["count"], found.evidence["line"]) == (2, lines[1])
    assert len({signature.name for signature in SIGNATURES}) == len(SIGNATURES)
