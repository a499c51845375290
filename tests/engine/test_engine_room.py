"""The engine room on a real engine: replicas, archives, execs, the helper, images, events."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import pytest

from freshd.engine import images
from freshd.engine.cli.compose import Compose, ComposeFiles
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container import exec as execs
from freshd.engine.container.shell_session import ShellSession
from freshd.engine.transport.endpoint import Endpoint, resolve
from freshd.model.errors import (
    ConfigError,
    EngineFailed,
    EngineUnavailable,
    OutcomeUnknown,
    TargetGone,
)
from freshd.model.files import Kind
from tests.harness.private_engine import PrivateEngine
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

IDLE = ("freshd-busybox:1", "sleep", "600")


@pytest.fixture(scope="module")
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    with Engine(resolve(engine_env)) as made:
        yield made


@pytest.fixture(params=["freshd-busybox:1", "freshd-python:1"])
def shell(request: pytest.FixtureRequest, stack: Stack) -> str:
    return stack.run(request.param, "sleep", "600")


def tar_of(files: Mapping[str, bytes]) -> IO[bytes]:
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape"
    ) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return buffer


# ---- replicas


def test_clients_share_a_listing_only_where_an_older_one_will_do(
    engine: Engine, stack: Stack
) -> None:
    with Engine(engine.endpoint, memory=engine.memory) as other:
        before = {one.id for one in engine.overview()}
        identity = stack.run(*IDLE)
        assert {one.id for one in other.overview(within=600.0)} == before
        assert identity in {one.id for one in other.overview()}
        assert identity in {one.id for one in engine.overview(within=600.0)}
        assert other.api_version == engine.api_version


def test_a_replica_says_what_inspection_says(engine: Engine, stack: Stack) -> None:
    options = ["--tmpfs", "/t:ro", "-v", f"{stack.directory}:/b:ro", "--user", "3", "--read-only"]
    identity = stack.run(*IDLE, options=options)
    found = engine.replica(identity)
    assert (found.id, found.state, found.user, found.read_only) == (identity, "running", "3", True)
    assert {(m.kind, m.target, m.writable) for m in found.mounts} == {
        ("tmpfs", "/t", False),
        ("bind", "/b", False),
    }
    assert 0 < found.created_at <= found.started_at <= time.time() + 5
    assert found.command == ("sleep", "600")


def test_replicas_are_chosen_by_project_or_name_in_all_states(engine: Engine, stack: Stack) -> None:
    stack.write(
        {"compose.yaml": "services: {a: {image: 'freshd-busybox:1', command: [sleep, '9']}}"}
    )
    stack.compose("create")
    plain = stack.run(*IDLE, name=f"{stack.project}-plain")
    (created,) = engine.replicas(project=stack.project)
    assert (created.service, created.state, created.project) == ("a", "created", stack.project)
    (named,) = engine.replicas(names=[f"{stack.project}-plain"])
    assert named.id == plain
    both = engine.replicas(project=stack.project, names=[f"{stack.project}-plain"])
    assert {replica.id for replica in both} == {created.id, plain}
    assert engine.replicas(names=[stack.project]) == ()
    assert engine.replicas(project=stack.project, services=["a"]) == (created,)
    assert engine.replicas(project=stack.project, services=["b"]) == ()


# ---- archives


def test_what_is_put_is_what_is_got_whatever_the_name(engine: Engine, shell: str) -> None:
    files = {"two\nlines": b"a", "\udcff\udc81": b"bb", "-n": b"", "big": os.urandom(3_000_000)}
    archive.put(engine, shell, path="/tmp", tar=tar_of(files))
    got = {
        member.name.removeprefix("tmp/"): reader.read()
        for member, reader in archive.get(engine, shell, "/tmp")
        if reader is not None
    }
    assert {name: got.get(name) for name in files} == files


def test_a_missing_path_and_a_missing_container_are_told_apart(
    engine: Engine, stack: Stack
) -> None:
    identity = stack.run(*IDLE)
    assert archive.stat(engine, identity, "/nope") is None
    with pytest.raises(EngineFailed, match="not found"):
        list(archive.get(engine, identity, "/nope"))
    with pytest.raises(EngineFailed, match="not found"):
        archive.put(engine, identity, path="/nope", tar=tar_of({"x": b""}))
    stack.docker("rm", "-f", identity)
    for call in (
        lambda: archive.stat(engine, identity, "/nope"),
        lambda: list(archive.get(engine, identity, "/nope")),
        lambda: archive.put(engine, identity, path="/", tar=tar_of({"x": b""})),
    ):
        with pytest.raises(TargetGone):
            call()


def test_a_stat_tells_kinds_and_bits_and_does_not_follow(engine: Engine, stack: Stack) -> None:
    identity = stack.run(*IDLE)
    script = "mkdir -m 1755 /d && echo x >/f && chmod 4751 /f && ln -s /d /l && mkfifo /p"
    stack.exec(identity, ["sh", "-c", script])
    found = {path: archive.stat(engine, identity, path) for path in ("/d", "/f", "/l", "/p")}
    kinds = {path: stat and (stat.kind, stat.mode) for path, stat in found.items()}
    assert kinds["/d"] == (Kind.DIR, 0o1755)
    assert kinds["/f"] == (Kind.FILE, 0o4751)
    assert found["/p"] is not None
    assert found["/p"].kind is Kind.OTHER
    assert found["/l"] is not None
    assert (found["/l"].kind, found["/l"].link_target) == (Kind.LINK, "/d")


# ---- execs


def test_much_input_and_much_output_at_once_do_not_deadlock(engine: Engine, shell: str) -> None:
    data = os.urandom(1000) * 5000
    result = execs.run(engine, shell, ["cat"], stdin=data, timeout=30.0)
    assert result.ok
    assert hashlib.sha256(result.stdout).digest() == hashlib.sha256(data).digest()


def test_streams_and_the_exit_code_are_kept_apart(engine: Engine, shell: str) -> None:
    argv = ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]
    result = execs.run(engine, shell, argv, timeout=10.0)
    assert (result.exit_code, result.stdout, result.stderr) == (3, b"out\n", b"err\n")
    assert not result.missing


def test_a_command_that_is_not_there_is_missing_and_no_exception(
    engine: Engine, shell: str
) -> None:
    for argv in (["/nope"], ["nope"]):
        assert execs.run(engine, shell, argv, timeout=10.0).missing
    own = execs.run(engine, shell, ["/bin/sh", "-c", "exit 127"], timeout=10.0)
    assert not own.missing


def test_an_exec_that_hangs_is_left_at_its_deadline(engine: Engine, shell: str) -> None:
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="may still run"):
        execs.run(engine, shell, ["sleep", "100"], timeout=0.5)
    assert time.monotonic() - began < 50


def test_too_much_output_is_drained_and_a_failure(engine: Engine, shell: str) -> None:
    script = "head -c 3000000 /dev/zero; echo done >/tmp/end"
    with pytest.raises(EngineFailed, match="3000000 bytes"):
        execs.run(engine, shell, ["/bin/sh", "-c", script], timeout=20.0, limit=1000)
    assert archive.stat(engine, shell, "/tmp/end") is not None
    loud = ["/bin/sh", "-c", "head -c 300000 /dev/zero >&2"]
    assert len(execs.run(engine, shell, loud, timeout=20.0).stderr) == execs.STDERR_LIMIT


def test_a_command_in_a_paused_or_removed_container(engine: Engine, stack: Stack) -> None:
    identity = stack.run(*IDLE)
    stack.docker("pause", identity)
    with pytest.raises(EngineFailed, match="paused"):
        execs.run(engine, identity, ["true"], timeout=5.0)
    stack.docker("rm", "-f", identity)
    with pytest.raises(TargetGone):
        execs.run(engine, identity, ["true"], timeout=5.0)


# ---- the helper


def processes(engine: Engine, container: str) -> int:
    return len(engine.api.top(container)["Processes"])


def test_a_helper_ends_when_its_freshd_is_killed(engine: Engine, stack: Stack) -> None:
    identity = stack.run(*IDLE)
    before = processes(engine, identity)
    code = (
        "import os, sys; from freshd.engine.client import Engine;"
        "from freshd.engine.transport.endpoint import resolve;"
        "e = Engine(resolve(os.environ)); h = e.shell(sys.argv[1]);"
        "print(h.hash(['/etc/passwd']), flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", code, identity]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(stack.environment)
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline()
        assert processes(engine, identity) == before + 1
        child.send_signal(signal.SIGKILL)
    wait_until(lambda: processes(engine, identity) == before, what="the loop to end")


def test_a_helper_is_started_anew_after_a_restart(engine: Engine, stack: Stack) -> None:
    identity = stack.run(*IDLE)
    first = engine.shell(identity)
    assert engine.shell(identity) is first
    engine.restart(identity, grace=0.0)
    second = engine.shell(identity)
    assert second is not first
    assert second.hash(["/etc/passwd"])


def test_a_helper_in_a_paused_container_is_left_at_its_deadline(
    engine: Engine, stack: Stack
) -> None:
    identity = stack.run(*IDLE)
    helper = ShellSession(engine, identity, timeout=0.5)
    stack.docker("pause", identity)
    with pytest.raises(OutcomeUnknown):
        helper.hash(["/etc/passwd"])
    assert not helper.alive()
    with pytest.raises(EngineFailed, match="paused"):
        ShellSession(engine, identity)
    stack.docker("unpause", identity)


def test_an_image_without_a_shell_has_no_helper_and_says_why(engine: Engine, stack: Stack) -> None:
    helper = engine.shell(stack.run("freshd-static:1"))
    assert not helper.available
    assert "/bin/sh" in helper.why


def test_a_rename_never_goes_into_or_over_a_directory(engine: Engine, shell: str) -> None:
    helper = engine.shell(shell)
    execs.run(engine, shell, ["sh", "-c", "mkdir -p /d/a /s; echo x >/s/a; echo y >/f"], timeout=9)
    assert helper.rename({"/d": ["/s/a"]})[1]
    assert helper.rename({"/f": ["/s/a"]})[1]
    assert helper.rename({"/nowhere": ["/s/a"]})[1]
    assert helper.hash(["/s/a", "/f"]).keys() == {"/s/a", "/f"}
    assert helper.rename({"/": ["/s/a"], "/d": ["/f"]}) == (True, "")
    assert helper.hash(["/a", "/d/f", "/s/a"]).keys() == {"/a", "/d/f"}


def test_a_path_in_a_name_is_never_part_of_the_script(engine: Engine, shell: str) -> None:
    helper = engine.shell(shell)
    names = ["/tmp/$(touch /bad)", "/tmp/`touch /bad`", "/tmp/;touch /bad", "/tmp/a\n/bad", "*"]
    assert helper.hash(names) == {}
    assert helper.links(names) == frozenset()
    helper.delete(names)
    assert archive.stat(engine, shell, "/bad") is None
    assert archive.stat(engine, shell, "/etc/passwd") is not None


def test_names_count_from_the_directory_they_share(engine: Engine, shell: str) -> None:
    helper = engine.shell(shell)
    odd = "/tmp/shared/od\nd"
    directories = [odd, "/tmp/else", "/tmp/shared/link"]
    assert execs.run(engine, shell, ["mkdir", "-p", *directories], timeout=9).ok
    assert helper.link("/etc/passwd", f"{odd}/a") == helper.link("/etc/passwd", f"{odd}/b") == ""
    assert set(helper.stat([f"{odd}/a", f"{odd}/b", odd])) == {f"{odd}/a", f"{odd}/b", odd}
    assert set(helper.hash([f"{odd}/a", f"{odd}/b"])) == {f"{odd}/a", f"{odd}/b"}
    assert helper.rename({"/tmp/else": [f"{odd}/a", f"{odd}/b"]}) == (True, "")
    assert set(helper.list("/tmp/else")) == {"a", "b"}
    assert helper.hash(["/tmp/none/a", "/tmp/none/b"]) == {}
    assert helper.stat(["/tmp/none/a", "/tmp/none/b"]) == {}
    assert helper.rename({"/tmp/else": ["/tmp/none/a", "/tmp/none/b"]})[1]
    assert set(helper.list("/tmp/else")) == {"a", "b"}
    assert set(helper.stat(["/tmp", "/"])) == {"/tmp", "/"}


def test_thousands_of_names_of_any_kind_go_and_come_back(engine: Engine, shell: str) -> None:
    odd = [
        "two\nlines",
        "end\n",
        "-n",
        "*",
        " a  b ",
        "tab\tbed",
        "back\\slash",
        "\udcff",
        "$x",
        "'",
    ]
    files = {name: name.encode(errors="surrogateescape") for name in odd}
    files |= {f"{number}{'x' * 90}": b"%d" % number for number in range(2500)}
    archive.put(engine, shell, path="/tmp", tar=tar_of({f"from/{n}": b for n, b in files.items()}))
    helper = engine.shell(shell)
    assert execs.run(engine, shell, ["mkdir", "/tmp/to"], timeout=9).ok
    places = [f"/tmp/from/{name}" for name in files]
    facts = helper.stat([*places, "/tmp/from/none", "/tmp/from/no\nne"])
    assert {place: fact.size for place, fact in facts.items()} == {
        f"/tmp/from/{name}": len(content) for name, content in files.items()
    }
    assert helper.rename({"/tmp/to": places}) == (True, "")
    assert set(helper.hash([*places, f"/tmp/to/{odd[0]}"])) == {f"/tmp/to/{odd[0]}"}
    there = [f"/tmp/to/{name}" for name in files]
    assert helper.hash(there) == {
        f"/tmp/to/{name}": hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert helper.links(there) == frozenset()
    assert helper.delete(there) == ""
    assert helper.list("/tmp/to") == helper.list("/tmp/from") == ()


def test_a_name_is_no_option_and_the_path_of_the_image_is_not_used(
    engine: Engine, stack: Stack
) -> None:
    idle = ("freshd-python:1", "/bin/sleep", "600")
    identity = stack.run(*idle, options=["-w", "/w", "-e", "PATH=/nowhere"])
    helper = engine.shell(identity)
    assert helper.available, helper.why
    script = "cd /w; >-c; mkdir -- -d -m; >-d/in; >'a b'; >'*'; >kept"
    argv = ["/bin/sh", "-c", f"PATH=/bin; {script}"]
    assert execs.run(engine, identity, argv, timeout=9).ok
    assert helper.hash(["-c"]).keys() == helper.stat(["-c"]).keys() == {"-c"}
    assert helper.list("-d") == ("in",)
    assert (helper.link("-s", "-l"), helper.read_link("-l")) == ("", b"-s")
    assert helper.rename({"/w/-m": ["-c"]}) == (True, "")
    assert helper.delete(["/w/-m/-c", "/w/-l", "/w/a b", "/w/*"]) == ""
    assert helper.remove_directories(["/w/-m"]) == ""
    assert helper.delete(["/w/-d"]), "a directory is never deleted with what it holds"
    assert set(helper.list("/w")) == {"-d", "kept"}
    assert helper.list("-d") == ("in",)


# ---- images


def test_a_probe_shows_files_and_leaves_nothing(engine: Engine, stack: Stack) -> None:
    image = engine.image("freshd-busybox:1")
    assert image is not None
    with images.probe_container(engine, image.id) as probe:
        assert archive.stat(engine, probe, "/etc/passwd") is not None
        assert engine.replica(probe).state == "created"
    with pytest.raises(TargetGone):
        engine.replica(probe)
    with pytest.raises(TargetGone), images.probe_container(engine, "sha256:" + "0" * 64):
        pytest.fail("there is no such image")


def test_the_layers_of_an_image_come_with_their_diff_ids(engine: Engine, stack: Stack) -> None:
    stack.write(
        {
            "Dockerfile": "FROM freshd-busybox:1\nWORKDIR /w\nCOPY f /w/f\n"
            'RUN rm /w/f && echo y >/y\nENV A=b\nCMD ["sh"]\n',
            "f": "f",
        }
    )
    stack.docker("build", "-q", "-t", stack.project, ".")
    image = engine.image(stack.project)
    assert image is not None
    saved = images.save(engine, image.id)
    names: dict[str, set[str]] = {}
    for diff_id, member, _ in saved:
        names.setdefault(diff_id, set()).add(member.name.rstrip("/"))
    layers = engine.api.inspect_image(image.id)["RootFS"]["Layers"]
    assert {"w/.wh.f", "y"} <= names[layers[-1]]
    assert "w/f" in names[layers[-2]]
    assert [line.empty for line in saved.history][-5:] == [False, False, False, True, True]
    assert [line.empty for line in image.history] == [line.empty for line in saved.history]
    kept = [m.name for _, m, _ in images.save(engine, image.id, keep=lambda m: m.name == "y")]
    assert kept == ["y"]


# ---- events


def test_events_tell_what_happened_and_end_when_closed(engine: Engine, stack: Stack) -> None:
    stream = engine.events(None)
    seen: list[tuple[str, str, str]] = []
    thread = threading.Thread(target=lambda: seen.extend((e.kind, e.action, e.id) for e in stream))
    thread.start()
    identity = stack.run(*IDLE)
    stack.docker("rm", "-f", identity)
    since = time.time()
    with engine.events(since - 30) as past:
        first = next(event for event in past if event.id == identity)
    assert first.kind == "container"
    stream.close()
    thread.join()
    actions = [action for kind, action, i in seen if kind == "container" and i == identity]
    assert "start" in actions


def test_an_engine_that_stops_ends_the_stream_and_is_told_as_such(
    private_engine: PrivateEngine,
) -> None:
    endpoint = resolve(private_engine.environment)
    ended = threading.Event()

    with Engine(endpoint, timeout=5.0) as engine:
        stream = engine.events(None)

        def read() -> None:
            for _ in stream:
                pass
            ended.set()

        thread = threading.Thread(target=read)
        thread.start()
        private_engine.down()
        wait_until(ended.is_set, 120.0, what="the stream to end")
        thread.join()
        stream.close()
    with pytest.raises(EngineUnavailable, match="does not exist"):
        Engine(endpoint).ping()


# ---- compose


def test_the_model_needs_no_engine_and_errors_are_composes_own(
    stack: Stack, engine_env: Mapping[str, str], tmp_path: Path
) -> None:
    compose = Compose(Endpoint(f"unix://{tmp_path}/none", "the test"), engine_env)
    stack.write({"compose.yaml": "services: {web: {image: x}}"})
    model = compose.config(ComposeFiles(stack.directory))
    assert model["name"] == stack.project
    stack.write({"compose.yaml": "services: {web: {imagee: x}}"})
    with pytest.raises(ConfigError, match="imagee"):
        compose.config(ComposeFiles(stack.directory))
    with pytest.raises(ConfigError, match="no such file"):
        compose.config(ComposeFiles(stack.directory, (stack.path("none.yaml"),)))


def test_scale_and_profile_and_project_reach_compose(
    engine: Engine, stack: Stack, engine_env: Mapping[str, str]
) -> None:
    body = "services: {web: {image: 'freshd-busybox:1', command: [sleep, '600'], profiles: [p]}}"
    stack.write({"other.yaml": body})
    files = ComposeFiles(
        stack.directory, (stack.path("other.yaml"),), stack.project, profiles=("p",)
    )
    compose = Compose(engine.endpoint, engine_env)
    result = compose.up(files, ["web"], scale={"web": 3})
    assert result.ok, result
    assert len(engine.replicas(project=stack.project)) == 3
    assert compose.prune_context().ok
