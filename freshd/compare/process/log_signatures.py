"""Log lines that are known to come of old code or old surroundings: which, why, what helps. Pure.

A signature has to be rare in a healthy service's log; warnings and retries that mend themselves
are not in the table.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from freshd.compare.comparison import ServingReplica, per_replica
from freshd.compare.finding import make_finding
from freshd.model.report import Finding
from freshd.model.text import printable

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class LogSignature:
    """``pattern`` is searched in each line; ``meaning`` and ``fix`` are one sentence each."""

    name: str
    pattern: re.Pattern[str]
    meaning: str
    fix: str


def _known(name: str, pattern: str, meaning: str, fix: str) -> LogSignature:
    return LogSignature(name, re.compile(pattern), meaning, fix)


_MIGRATE = "run the project's migrations in the container"
_REBUILD = "rebuild the image, so that it has what the code asks for"
SIGNATURES: Final = (
    _known(
        "missing-column",
        r"UndefinedColumn|column \"?[\w.]+\"? (?:of relation \"[^\"]+\" )?does not exist"
        r"|no such column: |Unknown column '[^']+' in ",
        "the database lacks a column that the code asks for: a migration has not been run",
        _MIGRATE,
    ),
    _known(
        "missing-relation",
        r"UndefinedTable|relation \"[^\"]+\" does not exist|no such table: |doesn't exist.*\b1146\b"
        r"|\b1146\b.*doesn't exist",
        "the database lacks a table that the code asks for: a migration has not been run",
        _MIGRATE,
    ),
    _known(
        "pending-migrations",
        r"You have \d+ unapplied migration|ActiveRecord::PendingMigrationError"
        r"|Target database is not up to date",
        "the program itself says that migrations have not been run",
        _MIGRATE,
    ),
    _known(
        "missing-library",
        r"failed to find libmagic|error while loading shared libraries: "
        r"|OSError: \S+\.so[.\d]*: cannot open shared object file"
        r"|ImportError: \S+\.so[.\d]*: cannot open shared object file",
        "the image lacks a system library that an installed package needs",
        "add the library to the Dockerfile, and rebuild",
    ),
    _known(
        "missing-module",
        r"ModuleNotFoundError: No module named |Error: Cannot find module '"
        r"|cannot load such file -- |Class \"[^\"]+\" not found|Error \[ERR_MODULE_NOT_FOUND\]",
        "the code imports what the container does not have: the image, or a volume over its "
        "packages, is older than the code",
        _REBUILD,
    ),
    _known(
        "missing-name",
        r"ImportError: cannot import name ",
        "one module is newer than another: part of the code, or of its packages, is old",
        "compare with `freshd check --full`; where a package is old, rebuild",
    ),
    _known(
        "address-in-use",
        r"[Aa]ddress already in use|EADDRINUSE|port is already allocated",
        "something else listens at that port, perhaps an older process of the same program",
        "end what holds the port, and restart the container",
    ),
    _known(
        "wrong-architecture",
        r"exec format error",
        "a program in the container was built for another kind of processor",
        "rebuild for this machine's platform, without the builder's cache",
    ),
)


def signature_findings(serving: ServingReplica) -> Iterator[Finding]:
    """``known-log-signature``: one note for each signature, with the newest line that has it."""
    lines: dict[LogSignature, list[str]] = {}
    for line in serving.runtime.logged:
        known = next((known for known in SIGNATURES if known.pattern.search(line)), None)
        if known is not None:
            lines.setdefault(known, []).append(line.strip()[:_SHOWN])
    for signature, (*earlier, newest) in lines.items():
        yield make_finding(
            "known-log-signature",
            serving.service,
            f"{serving.replica.name} logs `{printable(newest)}`: {signature.meaning}; "
            f"{signature.fix}",
            replica=serving.replica,
            evidence={
                "signature": signature.name,
                "line": newest,
                "count": len(earlier) + 1,
                "fix": signature.fix,
            },
        )


FINDERS = (per_replica(signature_findings),)
