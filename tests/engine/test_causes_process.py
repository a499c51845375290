"""The process link: code that landed and is not run, proved by what is served.

Each server keeps the answer it imported. That it serves the old one is asked by HTTP in its own
container; then freshd has exactly the finding it should have, and its remedy brings the new answer.
"""

import json
import os
from collections.abc import Callable

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked, of, second_passes
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

END = "init: true\n    stop_grace_period: 0s"
# One answer for the life of a process: it is imported, as an application is.
SERVER = """
import http.server
import answer

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.TEXT.encode())

    def log_message(self, *words):
        pass

http.server.HTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
"""
ASK = (
    *("python3", "-c"),
    "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000').read().decode())",
)
# A master like gunicorn's: HUP makes new workers; the code is loaded by them, or by it beforehand.
GUNICORN = """
import os, signal, sys
sys.path.insert(0, "/app")
preload = "--preload" in sys.argv
if preload:
    import answer
workers = []

def start():
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        import answer
        number = len(workers)
        open(f"/tmp/worker-{number}", "w").write(answer.TEXT)
        while True:
            signal.pause()
    workers.append(pid)

def renew(number, frame):
    before, workers[:] = list(workers), []
    keep = before[:1] if os.path.exists("/tmp/partial") else []
    for pid in before:
        if pid not in keep:
            os.kill(pid, signal.SIGKILL)
    workers.extend(keep)
    while len(workers) < 2:
        start()

signal.signal(signal.SIGHUP, renew)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
start()
start()
while True:
    signal.pause()
"""


def served(stack: Stack, service: str = "web") -> str:
    """The answer, once the server answers."""

    def asked() -> str:
        done = stack.exec(stack.container(service), ASK, check=False)
        return done.stdout.decode().strip() if done.returncode == 0 else ""

    return wait_until(asked, 120.0, what="the server")


def workers(stack: Stack, count: int = 2) -> list[str]:
    """What each worker says it runs."""
    names = [f"/tmp/worker-{number}" for number in range(count)]

    def asked() -> list[str]:
        texts = [stack.read(stack.container("web"), name) for name in names]
        return [text.decode() for text in texts if text]

    return wait_until(lambda: len(asked()) == count and asked(), 120.0, what="the workers") or []


def injected_and_not_run(
    stack: Stack, make_freshd: Callable[[Stack], Freshd], command: list[str]
) -> Freshd:
    """A service that ``command`` starts: the new answer is in its container, the old is served."""
    stack.write(
        {
            "app/answer.py": "TEXT = 'old'\n",
            "app/serve.py": SERVER,
            "Dockerfile": f"FROM freshd-python:1\nCOPY app /app\nCMD {json.dumps(command)}\n",
            "compose.yaml": f"services:\n  web:\n    build: .\n    {END}\n",
        }
    )
    stack.up(build=True)
    assert served(stack) == "old"
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == set()
    second_passes()
    stack.write({"app/answer.py": "TEXT = 'new'\n"})
    freshd("inject", "web")
    assert served(stack) == "old", "the process is not behind"
    return freshd


