"""From a save to its being visible in the container, beside ``docker compose watch``."""

import contextlib
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.stack import Observed, Stack
from benchmarks.table import Row


def latencies(stacks: dict[str, Stack], saves: int) -> list[Row]:
    """Save to visible, one file and a thousand, beside ``docker compose watch`` in turn."""
    with contextlib.ExitStack() as cleanup:
        observed = {}
        for name, stack in stacks.items():
            cleanup.enter_context(follower(name, stack))
            observed[name] = Observed(stack)
            cleanup.callback(observed[name].close)
        one: dict[str, list[float]] = {name: [] for name in stacks}
        many: dict[str, list[float]] = {name: [] for name in stacks}
        for number in range(1, saves + 1):
            for name, stack in stacks.items():
                time.sleep(0.7)
                begun = stack.save("one", f"{number}")
                one[name].append(observed[name].wait("one", f"{number}") - begun)
        recorded = verified(stacks["freshd"])
        for number in range(1, 4):
            for name, stack in stacks.items():
                time.sleep(3)
                written = stack.save_many(f"m{number}")
                many[name].append(observed[name].wait("many", f"m{number}") - written)
    median = {name: statistics.median(values) for name, values in one.items()}
    slow = {name: sorted(values)[int(len(values) * 0.99)] for name, values in one.items()}
    all_of = {name: statistics.median(values) for name, values in many.items()}
    return [
        Row(
            f"save -> visible, one file, median of {saves}",
            f"{median['freshd'] * 1000:.0f} ms",
            f"{median['watch'] * 1000:.0f} ms  docker compose watch",
            f"1/{median['watch'] / median['freshd']:.0f}",
            "<= 50 ms",
            median["freshd"] <= 0.050,
        ),
        Row(
            "save -> visible, one file, p99",
            f"{slow['freshd'] * 1000:.0f} ms",
            f"{slow['watch'] * 1000:.0f} ms  docker compose watch",
            f"1/{slow['watch'] / slow['freshd']:.0f}",
            "<= 150 ms",
            slow["freshd"] <= 0.150,
        ),
        Row(
            "injection -> verified and recorded, median",
            f"{recorded * 1000:.0f} ms",
            "nothing to compare: watch does not verify",
            "",
            "<= 200 ms",
            recorded <= 0.200,
        ),
        Row(
            "1,000 files in 50 directories -> all visible",
            f"{all_of['freshd']:.2f} s",
            f"{all_of['watch']:.2f} s  docker compose watch",
            f"1/{all_of['watch'] / all_of['freshd']:.1f}",
            "<= 0.6 s",
            all_of["freshd"] <= 0.6,
        ),
    ]


@contextlib.contextmanager
def follower(name: str, stack: Stack) -> Iterator[None]:
    """``freshd run`` or ``docker compose watch`` on the stack, ready, and ended afterwards."""
    freshd = [sys.executable, "-m", "freshd", "run"]
    command = freshd if name == "freshd" else ["docker", "compose", "watch", "--no-up"]
    log = stack.root / ".freshd-follower.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=stack.root,
            env=stack.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        time.sleep(1)
        observed = Observed(stack)
        stamp = f"ready{time.monotonic_ns()}"
        for attempt in range(60):
            stack.save("one", f"{stamp}-{attempt}")
            try:
                observed.wait_briefly("one", stamp)
                break
            except TimeoutError:
                continue
        else:
            raise SystemExit(f"bench: {' '.join(command)} never delivered:\n{log.read_text()}")
        observed.close()
        time.sleep(4)
        yield
    finally:
        process.send_signal(signal.SIGTERM if name == "freshd" else signal.SIGINT)
        process.wait(timeout=30)


def verified(stack: Stack) -> float:
    """Median seconds of an injection step: read, put, renamed, read back, and in the journal."""
    history = json.loads(stack.freshd("history", "--json").stdout)
    return statistics.median(
        float(entry["seconds"])
        for entry in history["entries"]
        if entry["step"]["remedy"] == "inject" and entry["status"] == "done"
    )
