"""Volumes that hide a rebuild, mounts in mounts, replicas that differ, what does not serve."""

import os
from collections.abc import Callable

import pytest

from tests.engine.conftest import StackFactory
from tests.engine.stacks.looking import Found, finding, found, looked
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

DOCKERFILE = (
    "FROM freshd-busybox:1\nWORKDIR /app\nCOPY package.json .\n"
    "RUN mkdir node_modules && cp package.json node_modules/.package-lock.json"
    " && cp package.json node_modules/dep.js\n"
)
COMPOSE = f"""
services:
  web:
    build: .
    volumes: ["/app/node_modules"]
    {SLEEP}
  named:
    build: .
    volumes: ["modules:/app/node_modules"]
    {SLEEP}
volumes: {{modules: {{}}}}
"""


@pytest.mark.timeout(600)
@pytest.mark.proves("anonymous-volume-kept", "detected", "remedied", "silent")
@pytest.mark.proves("volume-shadows-image", "detected", "remedied", "silent")
def test_a_volume_over_installed_packages_hides_those_of_the_rebuilt_image(
    make_stack: StackFactory, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack = make_stack({"package.json": "1\n", "Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE})
    stack.up(build=True)
    freshd = make_freshd(stack)
    web = stack.container("web")
    stack.put(web, "/app/node_modules/.cache", b"the program's own\n")  # near miss
    assert found(looked(freshd, exit_code=0)) == set()

    stack.write({"package.json": "2\n"})
    stack.up(build=True)
    for service in ("web", "named"):
        container = stack.container(service)
        assert stack.read(container, "/app/package.json") == b"2\n"
        assert stack.read(container, "/app/node_modules/dep.js") == b"1\n", "it is not hidden"
    document = looked(freshd, exit_code=1)
    mark = "/app/node_modules/.package-lock.json"
    assert found(document) == {Found("anonymous-volume-kept", "stale", mark)}
    assert found(document, "named") == {Found("volume-shadows-image", "stale", mark)}
    assert finding(document, "anonymous-volume-kept")["remedy"] == "notify"
    assert finding(document, "volume-shadows-image", "named")["evidence"]["mount_kind"] == "volume"

    stack.compose("up", "-d", "-t", "0", "--force-recreate", "--renew-anon-volumes", "web")
    stack.compose("rm", "-f", "-s", "named")
    stack.docker("volume", "rm", f"{stack.project}_modules")
    stack.up("named")
    for service in ("web", "named"):
        assert stack.read(stack.container(service), "/app/node_modules/dep.js") == b"2\n"
    document = looked(freshd, exit_code=0)
    assert found(document) == found(document, "named") == set()


@pytest.mark.timeout(600)
@pytest.mark.proves("replica-mismatch", "detected", "remedied", "silent")
def test_replicas_of_two_images_whose_tag_is_gone(
    make_stack: StackFactory, make_freshd: Callable[[Stack], Freshd]
) -> None:
    build = f"    build: .\n    image: IMAGE\n    {SLEEP}\n"
    stack = make_stack({"app/a": "1\n", "Dockerfile": "FROM freshd-busybox:1\nCOPY app /app\n"})
    compose = f"services:\n  web:\n{build}".replace("IMAGE", f"{stack.project}-web")
    stack.write({"compose.yaml": compose})
    stack.up(build=True)
    freshd = make_freshd(stack)
    (old,) = stack.containers("web")
    stack.write({"app/a": "2\n"})
    stack.build()
    stack.compose("up", "-d", "--no-recreate", "--scale", "web=2")
    answers = {stack.read(each, "/app/a") for each in stack.containers("web")}
    assert answers == {b"1\n", b"2\n"}, "the replicas agree"
    document = looked(freshd, exit_code=1)
    assert {each.cause for each in found(document)} == {"old-image", "content-differs"}

    new = next(each for each in stack.containers("web") if each != old)
    (image,) = stack.docker.words("inspect", "-f", "{{.Image}}", new)
    stack.docker("tag", image, f"{stack.project}-kept")
    stack.docker("rmi", f"{stack.project}-web")
    document = looked(freshd, exit_code=1)
    assert {each.cause for each in found(document)} >= {"replica-mismatch", "content-differs"}
    odd = finding(document, "replica-mismatch")
    assert odd["container"] == stack.named_containers("web")[old]
    stack.docker("tag", image, f"{stack.project}-web")
    assert freshd("recreate", "web").returncode == 0
    assert {stack.read(each, "/app/a") for each in stack.containers("web")} == {b"2\n"}
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(600)
@pytest.mark.proves("base-image-behind", "detected", "remedied", "silent")
def test_a_base_image_that_was_built_again(
    stack: Stack, make_freshd: Callable[[Stack], Freshd], engine_version: int
) -> None:
    base = f"{stack.project}-base"

    def build_base(text: str) -> None:
        stack.write({"base/lib": text, "base/Dockerfile": "FROM freshd-busybox:1\nCOPY lib /lib\n"})
        stack.docker("build", "-q", "-t", base, "base")

    build_base("1\n")
    stack.write({"app/a": "1\n", "Dockerfile": f"FROM {base}\nCOPY app /app\n"})
    stack.write({"compose.yaml": f"services:\n  web:\n    build: .\n    {SLEEP}\n"})
    stack.up(build=True)
    freshd = make_freshd(stack)
    build_base("1\n")  # near miss: the same again
    assert found(looked(freshd, exit_code=0)) == set()
    build_base("2\n")
    assert stack.read(stack.container("web"), "/lib") == b"1\n", "it stands on the new base"
    document = looked(freshd, exit_code=1)
    # Docker 20.10's classic builder names the content in the history: that is another one now.
    in_doubt = {Found("build-unrecorded", "unverifiable")} if engine_version < 23 else set()
    assert found(document) == {Found("base-image-behind", "stale"), *in_doubt}
    assert finding(document, "base-image-behind")["evidence"]["base"] == base
    assert freshd("rebuild", "web").returncode == 0
    assert stack.read(stack.container("web"), "/lib") == b"2\n"
    assert found(looked(freshd, exit_code=0)) == set()


COMPOSE_OF_FOUR = f"""
services:
  web:
    build: .
    {SLEEP}
  inner:
    image: freshd-busybox:1
    volumes: ["./app:/app", "./other:/app/lib"]
    {SLEEP}
  sick:
    image: freshd-busybox:1
    healthcheck: {{test: ["CMD", "false"], interval: 200ms, retries: 1}}
    {SLEEP}
  loop:
    image: freshd-busybox:1
    command: ["false"]
    restart: always
"""


@pytest.mark.timeout(600)
@pytest.mark.proves("forbidden-in-image", "detected", "remedied", "silent")
@pytest.mark.proves("inner-mount-shadows", "detected", "remedied", "silent")
@pytest.mark.proves("unhealthy", "detected", "remedied", "silent")
@pytest.mark.proves("restart-looping", "detected", "remedied", "silent")
def test_mounts_in_mounts_forbidden_files_and_services_that_do_not_serve(
    stack: Stack, freshd: Freshd
) -> None:
    stack.write(
        {
            "app/main.py": "1\n",
            "app/lib/hidden.py": "1\n",
            "other/shown.py": "1\n",
            "scripts/seed.sh": "1\n",
            "Dockerfile": "FROM freshd-busybox:1\nCOPY app /srv/app\nCOPY scripts /srv/scripts\n",
            "freshd.toml": 'version = 1\n[never]\ninject = ["scripts/**"]\n',
            "compose.yaml": COMPOSE_OF_FOUR,
        }
    )
    stack.up(build=True)

    def state(service: str, what: str) -> str:
        (each,) = stack.containers(service, all_states=True)
        return stack.docker("inspect", "-f", what, each).stdout.decode().strip()

    wait_until(lambda: state("sick", "{{.State.Health.Status}}") == "unhealthy", 120.0)
    assert stack.exec(stack.container("inner"), ["ls", "/app/lib"]).stdout == b"shown.py\n"
    # its waits grow, so that it is soon caught waiting
    wait_until(lambda: int(state("loop", "{{.RestartCount}}")) > 3, 120.0)
    wait_until(lambda: state("loop", "{{.State.Status}}") == "restarting", 120.0)
    document = looked(freshd, exit_code=1)
    assert found(document) == {Found("forbidden-in-image", "note")}
    assert finding(document, "forbidden-in-image")["evidence"]["paths"] == ["scripts/seed.sh"]
    assert found(document, "inner") == {Found("inner-mount-shadows", "note")}
    inner = finding(document, "inner-mount-shadows", "inner")
    assert inner["evidence"]["paths"] == ["app/lib/hidden.py"]
    assert inner["evidence"]["mount"] == "/app/lib"
    assert found(document, "sick") == {Found("unhealthy", "stale")}
    assert found(document, "loop") <= {Found("restart-looping", "stale")}

    serving = COMPOSE_OF_FOUR.replace('["CMD", "false"]', '["CMD", "true"]')
    serving = serving.replace('command: ["false"]', f"{SLEEP}")
    stack.write({"compose.yaml": serving})
    stack.write({"Dockerfile": "FROM freshd-busybox:1\nCOPY app /srv/app\n"})
    os.unlink(stack.path("app/lib/hidden.py"))
    stack.up(build=True)
    wait_until(lambda: state("sick", "{{.State.Health.Status}}") == "healthy", 120.0)
    document = looked(freshd, exit_code=0)
    for service in ("web", "inner", "sick", "loop"):
        assert found(document, service) == set(), service
