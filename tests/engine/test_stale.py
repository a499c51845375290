"""Staleness is found: each case has exactly the findings it should have, and no other.

freshd sees these stacks for the first time, with no daemon before. That the container really is
behind is judged by the docker command.
"""

import os
import shutil
from collections.abc import Callable

import pytest

from tests.engine.conftest import StackFactory
from tests.engine.stacks.looking import Found, check, finding, found, of
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

BASE = "FROM freshd-busybox:1\n"
DOCKERFILE = (
    f"{BASE}WORKDIR /srv\nARG FLAVOUR=plain\nCOPY requirements.txt .\n"
    'RUN sha256sum requirements.txt >installed && echo "$FLAVOUR" >flavour\nCOPY app app\n'
)
COMPOSE = f"services:\n  web:\n    build: .\n    scale: 2\n    {SLEEP}\n"
FILES = {
    "requirements.txt": "flask==1\n",
    "app/main.py": "print(1)\n",
    "app/old.py": "print('old')\n",
    "app/run.sh": "#!/bin/sh\n",
    "Dockerfile": DOCKERFILE,
    "compose.yaml": COMPOSE,
}
MAIN = {"app/main.py": "/srv/app/main.py"}
BEHIND = Found("image-behind", "stale")
NOT_RUNNING = Found("not-running", "stale")


def edited_with_the_same_size_and_time(stack: Stack) -> set[Found]:
    path = stack.path("app/main.py")
    before = os.stat(path)
    stack.write({"app/main.py": "print(2)\n"})
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = os.stat(path)
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    return {Found("content-differs", "stale", "app/main.py"), BEHIND}


def added(stack: Stack) -> set[Found]:
    stack.write({"app/new/deep.py": "print('new')\n"})
    return {Found("missing-in-container", "stale", "app/new/deep.py"), BEHIND}


def deleted(stack: Stack) -> set[Found]:
    os.unlink(stack.path("app/old.py"))
    return {Found("extra-in-container", "stale", "app/old.py"), BEHIND}


def renamed(stack: Stack) -> set[Found]:
    os.rename(stack.path("app/old.py"), stack.path("app/renamed.py"))
    return {
        Found("extra-in-container", "stale", "app/old.py"),
        Found("missing-in-container", "stale", "app/renamed.py"),
        BEHIND,
    }


def made_executable(stack: Stack) -> set[Found]:
    os.chmod(stack.path("app/run.sh"), 0o755)
    return {Found("mode-differs", "stale", "app/run.sh"), BEHIND}


def made_a_link(stack: Stack) -> set[Found]:
    os.unlink(stack.path("app/old.py"))
    os.symlink("main.py", stack.path("app/old.py"))
    return {Found("content-differs", "stale", "app/old.py"), BEHIND}


def made_a_directory(stack: Stack) -> set[Found]:
    os.unlink(stack.path("app/old.py"))
    stack.write({"app/old.py/__init__.py": ""})
    return {
        Found("extra-in-container", "stale", "app/old.py"),
        Found("missing-in-container", "stale", "app/old.py/__init__.py"),
        BEHIND,
    }


def a_lock_file_that_a_run_reads(stack: Stack) -> set[Found]:
    stack.write({"requirements.txt": "flask==2\n"})
    return {
        Found("content-differs", "stale", "requirements.txt"),
        Found("build-input-changed", "stale"),
    }


def another_run_line(stack: Stack) -> set[Found]:
    stack.write({"Dockerfile": DOCKERFILE.replace(">installed", ">Installed")})
    return {Found("build-input-changed", "stale")}


def another_build_argument(stack: Stack) -> set[Found]:
    build = "build: {context: ., args: {FLAVOUR: sour}}"
    stack.write({"compose.yaml": COMPOSE.replace("build: .", build)})
    return {Found("baked-env", "stale")}


def changed_in_the_container(stack: Stack) -> set[Found]:
    for each in stack.containers("web"):
        stack.put(each, "/srv/app/main.py", b"print('hot')\n")
    return {Found("changed-in-container", "stale", "app/main.py")}


def removed_in_the_container(stack: Stack) -> set[Found]:
    for each in stack.containers("web"):
        stack.exec(each, ["rm", "/srv/app/main.py"])
    return {Found("changed-in-container", "stale", "app/main.py")}