@pytest.mark.timeout(600)
@pytest.mark.proves("process-older-than-code", "detected", "remedied", "silent")
def test_a_process_that_is_older_than_its_bind_mounted_code(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack.write(
        {
            "app/answer.py": "TEXT = 'old'\n",
            "app/serve.py": SERVER,
            "app/README.md": "read\n",
            "app/tests/test_answer.py": "assert True\n",
            "compose.yaml": f"""
services:
  web:
    image: freshd-python:1
    command: ["python3", "-B", "/app/serve.py"]
    volumes: ["./app:/app"]
    {END}
  idle:
    image: freshd-busybox:1
    command: ["sleep", "1000000"]
    volumes: ["./app:/app"]
    {END}
""",
        }
    )
    stack.up()
    assert served(stack) == "old"
    freshd = make_freshd(stack)
    assert of(looked(freshd, exit_code=0))["links"]["process"] == "fresh"
    # near misses: nothing that the program loads, or no other content
    stack.write({"app/README.md": "more\n", "app/tests/test_answer.py": "assert 1\n"})
    os.chmod(stack.path("app/answer.py"), 0o600)
    os.chmod(stack.path("app/answer.py"), 0o644)
    for each in (freshd, make_freshd(stack)):
        assert found(looked(each, exit_code=0)) == set()

    second_passes()
    stack.write({"app/answer.py": "TEXT = 'new'\n"})
    assert served(stack) == "old", "the process is not behind"
    for each in (freshd, make_freshd(stack)):
        document = looked(each, exit_code=1)
        assert found(document) == {Found("process-older-than-code", "stale")}
        assert found(document, "idle") == set()
        one = finding(document, "process-older-than-code")
        assert one["evidence"]["paths"] == ["app/answer.py"]
        assert one["evidence"]["processes"] == ["python3 serve.py"]
        assert of(document)["links"]["container"] == "fresh"
        assert of(document)["links"]["process"] == "stale"
    assert one["remedy"] == "restart"
    assert freshd("restart", "web").returncode == 0
    assert served(stack) == "new"
    for each in (freshd, make_freshd(stack)):
        assert found(looked(each, exit_code=0)) == set()


@pytest.mark.timeout(600)
def test_what_was_brought_into_the_container_and_is_not_run(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """Injected by freshd, or copied by another hand: the record or the inode tells when."""
    # an entrypoint that gives the code away: every inode changes after the start
    command = ["sh", "-c", "chown -R 1000 /app; python3 -B /app/serve.py"]
    freshd = injected_and_not_run(stack, make_freshd, command)
    patched = {Found("image-behind", "note"), Found("patched", "note")}
    for each in (freshd, make_freshd(stack)):
        document = looked(each, exit_code=1)
        assert found(document) == {*patched, Found("process-older-than-code", "stale")}
    assert freshd("restart", "web").returncode == 0
    assert served(stack) == "new"
    assert found(looked(freshd, exit_code=0)) == patched
    # without a record there is only the inode, and that was given away again at the start
    document = looked(make_freshd(stack), exit_code=3)
    assert found(document) == {*patched, Found("process-older-than-code", "unverifiable")}


@pytest.mark.timeout(600)
def test_a_program_that_writes_a_title_over_its_command_line_is_known_by_it(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """As Celery, Puma or Sidekiq do: ``ps`` shows no interpreter."""
    title = "[celeryd: celery@host:MainProcess]"
    command = ["bash", "-c", f"exec -a '{title}' python3 -B /app/serve.py"]
    freshd = injected_and_not_run(stack, make_freshd, command)
    document = looked(freshd, exit_code=1)
    assert Found("process-older-than-code", "stale") in found(document)
    assert freshd("restart", "web").returncode == 0
    assert served(stack) == "new"
    assert not [each for each in found(looked(freshd, exit_code=0)) if each.level == "stale"]


@pytest.mark.timeout(600)
@pytest.mark.proves("partial-reload", "detected", "remedied", "silent")
@pytest.mark.proves("preloaded-master", "detected", "remedied", "silent")
def test_workers_are_judged_one_by_one_and_a_preloading_master_for_them(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    compose = f"""
services:
  web:
    image: freshd-python:1
    command: ["python3", "-B", "/srv/gunicorn", "answer:app"]
    volumes: ["./app:/app", "./gunicorn:/srv/gunicorn"]
    {END}
"""
    stack.write({"app/answer.py": "TEXT = 'one'\n", "gunicorn": GUNICORN, "compose.yaml": compose})
    stack.write({"freshd.toml": 'version = 1\n[service.web]\nreload = "signal:HUP"\n'})
    stack.up()
    assert workers(stack) == ["one", "one"]
    second_passes()

    stack.write({"app/answer.py": "TEXT = 'two'\n"})
    freshd = make_freshd(stack)
    document = looked(freshd, exit_code=1)
    assert found(document) == {Found("process-older-than-code", "stale")}
    assert finding(document, "process-older-than-code")["remedy"] == "reload"

    web = stack.container("web")
    second_passes()
    stack.exec(web, ["touch", "/tmp/partial"])
    stack.docker("kill", "-s", "HUP", web)
    wait_until(lambda: workers(stack) == ["one", "two"], 120.0)
    document = looked(make_freshd(stack), exit_code=1)
    assert found(document) == {Found("partial-reload", "stale")}
    assert "1 of 2" in finding(document, "partial-reload")["message"]

    stack.exec(web, ["rm", "/tmp/partial"])
    stack.docker("kill", "-s", "HUP", web)
    wait_until(lambda: workers(stack) == ["two", "two"], 120.0)
    assert found(looked(make_freshd(stack), exit_code=0)) == set()

    stack.write({"compose.yaml": compose.replace('"answer:app"', '"--preload", "answer:app"')})
    stack.up()
    assert workers(stack) == ["two", "two"]
    second_passes()
    stack.write({"app/answer.py": "TEXT = 'three'\n"})
    second_passes()
    stack.docker("kill", "-s", "HUP", stack.container("web"))
    second_passes()
    assert workers(stack) == ["two", "two"], "new workers do not run old code"
    document = looked(freshd, exit_code=1)
    assert found(document) == {Found("preloaded-master", "stale")}
    assert finding(document, "preloaded-master")["remedy"] == "restart"
    assert freshd("restart", "web").returncode == 0
    wait_until(lambda: workers(stack) == ["three", "three"], 120.0)
    assert found(looked(freshd, exit_code=0)) == set()


# Like watchmedo: it starts its program anew when a file changes, unless it cannot see that.
RELOADER = """
import os, subprocess, sys, time

def stamp():
    return os.stat("/app/answer.py").st_mtime_ns

while True:
    seen, child = stamp(), subprocess.Popen([sys.executable, "-B", "/app/serve.py"])
    while os.path.exists("/tmp/deaf") or stamp() == seen:
        time.sleep(0.05)
    child.kill()
    child.wait()
"""


@pytest.mark.timeout(600)
@pytest.mark.proves("reloader-deaf", "detected", "remedied", "silent")
def test_a_reloader_that_works_and_one_that_notices_nothing(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack.write({"app/answer.py": "TEXT = 'one'\n", "app/serve.py": SERVER})
    stack.write(
        {
            "watchmedo": RELOADER,
            "freshd.toml": 'version = 1\n[service.web]\nreload = "self"\n',
            "compose.yaml": f"""
services:
  web:
    image: freshd-python:1
    command: ["python3", "-B", "/srv/watchmedo"]
    volumes: ["./app:/app", "./watchmedo:/srv/watchmedo"]
    {END}
""",
        }
    )
    stack.up()
    assert served(stack) == "one"
    freshd = make_freshd(stack)
    stack.write({"app/answer.py": "TEXT = 'two'\n"})
    wait_until(lambda: served(stack) == "two", 120.0)
    assert found(looked(freshd, exit_code=0)) == set()

    web = stack.container("web")
    stack.exec(web, ["touch", "/tmp/deaf"])
    second_passes()
    stack.write({"app/answer.py": "TEXT = 'three'\n"})
    told: list[set[Found]] = []

    def noticed() -> bool:
        """It has ten seconds to notice, and is not accused before."""
        done = freshd("check", "--json")
        told.append(found(done.json))
        return bool(told[-1])

    wait_until(noticed, 120.0)
    assert served(stack) == "two", "the reloader is not deaf"
    assert told[-1] == {Found("reloader-deaf", "stale")}
    assert freshd("restart", "web").returncode == 0
    assert served(stack) == "three"
    assert found(looked(freshd, exit_code=0)) == set()

    # what reads its code for each request has no old process
    stack.write({"freshd.toml": 'version = 1\n[service.web]\nreload = "per-request"\n'})
    stack.write({"app/answer.py": "TEXT = 'four'\n"})
    assert found(looked(freshd, exit_code=0)) == set()
