"""What may be shown of a probe."""

import pytest

from freshd.model.policy import Probe, without_secrets


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://localhost:8000/health", "http://localhost:8000/health"),
        ("http://user:PASS@host/a?token=T#F", "http://host/a?…"),
        ("http://PASS@host?T", "http://host?…"),
        ("https://u:p@ss@host:1/x", "https://host:1/x"),
        ("http://host/a@b", "http://host/a@b"),
        ("user:PASS@host", "…"),
    ],
)
def test_an_address_is_shown_without_user_password_and_query(address: str, shown: str) -> None:
    assert without_secrets(address) == shown


def test_a_command_is_shown_without_its_arguments() -> None:
    probe = Probe("x", run=("curl", "-u", "PASS"), equals=("echo", "T"))
    assert (probe.question, probe.wants_output_of) == ("curl …", "echo …")
    assert Probe("x", run=("true",)).question == "true"
