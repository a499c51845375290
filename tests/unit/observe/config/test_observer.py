"""What decides whether a difference of the config link is told. Engine tests do the rest."""

import pytest

from freshd.model.observed.creation import Wanted
from freshd.observe.config.observer import depending, hash_is_right


@pytest.mark.parametrize(
    ("version", "made_by", "env_files", "right"),
    [
        ("2.26.1", "2.26.1", False, True),
        ("2.26.1-4", "2.26.1", False, True),
        ("2.26.1", "2.25.0", False, False),
        ("2.26.1", "", False, False),
        ("", "2.26.1", False, False),
        ("2.26.1", "2.26.1", True, False),
        ("2.22.0", "2.22.0", True, False),
        ("2.21.0", "2.21.0", True, True),
        ("5.4.9", "5.4.9", True, False),
        ("5.5.0", "5.5.0", True, True),
    ],
)
def test_when_composes_own_hash_can_be_believed(
    version: str, made_by: str, *, env_files: bool, right: bool
) -> None:
    assert hash_is_right(version, made_by, env_files=env_files) is right


def test_what_depends_on_the_shell_is_what_its_variables_change() -> None:
    parts = {"ports": "[1]", "user": "u"}
    here = Wanted(image="a", environment={"X": "1", "Y": "1"}, parts=parts)
    probed = Wanted(
        image="b", environment={"X": "1", "Y": "2"}, parts={"ports": "[2]", "user": "u"}
    )
    assert set(depending(here, probed)) == {"environment.Y", "ports", "image"}
    assert set(depending(here, here)) == set()
