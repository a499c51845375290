"""What `ssh` is called with, and what is said when it cannot."""

import pytest

from freshd.engine.transport.endpoint import Endpoint
from freshd.engine.transport.ssh import command, last_words

STDIO = ["system", "dial-stdio"]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("ssh://there", ["-T", "--", "there", "docker", *STDIO]),
        ("ssh://me@there:2222", ["-T", "-l", "me", "-p", "2222", "--", "there", "docker", *STDIO]),
        (
            "ssh://there/run/user/1000/docker.sock",
            ["-T", "--", "there", "docker", "--host", "unix:///run/user/1000/docker.sock", *STDIO],
        ),
    ],
)
def test_the_address_becomes_arguments(host: str, words: list[str]) -> None:
    assert command(host) == ("there", words)


def test_nothing_was_said_where_nothing_was_tried() -> None:
    assert last_words(Endpoint("ssh://never", "the test")) == ""
