"""Work that is not heard of for longer than its step may take is wedged."""

from freshd.daemon.liveness import LONGEST, LONGEST_REBUILD, Pulses


def test_only_what_is_overdue_is_wedged() -> None:
    now = [0.0]
    pulses = Pulses(lambda: now[0])
    assert pulses.wedged() == ()
    pulses.beat("web")
    pulses.beat("worker", longest=LONGEST_REBUILD)
    now[0] = LONGEST
    assert pulses.wedged() == ()
    now[0] = LONGEST + 1
    assert pulses.wedged() == ("web",)
    pulses.beat("web")
    assert pulses.wedged() == ()
    now[0] = LONGEST_REBUILD + LONGEST
    assert pulses.wedged() == ("web", "worker")
    pulses.end("web")
    pulses.end("worker")
    assert pulses.wedged() == ()
