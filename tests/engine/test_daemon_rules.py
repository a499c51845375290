"""What freshd tells, what makes it hold back, and what stops it: notices, policies, halts."""

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

from tests.engine.watching import COMPOSE, DOCKERFILE, INJECT, Watching
from tests.harness.cli import Freshd
from tests.harness.docker import Docker
from tests.harness.session_bus import Bus
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(300)

ONE = COMPOSE.replace("scale: 2", "scale: 1")
BUILT = """
FROM freshd-busybox:1
COPY words.txt /in/words.txt
RUN sort </in/words.txt >/words.txt
COPY app /app
"""
REBUILD = INJECT + '[[rule]]\nwhen = ["build-input-changed"]\ndo = ["rebuild"]\n'


@pytest.fixture
def bus() -> Iterator[Bus]:
    if shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed (apt install dbus)")
    with tempfile.TemporaryDirectory(prefix="fd-bus-") as directory:  # short: a socket's limit
        made = Bus(directory)
        made.start()
        made.serve()
        yield made
        made.stop()


def shop_of(stack: Stack, freshd: Freshd, *, policy: str, dockerfile: str = DOCKERFILE) -> Watching:
    stack.write({"compose.yaml": ONE, "Dockerfile": dockerfile, "freshd.toml": policy})
    stack.write({"app/a.py": "a = 1\n", "app/b.py": "b = 1\n", "words.txt": "one\n"})
    stack.up(build=True)
    return Watching(stack, freshd)


def test_one_notice_for_drift_that_stays_and_one_when_it_is_over(
    stack: Stack, freshd: Freshd, bus: Bus
) -> None:
    shop = shop_of(stack, freshd, policy="version = 1\n")
    shop.environment = {"DBUS_SESSION_BUS_ADDRESS": bus.address}
    shop.run()
    shop.fresh()
    stack.write({"app/a.py": "a = 2\n"})
    shop.until(lambda: len(bus.told) == 1, "the notice")
    stack.write({"app/a.py": "a = 3\n", "app/b.py": "b = 3\n"})
    shop.until(lambda: len(shop.status()["services"][0]["findings"]) > 2, "the second finding")
    assert len(bus.told) == 1
    assert shop.daemon is not None
    shop.daemon.stop()  # within a minute of the first a second notice would wait
    assert freshd("inject", "web").returncode == 0
    shop.run()
    shop.until(lambda: len(bus.told) == 2, "the notice of its end")
    titles = [str(each["title"]) for each in bus.told]
    assert titles == [
        f"{stack.project}: web runs old code",
        f"{stack.project}: web is fresh again",
    ]
    assert shop.status()["daemon"]["notifier"] == "on"


def test_without_a_session_bus_status_says_so_and_an_injection_by_hand_is_seen(
    stack: Stack, freshd: Freshd
) -> None:
    shop = shop_of(stack, freshd, policy="version = 1\n")
    shop.run()
    shop.fresh()
    stack.write({"app/a.py": "a = 2\n"})
    shop.until(lambda: "no session bus" in shop.status()["daemon"]["notifier"], "it in status")
    assert "no session bus" in freshd("status").stdout
    assert freshd("inject", "web").returncode == 0
    shop.until(lambda: not shop.status()["incidents"], "what was done by hand to be seen")
    shop.fresh()


def test_invalid_files_leave_the_last_good_ones_in_force(stack: Stack, freshd: Freshd) -> None:
    shop = shop_of(stack, freshd, policy=INJECT)
    shop.run()
    shop.fresh()
    for name, broken in (("freshd.toml", "version = 1\n[[rul"), ("compose.yaml", "services: 7\n")):
        with open(stack.path(name), encoding="utf-8") as file:
            good = file.read()
        stack.write({name: broken})
        shop.until(lambda: shop.status()["daemon"]["problems"], f"the broken {name} in status")
        assert "degraded" in freshd("status").stdout
        stack.write({"app/a.py": f"written beside a broken {name}\n"})
        level = {"app/a.py": "/app/a.py"}
        shop.until(
            lambda level=level: _judged(stack, level) == [],  # type: ignore[misc]
            "the last good policy at work",
        )
        stack.write({name: good})
        shop.until(lambda: not shop.status()["daemon"]["problems"], f"the good {name} again")
    shop.fresh()


def _judged(stack: Stack, pairs: dict[str, str]) -> list[str]:
    """As the stack's judge, without a Compose file."""
    return stack.oracle("web", pairs, replicas=1)


