"""The one file that freshd writes into a project: whole, not over another, and with usual modes."""

import errno
import os
from pathlib import Path

import pytest

from freshd.config.write_policy import refuse_if_there, write_policy
from freshd.model.errors import ConfigError
from tests.unit.cli.fakes import Line


def test_it_is_written_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "freshd.toml"
    mask = os.umask(0o022)
    try:
        write_policy(str(path), "version = 1\n", force=False)
    finally:
        os.umask(mask)
    assert path.read_text() == "version = 1\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_what_is_there_stays_unless_it_is_forced(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "freshd.toml"
    if kind == "file":
        path.write_text("mine")
    elif kind == "link":
        path.symlink_to("elsewhere")
    else:
        path.mkdir()
    with pytest.raises(ConfigError, match="exists already") as caught:
        refuse_if_there(str(path))
    assert "--force" in (caught.value.hint or "")
    with pytest.raises(ConfigError, match="exists already"):
        write_policy(str(path), "version = 1\n", force=False)
    assert list(tmp_path.iterdir()) == [path]
    if kind != "directory":
        write_policy(str(path), "version = 1\n", force=True)
        assert path.read_text() == "version = 1\n"
        assert not path.is_symlink()
        assert not (tmp_path / "elsewhere").exists()


def test_a_directory_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot write"):
        write_policy(str(tmp_path / "none" / "freshd.toml"), "", force=True)


def test_without_hard_links_it_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(_source: str, _target: str) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "freshd.toml"
    write_policy(str(path), "version = 1\n", force=False)
    assert path.read_text() == "version = 1\n"
    with pytest.raises(ConfigError, match="exists already"):
        write_policy(str(path), "", force=False)
    assert list(tmp_path.iterdir()) == [path]


def test_force_is_for_write_only(line: Line) -> None:
    result = line("init", "--force")
    assert (result.status, result.out) == (2, "")
    assert "--write" in result.err
