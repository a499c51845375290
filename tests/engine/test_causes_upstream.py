"""A proxy that goes on forwarding to where a service was.

There is no nginx among the test images: a program of that name does what nginx does with a name in
its configuration, which is to look it up when it starts.
"""

from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked, second_passes
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

NGINX = """#!/usr/bin/env python3
import signal, socket
open("/tmp/upstream", "w").write(socket.gethostbyname("api"))
signal.pause()
"""
LOOK_UP = ["python3", "-c", "import socket; print(socket.gethostbyname('api'), end='')"]


@pytest.mark.timeout(600)
@pytest.mark.proves("upstream-moved", "detected", "remedied", "silent")
def test_a_proxy_whose_upstream_got_another_address(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack.write({"nginx": NGINX}, mode=0o755)
    stack.write({"site.conf": "proxy_pass http://api:8000;\n"})
    stack.write(
        {
            "compose.yaml": f"""
services:
  web:
    image: freshd-python:1
    command: ["/opt/nginx"]
    volumes: ["./nginx:/opt/nginx:ro", "./site.conf:/etc/site.conf:ro"]
    depends_on: [api]
    init: true
    stop_grace_period: 0s
  api:
    image: freshd-busybox:1
    {SLEEP}
"""
        }
    )

    def forwards_to() -> bytes | None:
        return stack.exec(stack.container("web"), ["cat", "/tmp/upstream"], check=False).stdout

    def is_at() -> bytes:
        return stack.exec(stack.container("web"), LOOK_UP).stdout

    stack.up()
    freshd = make_freshd(stack)
    wait_until(lambda: forwards_to() == is_at(), 120.0)
    assert found(looked(freshd, exit_code=0)) == set()

    second_passes()
    stack.compose("rm", "-f", "-s", "api")
    options = ["--init", "--network", f"{stack.project}_default"]
    stack.run("freshd-busybox:1", "sleep", "1000000", options=options)  # takes the free address
    stack.up("api")
    assert forwards_to() != is_at(), "it is where it was"
    # as somebody's shell, or a health check: it is younger, and looked up nothing for the proxy
    stack.docker("exec", "-d", stack.container("web"), "sleep", "1000000")
    document = looked(freshd, exit_code=1)
    assert found(document) == {Found("upstream-moved", "stale")}
    evidence = finding(document, "upstream-moved")["evidence"]
    assert evidence["upstream"] == "api"
    assert (evidence["before"], evidence["now"]) == (
        [(forwards_to() or b"").decode()],
        [is_at().decode()],
    )
    assert freshd("restart", "web").returncode == 0
    wait_until(lambda: forwards_to() == is_at(), 120.0)
    assert found(looked(freshd, exit_code=0)) == set()

    # near miss: a proxy that asks again
    stack.write({"site.conf": "resolver 127.0.0.11;\nproxy_pass http://api:8000;\n"})
    stack.compose("rm", "-f", "-s", "api")
    stack.run("freshd-busybox:1", "sleep", "1000000", options=options)
    stack.up("api")
    assert "upstream-moved" not in {each.cause for each in found(looked(freshd, exit_code=0))}
