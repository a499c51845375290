"""What clients of one engine share: bounded, and the newest is kept."""

from freshd.engine.shared_cache import SharedCache


def test_the_newest_histories_are_kept() -> None:
    memory = SharedCache()
    for number in range(200):
        memory.keep_history(f"sha256:{number}", [{"CreatedBy": str(number)}])
    assert memory.history("sha256:199") == [{"CreatedBy": "199"}]
    kept = [number for number in range(200) if memory.history(f"sha256:{number}") is not None]
    assert kept == list(range(136, 200))


def test_a_history_that_is_kept_twice_pushes_out_no_other() -> None:
    memory = SharedCache()
    for number in (*range(64), *[63] * 5):
        memory.keep_history(f"sha256:{number}", [])
    assert memory.history("sha256:0") == []