EDITS: tuple[Callable[[Stack], set[Found]], ...] = (
    edited_with_the_same_size_and_time,
    added,
    deleted,
    renamed,
    made_executable,
    made_a_link,
    made_a_directory,
    a_lock_file_that_a_run_reads,
    another_run_line,
    another_build_argument,
    changed_in_the_container,
    removed_in_the_container,
)


@pytest.fixture
def web(stack: Stack) -> Stack:
    """Two fresh replicas that freshd has never seen."""
    stack.write(FILES)
    stack.up(build=True)
    return stack


@pytest.mark.timeout(400)
@pytest.mark.proves("content-differs", "detected", "silent")
@pytest.mark.proves("missing-in-container", "detected", "silent")
@pytest.mark.proves("extra-in-container", "detected", "silent")
@pytest.mark.proves("mode-differs", "detected", "silent")
@pytest.mark.proves("image-behind", "detected", "silent")
@pytest.mark.proves("build-input-changed", "detected", "silent")
def test_each_kind_of_edit_has_its_own_finding_and_no_other(
    web: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    landed = {name: f"/srv/{name}" for name in FILES if "ile" not in name and "compose" not in name}
    wrong = {}
    for edit in EDITS:
        expected = edit(web)
        freshd = make_freshd(web)  # with a state of its own: it has never been here before
        inputs_only = {each.cause for each in expected} <= {"build-input-changed", "baked-env"}
        assert bool(web.oracle("web", landed | renamed_too(web), modes=True)) != inputs_only
        done = freshd("check", "--json")
        if done.returncode != 1 or found(done.json) != expected:
            wrong[edit.__name__] = (done.returncode, found(done.json) ^ expected)
        undo(web)
    assert wrong == {}
    assert found(check(make_freshd(web), exit_code=0)) == set()


def renamed_too(stack: Stack) -> dict[str, str]:
    return {name: f"/srv/{name}" for name in stack.files("app") if not is_link(stack, name)}


def is_link(stack: Stack, name: str) -> bool:
    return os.path.islink(stack.path(name))


def undo(stack: Stack) -> None:
    """Tree and containers as they were built."""
    shutil.rmtree(stack.path("app"))
    stack.write(FILES, mode=0o644)
    for each in stack.containers("web"):
        stack.put(each, "/srv/app/main.py", b"print(1)\n")


POLICY = 'version = 1\n[[rule]]\nwhen = [{when}]\ndo = ["inject"]\n'


@pytest.mark.timeout(240)
@pytest.mark.proves("changed-in-container", "detected", "remedied", "silent")
def test_a_hot_patch_is_only_overwritten_by_a_rule_that_names_it(
    web: Stack, freshd: Freshd
) -> None:
    one, two = web.named_containers("web").items()
    web.put(one[0], "/srv/app/main.py", b"print('hot')\n")
    web.write({"freshd.toml": POLICY.format(when='"content-differs", "missing-in-container", "*"')})
    done = freshd("apply", "--json")
    assert web.read(one[0], "/srv/app/main.py") == b"print('hot')\n"
    assert done.returncode == 1, done
    assert done.json["outcomes"] == []
    assert found(done.json["report"]) == {Found("changed-in-container", "stale", "app/main.py")}
    hot = finding(done.json["report"], "changed-in-container")
    assert (hot["container"], hot["target"], hot["link"]) == (
        one[1], "/srv/app/main.py", "container",
    )  # fmt: skip

    # An edit of the same file meets the patch in one replica and the image's file in the other.
    web.write({"app/main.py": "print(3)\n"})
    freshd("apply", "--json")
    assert web.read(one[0], "/srv/app/main.py") == b"print('hot')\n"
    assert web.read(two[0], "/srv/app/main.py") == b"print(3)\n"

    web.write({"freshd.toml": POLICY.format(when='"changed-in-container"')})
    done = freshd("apply", "--json")
    assert done.returncode == 0, done
    assert web.oracle("web", MAIN, replicas=2) == []
    assert of(done.json["report"])["patched"] is True


STAGES = (
    "FROM freshd-busybox:1 AS build\nCOPY src /src\nRUN sha256sum /src/main.c >/program\n"
    "FROM freshd-busybox:1\nCOPY --from=build /program /bin/program\nCOPY static /static\n"
)


@pytest.mark.timeout(240)
@pytest.mark.proves("build-unrecorded", "detected", "remedied", "silent")
def test_what_a_builder_stage_read_is_in_doubt_until_freshd_has_built_it(
    stack: Stack, freshd: Freshd
) -> None:
    stack.write({"src/main.c": "one\n", "static/a": "a\n", "Dockerfile": STAGES})
    stack.write({"compose.yaml": f"services:\n  web:\n    build: .\n    {SLEEP}\n"})
    stack.up(build=True)
    unrecorded = {Found("build-unrecorded", "unverifiable")}
    assert found(check(freshd, exit_code=3)) == unrecorded
    stack.write({"src/main.c": "two\n"})  # since then: the image is older
    assert found(check(freshd, exit_code=1)) == {Found("build-input-changed", "stale")}
    stack.write({"src/main.c": "one\n"})
    assert found(check(freshd, exit_code=3)) == unrecorded
    stack.write({"src/main.c": "two\n"})

    done = freshd("rebuild", "web")
    assert done.returncode == 0, done
    assert found(check(freshd, exit_code=0)) == set()
    stack.write({"src/main.c": "ONE\n"})
    document = check(freshd, exit_code=1)
    assert found(document) == {Found("build-input-changed", "stale")}
    assert finding(document, "build-input-changed")["evidence"]["paths"] == ["src/main.c"]
    stack.write({"src/main.c": "two\n"})
    assert found(check(freshd, exit_code=0)) == set()
    # A line of the earlier stage is an input too: the Dockerfile is in the record.
    stack.write({"Dockerfile": STAGES.replace("sha256sum", "md5sum")})
    assert found(check(freshd, exit_code=1)) == {Found("build-input-changed", "stale")}
    stack.write({"Dockerfile": STAGES, "src/new.h": "new\n"})
    assert found(check(freshd, exit_code=1)) == {Found("build-input-changed", "stale")}


@pytest.mark.timeout(240)
def test_edits_after_a_build_by_freshd_have_the_same_findings(web: Stack, freshd: Freshd) -> None:
    web.write({"app/main.py": "print('built by freshd')\n"})
    assert freshd("rebuild", "web").returncode == 0
    assert found(check(freshd, exit_code=0)) == set()
    wrong = {}
    for edit in (added, deleted, made_executable, another_build_argument):
        expected = edit(web)
        done = freshd("check", "--json")
        if done.returncode != 1 or found(done.json) != expected:
            wrong[edit.__name__] = (done.returncode, found(done.json) ^ expected)
        undo(web)
        web.write({"app/main.py": "print('built by freshd')\n"})
        for each in web.containers("web"):
            web.put(each, "/srv/app/main.py", b"print('built by freshd')\n")
    assert wrong == {}


@pytest.mark.timeout(240)
@pytest.mark.proves("old-image", "detected", "remedied", "silent")
def test_an_image_built_or_tagged_behind_its_back_is_an_old_image(
    web: Stack, freshd: Freshd
) -> None:
    image = f"{web.project}-web"
    first = web.docker.words("image", "inspect", "-f", "{{.Id}}", image)[0]
    web.extra_images.append(first)
    assert found(check(freshd, exit_code=0)) == set()
    web.write({"app/main.py": "print(2)\n"})
    web.build("web")
    old = Found("old-image", "stale")
    content = Found("content-differs", "stale", "app/main.py")
    document = check(freshd, exit_code=1)
    assert found(document) == {old, content}
    assert of(document)["links"]["image"] == "fresh"
    assert len(of(document)["findings"]) == 4  # both, in both replicas

    web.up()
    assert found(check(freshd, exit_code=0)) == set()
    web.docker("tag", first, image)
    document = check(freshd, exit_code=1)
    # What runs is the tree's: the tag would bring the old files back, so the service is patched.
    patched = {Found("image-behind", "note"), Found("patched", "note")}
    assert found(document) == {old, *patched}
    assert of(document)["links"] == {
        "image": "stale", "container": "stale", "process": "fresh", "config": "fresh",
    }  # fmt: skip

    web.docker("tag", first, f"{image}-kept")
    web.docker("rmi", image)
    document = check(freshd, exit_code=0)  # what runs still tells of its own build
    assert (found(document), of(document)["links"]["image"]) == (set(), "fresh")


@pytest.mark.timeout(240)
@pytest.mark.proves("not-running", "detected", "remedied", "silent")
def test_a_container_that_does_not_serve_is_named_and_still_compared(
    make_stack: StackFactory, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack = make_stack()
    loop = 'command: ["false"]\n    restart: always'
    services = {"looping": loop, "stopped": SLEEP, "paused": SLEEP, "made": SLEEP}
    body = "".join(
        f"  {name}:\n    image: {stack.project}-all\n    build: .\n    {rest}\n"
        for name, rest in services.items()
    )
    stack.write({"app/main.py": "print(1)\n", "compose.yaml": f"services:\n{body}"})
    stack.write({"Dockerfile": f"{BASE}COPY app /srv/app\n"})
    stack.build("stopped")
    stack.up("looping", "stopped", "paused")
    stack.compose("create", "made")
    stack.docker("stop", "-t", "5", stack.container("stopped"))
    stack.docker("pause", stack.container("paused"))
    freshd = make_freshd(stack)
    still = ("stopped", "paused", "made")
    document = check(freshd, *still, exit_code=1)
    for name in still:
        assert found(document, name) == {NOT_RUNNING}, name
        (container,) = of(document, name)["containers"]
        assert (container["compared"], container["equal"]) == (1, 1)

    stack.write({"app/main.py": "print(2)\n"})
    document = check(freshd, *still, exit_code=1)
    content = Found("content-differs", "stale", "app/main.py")
    for name in still:
        assert found(document, name) == {NOT_RUNNING, content, BEHIND}, name
    stack.docker("unpause", stack.container("paused"))

    (looping,) = stack.containers("looping", all_states=True)
    # The engine doubles the wait at each restart: after seven it lasts longer than a look.
    wait_until(
        lambda: int(stack.docker.words("inspect", "-f", "{{.RestartCount}}", looping)[0]) >= 7,
        deadline=60,
        what="the engine to wait longer between restarts",
    )
    document = check(freshd, "looping", exit_code=1)
    assert found(document, "looping") == {Found("restart-looping", "stale"), content, BEHIND}


MOUNTS = f"""
services:
  locked:
    build: .
    read_only: true
    tmpfs: ["/srv/app/cache"]
    {SLEEP}
  volume:
    build: .
    volumes: ["data:/srv/app/cache"]
    {SLEEP}
  bind:
    build: .
    volumes: ["./conf.ini:/srv/conf.ini:ro", "./live:/srv/live"]
    {SLEEP}
volumes: {{data: {{}}}}
"""


@pytest.fixture
def mounts(stack: Stack) -> Stack:
    """Services with a read-only root and a tmpfs, with a seeded volume, and with binds."""
    stack.write({"Dockerfile": f"{BASE}COPY app /srv/app\n", "compose.yaml": MOUNTS})
    stack.write({"app/main.py": "print(1)\n", "app/cache/seed": "1\n"})
    stack.write({"conf.ini": "a = 1\n", "live/x.py": "x = 1\n"})
    stack.up(build=True)
    return stack


def seen_inside(stack: Stack, service: str, path: str) -> bytes:
    """What a process there reads: `docker cp` would mount the host's file anew."""
    return stack.exec(stack.container(service), ["cat", path]).stdout


@pytest.mark.timeout(240)
@pytest.mark.proves("single-file-bind-detached", "detected", "remedied", "silent")
@pytest.mark.proves("target-not-writable", "detected", "silent")
def test_mounts_decide_what_is_seen_and_what_can_be_written(mounts: Stack, freshd: Freshd) -> None:
    # The tmpfs has hidden the seed from the start: that is worth a note and no more.
    seed = "app/cache/seed"
    document = check(freshd, exit_code=0)
    assert found(document, "locked") == {Found("target-not-writable", "note", seed)}
    assert found(document, "volume") == found(document, "bind") == set()
    check(freshd, "locked", "--strict", exit_code=1)
    check(freshd, "volume", "bind", "--strict", exit_code=0)

    mounts.write({"app/main.py": "print(2)\n", "live/x.py": "x = 2\n"})
    document = check(freshd, exit_code=1)
    assert found(document, "locked") == {
        Found("target-not-writable", "note", seed),
        Found("target-not-writable", "stale", "app/main.py"),
        BEHIND,
    }
    content = Found("content-differs", "stale", "app/main.py")
    assert found(document, "volume") == found(document, "bind") == {content, BEHIND}

    # An editor that writes a new file and renames it leaves the single-file bind with the old one.
    mounts.write({"app/main.py": "print(1)\n", "conf.new": "a = 2\n"})
    os.rename(mounts.path("conf.new"), mounts.path("conf.ini"))
    assert seen_inside(mounts, "bind", "/srv/conf.ini") == b"a = 1\n"
    document = check(freshd, "bind", exit_code=1)
    detached = "single-file-bind-detached"
    assert found(document, "bind") == {Found(detached, "stale", "conf.ini")}
    detached = finding(document, detached, "bind")
    assert (detached["remedy"], detached["target"]) == ("restart", "/srv/conf.ini")
    assert detached["evidence"]["mount_kind"] == "bind"
    assert freshd("restart", "bind").returncode == 0
    assert seen_inside(mounts, "bind", "/srv/conf.ini") == b"a = 2\n"
    assert found(check(freshd, "bind", exit_code=0), "bind") == set()


@pytest.mark.timeout(240)
def test_a_volume_that_hides_a_rebuild_is_told(mounts: Stack, freshd: Freshd) -> None:
    mounts.write({"app/cache/seed": "2\n"})
    mounts.up("volume", build=True)
    assert mounts.read(mounts.container("volume"), "/srv/app/cache/seed") == b"1\n"
    document = check(freshd, "volume", exit_code=1)
    assert found(document, "volume") == {Found("volume-shadows-image", "stale", "app/cache/seed")}
    hidden = finding(document, "volume-shadows-image", "volume")
    assert hidden["evidence"]["mount"] == "/srv/app/cache"
    assert "at /srv/app/cache hides it" in hidden["message"]
    assert of(document, "volume")["links"]["image"] == "fresh"

    # What was deleted is left over where a COPY's file is seen; a volume's content is its own.
    os.unlink(mounts.path("app/cache/seed"))
    document = check(freshd, "volume", "bind", exit_code=1)
    assert found(document, "volume") == set()
    assert found(document, "bind") == {
        Found("extra-in-container", "stale", "app/cache/seed"),
        BEHIND,
    }


@pytest.mark.timeout(240)
def test_the_documents_are_as_the_contract_has_them(web: Stack, freshd: Freshd) -> None:
    web.write({"app/main.py": "print(2)\n", "app/x\udcff.py": "x\n"})
    document = check(freshd, exit_code=1)
    assert set(document) == {"schema", "project", "verdict", "checked_at", "services"}
    assert (document["schema"], document["project"]) == (1, web.project)
    service = of(document)
    assert set(service) == {"name", "verdict", "patched", "links", "containers", "findings"}
    ids = web.named_containers("web")
    assert {each["id"]: each["name"] for each in service["containers"]} == ids
    assert [set(each) for each in service["containers"]] == [
        {"id", "name", "verdict", "compared", "equal"}
    ] * 2
    for each in service["findings"]:
        assert set(each) == {
            *("cause", "level", "link", "container", "path", "target"),
            *("remedy", "message", "evidence"),
        }
    assert Found("missing-in-container", "stale", "app/x\udcff.py") in found(document)

    narrowed = check(freshd, "--path", "app/m*.py", exit_code=1)
    assert found(narrowed) == {Found("content-differs", "stale", "app/main.py"), BEHIND}
    assert found(check(freshd, "--path", "app/old.py", exit_code=0)) == set()

    mapped = freshd("map", "web", "--json")
    assert mapped.returncode == 0
    (only,) = mapped.json["services"]
    assert mapped.json["schema"] == 1
    assert set(only) >= {"name", "pairs", "inputs"}
    assert only["inputs"] == ["Dockerfile"]
    pair = {"source": "app/main.py", "target": "/srv/app/main.py", "via": "copy", "effective": True}
    assert pair in only["pairs"]

    one = next(iter(ids.values()))
    diff = freshd("diff", one, "--json")
    assert diff.returncode == 1
    shown = {each["path"]: each for each in diff.json["differences"]}
    assert set(shown) == {"app/main.py", "app/x\udcff.py"}
    assert shown["app/main.py"]["diff"].endswith("-print(1)\n+print(2)\n")
    assert shown["app/x\udcff.py"]["seen"] is None
    plain = freshd("diff", one, "app/main.py")
    assert (plain.returncode, plain.stdout.count("@@ -1 +1 @@")) == (1, 1)
    assert freshd("diff", one, "app/old.py").returncode == 0
