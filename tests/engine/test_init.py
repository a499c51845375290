"""``init``, ``explain PATH`` and ``doctor`` on a real engine: one repository of many kinds.

The programs are stand-ins that only wait; their names and the Dockerfiles are what is looked at.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.harness.cli import Freshd
from tests.harness.stack import Stack

COMPOSE = """
x-wait: &wait
  init: true
  stop_grace_period: 0s
services:
  web:
    <<: *wait
    build: web
  worker:
    <<: *wait
    build: web
    command: [celery, -A, shop, worker]
  dev:
    <<: *wait
    build: web
    command: flask run --debug
    volumes: ["./web/shop:/srv/shop"]
  api:
    <<: *wait
    build: api
  site:
    <<: *wait
    build: site
    volumes: ["./site/nginx.conf:/etc/nginx.conf:ro"]
  db:
    image: freshd-busybox:1
    command: sleep 100000
    stop_grace_period: 0s
"""
WAIT = "#!/bin/sh\ntrap : HUP\nwhile true; do sleep 1 & wait $!; done\n"
WEB = """\
FROM freshd-busybox:1
COPY --chmod=755 bin /bin
WORKDIR /srv
COPY requirements.txt .
RUN cat requirements.txt >/installed
COPY . .
ENTRYPOINT ["./entry.sh"]
CMD ["gunicorn", "shop:app"]
"""
API = """\
FROM freshd-busybox:1 AS build
WORKDIR /src
COPY . .
RUN mkdir /out && (echo '#!/bin/sh'; cat wait.sh; sed 's/^/# /' main.go) >/out/server \
    && chmod +x /out/server
