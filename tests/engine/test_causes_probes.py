"""What only the running service knows: probes of the policy, and what its log says."""

from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.timeout(240)
END = "init: true\n    stop_grace_period: 0s"
# The newest migration of the tree, and the one that was run: a file in the container.
MIGRATE = "#!/bin/sh\ncase $1 in heads) ls /app/migrations | tail -n 1;; *) cat /tmp/done;; esac\n"
WEB = """
import http.server

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = open("/tmp/done").read().strip()
        self.send_response(200 if answer == "002" else 503)
        self.end_headers()
        self.wfile.write(f"Total: {answer}".encode())

    def log_message(self, *words):
        pass

http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""
COMPOSE = f"""
services:
  web:
    image: freshd-python:1
    command: ["sh", "-c", "echo 001 >/tmp/done; exec python3 -B /app/web.py"]
    volumes: ["./app:/app"]
    ports: ["127.0.0.1::8000"]
    {END}
"""
HEADS = """
[[service.web.probe]]
name = "migrations"
run = ["sh", "/app/migrate", "current"]
equals = ["sh", "/app/migrate", "heads"]
"""
ADDRESS = """
[[service.web.probe]]
name = "count"
http = "http://ADDRESS/count"
contains = "Total: 002"
timeout = "3s"
"""


@pytest.fixture
def web(stack: Stack) -> Stack:
    stack.write({"app/migrate": MIGRATE, "app/web.py": WEB, "app/migrations/001": "\n"})
    stack.write({"compose.yaml": COMPOSE, "freshd.toml": f"version = 1\n{HEADS}"})
    stack.up()
    wait_until(lambda: stack.read(stack.container("web"), "/tmp/done") == b"001\n", 120.0)
    return stack


@pytest.mark.proves("probe-failed", "detected", "remedied", "silent")
def test_a_migration_that_was_not_run(web: Stack, make_freshd: Callable[[Stack], Freshd]) -> None:
    freshd = make_freshd(web)
    assert found(looked(freshd, exit_code=0)) == set()
    web.write({"app/migrations/002": "\n"})
    ask = ["sh", "/app/migrate", "current"]
    assert web.exec(web.container("web"), ask).stdout == b"001\n"
    document = looked(freshd, exit_code=1)
    assert found(document) == {Found("probe-failed", "stale")}
    failed = finding(document, "probe-failed")
    assert failed["evidence"]["probe"] == "migrations"
    assert (failed["evidence"]["answer"], failed["evidence"]["expected"]) == ("001", "002")
    web.put(web.container("web"), "/tmp/done", b"002\n")
    assert found(looked(freshd, exit_code=0)) == set()

    # an address, whose service answers now and is then gone behind a port of nobody
    address = web.compose("port", "web", "8000").stdout.decode().strip()
    web.write({"freshd.toml": f"version = 1\n{HEADS}{ADDRESS.replace('ADDRESS', address)}"})
    assert found(looked(freshd, exit_code=0)) == set()
    web.put(web.container("web"), "/tmp/done", b"001\n")
    told = freshd("check")
    assert told.returncode == 1
    assert "the probe count: status 503, expected 2xx" in told.stdout
    nobody = ADDRESS.replace("ADDRESS", "127.0.0.1:9")
    web.write({"freshd.toml": f"version = 1\n{nobody}"})
    refused = finding(looked(freshd, exit_code=1), "probe-failed")
    assert "refused" in refused["message"]


def test_what_cannot_be_asked_is_unverifiable(web: Stack, freshd: Freshd) -> None:
    for run, said in (
        ('["alembic"]', "there is no alembic in the container"),
        ('"sleep 60"', "did not end within 1 s"),
    ):
        policy = f'version = 1\n[[service.web.probe]]\nrun = {run}\ntimeout = "1s"\n'
        web.write({"freshd.toml": policy})
        document = looked(freshd, exit_code=3)
        assert found(document) == {Found("probe-failed", "unverifiable")}
        assert said in finding(document, "probe-failed")["message"]


LOUD = """
services:
  web:
    image: freshd-busybox:1
    command: ["sh", "-c", "sh /app/say; exec sleep 1000000"]
    volumes: ["./app:/app"]
    logging: {driver: DRIVER}
    init: true
    stop_grace_period: 0s
"""


@pytest.mark.proves("known-log-signature", "detected", "remedied", "silent")
def test_a_line_that_is_known_is_noted_until_the_next_start(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    line = "ModuleNotFoundError: No module named 'redis'"
    stack.write({"app/say": f'echo "{line}"\n', "compose.yaml": LOUD.replace("DRIVER", "local")})
    stack.up()
    container = stack.container("web")
    wait_until(lambda: line.encode() in stack.docker("logs", container).stdout, 120.0)
    freshd = make_freshd(stack)
    document = looked(freshd, exit_code=0)
    assert found(document) == {Found("known-log-signature", "note")}
    noted = finding(document, "known-log-signature")
    assert (noted["evidence"]["line"], noted["evidence"]["count"]) == (line, 1)
    assert "rebuild" in noted["message"]

    stack.write({"app/say": "echo 'page does not exist, creating it'\n"})
    stack.docker("restart", "-t", "0", container)
    wait_until(lambda: b"creating it" in stack.docker("logs", container).stdout, 120.0)
    assert found(looked(freshd, exit_code=0)) == set(), "the line is of the start before"

    # a driver that keeps nothing: nothing is claimed
    stack.write({"app/say": f'echo "{line}"\n', "compose.yaml": LOUD.replace("DRIVER", "none")})
    stack.up()
    assert found(looked(freshd, exit_code=0)) == set()
