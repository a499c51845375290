"""The demo: a small stack, the daemon on it, and what it does when code and containers part.

Works on a copy of `docs/demo/shop` with state of its own, says in words what happens, and removes
all it made. Needs an engine (`make demo` sees to it) and freshd in the same virtual environment.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

SHOP = Path(__file__).parent / "shop"
PROJECT = f"freshd-demo-{os.getpid()}"
PATIENCE = 60.0


def main() -> int:
    work = Path(tempfile.mkdtemp(prefix="freshd-demo-"))
    shop = work / "shop"
    shutil.copytree(SHOP, shop)
    pin_name(shop)
    environ = environment(work)
    daemon: subprocess.Popen[bytes] | None = None
    try:
        say("The shop: a web service with two replicas and a worker, built and started by Compose")
        run(["docker", "compose", "up", "--build", "--detach", "--quiet-pull"], shop, environ)
        show(["check"], shop, environ)
        daemon = start_daemon(shop, environ, work)
        edit_code(shop, environ)
        edit_build_input(shop, environ)
        recreate_behind_its_back(shop, environ)
        say("What freshd remembers of it: freshd history, and freshd status")
        show(["history"], shop, environ)
        show(["status"], shop, environ)
        say("That was freshd. It stops now, and everything the demo made is removed")
        return 0
    finally:
        stop(daemon)
        run(
            ["docker", "compose", "down", "--volumes", "--rmi", "local", "--timeout", "1"],
            shop, environ, check=False,
        )  # fmt: skip
        shutil.rmtree(work, ignore_errors=True)


def edit_code(shop: Path, environ: dict[str, str]) -> None:
    say("1. You edit app/page.py and save. Nothing else: no command, no restart by hand")
    before = pages(shop, environ)
    print(f"   both replicas serve: {before[0].strip()}")
    replace(shop / "app/page.py", 'GREETING = "Welcome"', 'GREETING = "Hello"')
    took = wait(lambda: all("Hello" in page for page in pages(shop, environ)))
    print(
        f"   both replicas serve: {pages(shop, environ)[0].strip()}   ({took:.1f} s after the save)"
    )
    took = wait(lambda: "Hello" in last_line(shop, environ, "worker"))
    print(f"   the worker says:     {last_line(shop, environ, 'worker')}")
    print(
        "   freshd injected the file into three containers, purged its bytecode and restarted them"
    )


def edit_build_input(shop: Path, environ: dict[str, str]) -> None:
    say("2. You edit prices.csv. A RUN in the Dockerfile reads it, so copying it in is not enough")
    replace(shop / "prices.csv", "tea,4", "tea,5")
    took = wait(lambda: all("tea 5" in page for page in pages(shop, environ)))
    print(
        f"   both replicas serve: {pages(shop, environ)[0].strip()}   ({took:.1f} s after the save)"
    )
    print("   freshd rebuilt the image, compared it with the tree and recreated both replicas")


def recreate_behind_its_back(shop: Path, environ: dict[str, str]) -> None:
    say(
        "3. You edit again, and then someone recreates the containers from the image, behind freshd"
    )
    settle(shop, environ)
    edited = now()
    replace(shop / "app/page.py", 'GREETING = "Hello"', 'GREETING = "Good evening"')
    wait(lambda: all("Good evening" in page for page in pages(shop, environ)))
    settle(shop, environ, after=edited)
    recreated = now()
    run(
        ["docker", "compose", "up", "-d", "--force-recreate", "--no-deps", "--no-build", "web"],
        shop, environ,
    )  # fmt: skip
    print("   docker compose up --force-recreate: the image still greets with Hello")
    took = wait(lambda: all("Good evening" in page for page in pages(shop, environ)))
    print(f"   both replicas serve: {pages(shop, environ)[0].strip()}   ({took:.1f} s after it)")
    print("   no file was touched: freshd saw new containers, compared them and injected again")
    settle(shop, environ, after=recreated, services=("web",))


def now() -> str:
    """The time as documents of freshd have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def settle(
    shop: Path,
    environ: dict[str, str],
    *,
    after: str = "",
    services: tuple[str, ...] = ("web", "worker"),
) -> None:
    """Until the daemon says that every container has the tree's code, and ``services`` since."""
    wait(lambda: is_fresh(shop, environ, after=after, services=services))