FROM freshd-busybox:1
COPY --from=build /out/server /server
COPY config.yml /etc/api.yml
CMD ["/server"]
"""
FILES = {
    "compose.yaml": COMPOSE,
    "web/Dockerfile": WEB,
    "web/.dockerignore": "docs\n",
    "web/bin/gunicorn": WAIT,
    "web/bin/celery": WAIT,
    "web/bin/flask": WAIT,
    "web/entry.sh": '#!/bin/sh\nexec "$@"\n',
    "web/requirements.txt": "django\n",
    "web/shop/app.py": "a = 1\n",
    "web/tests/test_app.py": "t = 1\n",
    "web/docs/a.md": "left out\n",
    "api/Dockerfile": API,
    "api/main.go": "package main\n",
    "api/wait.sh": "trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done\n",
    "api/config.yml": "a: 1\n",
    "site/Dockerfile": "FROM freshd-busybox:1\nCOPY html /html\nCOPY nginx /bin/\n"
    'CMD ["nginx", "-g", "daemon off;"]\n',
    "site/nginx": WAIT,
    "site/nginx.conf": "one\n",
    "site/html/index.html": "hello\n",
}
MODES = {
    "web": "signal:HUP",
    "worker": "restart",
    "dev": "self",
    "api": "restart",
    "site": "signal:HUP",
}


@pytest.fixture
def shop(stack: Stack) -> Stack:
    stack.write(FILES)
    for name in ("web/entry.sh", "site/nginx"):
        os.chmod(stack.path(name), 0o755)
    stack.up(build=True)
    return stack


@pytest.mark.timeout(300)
def test_a_proposed_policy_is_right_from_the_first_edit_on(shop: Stack, freshd: Freshd) -> None:
    shown = freshd("init", "--json")
    assert shown.returncode == 0, shown
    assert not Path(shop.path("freshd.toml")).exists()
    services = {each["name"]: each for each in shown.json["services"]}
    assert {name: services[name]["reload"] for name in MODES} == MODES
    assert {services[name]["confidence"] for name in MODES} == {"proved"}
    assert services["db"]["confidence"] == "nothing"

    assert freshd("init", "--write").returncode == 0
    assert Path(shop.path("freshd.toml")).read_text() == shown.json["toml"]
    again = freshd("init", "--write")
    assert (again.returncode, again.stdout) == (2, "")
    assert "--force" in again.stderr

    untouched = freshd("check", "--json").json["services"]
    levels = {finding["level"] for each in untouched for finding in each["findings"]}
    assert "stale" not in levels
    # freshd has not seen these builds: the stages of api leave no trace, and neither does
    # `COPY --chmod` where Docker is 20.10
    settled = freshd("apply")
    assert settled.returncode == 0, settled

    shop.write({"web/shop/app.py": "a = 2\n", "web/tests/test_app.py": "t = 2\n"})
    shop.write({"api/main.go": "package main // 2\n", "site/html/index.html": "bye\n"})
    started = [shop.container(name) for name in ("web", "site", "dev")]
    applied = freshd("apply", "--json")
    assert applied.returncode == 0, applied
    steps = {(each["step"]["service"], each["step"]["remedy"]) for each in applied.json["outcomes"]}
    assert ("worker", "restart") in steps
    assert ("web", "reload") in steps
    assert ("api", "rebuild") in steps
    assert not {("dev", "restart"), ("web", "restart"), ("dev", "reload")} & steps
    assert [shop.container(name) for name in ("web", "site", "dev")] == started
    for name in ("web", "worker"):
        pairs = {f"web/{path}": f"/srv/{path}" for path in ("shop/app.py", "tests/test_app.py")}
        assert shop.oracle(name, pairs) == []
    assert shop.oracle("site", shop.files("site/html", "/html")) == []
    binary = shop.read(shop.container("api"), "/server")
    assert binary is not None
    assert b"# package main // 2" in binary
    assert freshd("check").returncode == 0

    shop.write({"web/requirements.txt": "django\nredis\n"})
    assert freshd("apply", "web").returncode == 0
    assert shop.read(shop.container("web"), "/installed") == b"django\nredis\n"


@pytest.mark.timeout(240)
def test_a_path_is_explained_and_the_surroundings_are_sound(shop: Stack, freshd: Freshd) -> None:
    assert freshd("init", "--write").returncode == 0

    def views(path: str) -> dict[str, dict[str, Any]]:
        found = freshd("explain", path, "--json")
        assert found.returncode == 0, found
        return {each["name"]: each for each in found.json["services"]}

    seen = views("web/shop/app.py")
    assert [one["target"] for one in seen["web"]["landings"]] == ["/srv/shop/app.py"]
    assert [(one["via"], one["effective"]) for one in seen["dev"]["landings"]] == [
        ("bind", True),
        ("copy", False),
    ]
    assert seen["db"]["absent"]
    assert views("web/docs/a.md")["web"]["left_out"] == {
        "path": "docs/a.md", "pattern": "docs", "file": "web/.dockerignore", "line": 1,
        "builtin": False,
    }  # fmt: skip
    container = shop.named_containers("worker")[shop.container("worker")]
    words = freshd("explain", f"{container}:/srv/shop/app.py").stdout
    assert "web/shop/app.py" in words
    assert "inject, purge, restart" in words

    well = freshd("doctor", "--json")
    assert well.returncode == 0, well
    states = {each["name"]: each["state"] for each in well.json["findings"]}
    assert {states[name] for name in ("docker", "compose", "engine", "clock", "policy")} == {"ok"}
    blind = {"DOCKER_HOST": f"unix://{shop.directory}/none.sock"}
    assert freshd("doctor", environment=blind).returncode == 4
    assert freshd("doctor", directory="/").returncode == 0
    unseen = freshd("init", "--json", environment=blind)
    assert unseen.returncode == 0
    assert unseen.json["unseen"]
    modes = {each["name"]: each["reload"] for each in unseen.json["services"]}
    assert {name: modes[name] for name in MODES} == MODES
    shop.write({"freshd.toml": "version = 2\n"})
    broken = freshd("doctor")
    assert broken.returncode == 1
    assert "✗ policy" in broken.stdout
