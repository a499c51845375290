"""A project is added to ``config.toml`` as text: what a person wrote there stays, to the byte."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.config.add_project import add_project, append_project
from freshd.config.load import ConfiguredProject, load_user_config, parse_user_config
from freshd.model.errors import ConfigError

SHOP = ConfiguredProject("/src/shop")
COMMENTED = '# mine\n[log]\nlevel = "debug"  # for now\n\n[[project]]\ndir = "~/a"\n'
paths = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def test_a_file_is_made_where_there_was_none_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.toml"
    assert add_project(str(path), SHOP)
    assert path.read_text() == '[[project]]\ndir = "/src/shop"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_there_stays_and_the_second_time_nothing_happens(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMENTED)
    path.chmod(0o640)
    assert add_project(str(path), SHOP)
    text = path.read_text()
    assert text == COMMENTED + '\n[[project]]\ndir = "/src/shop"\n'
    assert not add_project(str(path), SHOP)
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_project_is_the_same_by_another_path(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "shop")
    path = tmp_path / "config.toml"
    assert add_project(str(path), ConfiguredProject(str(tmp_path / "shop")))
    assert not add_project(str(path), ConfiguredProject(str(tmp_path / "link")))


def test_a_link_to_a_file_elsewhere_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    path = tmp_path / "config.toml"
    (tmp_path / "dotfiles" / "freshd.toml").write_text("# mine\n")
    path.symlink_to(tmp_path / "dotfiles" / "freshd.toml")
    assert add_project(str(path), SHOP)
    assert path.is_symlink()
    assert load_user_config(str(path)).projects == (SHOP,)


def test_a_project_below_home_is_written_with_a_tilde() -> None:
    home = os.path.expanduser("~")
    text = append_project("", ConfiguredProject(f"{home}/src/shop", ("a.yaml",), "s", ("dev", "x")))
    assert text == (
        '[[project]]\ndir = "~/src/shop"\nfiles = ["a.yaml"]\nname = "s"\nprofiles = ["dev", "x"]\n'
    )


@pytest.mark.parametrize("text", ["[log]\nlevel = 'loud'\n", "[log\n", "project = []\n"])
def test_a_file_that_is_or_would_become_invalid_stays_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        add_project(str(path), SHOP)
    assert path.read_text() == text
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_name_that_toml_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not UTF-8"):
        add_project(str(tmp_path / "config.toml"), ConfiguredProject("/src/\udcff"))


@given(name=paths, directory=paths, before=st.sampled_from(["", "# x", COMMENTED, "[log]\r\n"]))
def test_every_name_comes_back_as_it_was(name: str, directory: str, before: str) -> None:
    project = ConfiguredProject(os.path.normpath(f"/top/{directory}"), name=name)
    text = append_project(before, project)
    assert text.startswith(before)
    assert parse_user_config(text).projects[-1] == project
