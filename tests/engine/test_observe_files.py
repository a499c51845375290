"""What `observe` says of containers of three kinds of image, against content the test wrote.

``busybox`` and ``python`` (coreutils) have commands to ask; ``scratch`` has one static binary and
no shell, so only the engine's archives can tell.
"""

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import pytest

from freshd.engine.client import Engine
from freshd.engine.container import contents
from freshd.engine.transport.endpoint import resolve
from freshd.model.errors import TargetGone
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Observation, Replica
from freshd.observe.container import exec_scan
from freshd.observe.container.files import observe
from freshd.store import Store, memory_store
from tests.harness.docker import Docker
from tests.harness.stack import LABEL, unique_name

Start: TypeAlias = Callable[..., Replica]

IMAGES = {"busybox": "freshd-busybox:1", "python": "freshd-python:1"}
NOT_UTF8 = b"/data/\xff\xfe not utf-8"
ODD_NAMES = (
    b"/data/two\nlines",
    b"/data/back\\slash",
    b'/data/it\'s "quoted"',
    b"/data/-n",
    b"/data/ lead and trail ",
    b"/data/tab\tand\rreturn",
    NOT_UTF8,
    "/data/ünïcödé".encode(),
    b"/data/$(reboot) `x` *?[a]",
    b"/data/" + b"n" * 255,
    b"/data/" + b"/".join([b"d" * 200] * 10) + b"/deep",
    b"/data/dir\nwith newline/f",
    b"/data/dir//".rstrip(b"/") + b"/.hidden",
)


@pytest.fixture(scope="module")
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    with Engine(resolve(engine_env)) as made:
        yield made


@pytest.fixture
def store() -> Iterator[Store]:
    made = memory_store()
    yield made
    made.close()


