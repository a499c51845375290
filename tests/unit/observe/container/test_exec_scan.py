"""Hashing is parted in two of about the same work, and nothing is lost or doubled."""

from hypothesis import given
from hypothesis import strategies as st

from freshd.observe.container.exec_scan import shards_of


@given(st.dictionaries(st.text(min_size=1), st.integers(0, 10**9), max_size=600))
def test_the_parts_together_are_the_whole_in_order(sizes: dict[str, int]) -> None:
    shards = shards_of(list(sizes), sizes)
    assert [path for shard in shards for path in shard] == list(sizes)
    assert all(shards)
    assert len(shards) <= 2


def test_many_files_are_parted_near_the_middle() -> None:
    sizes = {f"/f{number}": 4000 for number in range(1000)}
    assert [len(shard) for shard in shards_of(list(sizes), sizes)] == [500, 500]


def test_one_big_file_does_not_drag_the_small_ones_along() -> None:
    sizes = {"/big": 10**9} | {f"/f{number}": 1 for number in range(100)}
    assert [len(shard) for shard in shards_of(list(sizes), sizes)] == [1, 100]


def test_few_small_files_stay_together() -> None:
    assert shards_of(["/a", "/b"], {"/a": 1, "/b": 1}) == [["/a", "/b"]]
