"""The last layer that wrote or removed a path is found from names alone."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.model.observed.image import HistoryEntry, is_copy
from freshd.observe.image.attribution import (
    Content,
    Layer,
    decides,
    lines_of,
    matters,
    replay,
    resolve,
    rewritten,
)


def layer(*names: str, links: Mapping[str, str] | None = None) -> Layer:
    """Names as in a layer's tar; those that end in "/" are directories."""
    made = Layer()
    for name in names:
        made.add(name, directory=name.endswith("/"), link=None)
    for name, text in (links or {}).items():
        made.add(name, directory=False, link=text)
    return made


@pytest.mark.parametrize(
    ("layers", "path", "number"),
    [
        pytest.param([layer("app/", "app/a")], "/app/a", 0, id="written once"),
        pytest.param([layer("app/a"), layer("app/a")], "/app/a", 1, id="written again"),
        pytest.param([layer("app/a"), layer("app/")], "/app/a", 0, id="directory touched"),
        pytest.param([layer("app/a"), layer("app/.wh.a")], "/app/a", 1, id="removed"),
        pytest.param([layer("app/a"), layer(".wh.app")], "/app/a", 1, id="parent removed"),
        pytest.param(
            [layer("app/a"), layer("app/", "app/.wh..wh..opq", "app/b")],
            "/app/a",
            1,
            id="directory made anew without it",
        ),
        pytest.param(
            [layer("app/a"), layer("app/", "app/.wh..wh..opq", "app/a")],
            "/app/a",
            1,
            id="directory made anew with it",
        ),
        pytest.param([layer("app/a"), layer("app")], "/app/a", 1, id="parent became a file"),
        pytest.param(
            [layer("app/a"), layer("app/.wh.a"), layer("app/a")], "/app/a", 2, id="came back"
        ),
        pytest.param(
            [layer("app/", "app/.wh..wh..opq"), layer("app/a")],
            "/app/a",
            1,
            id="an opaque new directory hides nothing",
        ),
        pytest.param([layer("./app/a")], "/app/a", 0, id="names with a dot"),
        pytest.param([layer("/app/a")], "/app/a", 0, id="absolute names"),
    ],
)
def test_the_last_layer_that_wrote_or_removed_wins(
    layers: list[Layer], path: str, number: int
) -> None:
    assert replay(layers).last[path] == number


@pytest.mark.parametrize(
    "layers",
    [
        [layer("app/", "app/.wh..wh..opq"), layer("app/b")],
        [layer("app/.wh.a")],
        [layer("app/", "app/ab")],
    ],
)
def test_a_path_that_no_layer_ever_had_has_no_writer(layers: list[Layer]) -> None:
    """Else a file new in the tree would pass for one that the image's build removed."""
    assert "/app/a" not in replay(layers).last


def holding(*, mode: int = 0o644, **files: str) -> Layer:
    made = Layer()
    for name, text in files.items():
        made.add(f"app/{name}", directory=False, link=None, content=Content(text, mode))
    return made


@pytest.mark.parametrize(
    ("layers", "number"),
    [
        pytest.param([holding(a="1"), holding(a="1")], 0, id="its owner changed"),
        pytest.param([holding(a="1"), holding(a="2")], 1, id="its content changed"),
        pytest.param([holding(a="1"), holding(a="2"), holding(a="2")], 1, id="changed, chowned"),
        pytest.param([holding(a="1"), holding(a="2"), holding(a="1")], 0, id="and changed back"),
        pytest.param([holding(a="1"), layer(".wh.app"), holding(a="1")], 0, id="moved and back"),
        pytest.param([holding(a="1"), layer(".wh.app")], 1, id="removed"),
        pytest.param([holding(a=""), holding(a="")], 1, id="not hashed: nothing is known"),
        pytest.param(
            [layer(links={"app/a": "b"}), layer(links={"app/a": "b"})], 0, id="a link chowned"
        ),
        pytest.param(
            [layer(links={"app/a": "b"}), layer(links={"app/a": "c"})], 1, id="another link"
        ),
    ],
)
def test_a_layer_with_what_a_copy_had_put_there_did_not_write_it(
    layers: list[Layer], number: int
) -> None:
    assert replay(layers, copies={0}).last["/app/a"] == number


def test_a_copy_writes_what_it_brings_even_where_it_lay_there_already() -> None:
    assert replay([holding(a="1"), holding(a="1")], copies={0, 1}).last["/app/a"] == 1


