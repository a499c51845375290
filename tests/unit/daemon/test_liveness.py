"""Work that is not heard of for longer than its step may take is wedged."""

from freshd.daemon.liveness import LONGEST, LONGEST_REBUILD, Liveness


def test_only_what_is_overdue_is_wedged() -> None:
    now = [0.0]
    liveness = Liveness(lambda: now[0])
    assert liveness.wedged() == ()
    liveness.beat("web")
    liveness.beat("worker", longest=LONGEST_REBUILD)
    now[0] = LONGEST
    assert liveness.wedged() == ()
    now[0] = LONGEST + 1
    assert liveness.wedged() == ("web",)
    liveness.beat("web")
    assert liveness.wedged() == ()
    now[0] = LONGEST_REBUILD + LONGEST
    assert liveness.wedged() == ("web", "worker")
    liveness.end("web")
    liveness.end("worker")
    assert liveness.wedged() == ()
