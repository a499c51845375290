"""freshd's answer about a stack, in the few words that tests compare."""

import time
from typing import Any, NamedTuple

from freshd.commands.session import open_session
from freshd.config.invocation import Invocation
from freshd.render.documents import project_report
from tests.harness.cli import Freshd, Result
from tests.harness.waiting import wait_until


class Found(NamedTuple):
    """One finding. ``where`` is its tree path, its target where that is null, or ""."""

    cause: str
    level: str
    where: str = ""


def found(document: Any, service: str = "web") -> set[Found]:
    """Every finding of one service, however many replicas have it."""
    return {
        Found(each["cause"], each["level"], each["path"] or each["target"] or "")
        for each in of(document, service)["findings"]
    }


def of(document: Any, service: str = "web") -> Any:
    """One service of ``check --json``."""
    (only,) = [each for each in document["services"] if each["name"] == service]
    return only


def finding(document: Any, cause: str, service: str = "web") -> Any:
    """The one finding of that cause."""
    (only,) = [each for each in of(document, service)["findings"] if each["cause"] == cause]
    return only


def check(freshd: Freshd, *argv: str, exit_code: int) -> Any:
    """``check --json``: its document, once its exit status is as expected."""
    done = freshd("check", "--json", *argv)
    assert done.returncode == exit_code, said(done)
    return done.json


def said(done: Result) -> str:
    """What a failed expectation should show of a ``check --json``."""
    if not done.stdout.startswith("{"):
        return str(done)
    lines = [
        f"{service['name']}: {each['level']} {each['cause']}: {each['message']}"
        for service in done.json["services"]
        for each in service["findings"]
    ]
    return f"exit {done.returncode}: " + "; ".join(lines)


_CODES = {"fresh": 0, "stale": 1, "unverifiable": 3}


def looked(
    freshd: Freshd, *files: str, exit_code: int, full: bool = False, later: float = 0.0
) -> Any:
    """What ``check --json`` would print, by a session of this process: a start costs seconds.

    ``later`` seconds from now, as freshd's clock has it.
    """
    with open_session(
        Invocation(freshd.directory, freshd.full_environment, files=files),
        clock=lambda: time.time() + later,
    ) as session:
        document: Any = project_report(session.check((), full=full))
    lines = [
        f"{service['name']}: {each['level']} {each['cause']}: {each['message']}"
        for service in document["services"]
        for each in service["findings"]
    ]
    assert _CODES[document["verdict"]] == exit_code, "; ".join(lines)
    return document


def second_passes() -> None:
    """A process tells its age in whole seconds: what happens in one of them cannot be ordered."""
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 2.1)