@pytest.fixture(scope="module")
def scratch_image(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One binary and nothing else: busybox as /sleep, which then has no other applet's name."""
    name = unique_name("fdobs-")
    context = tmp_path_factory.mktemp("scratch")
    (context / "Dockerfile").write_text(
        "FROM scratch\nCOPY --from=freshd-busybox:1 /bin/busybox /sleep\n"
        'CMD ["/sleep", "infinity"]\n'
    )
    docker("build", "-q", "-t", name, str(context))
    yield name
    docker("image", "rm", "-f", name, check=False)


@pytest.fixture
def start(engine: Engine, docker: Docker, request: pytest.FixtureRequest) -> Iterator[Start]:
    """``start(kind, *docker run options)``: a running container, removed with its volumes."""
    made: list[str] = []

    def run(kind: str, *options: str) -> Replica:
        if kind == "scratch":
            image, command = request.getfixturevalue("scratch_image"), ["/sleep", "infinity"]
        else:
            image, command = IMAGES[kind], ["sleep", "infinity"]
        argv = ("run", "-d", "--init", "--label", LABEL, *options, image, *command)
        made.append(docker(*argv).stdout.decode().strip())
        return engine.replica(made[-1])

    yield run
    for container in made:
        docker("rm", "-f", "-v", container, check=False)


def fill(
    docker: Docker, replica: Replica, members: Mapping[bytes, bytes | tarfile.TarInfo]
) -> None:
    """Write files (content) and other members below / without asking freshd."""
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for raw, content in members.items():
            info = tarfile.TarInfo(os.fsdecode(raw).lstrip("/"))
            if isinstance(content, tarfile.TarInfo):
                content.name = info.name
                tar.addfile(content)
                continue
            info.size = len(content)
            info.mtime = int(time.time()) - 1000
            tar.addfile(info, io.BytesIO(content))
    docker("cp", "-", f"{replica.id}:/", stdin=spool.getvalue())


def link(text: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, text
    return info


def file(content: bytes, mode: int = 0o644) -> Entry:
    return Entry(Kind.FILE, hashlib.sha256(content).hexdigest(), len(content), mode)


def names(members: Mapping[bytes, object]) -> list[str]:
    return [os.fsdecode(raw) for raw in members]


@pytest.fixture(params=["busybox", "python", "scratch"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["busybox", "python"])
def able(request: pytest.FixtureRequest) -> str:
    """An image with commands to ask."""
    return str(request.param)


def test_odd_names_are_observed_bit_for_bit(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind)
    members = {name: b"content of " + name for name in ODD_NAMES}
    fill(docker, replica, members)
    missing = [f"{name}?" for name in names(members) if len(os.path.basename(name)) < 255]
    for _ in range(2):  # the second look comes from the cache where there is one
        seen = observe(engine, replica, [*names(members), *missing], cache=store.container_hashes)
        assert not seen.problem
        assert seen.files == {os.fsdecode(name): file(content) for name, content in members.items()}


def test_every_kind_of_path_is_told_apart(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind)
    directory = tarfile.TarInfo()
    directory.type, directory.mode = tarfile.DIRTYPE, 0o750
    fill(
        docker,
        replica,
        {
            b"/data/file": b"x",
            b"/data/empty": b"",
            b"/data/dir": directory,
            b"/data/link": link("file"),
            b"/data/dangling": link("no/such \n thing"),
            b"/data/hard": link("data/file", tarfile.LNKTYPE),
            b"/data/fifo": link("", tarfile.FIFOTYPE),
            b"/alias": link("data"),
        },
    )
    asked = ["file", "empty", "dir", "link", "dangling", "hard", "fifo", "gone", "file/x"]
    paths = [f"/data/{name}" for name in asked] + ["/alias/file", "/alias/gone", "/nowhere/x"]
    seen = observe(engine, replica, paths, cache=store.container_hashes)
    kinds = {path: entry.kind for path, entry in seen.files.items()}
    assert kinds == {
        "/data/file": Kind.FILE,
        "/data/empty": Kind.FILE,
        "/data/dir": Kind.DIR,
        "/data/link": Kind.LINK,
        "/data/dangling": Kind.LINK,
        "/data/hard": Kind.FILE,
        "/data/fifo": Kind.OTHER,
        "/alias/file": Kind.FILE,
    }
    assert seen.files["/data/hard"] == seen.files["/alias/file"] == file(b"x")
    assert seen.files["/data/dangling"].digest == hashlib.sha256(b"no/such \n thing").hexdigest()
    assert seen.files["/data/dir"].mode == 0o750


def test_a_loop_of_links_is_a_link_or_unreadable_and_never_missing(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    """The engine follows links to tell where they lead, and fails on a loop."""
    replica = start(kind)
    fill(docker, replica, {b"/data/loop": link("loop")})
    seen = observe(engine, replica, ["/data/loop", "/data/loop/x"], cache=store.container_hashes)
    expected = Kind.UNREADABLE if kind == "scratch" else Kind.LINK
    assert seen.files["/data/loop"].kind is expected
    assert seen.files["/data/loop/x"].kind is Kind.UNREADABLE
    assert seen.files["/data/loop/x"].reason


def test_modes_are_observed(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind)
    members = {}
    for mode in (0o644, 0o755, 0o600, 0o4755, 0o000):
        info = tarfile.TarInfo()
        info.mode = mode
        members[b"/data/%o" % mode] = info
    fill(docker, replica, members)
    seen = observe(engine, replica, names(members), cache=store.container_hashes)
    assert {path: f"/data/{entry.mode:o}" for path, entry in seen.files.items()} == {
        path: path for path in names(members)
    }


def test_a_change_is_seen_whatever_the_cache_remembers(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    """Same size, same modification time, within the same second as the look before."""
    replica = start(kind)
    for content in (b"one", b"two", b"six"):
        fill(docker, replica, {b"/data/f": content})
        seen = observe(engine, replica, ["/data/f"], cache=store.container_hashes)
        assert seen.files == {"/data/f": file(content)}


def test_old_files_are_not_hashed_again_unless_asked_to(
    engine: Engine, store: Store, docker: Docker, start: Start, able: str
) -> None:
    replica = start(able)
    fill(docker, replica, {b"/data/f": b"x", b"/data/l": link("f")})
    paths = ["/data/f", "/data/l"]

    def later() -> float:
        return time.time() + 3600

    fresh = observe(engine, replica, paths, cache=store.container_hashes)
    assert store.container_hashes.get_many(replica.id, None) == {}, (
        "stamps of this second are not kept"
    )
    with_old = exec_scan.scan(engine, replica.id, set(paths), known={}, clock=later)
    assert with_old.signed == {}, "the container's own clock counts as well"
    assert observe(engine, replica, paths, cache=store.container_hashes) == fresh
    printed = docker("exec", replica.id, "stat", "-c", "%f %s %.9Y %.9Z %i", "/data/f").stdout
    lie = {"/data/f": (printed.decode().strip(), file(b"?"))}
    store.container_hashes.put_many(replica.id, lie)
    cached = observe(engine, replica, paths, cache=store.container_hashes)
    assert cached.files["/data/f"] == file(b"?"), "an equal signature is believed"
    verified = observe(engine, replica, paths, cache=store.container_hashes, full=True)
    assert verified == fresh, "full reads everything"


def test_a_stamp_is_read_to_the_nanosecond_where_stat_tells_it(
    engine: Engine, docker: Docker, start: Start, able: str
) -> None:
    """Two writes within a second are two signatures; coreutils prints the locale's own comma."""
    replica = start(able)
    fill(docker, replica, {b"/data/f": b"x"})
    look = exec_scan.scan(engine, replica.id, {"/data/f"}, known={})
    printed = docker("exec", replica.id, "stat", "-c", "%.9Z", "/data/f").stdout.decode().strip()
    assert look.after["/data/f"].split(" ")[3] == printed
    assert ("." in printed) == (able == "python"), "busybox tells whole seconds"


def test_files_of_the_image_are_kept_in_the_cache(
    engine: Engine, store: Store, start: Start, able: str
) -> None:
    replica = start(able)
    path = {"busybox": "/bin/busybox", "python": "/usr/lib/os-release"}[able]
    seen = observe(engine, replica, [path], cache=store.container_hashes)
    row = store.container_hashes.get_many(replica.id, [path])[path]
    assert row[1] == seen.files[path]


@pytest.mark.parametrize("state", ["created", "exited", "paused"])
def test_containers_that_run_nothing_are_observed_too(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str, state: str
) -> None:
    replica = start(kind, "-v", "/vol", "--tmpfs", "/tmp/t")
    members: dict[bytes, bytes | tarfile.TarInfo] = {
        **{name: name for name in ODD_NAMES if name != NOT_UTF8},
        b"/vol/x": b"in a volume",
        b"/data/link": link("a\nb"),
        b"/alias": link("/data"),
    }
    if state == "created":
        created = docker("create", "--label", LABEL, "-v", "/vol", replica.image_id, "true")
        other = created.stdout.decode().strip()
        docker("rm", "-f", "-v", replica.id)
        replica = engine.replica(other)
    try:
        fill(docker, replica, members)
        if state == "exited":
            docker("kill", replica.id)
            docker("wait", replica.id)
        if state == "paused":
            docker("pause", replica.id)
        replica = engine.replica(replica.id)
        assert replica.state == state
        asked = [*names(members), "/alias/-n", "/vol/y", "/gone/x"]
        seen = observe(engine, replica, asked, cache=store.container_hashes)
    finally:
        docker("rm", "-f", "-v", replica.id)
    expected = {
        os.fsdecode(name): file(content)
        for name, content in members.items()
        if isinstance(content, bytes)
    }
    expected["/alias/-n"] = file(b"/data/-n")
    links = {path: entry for path, entry in seen.files.items() if entry.kind is Kind.LINK}
    assert {p: e for p, e in seen.files.items() if p not in links} == expected
    assert links["/data/link"].digest == hashlib.sha256(b"a\nb").hexdigest()
    assert links.keys() == {"/data/link", "/alias"}


@pytest.mark.needs_engine(
    23, "gives no archive of a file whose name is not UTF-8: `unverifiable` without a shell"
)
def test_a_name_that_is_not_utf8_is_read_without_a_shell_too(
    engine: Engine, store: Store, docker: Docker, start: Start
) -> None:
    replica = start("scratch")
    fill(docker, replica, {NOT_UTF8: b"content"})
    name = os.fsdecode(NOT_UTF8)
    seen = observe(engine, replica, [name], cache=store.container_hashes)
    assert seen.files == {name: file(b"content")}


def test_mounts_are_seen_through(
    engine: Engine,
    store: Store,
    docker: Docker,
    start: Start,
    kind: str,
    tmp_path: os.PathLike[str],
) -> None:
    host = os.path.join(tmp_path, "bind")
    os.mkdir(host)
    with open(os.path.join(host, "h"), "wb") as out:
        out.write(b"on the host")
    replica = start(kind, "--read-only", "-v", f"{host}:/bind", "-v", "/vol")
    docker("cp", "-", f"{replica.id}:/vol", stdin=_one_file_tar("v", b"in the volume"))
    seen = observe(engine, replica, ["/bind/h", "/vol/v", "/vol/w"], cache=store.container_hashes)
    assert seen.files == {"/bind/h": file(b"on the host"), "/vol/v": file(b"in the volume")}


def _one_file_tar(name: str, content: bytes) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return spool.getvalue()


def test_a_tmpfs_is_read_by_commands_inside(
    engine: Engine, store: Store, docker: Docker, start: Start, able: str
) -> None:
    replica = start(able, "--tmpfs", "/ram")
    fill(docker, replica, {b"/ram/x": b"in the layer below the tmpfs, which no process sees"})
    script = 'echo ram >/ram/x; echo odd >"/ram/new\nline"; ln -s x "/ram/li\nnk"'
    docker("exec", replica.id, "sh", "-c", script)
    paths = ["/ram/x", "/ram/new\nline", "/ram/li\nnk", "/ram/y"]
    seen = observe(engine, replica, paths, cache=store.container_hashes)
    assert seen.files["/ram/x"] == file(b"ram\n")
    assert seen.files["/ram/new\nline"] == file(b"odd\n")
    assert seen.files["/ram/li\nnk"].digest == hashlib.sha256(b"x").hexdigest()
    assert "/ram/y" not in seen.files


def test_a_tmpfs_that_cannot_be_read_is_unreadable_and_never_equal(
    engine: Engine, store: Store, docker: Docker, start: Start
) -> None:
    replica = start("scratch", "--tmpfs", "/ram")
    fill(docker, replica, {b"/ram/x": b"in the layer below the tmpfs"})
    seen = observe(engine, replica, ["/ram/x", "/ram/y"], cache=store.container_hashes)
    assert {entry.kind for entry in seen.files.values()} == {Kind.UNREADABLE}
    assert seen.files.keys() == {"/ram/x", "/ram/y"}
    assert "tmpfs" in seen.files["/ram/x"].reason


def test_what_the_image_user_may_not_read_is_read(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind, "--user", "1234", "--cap-drop", "ALL")
    secret = tarfile.TarInfo()
    secret.type, secret.mode, secret.uid = tarfile.DIRTYPE, 0o700, 4321
    fill(docker, replica, {b"/data/locked": secret})
    fill(docker, replica, {b"/data/locked/f": b"x", b"/data/plain": b"y"})
    paths = ["/data/locked/f", "/data/locked/gone", "/data/plain"]
    seen = observe(engine, replica, paths, cache=store.container_hashes)
    assert seen.files == {"/data/locked/f": file(b"x"), "/data/plain": file(b"y")}


def test_a_file_that_nobody_can_read_is_unreadable_with_a_reason(
    engine: Engine, store: Store, docker: Docker, start: Start, able: str
) -> None:
    """On a tmpfs, owned by another user, in a container whose root has no capabilities."""
    replica = start(able, "--cap-drop", "ALL", "--tmpfs", "/ram:mode=777")
    docker("exec", "-u", "4321", replica.id, "sh", "-c", "umask 077; echo x >/ram/f")
    seen = observe(engine, replica, ["/ram/f"], cache=store.container_hashes)
    entry = seen.files["/ram/f"]
    assert entry.kind is Kind.UNREADABLE
    assert "could not be read" in entry.reason
    assert seen.problem == ""


def test_paths_of_the_kernel_and_malformed_ones_are_not_taken_from_archives(
    engine: Engine, store: Store, docker: Docker, start: Start
) -> None:
    replica = start("scratch")
    asked = ["/proc/version", "relative", "/a/../b", "/nul\0", ""]
    seen = observe(engine, replica, asked, cache=store.container_hashes)
    assert seen.files.keys() == set(asked)
    assert {entry.kind for entry in seen.files.values()} == {Kind.UNREADABLE}
    assert all(entry.reason for entry in seen.files.values())


def test_a_big_file_is_hashed_whole(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind)
    big = bytes(range(256)) * 4096 * 24 + b"end"
    fill(docker, replica, {b"/data/big": big, b"/data/small": b"x"})
    seen = observe(engine, replica, ["/data/big", "/data/small"], cache=store.container_hashes)
    assert seen.files == {"/data/big": file(big), "/data/small": file(b"x")}


def test_seven_thousand_files_are_all_observed_and_the_changed_ones_found(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind)
    members: dict[bytes, bytes] = {
        b"/data/src/p%d/f%d.py" % (number % 300, number): b"%d" % number for number in range(7000)
    }
    fill(docker, replica, members)
    expected = {os.fsdecode(path): file(content) for path, content in members.items()}
    asked = [*expected, *(f"/data/src/gone{number}" for number in range(3000))]
    assert observe(engine, replica, asked, cache=store.container_hashes).files == expected
    changed = dict.fromkeys(list(members)[::700], b"new")
    fill(docker, replica, changed)
    expected |= {os.fsdecode(path): file(content) for path, content in changed.items()}
    assert observe(engine, replica, list(expected), cache=store.container_hashes).files == expected


def test_links_to_directories_inside_a_fetched_tree_are_followed(
    engine: Engine, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind)
    real = {b"/data/releases/1/f%d" % number: b"%d" % number for number in range(100)}
    fill(docker, replica, {**real, b"/data/current": link("releases/1"), b"/top": link("/data")})
    for prefix in ("/data/releases/1", "/data/current", "/top/current", "/top/releases/1"):
        wanted = {f"{prefix}/f{n}": file(b"%d" % n) for n in range(100)}
        assert contents.read(engine, replica.id, [*wanted, f"{prefix}/no"]) == {
            **wanted,
            f"{prefix}/no": None,
        }


def test_hard_links_in_a_fetched_tree_have_their_content(
    engine: Engine, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind)
    members: dict[bytes, bytes | tarfile.TarInfo] = {b"/data/a/%d" % n: b"x" for n in range(50)}
    members[b"/data/a/first"] = b"shared"
    members[b"/data/a/second"] = link("data/a/first", tarfile.LNKTYPE)
    members[b"/data/a/third"] = link("data/a/first", tarfile.LNKTYPE)
    fill(docker, replica, members)
    for left_out in ("/data/a/first", "/data/a/none"):
        asked = [name for name in names(members) if name != left_out]
        found = contents.read(engine, replica.id, asked)
        assert found["/data/a/second"] == found["/data/a/third"] == file(b"shared")


def test_a_container_that_was_removed_is_gone(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind)
    docker("rm", "-f", replica.id)
    with pytest.raises(TargetGone):
        observe(engine, replica, ["/etc/passwd"], cache=store.container_hashes)


def test_a_container_removed_in_the_middle_is_gone_and_never_empty(
    engine: Engine,
    store: Store,
    docker: Docker,
    start: Start,
    able: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It vanishes between the stat and the hashes: no file may then count as missing."""
    replica = start(able)
    fill(docker, replica, {b"/data/f": b"x"})
    hashing = exec_scan._digests

    def vanish(*args: object) -> dict[str, str]:
        docker("rm", "-f", replica.id)
        return hashing(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(exec_scan, "_hash_and_stat", exec_scan._stat)
    monkeypatch.setattr(exec_scan, "_digests", vanish)
    with pytest.raises(TargetGone):
        observe(engine, replica, ["/data/f"], cache=store.container_hashes)


def test_a_container_that_stopped_since_it_was_inspected_is_still_observed(
    engine: Engine, store: Store, docker: Docker, start: Start, kind: str
) -> None:
    replica = start(kind)
    fill(docker, replica, {b"/data/f": b"x"})
    docker("kill", replica.id)
    docker("wait", replica.id)
    assert replica.running, "the value says what was, not what is"
    seen = observe(engine, replica, ["/data/f"], cache=store.container_hashes)
    assert seen.files == {"/data/f": file(b"x")}


@pytest.mark.parametrize(
    "script",
    [
        "#!/bin/sh\nexit 0\n",
        "#!/bin/sh\necho nonsense; exit 3\n",
        "#!/bin/sh\nexec head -c 9000000 /dev/zero\n",
        "#!/bin/sh\nkill -9 $$\n",
        "not a program",
    ],
)
@pytest.mark.parametrize("tool", ["stat", "sha256sum", "xargs"])
def test_tools_that_answer_nonsense_change_nothing(
    engine: Engine, store: Store, docker: Docker, start: Start, script: str, tool: str
) -> None:
    replica = start("python")
    fake = tarfile.TarInfo()
    fake.mode = 0o755
    fill(docker, replica, {b"/data/f": b"x", f"/usr/local/bin/{tool}".encode(): script.encode()})
    docker("exec", replica.id, "/bin/chmod", "755", f"/usr/local/bin/{tool}")
    seen = observe(engine, replica, ["/data/f", "/data/gone"], cache=store.container_hashes)
    assert seen == Observation(
        replica, frozenset(["/data/f", "/data/gone"]), {"/data/f": file(b"x")}
    )


def test_a_command_that_never_ends_gives_a_problem_and_no_answer(
    engine: Engine,
    store: Store,
    docker: Docker,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replica = start("python")
    fill(docker, replica, {b"/usr/local/bin/stat": b"#!/bin/sh\nexec sleep 60\n"})
    docker("exec", replica.id, "chmod", "755", "/usr/local/bin/stat")
    monkeypatch.setattr(exec_scan, "_BOTH_SECONDS", 1.0)
    monkeypatch.setattr(exec_scan, "_STAT_SECONDS", 1.0)
    seen = observe(engine, replica, ["/etc/passwd"], cache=store.container_hashes)
    assert seen.problem
    assert seen.files == {}


def test_what_takes_too_long_at_once_is_read_step_by_step(
    engine: Engine,
    store: Store,
    docker: Docker,
    start: Start,
    able: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replica = start(able)
    fill(docker, replica, {b"/data/f": b"x"})
    monkeypatch.setattr(exec_scan, "_HASH_AND_STAT", ("sleep", "5"))
    monkeypatch.setattr(exec_scan, "_BOTH_SECONDS", 0.5)
    seen = observe(engine, replica, ["/data/f", "/data/gone"], cache=store.container_hashes)
    assert seen.files == {"/data/f": file(b"x")}
    assert not seen.problem


def test_a_link_to_a_fifo_does_not_stop_the_look(
    engine: Engine, store: Store, docker: Docker, start: Start, able: str
) -> None:
    replica = start(able)
    fifo = link("", tarfile.FIFOTYPE)
    fill(docker, replica, {b"/data/p": fifo, b"/data/l": link("p"), b"/data/f": b"x"})
    seen = observe(engine, replica, ["/data/l", "/data/f", "/data/p"], cache=store.container_hashes)
    assert seen.files["/data/f"] == file(b"x")
    assert seen.files["/data/l"].kind is Kind.LINK
    assert seen.files["/data/p"].kind is Kind.OTHER


def test_nothing_asked_is_nothing_seen(
    engine: Engine, store: Store, start: Start, able: str
) -> None:
    replica = start(able)
    assert observe(engine, replica, [], cache=store.container_hashes) == Observation(replica)
    stopped = replace(replica, state="exited")
    assert observe(engine, stopped, [], cache=store.container_hashes) == Observation(stopped)
