"""The data of one service below the directory that another one's ``COPY . .`` takes.

A database's files, logs and uploads are no code of whoever copies them: they are compared nowhere,
and never brought into another container. What people work on beside them is code as ever.
"""

import os
import subprocess
from collections.abc import Mapping

import pytest

from tests.engine.stacks.looking import Found, found, looked
from tests.engine.watching import Watching
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(300)

END = "init: true, stop_grace_period: 0s"
BUSY = """i=0; while :; do i=$((i + 1))
echo row $i >> $1/wal.log; echo $i > $1/tmp; mv $1/tmp $1/control
echo secret > $1/base.$((i % 9)); rm -f $1/base.$(((i + 4) % 9)); echo {} > $1/meta.json
sleep .1; done
"""
WEB = """set -e; mkdir -p logs uploads; i=0; while :; do i=$((i + 1))
echo $i >> logs/celery.log; echo $i > uploads/$i.png; echo $i >> app.sqlite3
sleep .1; done
"""
COMPOSE = f"""
services:
  db:
    {{image: "freshd-busybox:1", volumes: ["./data/pg:/store", "./busy.sh:/busy.sh:ro"],
      command: [sh, /busy.sh, /store], {END}}}
  state:
    {{image: "freshd-busybox:1", volumes: ["state:/var/lib/state", "./top.sqlite3:/top.sqlite3"],
      command: [sh, -c, "while date >> /top.sqlite3; do date > /var/lib/state/a; sleep .1; done"],
      {END}}}
  writer: {{build: ., volumes: [".:/app"], command: [sh, write.sh], {END}}}
  web: {{build: ., command: [sleep, "1000000"], {END}}}
  staged:
    {{build: {{context: ., dockerfile: staged.Dockerfile}}, command: [sleep, "1000000"], {END}}}
volumes:
  state: {{driver: local, driver_opts: {{type: none, o: bind, device: ./data/state}}}}
"""
FILES: Mapping[str, str] = {
    "compose.yaml": COMPOSE,
    "Dockerfile": "FROM freshd-busybox:1\nWORKDIR /app\nCOPY . .\n",
    "staged.Dockerfile": "FROM freshd-busybox:1 AS made\nCOPY . /src\nRUN cat /src/main.py > /out\n"
    "FROM freshd-busybox:1\nCOPY --from=made /out /out\nCOPY . /app\n",
    "busy.sh": BUSY,
    "write.sh": WEB,
    "main.py": "one\n",
    "static/site.css": "one\n",
    "conf/app.json": "{}\n",
}
STORES = {"data/pg/.gitkeep": "", "data/state/.gitkeep": "", "top.sqlite3": ""}


def _files(stack: Stack, service: str) -> str:
    listed = stack.exec(stack.container(service), ["find", "/app", "-type", "f"]).stdout
    return "\n".join(sorted(listed.decode().split()))


def _stale(freshd: Freshd) -> list[tuple[str, str, str]]:
    """What ``check`` calls stale, of every service."""
    return [
        (service["name"], each["cause"], each["path"] or "")
        for service in freshd("check", "--json").json["services"]
        for each in service["findings"]
        if each["level"] == "stale"
    ]


def _git(stack: Stack, *argv: str) -> None:
    subprocess.run(["git", *argv], cwd=stack.path("."), check=True)


@pytest.mark.parametrize("git", ["ignored", "no git"])
def test_the_data_of_a_service_is_no_code_of_another(
    stack: Stack, freshd: Freshd, git: str
) -> None:
    stack.write({**FILES, **STORES})
    if git != "no git":
        _git(stack, "init", "-q")
        _git(stack, "add", *FILES, "data")
    if git == "ignored":
        stack.write({".gitignore": "/data/*/*\n/logs\n/uploads\n*.sqlite3\n"})
    stack.up(build=True)
    containers = {name: stack.container(name) for name in ("web", "staged", "db", "writer")}
    before = {name: _files(stack, name) for name in ("web", "staged")}
    shop = Watching(stack, freshd)
    shop.until(lambda: os.path.exists(stack.path("uploads/9.png")), "the services to write")
    assert _stale(freshd) == []
    assert freshd("init", "--write").returncode == 0
    plan = freshd("plan", "--json").json
    assert [step for each in plan["plans"] for step in each["steps"]] == []
    explained = freshd("explain", stack.path("data/pg/wal.log")).stdout
    assert "data of db" in explained
    shop.run()
    for turn in ("a", "b"):  # work beside the data; the pass that takes it up sees all the data
        stack.write({"static/site.css": turn, f"static/new-{turn}.css": turn})
        css = turn.encode()
        shop.until(lambda css=css: shop.read("/app/static/site.css") == {css}, "the edit")  # type: ignore[misc]
        shop.until(
            lambda turn=turn: shop.read(f"/app/static/new-{turn}.css") == {turn.encode()},  # type: ignore[misc]
            "the new file",
        )
    new = {"/app/static/new-a.css", "/app/static/new-b.css"}
    assert set(_files(stack, "web").split()) == {*before["web"].split(), *new}
    assert stack.container("db") == containers["db"]
    steps = str([entry["step"] for entry in shop.entries()])
    assert not any(name in steps for name in ("data/", "celery.log", "uploads/", "sqlite3"))


def test_an_untouched_stack_that_is_used_takes_no_step(stack: Stack, freshd: Freshd) -> None:
    stack.write({**FILES, **STORES})
    _git(stack, "init", "-q")
    _git(stack, "add", *FILES)
    stack.up(build=True)
    assert freshd("init", "--write").returncode == 0
    before = _files(stack, "web")
    shop = Watching(stack, freshd)
    shop.run()
    for number in (40, 80, 120):
        shop.until(
            lambda number=number: os.path.exists(stack.path(f"uploads/{number}.png")),  # type: ignore[misc]
            "the services to write",
        )
        assert _stale(freshd) == []
    assert shop.remedies() == []
    assert _files(stack, "web") == before


def test_work_in_a_directory_that_a_sibling_mounts_is_code(stack: Stack, freshd: Freshd) -> None:
    """A service without the mount is behind the tree, and told so."""
    stack.write({**FILES, **STORES, "static/logo.png": "one"})
    _git(stack, "init", "-q")
    _git(stack, "add", *FILES, "static")
    stack.up(build=True)
    edits = {"main.py": "two\n", "conf/app.json": "[]\n", "static/logo.png": "two"}
    new = {"plugin.py": "new\n", "static/new.png": "new"}
    stack.write({**edits, **new})
    said = {each.where for each in found(looked(freshd, exit_code=1)) if each.level == "stale"}
    assert said >= {*edits, *new}
    os.unlink(stack.path("main.py"))
    assert Found("extra-in-container", "stale", "main.py") in found(looked(freshd, exit_code=1))
