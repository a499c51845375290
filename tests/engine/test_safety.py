"""The safety rules of writing into containers, each seen to hold on a real engine.

A recorder stands between freshd and the engine's archive endpoint: what is to be refused must be
refused before any upload, and host directories must come out untouched.
"""

import io
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import pytest

from freshd import act
from freshd.act import tally
from freshd.act.write import prepare, rules, staging
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container.shell_session import ShellSession
from freshd.engine.container.spool import Spool
from freshd.engine.transport import http
from freshd.engine.transport.endpoint import Endpoint, resolve
from freshd.model.errors import EngineFailed, OutcomeUnknown, StepRefused, TargetGone
from freshd.model.files import Entry, Kind
from freshd.model.plan import FileChange, Outcome, Step, StepStatus
from freshd.model.remedy import Remedy
from tests.engine.worlds import Site, digest, inject, removal
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

IDLE = ("freshd-busybox:1", "sleep", "600")
IMAGE_THAT_STARTS = """FROM freshd-busybox:1
COPY start health tool /
HEALTHCHECK --interval=1h CMD /health
ENTRYPOINT ["/start"]
"""
STARTS = {
    "/start": b"#!/bin/sh\nexec sleep 1000000\n",
    "/health": b"#!/bin/sh\ntrue\n",
    "/tool": b"#!/bin/sh\ntrue\n",
}


@pytest.fixture(scope="module")
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    with Engine(resolve(engine_env)) as made:
        yield made


@pytest.fixture
def site(engine: Engine) -> Site:
    return Site(engine)


@dataclass
class Uploads:
    """Every request that freshd sent by its own HTTP; ``puts`` are the uploads."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    @property
    def puts(self) -> list[str]:
        return [target for method, target in self.sent if method == "PUT"]


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> Uploads:
    seen = Uploads()
    real = http.request

    def record(
        endpoint: Endpoint,
        method: str,
        target: str,
        *,
        deadline: float,
        body: IO[bytes] | None = None,
        **more: Any,
    ) -> http.HttpAnswer:
        seen.sent.append((method, target))
        return real(endpoint, method, target, deadline=deadline, body=body, **more)

    monkeypatch.setattr(http, "request", record)
    return seen


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A directory of the host that no write may reach."""
    directory = tmp_path / "host"
    directory.mkdir()
    (directory / "a.txt").write_bytes(b"precious")
    return directory


def untouched(host: Path) -> bool:
    return {p.name: p.read_bytes() for p in host.iterdir()} == {"a.txt": b"precious"}


def run_inject(site: Site, container: str, target: str, content: bytes = b"new") -> Outcome:
    return act.run(inject(container, site.change(target, content)), site.world())


def test_a_file_named_like_a_bind_mounted_directory_leaves_the_host_directory_alone(
    site: Site, stack: Stack, host: Path, uploads: Uploads
) -> None:
    """An upload with the engine's defaults deletes everything in the host directory."""
    identity = stack.run(*IDLE, options=["-v", f"{host}:/app/hostrw"])
    for target in ("/app/hostrw", "/app"):
        outcome = run_inject(site, identity, target)
        assert outcome.status is StepStatus.REFUSED, outcome
        assert "mount" in outcome.detail
    assert not uploads.puts
    assert untouched(host)