def test_the_mode_that_a_later_layer_gave_is_told_where_it_changes_who_may_execute() -> None:
    copied, chmodded = holding(a="1", b="1"), holding(a="1", mode=0o755)
    assert replay([copied, chmodded], copies={0}).modes == {"/app/a": 0o755}
    assert replay([copied, holding(a="1", mode=0o600)], copies={0}).modes == {}
    assert replay([copied, chmodded, holding(a="1")], copies={0}).modes == {}
    assert replay([copied, chmodded, layer("app/.wh.a")], copies={0}).modes == {}
    assert replay([copied, chmodded, holding(a="2")], copies={0, 2}).modes == {}


def test_of_the_root_only_what_is_directly_in_it_is_hashed() -> None:
    assert [decides(name, ["/"]) for name in ("a", "usr/lib/big")] == [True, False]
    assert [decides(name, ["/app"]) for name in ("app/a/b", "apple")] == [True, False]


PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)


@given(st.lists(st.tuples(st.sampled_from(["write", "remove", "empty"]), PATHS), max_size=12))
def test_replay_agrees_with_a_file_system_played_step_by_step(steps: list[tuple[str, str]]) -> None:
    """One layer per step, against a plain model of files and removals."""
    layers: list[Layer] = []
    expected: dict[str, int] = {}
    files: set[str] = set()
    for number, (what, path) in enumerate(steps):
        full, prefix = f"/{path}", f"/{path}/"
        made = Layer()
        gone = {each for each in files if each.startswith(prefix)}
        if what == "write":
            made.add(path, directory=False, link=None)
        elif what == "remove":
            parent, _, base = path.rpartition("/")
            made.add(f"{parent}/.wh.{base}", directory=False, link=None)
            gone |= files & {full}
        else:
            made.add(f"{path}/.wh..wh..opq", directory=False, link=None)
        files -= gone
        expected |= dict.fromkeys(gone, number)
        if what == "write":
            files.add(full)
            expected[full] = number
        layers.append(made)
    assert replay(layers).last == expected


@pytest.mark.parametrize(
    ("name", "decides"),
    [
        ("srv/app/a", True),
        ("./srv/app/a", True),
        ("srv/app", True),
        ("srv", True),
        ("srv/application", False),
        ("usr/.wh.x", True),
        ("usr/x", False),
    ],
)
def test_only_members_that_can_decide_are_kept(name: str, decides: bool) -> None:
    assert matters(name, ["/srv/app"]) is decides


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/bin/x", "/usr/bin/x"),
        ("/lnk/bin/x", "/usr/bin/x"),
        ("/bin", "/bin"),
        ("/app/x", "/app/x"),
        ("/up/x", "/x"),
    ],
)
def test_links_among_the_parents_are_followed(path: str, real: str) -> None:
    links = {"/bin": "usr/bin", "/lnk": "/", "/up": "../.."}
    assert resolve(path, links) == real


def test_a_loop_of_links_ends() -> None:
    assert resolve("/a/x", {"/a": "/b", "/b": "/a"}).endswith("/x")


@pytest.mark.parametrize(
    ("line", "copies"),
    [
        ("COPY . /app # buildkit", True),
        ("COPY --link --chown=1:1 a b # buildkit", True),
        ("ADD x.tar.gz / # buildkit", True),
        ("/bin/sh -c #(nop) COPY file:0123 in /app/ ", True),
        ("/bin/sh -c #(nop)  ADD file:0123 in / ", True),
        ("RUN /bin/sh -c chmod +x /app/a # buildkit", False),
        ("/bin/sh -c COPY a b", False),
        ("|1 A=1 /bin/sh -c COPY . .", False),
        ("RUN |1 A=COPY /bin/sh -c true # buildkit", False),
        ("WORKDIR /app", False),
        ("COPYRIGHT", False),
        ("", False),
    ],
)
def test_copy_and_add_lines_are_told_from_the_rest(line: str, copies: bool) -> None:
    assert is_copy(line) is copies


def test_rewritten_are_the_targets_last_written_by_something_else_than_copy() -> None:
    run = "RUN /bin/sh -c chmod +x /app/a # buildkit"
    lines = {"/app/a": run, "/app/b": "COPY . /app # buildkit", "/app/c": ""}
    assert rewritten(["/app/a", "/app/b", "/app/c", "/app/d"], lines) == {"/app/a": run}


def test_history_is_matched_only_when_it_has_a_line_for_each_layer() -> None:
    history = (HistoryEntry("a"), HistoryEntry("ENV", empty=True), HistoryEntry("b"))
    assert lines_of(history, 2) == ("a", "b")
    assert lines_of(history, 3) is None
    assert lines_of((), 1) is None
