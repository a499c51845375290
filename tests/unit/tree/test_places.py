"""Where a path really is: links on the way are followed, named, and may be turned at any time."""

import os
from pathlib import Path

import pytest

from freshd.tree.places import find_place, find_trouble, settle_parent


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """``rel/1`` and ``rel/2``, and links to them of several kinds."""
    root = Path(os.path.realpath(tmp_path))
    for number in "12":
        (root / "rel" / number).mkdir(parents=True)
        (root / "rel" / number / "v").write_text(number)
    (root / "current").symlink_to("rel/1")
    (root / "far").symlink_to(root / "current")
    (root / "up").symlink_to("rel/1/../2")
    (root / "round").symlink_to("round")
    (root / "dangling").symlink_to("nowhere/at/all")
    (root / "rel/1/self").symlink_to("v")
    return root


@pytest.mark.parametrize(
    ("named", "real", "links"),
    [
        pytest.param("rel/1", "rel/1", (), id="no link"),
        pytest.param("current", "rel/1", ("current",), id="a link"),
        pytest.param("current/v", "rel/1/v", ("current",), id="a link above"),
        pytest.param("far/v", "rel/1/v", ("far", "current"), id="an absolute link to a link"),
        pytest.param("up/v", "rel/2/v", ("up",), id="a link that climbs"),
        pytest.param("current/self", "rel/1/v", ("current", "rel/1/self"), id="links in a row"),
        pytest.param("dangling/x", "nowhere/at/all/x", ("dangling",), id="a link to nothing"),
        pytest.param("none/x", "none/x", (), id="what is not there"),
        pytest.param("round/x", "round/x", ("round",), id="a circle"),
    ],
)
def test_a_place_has_no_link_and_tells_those_on_the_way(
    place: Path, named: str, real: str, links: tuple[str, ...]
) -> None:
    found = find_place(str(place / named))
    assert found.path == str(place / real)
    assert found.links == tuple(str(place / link) for link in links)
    assert named.startswith("round") or found.path == os.path.realpath(place / named)


def test_a_link_that_is_turned_leads_elsewhere_at_the_next_look(place: Path) -> None:
    os.unlink(place / "current")
    (place / "current").symlink_to("rel/2")
    assert find_place(str(place / "current/v")).path == str(place / "rel/2/v")


def test_a_link_in_the_last_place_stays_one(place: Path) -> None:
    assert settle_parent(str(place / "far/self")) == str(place / "rel/1/self")
    assert settle_parent(str(place / "current")) == str(place / "current")
    assert settle_parent("/") == "/"


@pytest.mark.parametrize(
    ("named", "trouble"),
    [
        pytest.param("current/v", "", id="there"),
        pytest.param("none", "", id="nothing of that name: known"),
        pytest.param("rel/none/x", "", id="no such directory: known"),
        pytest.param("dangling", "the link {root}/dangling leads to nothing", id="dangling"),
        pytest.param("dangling/x", "the link {root}/dangling leads to nothing", id="below it"),
        pytest.param("round", "Too many levels of symbolic links", id="a circle"),
        pytest.param("current/v/x", "Not a directory", id="below a file"),
    ],
)
def test_what_keeps_a_place_from_being_read_is_said(place: Path, named: str, trouble: str) -> None:
    assert find_trouble(str(place / named)) == trouble.format(root=place)


def test_a_relative_path_is_taken_from_where_the_process_is(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`PWD` may name another directory than that, and then nobody has made the path absolute."""
    monkeypatch.chdir(place / "rel")
    assert find_place("../current").path == str(place / "rel/1")
    assert settle_parent("1/self") == str(place / "rel/1/self")
