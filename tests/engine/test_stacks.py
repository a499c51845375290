"""No false alarm: stacks that plain docker brought up, and that nobody touched, are fresh.

Each is checked twenty times, first from nothing, by the command line and within one process. The
judge of what is in the containers uses the docker command only.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from freshd.commands.session import Session, open_session
from freshd.config.invocation import Invocation
from freshd.model.report import Level, Verdict
from freshd.render.documents import project_report, service_maps
from tests.engine.conftest import StackFactory
from tests.engine.stacks.kinds import KINDS
from tests.engine.stacks.truth import Truth
from tests.harness import oracle
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

CHECKS = 20
BY_COMMAND = 3

Kind = Callable[[Stack], Truth]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_untouched_stack_is_never_called_stale(
    make_stack: StackFactory, make_freshd: Callable[[Stack], Freshd], kind: Kind
) -> None:
    stack = make_stack()
    truth = kind(stack)
    assert judged(stack, truth) == []
    freshd = make_freshd(stack)
    documents = [by_command(freshd, truth, "check", "--json")]
    with session(freshd) as one:
        reports = [one.check((), full=number % 4 == 3) for number in range(CHECKS - BY_COMMAND)]
        documents += [project_report(report) for report in reports]
        assert mapped(service_maps(one.maps(())), truth) == truth.landed
        assert [each for service in truth.landed for each in one.diff(service, None)] == []
    documents.append(by_command(freshd, truth, "check", "--json", "--full"))
    documents.append(by_command(freshd, truth, "check", "--json"))
    assert len(documents) == CHECKS
    for document in documents:
        assert_quiet(document, stack, truth)
    assert judged(stack, truth) == []


def by_command(freshd: Freshd, truth: Truth, *argv: str) -> Any:
    done = freshd(*argv)
    assert done.stderr == ""
    found = [each["message"] for service in done.json["services"] for each in service["findings"]]
    assert done.returncode == (3 if truth.unrecorded else 0), found
    return done.json


def session(freshd: Freshd) -> Session:
    """One long-lived session, as the daemon has it."""
    return open_session(Invocation(freshd.directory, freshd.full_environment))


def assert_quiet(document: Any, stack: Stack, truth: Truth) -> None:
    """Fresh (or only unrecorded), and every file was compared in every container."""
    for service in document["services"]:
        name = service["name"]
        causes = [(each["cause"], each["message"]) for each in service["findings"]]
        expected = ["build-unrecorded"] if name in truth.unrecorded else []
        assert [cause for cause, _ in causes] == expected, causes
        assert all(each["level"] != Level.STALE for each in service["findings"])
        fresh = Verdict.UNVERIFIABLE if expected else Verdict.FRESH
        assert (service["verdict"], service["patched"]) == (fresh, False)
        seen = {(each["name"], each["compared"], each["equal"]) for each in service["containers"]}
        files = len(truth.landed[name])
        if name in truth.without:
            assert {(compared, equal) for _, compared, equal in seen} <= {(0, 0)}
        else:
            names = containers(stack, truth, name).values()
            assert seen == {(each, files, files) for each in names}
    assert {service["name"] for service in document["services"]} == set(truth.landed)


def containers(stack: Stack, truth: Truth, service: str) -> Mapping[str, str]:
    """Id -> name of the service's own containers that run, one-off ones left out."""
    if service in truth.containers:
        return {name: name for name in truth.containers[service]}
    return {i: n for i, n in stack.named_containers(service).items() if "-run-" not in n}


def judged(stack: Stack, truth: Truth) -> list[str]:
    """Where the truth is not true. Links are judged by where they lead in their own world."""
    wrong = []
    for service, landed in truth.landed.items():
        if service in truth.without:
            continue
        found = containers(stack, truth, service)
        assert found, f"{service} does not run"
        files = {s: t for s, t in landed.items() if not os.path.islink(stack.path(s))}
        wrong += oracle.differences(stack.docker, found, stack.directory, files, modes=False)
        for source, target in landed.items() - files.items():
            for each in found:
                text = os.readlink(stack.path(source))
                if "sh" not in _link_text(stack, each, target, text):
                    wrong.append(f"{each}:{target} is not a link to {text}")
    return wrong


def _link_text(stack: Stack, container: str, target: str, text: str) -> str:
    script = '[ "$(readlink "$1")" = "$2" ] && echo sh'
    done = stack.exec(container, ["sh", "-c", script, "link", target, text], check=False)
    return done.stdout.decode()


def mapped(document: Any, truth: Truth) -> dict[str, dict[str, str]]:
    """What the map says is seen in the containers: service -> source -> target."""
    found: dict[str, dict[str, str]] = {}
    for service in document["services"]:
        name, pairs = service["name"], service["pairs"]
        assert len({(p["target"], p["via"]) for p in pairs}) == len(pairs)
        hidden = {(name, p["target"]) for p in pairs if not p["effective"]}
        assert hidden >= {one for one in truth.hidden if one[0] == name}
        shown = [p for p in pairs if p["effective"] or (name, p["target"]) in truth.hidden]
        found[name] = {p["source"]: p["target"] for p in shown}
        assert len(found[name]) == len(shown)
    return found
