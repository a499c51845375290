"""Containers that share another's network: they are cut off when that one is made anew."""

import pytest

from tests.harness.cli import Freshd
from tests.harness.stack import Stack

COMPOSE = """
services:
  web:
    build: .
    init: true
    stop_grace_period: 0s
  sidecar:
    image: freshd-busybox:1
    network_mode: "service:web"
    command: [sleep, "1000000"]
    init: true
    stop_grace_period: 0s
  beside:
    image: freshd-busybox:1
    ipc: "service:sidecar"
    network_mode: none
    command: [sleep, "1000000"]
    init: true
    stop_grace_period: 0s
  other:
    image: freshd-busybox:1
    command: [sleep, "1000000"]
    init: true
    stop_grace_period: 0s
"""
DOCKERFILE = 'FROM freshd-busybox:1\nCOPY page /page\nCMD ["sleep", "1000000"]\n'


@pytest.mark.timeout(240)
def test_what_shares_a_namespace_goes_with_the_one_it_is_of(stack: Stack, freshd: Freshd) -> None:
    compose = COMPOSE.replace('    image: freshd-busybox:1\n    network_mode: "service', SHAREABLE)
    stack.write({"compose.yaml": compose, "Dockerfile": DOCKERFILE, "page": "one"})
    stack.up(build=True)
    other = stack.container("other")

    def namespace(service: str, kind: str) -> bytes:
        read = ["readlink", f"/proc/self/ns/{kind}"]
        return stack.exec(stack.container(service), read).stdout

    def shared() -> list[bool]:
        return [
            namespace("sidecar", "net") == namespace("web", "net"),
            namespace("beside", "ipc") == namespace("sidecar", "ipc"),
        ]

    assert shared() == [True, True]
    stack.write({"page": "two"})
    for verb in ("rebuild", "recreate", "restart"):
        done = freshd(verb, "web")
        assert done.returncode == 0, done
        assert shared() == [True, True], verb
    assert stack.read(stack.container("web"), "/page") == b"two"
    assert stack.container("other") == other, "what shares nothing stays as it is"


SHAREABLE = '    image: freshd-busybox:1\n    ipc: shareable\n    network_mode: "service'