def test_a_policy_that_changed_is_taken_up_but_what_executes_files_waits_for_consent(
    stack: Stack, freshd: Freshd
) -> None:
    shop = shop_of(stack, freshd, policy=REBUILD, dockerfile=BUILT)
    shop.run()
    shop.fresh()
    stack.write({"freshd.toml": REBUILD + '[never]\ninject = ["app/b.py"]\n'})
    stack.write({"app/a.py": "a = 2\n", "app/b.py": "b = 2\n"})
    shop.level({"app/a.py": "/app/a.py"}, replicas=1)
    stack.write({"words.txt": "two\n"})
    shop.finds("build-input-changed")
    shop.until(lambda: shop.status()["incidents"], "an incident")
    assert shop.read("/app/b.py") == {b"b = 1\n"}, "the new policy forbids it"
    assert not [step for step in shop.remedies() if step[0] == "rebuild"]
    plan = freshd("plan")
    assert "build-input-changed" in plan.stdout
    why = "not done: freshd.toml changed since you agreed: type `freshd run`"
    assert why in freshd("status").stdout

    assert shop.daemon is not None
    assert shop.daemon.stop() == 0
    stack.write({"freshd.toml": REBUILD})
    shop.run()
    shop.level(replicas=1)
    shop.until(lambda: shop.read("/words.txt") == {b"two\n"}, "the rebuild, agreed to by `run`")
    shop.fresh()


def test_a_start_with_mistakes_in_the_policy_names_them_all(stack: Stack, freshd: Freshd) -> None:
    stack.write({"compose.yaml": ONE, "Dockerfile": DOCKERFILE, "app/a.py": ""})
    stack.write(
        {"freshd.toml": 'version = 1\n[[rule]]\nwhen = ["content-difers"]\ndo = ["injekt"]'}
    )
    done = freshd("run")
    assert done.returncode == 2
    assert "content-difers" in done.stderr
    assert "injekt" in done.stderr


def test_a_second_daemon_is_refused_and_the_first_goes_on(stack: Stack, freshd: Freshd) -> None:
    shop = shop_of(stack, freshd, policy=INJECT)
    daemon = shop.run()
    done = freshd("run")
    assert done.returncode == 2
    assert f"pid {daemon.pid}" in done.stderr
    stack.write({"app/a.py": "a = 2\n"})
    shop.level(replicas=1)
    shop.fresh()
    assert shop.status()["daemon"]["pid"] == daemon.pid


def test_many_files_gone_at_once_stop_everything_until_a_person_looked(
    stack: Stack, freshd: Freshd
) -> None:
    stack.write({f"app/many/{n}.py": f"{n}\n" for n in range(40)})
    shop = shop_of(stack, freshd, policy=INJECT)
    shop.run()
    shop.fresh()
    kept = stack.path("app/many")
    shutil.move(kept, stack.path(".away"))
    shop.until(lambda: shop.status()["halts"], "the halt in status")
    assert "40 of 42 mapped files are gone" in freshd("status").stdout
    shop.finds("extra-in-container")
    stack.write({"app/a.py": "a = 2\n"})
    shop.finds("content-differs")
    assert None not in shop.read("/app/many/0.py")
    assert shop.entries() == []

    assert "resumed" in freshd("resume").stdout
    shop.level(gone=[f"/app/many/{n}.py" for n in range(40)], replicas=1)
    shop.fresh()

    # A disk that was not mounted when the machine came up: what was there is remembered.
    shutil.move(stack.path(".away"), kept)
    shop.level(replicas=1)
    shop.fresh()
    assert shop.daemon is not None
    shop.daemon.stop()
    steps = len(shop.entries())
    shutil.move(kept, stack.path(".away"))
    shop.run()
    shop.until(lambda: shop.status()["halts"], "the halt in status")
    shop.finds("extra-in-container")
    assert len(shop.entries()) == steps
    shop.daemon.stop()
    assert "resumed" in freshd("resume").stdout
    shop.run()
    shop.level(gone=[f"/app/many/{n}.py" for n in range(40)], replicas=1)


def test_a_project_directory_that_went_away_stops_everything(stack: Stack, freshd: Freshd) -> None:
    shop = shop_of(stack, freshd, policy=INJECT)
    shop.run()
    container = stack.container("web")
    away = f"{stack.directory}.away"

    def halts() -> list[object]:
        done = freshd("--project-name", stack.project, "status", "--json", directory="/")
        found: list[object] = done.json["halts"]
        return found

    for number, accident in enumerate(("emptied", "removed", "replaced")):
        stack.write({"app/a.py": f"a = {number + 2}\n"})
        shop.level(replicas=1)
        shop.fresh()
        done = len(shop.entries())
        os.rename(stack.directory, away)
        if accident != "removed":
            os.mkdir(stack.directory)
        if accident == "replaced":
            shutil.copy(os.path.join(away, "compose.yaml"), stack.directory)
            shutil.copytree(os.path.join(away, "app"), stack.path("app"))
            os.unlink(stack.path("app/b.py"))
        shop.until(halts, f"the halt in status: {accident}")
        held = Docker(stack.environment)("exec", container, "ls", "/app").stdout.split()
        assert held == [b"a.py", b"b.py"]

        if accident != "removed":
            shutil.rmtree(stack.directory)
        os.rename(away, stack.directory)
        assert "resumed" in freshd("resume").stdout
        assert len(shop.entries()) == done
