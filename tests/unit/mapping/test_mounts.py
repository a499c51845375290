"""What a mount hides, and which binds are looked into."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.config.compose.model import ComposeMount
from freshd.mapping.mounts import mark_hidden, may_list, merge
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Mount
from freshd.model.paths import innermost

DESTINATIONS = st.sampled_from(["/", "/app", "/app/src", "/app/src/lib", "/data", "/application"])
TARGETS = st.sampled_from(["/app/a", "/app/src/b", "/app/src", "/app/src/lib/c", "/x", "/data/y"])


def mounts(*targets: str, kind: str = "volume") -> dict[str, ComposeMount]:
    return {target: ComposeMount(kind, target) for target in targets}


@given(targets=st.lists(DESTINATIONS, unique=True), path=TARGETS)
def test_the_innermost_mount_hides(targets: list[str], path: str) -> None:
    over = [one for one in targets if one == "/" or path == one or path.startswith(one + "/")]
    assert innermost(path, mounts(*targets)) == (max(over, key=len) if over else None)


def test_copies_below_a_mount_are_hidden_and_others_stay() -> None:
    pairs = [
        Pair("a", "/app/a", Via.COPY),
        Pair("m", "/app/node_modules/m", Via.COPY),
        Pair("c", "/application/c", Via.COPY),
    ]
    marked = mark_hidden(pairs, mounts("/app/node_modules"), {})
    assert [(one.effective, one.hidden_by) for one in marked] == [
        (True, None),
        (False, "/app/node_modules"),
        (True, None),
    ]


def test_a_bind_shows_its_files_but_for_those_below_a_mount_inside_it() -> None:
    pairs = [
        Pair("a", "/app/a", Via.COPY),
        Pair("a", "/app/a", Via.BIND),
        Pair("dist/b", "/app/dist/b", Via.BIND),
    ]
    over = {**mounts("/app", kind="bind"), **mounts("/app/dist")}
    marked = mark_hidden(pairs, over, {"/app/a": "/app", "/app/dist/b": "/app"})
    assert [(one.via, one.hidden_by) for one in marked] == [
        (Via.COPY, "/app"),
        (Via.BIND, None),
        (Via.BIND, "/app/dist"),
    ]


def test_a_declared_pair_counts_inside_a_volume_only_when_the_policy_allows_volumes() -> None:
    pairs = [Pair("a", "/data/a", Via.DECLARED), Pair("b", "/t/b", Via.DECLARED)]
    over = {**mounts("/data"), **mounts("/t", kind="tmpfs")}
    assert [one.effective for one in mark_hidden(pairs, over, {})] == [False, False]
    allowed = mark_hidden(pairs, over, {}, through_volumes=True)
    assert [one.effective for one in allowed] == [True, False]


def test_a_containers_own_mounts_count_and_binds_keep_the_models_source() -> None:
    model = [ComposeMount("bind", "/app", "/home/me/p"), ComposeMount("tmpfs", "/gone")]
    actual = [
        Mount("bind", "/app", source="/host_mnt/home/me/p"),
        Mount("volume", "/anon", name="a" * 64),
    ]
    merged = merge(model, actual)
    assert merged["/app"] == model[0]
    assert merged["/anon"] == ComposeMount("volume", "/anon", "a" * 64)
    assert "/gone" not in merged
    assert set(merge(model, None)) == {"/app", "/gone"}


@pytest.mark.parametrize(
    ("source", "listed"),
    [
        ("work/shop", True),
        ("work/shop/src", True),
        ("work/lib", True),
        ("work/lib/sub", True),
        ("work/.ssh", False),
        ("work", False),
        ("", False),
        ("work-of-others/x", False),
        ("elsewhere", False),
    ],
)
def test_only_binds_of_the_work_at_hand_are_listed(
    tmp_path: Path, source: str, listed: bool
) -> None:
    assert may_list(str(tmp_path / source).rstrip("/"), str(tmp_path / "work/shop")) is listed


def test_the_whole_repository_of_a_project_is_work_at_hand(tmp_path: Path) -> None:
    shop = tmp_path / "services/shop"
    shop.mkdir(parents=True)
    assert not may_list(str(tmp_path), str(shop))
    assert not may_list(str(tmp_path / ".config"), str(shop))
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert may_list(str(tmp_path), str(shop))
    assert may_list(str(tmp_path / ".config"), str(shop))


@pytest.mark.parametrize("source", ["/", "/var/run/docker.sock", "/home"])
def test_system_places_are_never_listed(tmp_path: Path, source: str) -> None:
    assert not may_list(source, str(tmp_path))
    assert not may_list(source, "/shop")
