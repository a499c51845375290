"""The archives that are asked for hold every path once, and nothing shared is fetched whole."""

from hypothesis import given
from hypothesis import strategies as st

from freshd.engine.container.archive_roots import Root, below_link, plan, split
from freshd.model.paths import is_below

NAMES = st.sampled_from(["a", "b", "c", "usr", "lib", "x.py", "bin"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))


def many(directory: str, count: int) -> list[str]:
    return [f"{directory}/f{number}" for number in range(count)]


@given(st.sets(PATHS, max_size=60))
def test_every_path_is_in_exactly_one_root(paths: set[str]) -> None:
    roots = plan(paths)
    assert sorted(path for root in roots for path in root.wanted) == sorted(paths)
    assert all(
        is_below(path, root.path) and (path != root.path) is root.whole
        for root in roots
        for path in root.wanted
    )


@given(st.sets(PATHS, min_size=1, max_size=30))
def test_splitting_ends_in_single_paths_and_loses_none(paths: set[str]) -> None:
    below = {"/top" + path for path in paths}
    pending, singles = [Root("/top", tuple(sorted(below)), whole=True)], []
    while pending:
        root = pending.pop()
        smaller = split(root)
        singles += [] if smaller else [root.path]
        pending += smaller
    assert sorted(singles) == sorted(below)


def test_a_handful_of_files_is_fetched_one_by_one() -> None:
    assert plan(["/app/a", "/app/b"]) == [
        Root("/app/a", ("/app/a",), whole=False),
        Root("/app/b", ("/app/b",), whole=False),
    ]


def test_a_directory_of_many_is_fetched_whole_with_what_is_wanted_below_it() -> None:
    paths = [*many("/app/src", 50), *many("/app/src/deep", 2), "/app/setup.cfg"]
    roots = plan(paths)
    assert Root("/app/setup.cfg", ("/app/setup.cfg",), whole=False) in roots
    assert [(root.path, len(root.wanted)) for root in roots if root.whole] == [("/app/src", 52)]


def test_a_directory_of_many_branches_is_fetched_whole() -> None:
    paths = [f"/app/m{number}/x" for number in range(100)]
    assert [root.path for root in plan(paths)] == ["/app"]


def test_a_directory_that_others_share_is_never_fetched_whole() -> None:
    paths = [*many("/usr/bin", 100), *many("", 30), *many("/usr/local/app", 30)]
    assert [root.path for root in plan(paths) if root.whole] == ["/usr/local/app"]


def test_paths_behind_a_link_become_a_root_of_their_own() -> None:
    root = below_link("/app/cur", ["/app/cur/x", "/app/current", "/app/y"])
    assert root == Root("/app/cur", ("/app/cur/x",), whole=True)