def test_the_engine_itself_is_told_not_to_replace_a_directory_by_a_file(
    site: Site, stack: Stack, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second line of defence: with every check of ours gone, the flag alone keeps the host."""
    identity = stack.run(*IDLE, options=["-v", f"{host}:/hostrw"])
    monkeypatch.setattr(rules, "find_objection", lambda *_, **__: None)
    monkeypatch.setattr(rules, "find_top", lambda *_: "/")  # else it is no file named like a mount
    monkeypatch.setattr(prepare, "_occupied", lambda *_: None)
    monkeypatch.setattr(ShellSession, "available", property(lambda _: False))
    outcome = run_inject(site, identity, "/hostrw")
    assert untouched(host)
    assert outcome.status is StepStatus.FAILED
    assert "directory" in outcome.detail


@pytest.mark.parametrize(
    "target",
    [
        "/app/rw/x", "/app/rw/deep/x", "/app/ro/x", "/app/one.txt", "/app/tmpfs/x", "/dev/x",
        "/dev/shm/x", "/proc/sys/x", "/sys/x", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
        "/app/../app/rw/x", "/app//rw/x", "/app/rw/", "relative", "/", "/.freshd-x/y",
    ],
)  # fmt: skip
def test_mounts_kernel_directories_and_crooked_paths_are_refused_before_any_upload(
    site: Site, stack: Stack, host: Path, uploads: Uploads, target: str
) -> None:
    options = ["-v", f"{host}:/app/rw", "-v", f"{host}:/app/ro:ro", "--tmpfs", "/app/tmpfs"]
    identity = stack.run(*IDLE, options=[*options, "-v", f"{host}/a.txt:/app/one.txt"])
    site.volumes = True  # permits volumes and nothing else
    outcome = run_inject(site, identity, target)
    assert outcome.status is StepStatus.REFUSED, outcome
    assert not uploads.puts
    assert not site.journal.phases
    assert untouched(host)


@pytest.mark.parametrize("target", ["/app/evil/new.txt", "/app/evil/a.txt", "/app/evil"])
def test_a_planted_symbolic_link_stops_the_write(
    site: Site, stack: Stack, host: Path, uploads: Uploads, target: str
) -> None:
    identity = stack.run(*IDLE, options=["-v", f"{host}:/hostrw"])
    stack.exec(identity, ["sh", "-c", "mkdir /app && ln -s /hostrw /app/evil"])
    outcome = run_inject(site, identity, target)
    assert outcome.status is StepStatus.REFUSED
    assert "symbolic link" in outcome.detail
    assert not uploads.puts
    assert untouched(host)


def test_a_planted_symbolic_link_stops_the_write_without_a_shell_too(
    site: Site, stack: Stack, host: Path, uploads: Uploads
) -> None:
    stack.write({"Dockerfile": "FROM freshd-static:1\n"})
    identity = stack.run("freshd-static:1", options=["-v", f"{host}:/hostrw"])
    os.makedirs(stack.path("app"))
    os.symlink("/hostrw", stack.path("app/evil"))
    stack.docker("cp", stack.path("app"), f"{identity}:/")
    outcome = run_inject(site, identity, "/app/evil/new.txt")
    assert outcome.status is StepStatus.REFUSED, outcome
    assert not uploads.puts
    assert untouched(host)


def linked_image(stack: Stack, link: str) -> str:
    """An image of the test's own that has /app/current as a symbolic link itself."""
    stack.write({"Dockerfile": f"FROM freshd-busybox:1\nRUN mkdir -p /app/v1 && {link}\n"})
    stack.docker("build", "-q", "-t", stack.project, ".")
    return stack.project


def test_a_link_of_the_image_is_followed_where_it_ends_outside_every_mount(
    site: Site, stack: Stack
) -> None:
    image = linked_image(stack, "ln -s v1 /app/current")
    identity = stack.run(image, "sleep", "600")
    outcome = run_inject(site, identity, "/app/current/x")
    assert outcome.status is StepStatus.DONE, outcome
    assert stack.read(identity, "/app/v1/x") == b"new"
    assert stack.exec(identity, ["readlink", "/app/current"]).stdout.strip() == b"v1"


def test_a_link_of_the_image_that_ends_on_a_mount_is_refused(
    site: Site, stack: Stack, host: Path, uploads: Uploads
) -> None:
    image = linked_image(stack, "ln -s v1 /app/current")
    identity = stack.run(image, "sleep", "600", options=["-v", f"{host}:/app/v1"])
    outcome = run_inject(site, identity, "/app/current/x")
    assert outcome.status is StepStatus.REFUSED
    assert "bind mount /app/v1" in outcome.detail
    assert not uploads.puts
    assert untouched(host)


def test_a_link_that_was_turned_elsewhere_is_not_the_images(
    site: Site, stack: Stack, host: Path, uploads: Uploads
) -> None:
    image = linked_image(stack, "ln -s v1 /app/current")
    identity = stack.run(image, "sleep", "600", options=["-v", f"{host}:/hostrw"])
    for elsewhere in ("/hostrw", "/tmp"):
        turn = f"rm /app/current && ln -s {elsewhere} /app/current"
        stack.exec(identity, ["sh", "-c", turn])
        outcome = run_inject(site, identity, "/app/current/x")
        assert outcome.status is StepStatus.REFUSED
    assert not uploads.puts
    assert untouched(host)


def test_a_mount_whose_destination_leads_through_a_link_is_not_written_through(
    site: Site, stack: Stack, host: Path, uploads: Uploads
) -> None:
    """The engine mounts on what is behind the link, and goes on calling it by the link's name."""
    image = linked_image(stack, "ln -s v1 /app/current")
    identity = stack.run(image, "sleep", "600", options=["-v", f"{host}:/app/current/in"])
    for target in ("/app/v1/in/a.txt", "/app/current/in/a.txt"):
        outcome = run_inject(site, identity, target)
        assert outcome.status is StepStatus.REFUSED, outcome
        assert "bind mount /app/v1/in" in outcome.detail
    gone = act.run(inject(identity, removal("/app/v1/in/a.txt", b"precious")), site.world())
    assert gone.status is StepStatus.REFUSED
    assert not uploads.puts
    assert untouched(host)


@pytest.mark.parametrize("shell", [True, False])
def test_a_link_that_the_image_made_is_replaced_by_no_file(
    site: Site, stack: Stack, uploads: Uploads, *, shell: bool
) -> None:
    image = linked_image(stack, "echo x >/app/v1/real && ln -s v1/real /app/link")
    identity = stack.run(image, "sleep", "600")
    if not shell:
        stack.docker("stop", "-t", "0", identity)
    outcome = run_inject(site, identity, "/app/link")
    assert outcome.status is StepStatus.REFUSED, outcome
    assert "symbolic link in the image" in outcome.detail
    assert not uploads.puts
    found = archive.stat(site.engine, identity, "/app/link")
    assert found is not None
    assert found.kind is Kind.LINK


NEEDED = """FROM freshd-busybox:1
RUN mkdir -p /app/bin /app/work && ln -s app/bin /short && cp /bin/busybox /app/bin/busybox \\
 && printf '#!/bin/sh\\nexec sleep 600\\n' >/app/bin/start && chmod +x /app/bin/start \\
 && cp /app/bin/start /app/bin/found && cp /app/bin/start /app/work/argument \\
 && echo x >/app/work/checked && echo x >/app/free
ENV PATH=/app/bin:/bin:/usr/bin
WORKDIR /app/work
HEALTHCHECK --interval=1h CMD test -e ./checked && true
ENTRYPOINT ["/short/start"]
CMD ["found", "--file=argument"]
"""


def test_a_delete_spares_what_the_container_needs_to_start(site: Site, stack: Stack) -> None:
    """Named through a link, found on PATH, relative to where it runs, in a line for a shell."""
    stack.write({"Dockerfile": NEEDED})
    stack.docker("build", "-q", "-t", stack.project, ".")
    identity = stack.run(stack.project)
    names = ("bin/start", "bin/found", "work/argument", "work/checked", "free")
    for name in names:
        content = stack.read(identity, f"/app/{name}")
        assert content is not None
        step = inject(identity, removal(f"/app/{name}", content))
        outcome = act.run(step, site.world())
        wanted = StepStatus.DONE if name == "free" else StepStatus.REFUSED
        assert outcome.status is wanted, (name, outcome)
        if name != "free":
            assert "would not start again" in outcome.detail
    directory = replace(site.change("/app/work", b"a file in its place"), seen=Entry(Kind.DIR))
    assert act.run(inject(identity, directory), site.world()).status is StepStatus.REFUSED
    stack.docker("restart", "-t", "0", identity)
    assert site.engine.replica(identity).running


def test_deletes_go_neither_through_links_and_mounts_nor_for_what_is_no_such_file(
    site: Site, stack: Stack, host: Path
) -> None:
    (host / "empty").mkdir()
    identity = stack.run(*IDLE, options=["-v", f"{host}:/app/bound"])
    script = "cd /app && ln -s bound evil && ln -s x l && mkdir -p full/empty /srv/empty && "
    stack.exec(identity, ["sh", "-c", script + "touch full/file && mkfifo pipe"])

    def blocked(target: str) -> FileChange:
        change = site.change(target, b"a file takes the place of a directory")
        return replace(change, seen=Entry(Kind.DIR))

    changes = [
        removal("/app/bound/a.txt", b"precious"),
        removal("/app/evil/a.txt", b"precious"),
        removal("/app/l", b"x"),  # the text of the link has the digest of the file that was seen
        blocked("/app/bound/empty"),
        blocked("/app/evil/empty"),
        blocked("/app/full"),
        blocked("/srv/empty"),
        site.change("/app/pipe", b"no file is written over what is none"),
        replace(site.change("/app/new", b""), want=Entry(Kind.DIR)),
    ]
    outcomes = [act.run(inject(identity, each), site.world()) for each in changes]
    assert {outcome.status for outcome in outcomes} == {StepStatus.REFUSED}, outcomes
    assert sorted(os.listdir(host)) == ["a.txt", "empty"]
    held = stack.exec(identity, ["ls", "-F", "/app", "/app/full", "/srv"]).stdout.split()
    assert {b"evil@", b"l@", b"pipe|", b"empty/", b"file"} <= {*held}, held
    assert held.count(b"empty/") == 2


def test_nothing_is_deleted_that_is_not_proved_to_have_left_the_tree(
    site: Site, stack: Stack
) -> None:
    identity = stack.run(*IDLE)
    stack.exec(
        identity, ["sh", "-c", "mkdir /app; cd /app; for n in kept gone; do printf $n >$n; done"]
    )
    site.doubts["/app/kept"] = "src is a symbolic link, and is not followed"
    step = inject(identity, removal("/app/kept", b"kept"), removal("/app/gone", b"gone"))
    outcome = act.run(step, site.world())
    assert outcome.status is not StepStatus.DONE, outcome
    assert "/app/kept: nothing proves that it has left the tree: src is a sym" in outcome.detail
    assert stack.exec(identity, ["ls", "/app"]).stdout.split() == [b"kept"]


def test_a_symbolic_link_becomes_no_file_where_there_is_no_shell(site: Site, stack: Stack) -> None:
    identity = stack.run("freshd-static:1")
    link = site.change("/app/link", b"there", kind=Kind.LINK)
    outcome = act.run(inject(identity, link), site.world())
    assert outcome.status is StepStatus.REFUSED, outcome
    assert archive.stat(site.engine, identity, "/app/link") is None


def test_no_setuid_bit_reaches_a_container(site: Site, stack: Stack) -> None:
    identity = stack.run(*IDLE)
    change = site.change("/app/tool", b"#!/bin/sh\n", mode=0o6755)
    assert act.run(inject(identity, change), site.world()).status is StepStatus.DONE
    mode = stack.exec(identity, ["stat", "-c", "%a", "/app/tool"]).stdout.strip()
    assert mode == b"755"


@pytest.mark.parametrize("cut", [512, 1024, 1536, 2048])
def test_an_archive_that_is_not_whole_is_never_sent(
    site: Site, stack: Stack, uploads: Uploads, cut: int
) -> None:
    """The engine answers 200 to a tar that ends at a block boundary."""
    identity = stack.run(*IDLE)
    change = site.change("/app/x", b"x" * 700)
    with Spool() as spool:
        replica = site.engine.replica(identity)
        jobs, missing = prepare.prepare(site.world(), replica, None, [change], tally.Tally(), spool)
        with staging.pack_in_place("/", jobs, missing) as packed:
            tar = packed.read()
    part = io.BytesIO(tar.rstrip(b"\0")[:cut] or b"\0" * 512)
    with pytest.raises(EngineFailed, match="not a complete plain tar"):
        archive.put(site.engine, identity, path="/", tar=part)
    assert not uploads.puts


def test_what_is_read_back_different_is_not_done(
    site: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's 200 proves nothing; here it drops the upload and says 200."""
    identity = stack.run(*IDLE)
    stack.put(identity, "/x", b"old")
    real = http.request

    def dropping(endpoint: Endpoint, method: str, target: str, **rest: object) -> http.HttpAnswer:
        if method == "PUT":
            return http.HttpAnswer(200, {}, b"")
        return real(endpoint, method, target, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(http, "request", dropping)
    outcome = run_inject(site, identity, "/x")
    assert outcome.status is StepStatus.FAILED, outcome
    assert "read back" in outcome.detail
    assert not site.written.known
    assert stack.read(identity, "/x") == b"old"


def test_only_what_was_read_back_is_recorded_when_a_process_writes_over_it(
    site: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = stack.run(*IDLE)
    real = ShellSession.rename

    def then_overwritten(
        self: ShellSession, moves: Mapping[str, list[str]], *, keep_times: bool = False
    ) -> tuple[bool, str]:
        said = real(self, moves, keep_times=keep_times)
        script = "echo -n other >/b && chmod 600 /c && ln -sf d /d"
        stack.exec(identity, ["sh", "-c", script])
        return said

    monkeypatch.setattr(ShellSession, "rename", then_overwritten)
    changes = [site.change(f"/{name}", name.encode()) for name in "abc"]
    changes.append(site.change("/d", b"d", mode=0o777))  # as a link has it, and with its digest
    outcome = act.run(inject(identity, *changes), site.world())
    assert outcome.status is StepStatus.FAILED
    for name in "bcd":
        assert f"/{name}: read back, it is not what was written" in outcome.detail
    assert site.written.known == {(identity, "/a"): digest(b"a")}


def test_what_cannot_be_deleted_is_not_said_to_be(
    site: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = stack.run(*IDLE)
    stack.exec(identity, ["sh", "-c", "mkdir /app && echo -n x >/app/m.pyc"])
    monkeypatch.setattr(ShellSession, "delete", lambda *_: "it is busy")
    purge = Step(Remedy.PURGE, "web", ("x",), container_id=identity, patterns=("*.pyc",))
    for step in (inject(identity, removal("/app/m.pyc", b"x")), purge):
        outcome = act.run(step, site.world())
        assert outcome.status is StepStatus.FAILED, outcome
        assert "it is still there (it is busy)" in outcome.detail
        assert not site.written.known


def test_a_container_that_was_recreated_under_its_name_is_gone(site: Site, stack: Stack) -> None:
    name = f"{stack.project}-again"
    first = stack.run(*IDLE, name=name)
    stack.docker("rm", "-f", first)
    second = stack.run(*IDLE, name=name)
    step = replace(inject(first, site.change("/app/x", b"new")), container=name)
    outcome = act.run(step, site.world())
    assert outcome.status is StepStatus.GONE, outcome
    assert stack.read(second, "/app/x") is None
    with pytest.raises(TargetGone):
        site.engine.replica(name)
    with pytest.raises(TargetGone):
        site.engine.replica(second[:12])


@pytest.mark.parametrize("moment", ["put", "rename"])
def test_a_container_removed_in_the_middle_of_a_step_is_gone_and_never_done(
    site: Site, stack: Stack, moment: str
) -> None:
    identity = stack.run(*IDLE)
    real = site.journal.phase

    def removing(name: str, data: Mapping[str, object]) -> None:
        if name == moment:
            stack.docker("rm", "-f", identity)

    site.journal.phase = removing  # type: ignore[method-assign]
    outcome = run_inject(site, identity, "/app/x")
    site.journal.phase = real  # type: ignore[method-assign]
    assert outcome.status is StepStatus.GONE, outcome
    assert not site.written.known


def test_a_paused_container_is_left_alone(site: Site, stack: Stack, uploads: Uploads) -> None:
    identity = stack.run(*IDLE)
    stack.docker("pause", identity)
    outcome = run_inject(site, identity, "/app/x")
    stack.docker("unpause", identity)
    assert outcome.status is StepStatus.REFUSED
    assert "paused" in outcome.detail
    assert not uploads.puts


def test_a_container_paused_in_the_middle_is_unknown_and_nothing_is_recorded(
    site: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = stack.run(*IDLE)
    helper = site.engine.shell(identity)
    monkeypatch.setattr(helper, "_timeout", 0.5)

    def pausing(name: str, data: Mapping[str, object]) -> None:
        if name == "rename":
            stack.docker("pause", identity)

    site.journal.phase = pausing  # type: ignore[method-assign]
    outcome = run_inject(site, identity, "/app/x")
    stack.docker("unpause", identity)
    assert outcome.status is StepStatus.UNKNOWN, outcome
    assert not site.written.known


def test_a_read_only_root_is_refused_and_its_volume_is_not(
    site: Site, stack: Stack, uploads: Uploads
) -> None:
    options = ["--read-only", "-v", f"{stack.project}:/data"]
    identity = stack.run(*IDLE, options=options)
    outcome = run_inject(site, identity, "/app/x")
    assert outcome.status is StepStatus.REFUSED
    assert "read-only" in outcome.detail
    assert not uploads.puts
    left = "/data/.freshd-0123456789abcdef"
    stack.exec(identity, ["mkdir", left])
    assert run_inject(site, identity, "/data/x").status is StepStatus.REFUSED
    assert stack.exec(identity, ["ls", "-A", "/data"]).stdout, "not even tidied without leave"
    site.volumes = True
    assert run_inject(site, identity, "/data/x").status is StepStatus.DONE
    assert stack.exec(identity, ["ls", "-A", "/data"]).stdout == b"x\n"
    assert stack.read(identity, "/data/x") == b"new"
    stack.docker("rm", "-f", identity)
    stack.docker("volume", "rm", "-f", stack.project)


def test_an_argument_that_the_engine_would_change_is_refused(site: Site, stack: Stack) -> None:
    from freshd.engine.container import exec as execs

    identity = stack.run(*IDLE)
    with pytest.raises(StepRefused, match="not UTF-8"):
        execs.run(site.engine, identity, ["ls", "/\udcff"], timeout=5.0)


@pytest.mark.timeout(20)
def test_a_stalled_engine_is_left_at_the_deadline_and_the_outcome_is_unknown(
    stack: Stack, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Rule 4: an upload that does not end would hold the engine's lock on the container."""
    identity = stack.run(*IDLE)
    path = str(tmp_path / "s")
    stalled = socket.socket(socket.AF_UNIX)
    stalled.bind(path)
    stalled.listen()
    closed = threading.Event()

    def swallow() -> None:
        connection, _ = stalled.accept()
        while connection.recv(65536):
            pass
        connection.close()
        closed.set()

    thread = threading.Thread(target=swallow)
    thread.start()
    other = Engine(Endpoint(f"unix://{path}", "the test"))
    other._api = engine.api
    monkeypatch.setattr(archive, "_PUT_BASE_SECONDS", 0.3)
    with pytest.raises(OutcomeUnknown):
        archive.put(other, identity, path="/", tar=io.BytesIO(b"\0" * 10240))
    wait_until(closed.is_set, what="the connection to be closed")
    thread.join()
    stalled.close()


def test_a_purge_passes_over_bind_mounts_and_planted_links(
    site: Site, stack: Stack, host: Path
) -> None:
    """E18d: a purge that follows a link or a mount deletes files of the host."""
    names = {"a.pyc", "a.cpython-311.pyc"}
    (host / "a.txt").rename(host / "a.pyc")
    (host / "a.cpython-311.pyc").write_bytes(b"precious")
    identity = stack.run(*IDLE, options=["-v", f"{host}:/app/bound"])
    script = "mkdir -p /app/pkg /app/x && ln -s /app/bound /app/x/__pycache__ && touch /app/m.pyc"
    stack.exec(identity, ["sh", "-c", script + " && ln -s /app/bound /app/cache"])
    patterns = ("*.pyc", "__pycache__/", "/app/cache/**", "/app/bound/**")
    step = Step(Remedy.PURGE, "web", ("x",), container_id=identity, patterns=patterns)
    outcome = act.run(step, site.world())
    assert stack.read(identity, "/app/m.pyc") is None, outcome
    assert {p.name for p in host.iterdir()} == names
    for source in ("/app/x/a.py", "/app/bound/a.py", "/app/cache/a.py"):
        files = (site.change(source, b""),)
        step = Step(Remedy.PURGE, "web", ("x",), container_id=identity, files=files)
        act.run(step, site.world())
        assert {p.name for p in host.iterdir()} == names, source


@pytest.mark.parametrize("shell", [True, False], ids=["by its shell", "by the engine"])
def test_an_injection_leaves_what_a_container_starts_with_executable(
    site: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch, *, shell: bool
) -> None:
    """A checkout that has lost the execute bits: `core.fileMode = false`, Windows, a share."""
    stack.write({path.lstrip("/"): content for path, content in STARTS.items()}, mode=0o755)
    stack.write({"Dockerfile": IMAGE_THAT_STARTS})
    tag = f"{stack.project}:start"
    stack.docker("build", "-q", "-t", tag, stack.directory)
    stack.extra_images.append(tag)
    identity = stack.run(tag, options=["--init"])
    if not shell:
        monkeypatch.setattr(ShellSession, "available", property(lambda _: False))
    new = {path: content + b"# new\n" for path, content in STARTS.items()}
    changes = [site.change(path, content, mode=0o644) for path, content in new.items()]
    outcome = act.run(inject(identity, *changes), site.world())
    assert outcome.status is StepStatus.DONE, outcome
    assert "/start stays executable" in outcome.detail
    assert {path: stack.read(identity, path) for path in new} == new
    modes = stack.docker.words("exec", identity, "stat", "-c", "%a", "/start", "/health", "/tool")
    assert [*modes] == ["755", "755", "644"]

    # Nothing but the mode differs: there is nothing to be written.
    change = site.change("/start", new["/start"], mode=0o644)
    change = replace(change, seen=Entry(Kind.FILE, digest(new["/start"]), 0, 0o755))
    outcome = act.run(inject(identity, change), site.world())
    assert outcome.status is StepStatus.REFUSED, outcome
    assert "would not start again" in outcome.detail
    stack.docker("restart", "-t", "0", identity)
    assert "true" in stack.docker.words("inspect", "-f", "{{.State.Running}}", identity)
