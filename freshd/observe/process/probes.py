"""The questions of a policy, put to one running container: probes in, what each answered out.

A command runs in the container, as its own user; a request is made from this machine. A service
that has just been started is asked again until it answers rightly or its time is up.
"""

import base64
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

from freshd.engine.client import Engine
from freshd.engine.container import exec as execs
from freshd.model.errors import EngineFailed, OutcomeUnknown
from freshd.model.observed.container import Replica
from freshd.model.observed.processes import ProbeAnswer
from freshd.model.observed.runtime import ReplicaRuntime
from freshd.model.policy import Probe
from freshd.observe.observers import ReplicaView, Tools

_BODY = 64 * 1024
_AGAIN = 0.25
_PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def observe_probes(view: ReplicaView, record: ReplicaRuntime) -> ReplicaRuntime:
    """What the policy's probes say; an address is the service's, and asked for once."""
    tools = view.tools
    probes = tools.project.policy.service(view.facts.service).probes
    asked = (probe for probe in probes if view.first or not probe.http)
    answers = tuple(_patiently(tools, view.replica, probe) for probe in asked)
    return replace(record, answers=answers)


def _patiently(tools: Tools, replica: Replica, probe: Probe) -> ProbeAnswer:
    """Asked again as long as the container has just been started."""
    answer = _ask(tools.engine, replica, probe)
    while answer.problem and tools.clock() < replica.started_at + probe.timeout:
        time.sleep(_AGAIN)
        answer = _ask(tools.engine, replica, probe)
    return answer


def _ask(engine: Engine, replica: Replica, probe: Probe) -> ProbeAnswer:
    try:
        if probe.http:
            return _requested(engine, replica, probe)
        return _judged(probe, engine, replica, *_run(engine, replica, probe, probe.run))
    except _NoAnswerError as error:
        return ProbeAnswer(probe.name, probe.question, str(error), asked=False)
    except urllib.error.URLError as error:
        return ProbeAnswer(probe.name, probe.question, f"no answer: {error.reason}")
    except OSError as error:
        words = error.strerror or type(error).__name__
        return ProbeAnswer(probe.name, probe.question, f"no answer: {words}")
    except (http.client.HTTPException, ValueError) as error:
        # their words have pieces of the address in them
        return ProbeAnswer(probe.name, probe.question, f"no answer: {type(error).__name__}")


class _NoAnswerError(Exception):
    """The question could not be put, so nothing is known."""


def _run(engine: Engine, replica: Replica, probe: Probe, argv: Sequence[str]) -> tuple[int, str]:
    """The exit status and standard output; a command that is not there is no answer."""
    try:
        done = execs.run(engine, replica.id, argv, timeout=probe.timeout, limit=_BODY)
    except OutcomeUnknown:
        raise _NoAnswerError(
            f"{argv[0]} did not end within {probe.timeout:g} s: give the probe a longer timeout"
        ) from None
    except EngineFailed as error:
        raise _NoAnswerError(error.message) from error
    if done.missing:
        raise _NoAnswerError(f"there is no {argv[0]} in the container")
    text = done.stdout if done.stdout.strip() or done.exit_code == 0 else done.stderr
    return done.exit_code, text.decode(errors="replace").strip()


def _requested(engine: Engine, replica: Replica, probe: Probe) -> ProbeAnswer:
    address, user = _without_user(probe.http)
    headers = {"User-Agent": "freshd"}
    if user:
        headers["Authorization"] = f"Basic {base64.b64encode(unquote_to_bytes(user)).decode()}"
    request = urllib.request.Request(address, headers=headers)  # noqa: S310
    try:
        with _PLAIN.open(request, timeout=probe.timeout) as response:
            status, body = response.status, response.read(_BODY)
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read(_BODY)
    return _judged(probe, engine, replica, status, body.decode(errors="replace").strip())


def _without_user(address: str) -> tuple[str, str]:
    """The address as a request has it, and ``user:password``, which travel in a header."""
    parts = urlsplit(address)
    user, mark, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=host)), user if mark else ""


def _judged(probe: Probe, engine: Engine, replica: Replica, code: int, text: str) -> ProbeAnswer:
    """What the policy expects against what came: the first thing that is not so."""
    kind, wanted = ("status", probe.status) if probe.http else ("exit status", probe.exit)
    right = 200 <= code < 300 if wanted is None else code == wanted
    if not right:
        expected = "2xx" if wanted is None else f"{wanted}"
        return ProbeAnswer(probe.name, probe.question, f"{kind} {code}, expected {expected}", text)
    if probe.contains is not None and probe.contains not in text:
        return ProbeAnswer(probe.name, probe.question, f"no {probe.contains!r} in the answer", text)
    if probe.equals is None:
        return ProbeAnswer(probe.name, probe.question)
    expected = probe.equals if isinstance(probe.equals, str) else ""
    source = ""
    if not isinstance(probe.equals, str):
        source = f" of {probe.wants_output_of}"
        status, expected = _run(engine, replica, probe, probe.equals)
        if status:
            raise _NoAnswerError(f"{probe.wants_output_of} ended with {status}")
    if text == expected.strip():
        return ProbeAnswer(probe.name, probe.question)
    return ProbeAnswer(
        probe.name, probe.question, f"it is not what was expected{source}", text, expected.strip()
    )
