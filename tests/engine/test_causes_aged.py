"""What a build fetched from a network, and kept in a cached layer whatever the network has since.

The network is a web server inside the RUN itself, which answers otherwise every time.
"""

from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

AGED = Found("cached-layer-aged", "stale")
HOUR, DAY = 3600.0, 86400.0
SERVER = """#!/bin/sh
mkdir -p /www/cgi-bin
printf '#!/bin/sh\\necho; cat /proc/sys/kernel/random/uuid\\n' >/www/cgi-bin/page
chmod +x /www/cgi-bin/page
httpd -p 127.0.0.1:8000 -h /www
"""
FETCH = "RUN server && wget -q -O /page http://127.0.0.1:8000/cgi-bin/page\n"
POLICY = (
    '[service.web]\nlayer_age = "30d"\n[[rule]]\nwhen = ["cached-layer-aged"]\ndo = ["rebuild"]\n'
)


START = "FROM freshd-busybox:1 AS fetched\nCOPY server /bin/server\n"
COMPOSE = f"services:\n  web:\n    build: .\n    {SLEEP}\n"


@pytest.mark.timeout(600)
@pytest.mark.proves("cached-layer-aged", "detected", "remedied", "silent")
def test_what_a_cached_layer_fetched_long_ago(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    def fetched() -> bytes | None:
        return stack.read(stack.container("web"), "/page")

    stack.write({"server": SERVER}, mode=0o755)
    stack.write({"Dockerfile": START + FETCH, "compose.yaml": COMPOSE})
    stack.write({"freshd.toml": POLICY})
    stack.up(build=True)
    freshd = make_freshd(stack)
    before = fetched()
    assert before
    assert found(looked(freshd, exit_code=0, later=29 * DAY)) == set()  # near miss: younger

    stack.up(build=True)
    assert fetched() == before, "it was fetched anew"
    document = looked(freshd, exit_code=1, later=31 * DAY)
    assert found(document) == {AGED}
    (layer,) = finding(document, AGED.cause)["evidence"]["layers"]
    assert (layer["line"], layer["command"]) == (3, "wget")

    stack.write({"freshd.toml": POLICY.replace("30d", "1h")})
    stack.write({"Dockerfile": START + FETCH + "RUN echo >/made\n"})  # near miss: asks no network
    assert freshd("rebuild", "web").returncode == 0
    assert fetched() == before, "it was fetched anew"
    document = looked(freshd, exit_code=1, later=2 * HOUR)
    assert finding(document, AGED.cause)["evidence"]["layers"] == [layer]

    assert freshd("rebuild", "web", "--mode", "no-cache").returncode == 0
    assert fetched() not in (None, before)
    assert found(looked(freshd, exit_code=0)) == set()
    document = looked(freshd, exit_code=1, later=2 * HOUR)
    (newer,) = finding(document, AGED.cause)["evidence"]["layers"]
    assert newer["made"] > layer["made"]


@pytest.mark.timeout(600)
def test_a_stage_that_is_copied_from_fetched_it(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    end = "FROM freshd-busybox:1\nCOPY --from=fetched /page /page\nCOPY server /server\n"
    stack.write({"server": SERVER}, mode=0o755)
    stack.write({"Dockerfile": START + FETCH + end, "compose.yaml": COMPOSE})
    stack.write({"freshd.toml": POLICY})
    stack.up(build=True)
    freshd = make_freshd(stack)
    assert freshd("rebuild", "web").returncode == 0
    assert found(looked(freshd, exit_code=0)) == set()
    document = looked(freshd, exit_code=1, later=31 * DAY)
    assert found(document) == {AGED}
    (layer,) = finding(document, AGED.cause)["evidence"]["layers"]
    assert (layer["line"], layer["command"]) == (5, "wget")
