"""A small stack, what can be done to it and to its tree, and the judge of whether it is fresh.

In: a stack and a source of chance. Out: a world that does one thing at a time. The judge hashes
every file by ``docker exec``, asks the process and reads what the engine says; it imports nothing
of freshd.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

DOCKERFILE = """
FROM freshd-python:1
WORKDIR /srv
COPY app/ /srv/
COPY data/ /data/
COPY anon/ /anon/
CMD ["python3", "/srv/serve.py"]
"""
COMPOSE = """
services:
  web:
    build: .
    stop_grace_period: 0s
    environment: {{ VALUE: "{value}" }}
    volumes: ["data:/data", "/anon"]
volumes:
  data: {{}}
"""
# Serves what it had imported when it began.
SERVE = """
import http.server, json, os
import answer

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps([answer.TEXT, os.environ["VALUE"]]).encode())

    def log_message(self, *words):
        pass

http.server.HTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
"""
# One answer for the judge: every file's hash and executable bit, and what is served.
ASK = """
import hashlib, json, os, urllib.request
files = {}
for top in ("/srv", "/data", "/anon"):
    for directory, below, names in os.walk(top):
        below[:] = [name for name in below if name != "__pycache__"]
        for name in names:
            path = os.path.join(directory, name)
            content = open(path, "rb").read()
            files[path] = [hashlib.sha256(content).hexdigest(), os.access(path, os.X_OK)]
