"""Compose files are found, and what they refer to is known."""

import os
from pathlib import Path

import pytest

from freshd.config.compose.files import (
    candidates,
    default_files,
    find_referenced,
    setting,
    split_files,
)


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ([], []),
        (["compose.override.yaml"], []),
        (["docker-compose.yml"], ["docker-compose.yml"]),
        (["docker-compose.yaml", "compose.yml"], ["compose.yml"]),
        (["compose.yml", "compose.yaml"], ["compose.yaml"]),
        (["compose.yaml", "docker-compose.override.yml"],
         ["compose.yaml", "docker-compose.override.yml"]),
        (["compose.yaml", "compose.override.yaml", "compose.override.yml"],
         ["compose.yaml", "compose.override.yml"]),
    ],
)  # fmt: skip
def test_the_files_compose_would_take(
    tmp_path: Path, present: list[str], expected: list[str]
) -> None:
    write(tmp_path, dict.fromkeys(present, ""))
    assert default_files(str(tmp_path)) == tuple(str(tmp_path / name) for name in expected)
    assert {str(tmp_path / name) for name in present} <= set(candidates(str(tmp_path)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("COMPOSE_FILE=a.yaml", "a.yaml"),
        ("export COMPOSE_FILE = 'a b.yaml' # why", "a b.yaml"),
        ('X=1\nCOMPOSE_FILE="a.yaml:b.yaml"\n', "a.yaml:b.yaml"),
        ("COMPOSE_FILE=a.yaml # the dev one", "a.yaml"),
        ("COMPOSE_FILE=a.yaml\nCOMPOSE_FILE=b.yaml", "b.yaml"),
        ("# COMPOSE_FILE=a.yaml", None),
        ("COMPOSE_FILE=", None),
        ("MY_COMPOSE_FILE=a.yaml", None),
    ],
)
def test_settings_of_the_env_file(tmp_path: Path, text: str, value: str | None) -> None:
    write(tmp_path, {".env": text})
    assert setting(str(tmp_path), "COMPOSE_FILE") == value


def test_there_may_be_no_env_file_or_a_directory_of_that_name(tmp_path: Path) -> None:
    assert setting(str(tmp_path), "COMPOSE_FILE") is None
    (tmp_path / ".env").mkdir()
    assert setting(str(tmp_path), "COMPOSE_FILE") is None


@pytest.mark.timeout(10)
def test_a_fifo_of_such_a_name_is_not_waited_for(tmp_path: Path) -> None:
    """Rule 10."""
    for name in (".env", "compose.yaml"):
        os.mkfifo(tmp_path / name)
    assert setting(str(tmp_path), "COMPOSE_FILE") is None
    assert find_referenced([str(tmp_path / "compose.yaml")]) == set()
    assert default_files(str(tmp_path)) == ()


def test_a_list_of_files_is_split_and_made_absolute() -> None:
    assert split_files("a.yaml:/b/c.yaml", directory="/p") == ("/p/a.yaml", "/b/c.yaml")
    assert split_files("a;../b", directory="/p", separator=";") == ("/p/a", "/b")


def test_included_extended_and_environment_files_are_found(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "compose.yaml": "include: [lib/inc.yaml]\nservices:\n  web:\n"
            "    env_file: ['dev.env']\n    extends: {file: base.yml, service: x}\n"
            "    image: none.yaml\n",
            "dev.env": "A=1",
            "base.yml": "services: {x: {env_file: lib/deep.env}}",
            "lib/inc.yaml": 'include:\n  - "../compose.yaml"\n  - path: ./more.yaml\n',
            "lib/more.yaml": "services: {}",
            "lib/deep.env": "",
            "lib/.env": "B=1",
            "unrelated.yaml": "",
        },
    )
    found = {
        os.path.relpath(path, tmp_path) for path in find_referenced([f"{tmp_path}/compose.yaml"])
    }
    assert found == {
        "compose.yaml",
        "dev.env",
        "base.yml",
        "lib/inc.yaml",
        "lib/more.yaml",
        "lib/deep.env",
        "lib/.env",
    }