def is_fresh(
    shop: Path,
    environ: dict[str, str],
    *,
    after: str = "",
    services: tuple[str, ...] = ("web", "worker"),
) -> bool:
    """Whether the daemon itself, and not an earlier check, has seen every service fresh."""
    done = subprocess.run(
        [sys.executable, "-m", "freshd", "status", "--json"],
        cwd=shop,
        env=environ,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        return False
    status = json.loads(done.stdout)
    started = status["daemon"].get("started_at", "")
    return bool(status["daemon"]["running"]) and all(
        service["checked_at"] >= started  # whole seconds: the first look may be in the same one
        and (service["name"] not in services or service["checked_at"] > after)
        for service in status["services"]
    )


def start_daemon(shop: Path, environ: dict[str, str], work: Path) -> "subprocess.Popen[bytes]":
    say("The daemon: freshd run")
    log = (work / "daemon.log").open("wb")
    daemon = subprocess.Popen(
        [sys.executable, "-m", "freshd", "run"],
        cwd=shop, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )  # fmt: skip
    wait(lambda: daemon.poll() is not None or is_fresh(shop, environ))
    if daemon.poll() is not None:
        raise SystemExit(f"freshd run ended:\n{(work / 'daemon.log').read_text()}")
    print("   it watches the tree and the engine, and everything is fresh")
    return daemon


def stop(daemon: "subprocess.Popen[bytes] | None") -> None:
    if daemon is None or daemon.poll() is not None:
        return
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(timeout=30)


def pages(shop: Path, environ: dict[str, str]) -> list[str]:
    """What each replica serves now; "" for one that does not answer."""
    found = []
    for index in ("1", "2"):
        address = run(
            ["docker", "compose", "port", "--index", index, "web", "8000"],
            shop,
            environ,
            check=False,
        ).strip()
        found.append(fetch(f"http://{address}/") if address else "")
    return found


def fetch(url: str) -> str:
    """The page; "" where nobody answers, or a restart breaks the answer off."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except (OSError, http.client.HTTPException):
        return ""


def last_line(shop: Path, environ: dict[str, str], service: str) -> str:
    """Of the container, as Compose puts escapes of the terminal before its lines."""
    container = run(["docker", "compose", "ps", "-q", service], shop, environ, check=False).strip()
    return run(["docker", "logs", "--tail", "1", container], shop, environ, check=False).strip()


def wait(condition: Callable[[], bool]) -> float:
    """Poll until ``condition`` holds; the seconds it took. Ends the demo when it never does."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > PATIENCE:
            raise SystemExit("demo: the expected change did not happen within a minute")
        time.sleep(0.05)
    return time.monotonic() - begun


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise SystemExit(f"demo: {path.name} does not hold {old!r}")
    path.write_text(text.replace(old, new))


def pin_name(shop: Path) -> None:
    """A project name of this run's own, so that two demos do not meet."""
    for name in ("compose.yaml", "freshd.toml"):
        path = shop / name
        path.write_text(path.read_text().replace("freshd-demo", PROJECT))


def environment(work: Path) -> dict[str, str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COMPOSE_")}
    for name in ("CONFIG", "STATE", "RUNTIME"):
        environ[f"FRESHD_{name}_DIR"] = str(work / name.lower())
    environ["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
    return environ


def show(arguments: list[str], shop: Path, environ: dict[str, str]) -> None:
    print(f"   $ freshd {' '.join(arguments)}")
    done = subprocess.run(
        [sys.executable, "-m", "freshd", *arguments],
        cwd=shop, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    for line in (done.stdout + done.stderr).splitlines():
        print(f"     {line}")


def run(command: list[str], shop: Path, environ: dict[str, str], *, check: bool = True) -> str:
    done = subprocess.run(
        command, cwd=shop, env=environ, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    if check and done.returncode != 0:
        raise SystemExit(f"demo: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def say(text: str) -> None:
    print(f"\n{text}.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