served = json.load(urllib.request.urlopen("http://127.0.0.1:8000", timeout=20))
print(json.dumps([files, served]))
"""
LANDS = {"app": "/srv", "data": "/data", "anon": "/anon"}
_OF_EQUAL_SIZE = 100_000


@dataclass(slots=True)
class World:
    """``said`` is all that was done since ``begin``, to be read when a verdict is wrong."""

    stack: Stack
    chance: Random
    said: list[str] = field(default_factory=list)
    ever: set[str] = field(default_factory=set)
    _count: int = _OF_EQUAL_SIZE
    _value: str = ""

    def begin(self) -> None:
        """All of the stack new, and level with its tree."""
        self._configure()
        self.stack.compose("down", "-v", "--timeout", "0")
        for directory in LANDS:
            for name in self._names(directory):
                os.unlink(self.stack.path(name))
        self.said, self.ever = [], set()
        self.stack.write({"Dockerfile": DOCKERFILE, "app/serve.py": SERVE})
        for name in ("answer.py", "one.txt", "two.txt", "sub/three.txt"):
            self._edit(f"app/{name}")
        for directory in ("data", "anon"):
            self._edit(f"{directory}/seed.txt")
        self.stack.up(build=True)

    def step(self) -> None:
        """One thing, by chance, and the stack as it is after it."""
        action = self.chance.choices([each for each, _ in _ACTIONS], [n for _, n in _ACTIONS])[0]
        self.said.append(action(self))

    def stale(self) -> list[str]:
        """Why the stack is not fresh; empty where it is."""
        container = self.stack.container("web")
        files, served = self._asked(container)
        wrong = []
        for target, (digest, executable) in self._tree().items():
            there = files.get(target)
            if there is None:
                wrong.append(f"{target} is missing")
            elif there[0] != digest:
                wrong.append(f"{target} has other bytes")
            elif there[1] != executable:
                wrong.append(f"{target} is executable: {there[1]}")
        left = (self.ever & files.keys()) - self._tree().keys()
        wrong += [f"{target} has left the tree" for target in sorted(left)]
        if served != [self._text("app/answer.py").split("'")[1], self._value]:
            wrong.append(f"it serves {served}")
        own = self._inspect("{{.Image}}", container)
        tag = self._inspect("{{.Id}}", f"{self.stack.project}-web", "image")
        return wrong if own == tag else [*wrong, "the tag is of another image"]

    # ---- what can be done

    def edit_code(self) -> str:
        return self._edit("app/answer.py")

    def edit_code_keeping_size_and_time(self) -> str:
        before = os.stat(self.stack.path("app/answer.py"))
        said = self._edit("app/answer.py")
        times = (before.st_atime_ns, before.st_mtime_ns)
        os.utime(self.stack.path("app/answer.py"), ns=times)
        return f"{said}, size and time as before"

    def edit_file(self) -> str:
        return self._edit(self._any_file())

    def touch(self) -> str:
        name = self._any_file()
        os.utime(self.stack.path(name))
        return f"touch {name}"

    def add(self) -> str:
        return self._edit(f"app/sub/new-{self._next()}.txt")

    def delete(self) -> str:
        name = self._any_file()
        os.unlink(self.stack.path(name))
        return f"delete {name}"

    def rename(self) -> str:
        name, to = self._any_file(), f"app/named-{self._next()}.txt"
        os.rename(self.stack.path(name), self.stack.path(to))
        self.ever.add(self._target(to))
        return f"rename {name} to {to}"

    def chmod(self) -> str:
        name = self._any_file()
        mode = os.stat(self.stack.path(name)).st_mode ^ 0o111
        os.chmod(self.stack.path(name), mode & 0o777)
        return f"chmod {name} to {mode & 0o777:o}"

    def edit_below_a_volume(self) -> str:
        return self._edit(f"{self.chance.choice(['data', 'anon'])}/seed.txt")

    def change_the_environment(self) -> str:
        self._configure()
        return f"VALUE is {self._value} in compose.yaml"

    def build(self) -> str:
        self.stack.build()
        return "compose build"

    def up(self) -> str:
        self.stack.up()
        return "compose up"

    def recreate(self) -> str:
        self.stack.compose("up", "-d", "--timeout", "0", "--force-recreate")
        return "compose up --force-recreate"

    def renew_volumes(self) -> str:
        self.stack.compose("up", "-d", "--timeout", "0", "--force-recreate", "-V")
        return "compose up --force-recreate --renew-anon-volumes"

    def drop_all_volumes(self) -> str:
        self.stack.compose("down", "-v", "--timeout", "0")
        self.stack.up()
        return "compose down --volumes, up"

    def restart(self) -> str:
        self.stack.compose("restart", "--timeout", "0")
        return "compose restart"

    def copy_in(self) -> str:
        name = self.chance.choice(["app/answer.py", self._any_file(), "data/seed.txt"])
        self._copy(self.stack.path(name), self._target(name))
        return f"docker cp {name}"

    def patch_inside(self) -> str:
        name = self._any_file()
        there = self._target(name)
        self._inside(f"echo patched {self._next()} >{there}")
        return f"written in the container: {there}"

    def remove_inside(self) -> str:
        there = self._target(self._any_file())
        self._inside(f"rm -f {there}")
        return f"removed in the container: {there}"

    def chmod_inside(self) -> str:
        there = self._target(self._any_file())
        self._inside(f"[ ! -e {there} ] || chmod a-x {there}")
        return f"made not executable in the container: {there}"

    def write_what_is_no_code(self) -> str:
        self._inside(f"echo log >/srv/run-{self._next()}.log")
        return "a log written in the container"

    # ---- how

    def _configure(self) -> None:
        self._value = f"v{self._next()}"
        self.stack.write({"compose.yaml": COMPOSE.format(value=self._value)})

    def _edit(self, name: str) -> str:
        self.stack.write({name: f"TEXT = '{self._next()}'\n"})
        self.ever.add(self._target(name))
        return f"edit {name}"

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _any_file(self) -> str:
        names = [name for name in self._names("app") if name.endswith(".txt")]
        return self.chance.choice(names) if names else self._kept()

    def _kept(self) -> str:
        self._edit("app/one.txt")
        return "app/one.txt"

    def _names(self, directory: str) -> list[str]:
        top = self.stack.path(directory)
        found = [os.path.join(at, name) for at, _, names in os.walk(top) for name in names]
        return sorted(os.path.relpath(path, self.stack.directory) for path in found)

    def _target(self, name: str) -> str:
        directory, _, rest = name.partition("/")
        return f"{LANDS[directory]}/{rest}"

    def _tree(self) -> dict[str, tuple[str, bool]]:
        found = {}
        for name in (name for directory in LANDS for name in self._names(directory)):
            path = self.stack.path(name)
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            found[self._target(name)] = (digest, os.access(path, os.X_OK))
        return found

    def _text(self, name: str) -> str:
        with open(self.stack.path(name), encoding="utf-8") as file:
            return file.read()

    def _asked(self, container: str) -> Any:
        def asked() -> Any:
            done = self.stack.exec(container, ["python3", "-B", "-c", ASK], check=False)
            return json.loads(done.stdout) if done.returncode == 0 else None

        return wait_until(asked, 120.0, what="the server")

    def _inspect(self, what: str, name: str, kind: str = "container") -> str:
        return self.stack.docker.words(kind, "inspect", "--format", what, name)[0]

    def _inside(self, script: str) -> None:
        self.stack.exec(self.stack.container("web"), ["sh", "-c", script])

    def _copy(self, path: str, target: str) -> None:
        self.stack.docker("cp", path, f"{self.stack.container('web')}:{target}")


_ACTIONS: list[tuple[Callable[[World], str], int]] = [
    (World.edit_code, 4),
    (World.edit_code_keeping_size_and_time, 2),
    (World.edit_file, 3),
    (World.touch, 1),
    (World.add, 2),
    (World.delete, 2),
    (World.rename, 1),
    (World.chmod, 2),
    (World.edit_below_a_volume, 3),
    (World.change_the_environment, 2),
    (World.build, 6),
    (World.up, 6),
    (World.recreate, 3),
    (World.renew_volumes, 2),
    (World.drop_all_volumes, 1),
    (World.restart, 5),
    (World.copy_in, 6),
    (World.patch_inside, 2),
    (World.remove_inside, 2),
    (World.chmod_inside, 1),
    (World.write_what_is_no_code, 1),
]
