"""The engine's process table: ages in whole seconds, set beside the first process's start."""

from freshd.observe.process.processes import parsed

ROWS = [
    ["9537", "9510", "78", "/sbin/docker-init -- sh -c x"],
    ["9652", "9537", "70", "sh", "-c", "x"],
    ["9700", "9537", "78", "python3 app.py"],
]


def test_a_start_is_known_to_a_second_and_never_before_the_container() -> None:
    found = {one.pid: one for one in parsed(ROWS, 9537, started_at=1000.5)}
    assert (found[9537].earliest, found[9537].latest) == (1000.5, 1000.5)
    assert (found[9652].earliest, found[9652].latest) == (1007.5, 1009.5)
    assert (found[9700].earliest, found[9700].latest) == (1000.5, 1001.5)
    assert found[9652].words == ("sh", "-c", "x")
    assert found[9652].parent == 9537


def test_what_is_no_row_is_left_out_and_without_the_first_process_nothing_is_known() -> None:
    odd = [*ROWS, ["x", "1", "2", "y"], ["1"], ["12", "1", "1-02:03:04", "y"]]
    assert len(parsed(odd, 9537, started_at=1.0)) == 3
    assert parsed(ROWS, 1, started_at=1.0) == ()
    assert parsed([], 0, started_at=1.0) == ()
