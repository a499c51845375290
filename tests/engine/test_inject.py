"""Injection on a real engine: what a container holds afterwards, told by `docker exec` and `cp`."""

import io
import os
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import pytest

from freshd import act
from freshd.engine.client import Engine
from freshd.engine.container.shell_session import ShellSession
from freshd.engine.transport.endpoint import resolve
from freshd.model.errors import EngineFailed
from freshd.model.files import Kind
from freshd.model.plan import FileChange, StepStatus
from tests.engine.worlds import Site, digest, inject, removal
from tests.harness.docker import Docker
from tests.harness.stack import Stack

Run: TypeAlias = Callable[..., str]
IDLE = ("sleep", "600")


@pytest.fixture(scope="module")
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    with Engine(resolve(engine_env)) as made:
        yield made


@pytest.fixture
def site(engine: Engine) -> Site:
    return Site(engine)


@pytest.fixture(params=["freshd-busybox:1", "freshd-python:1"])
def shell(request: pytest.FixtureRequest, stack: Stack) -> str:
    """A running container of a small and of an ordinary image, with an /app of user 1000."""
    identity = stack.run(request.param, *IDLE)
    script = "mkdir -p /app/sub && echo old >/app/old.py && chmod 755 /app/old.py && "
    script += "chown -R 1000:1001 /app && chown 7:8 /app/old.py && chmod 750 /app/sub"
    stack.exec(identity, ["sh", "-c", script])
    return identity


def owner(stack: Stack, container: str, path: str) -> str:
    return stack.exec(container, ["stat", "-c", "%u:%g %a", path]).stdout.decode().strip()


def listing(stack: Stack, container: str) -> list[str]:
    return stack.exec(container, ["ls", "-A", "/"]).stdout.decode().split()


def test_a_file_is_replaced_with_the_owner_it_had_and_the_mode_of_the_tree(
    site: Site, stack: Stack, shell: str
) -> None:
    outcome = act.run(inject(shell, site.change("/app/old.py", b"new\n")), site.world())
    assert outcome.status is StepStatus.DONE, outcome
    assert stack.read(shell, "/app/old.py") == b"new\n"
    assert owner(stack, shell, "/app/old.py") == "7:8 644"
    assert site.written.known == {(shell, "/app/old.py"): digest(b"new\n")}
    assert site.journal.names == ["put", "rename", "verify"]


def test_a_new_file_and_its_missing_directories_take_the_owner_of_the_directory_above(
    site: Site, stack: Stack, shell: str
) -> None:
    stack.exec(shell, ["chmod", "2750", "/app/sub"])  # handed on, as by mkdir
    change = site.change("/app/sub/new/deep/run.sh", b"#!/bin/sh\n", mode=0o755)
    assert act.run(inject(shell, change), site.world()).status is StepStatus.DONE
    assert owner(stack, shell, "/app/sub/new/deep/run.sh") == "1000:1001 755"
    assert owner(stack, shell, "/app/sub/new") == "1000:1001 2750"
    assert owner(stack, shell, "/app/sub") == "1000:1001 2750"


def test_names_of_any_bytes_arrive_bit_exact(site: Site, stack: Stack, shell: str) -> None:
    names = [
        b"/app/two\nlines\n", b"/app/tab\tand\rreturn", b"/app/-n", b"/app/back\\slash\\n",
        b"/app/it's \"quoted\" $(id) `id` *?[a]", b"/app/\xff\xfe\x81\x88", b"/app/ spaces ",
        b"/app/dir\nodd/-f/x", b"/app/" + b"n" * 255,
    ]  # fmt: skip
    names += [b"/app/byte" + bytes([i]) for i in range(1, 256) if i != 0x2F]
    changes = [site.change(os.fsdecode(name), b"content of " + name) for name in names]
    outcome = act.run(inject(shell, *changes), site.world())
    assert outcome.status is StepStatus.DONE, outcome
    packed = stack.docker("cp", f"{shell}:/app", "-").stdout
    with tarfile.open(
        fileobj=io.BytesIO(packed), encoding="utf-8", errors="surrogateescape"
    ) as tar:
        found = {
            os.fsencode("/" + member.name): reader.read()
            for member in tar
            if (reader := tar.extractfile(member)) is not None
        }
    assert {name: found.get(name) for name in names} == {n: b"content of " + n for n in names}
    assert not [name for name in listing(stack, shell) if name.startswith(".freshd")]


def test_an_empty_file_and_a_large_one_arrive(site: Site, stack: Stack, shell: str) -> None:
    large = os.urandom(1024) * 9000
    changes = [site.change("/app/empty", b""), site.change("/app/large", large)]
    assert act.run(inject(shell, *changes), site.world()).status is StepStatus.DONE
    assert stack.read(shell, "/app/empty") == b""
    assert digest(stack.read(shell, "/app/large") or b"") == digest(large)


def test_a_mode_alone_is_changed_by_writing_the_same_content_again(
    site: Site, stack: Stack, shell: str
) -> None:
    change = site.change("/app/old.py", b"old\n", mode=0o600)
    assert act.run(inject(shell, change), site.world()).status is StepStatus.DONE
    assert owner(stack, shell, "/app/old.py") == "7:8 600"


def test_a_symbolic_link_of_the_tree_is_made_without_a_link_in_the_archive(
    site: Site, stack: Stack, shell: str
) -> None:
    change = site.change("/app/link", b"old.py", kind=Kind.LINK)
    outcome = act.run(inject(shell, change), site.world())
    assert outcome.status is StepStatus.DONE, outcome
    assert stack.exec(shell, ["readlink", "/app/link"]).stdout.strip() == b"old.py"


def test_an_mtime_is_never_that_of_the_content_before(site: Site, stack: Stack, shell: str) -> None:
    """Python believes bytecode whose source has the same size and whole second."""

    def mtime() -> int:
        return int(stack.exec(shell, ["stat", "-c", "%Y", "/app/old.py"]).stdout)

    seen = [mtime()]
    for content in (b"aaaa", b"bbbb", b"cccc"):
        outcome = act.run(inject(shell, site.change("/app/old.py", content)), site.world())
        assert outcome.status is StepStatus.DONE
        seen.append(mtime())
    assert len(set(seen)) == len(seen)


def test_a_source_that_changed_meanwhile_is_left_for_the_next_pass(
    site: Site, stack: Stack, shell: str
) -> None:
    good = site.change("/app/good", b"good")
    stale = site.change("/app/old.py", b"planned")
    site.change("/app/old.py", b"edited since")
    gone = site.change("/app/gone", b"gone")
    del site.tree["app/gone"]
    outcome = act.run(inject(shell, good, stale, gone), site.world())
    assert outcome.status is StepStatus.SKIPPED
    assert "changed while injecting" in outcome.detail
    assert stack.read(shell, "/app/good") == b"good"
    assert stack.read(shell, "/app/old.py") == b"old\n"
    assert set(site.written.known) == {(shell, "/app/good")}


def test_a_directory_in_the_way_is_not_replaced(site: Site, stack: Stack, shell: str) -> None:
    changes = [site.change("/app/sub", b"file"), site.change("/app/old.py/x", b"file")]
    outcome = act.run(inject(shell, *changes), site.world())
    assert outcome.status is StepStatus.REFUSED
    assert owner(stack, shell, "/app/sub") == "1000:1001 750"
    assert stack.read(shell, "/app/old.py") == b"old\n"


def test_a_file_is_deleted_only_with_the_content_that_was_seen(
    site: Site, stack: Stack, shell: str
) -> None:
    stack.put(shell, "/app/a.py", b"a")
    stack.put(shell, "/app/b.py", b"edited inside")
    site.written.known[(shell, "/app/a.py")] = digest(b"a")
    changes = [removal("/app/a.py", b"a"), removal("/app/b.py", b"b"), removal("/etc/passwd", b"")]
    outcome = act.run(inject(shell, *changes), site.world())
    assert outcome.status is StepStatus.FAILED
    assert stack.read(shell, "/app/a.py") is None
    assert stack.read(shell, "/app/b.py") == b"edited inside"
    assert stack.read(shell, "/etc/passwd")
    assert "/app/b.py: it is not what it was" in outcome.detail
    assert "/etc/passwd: it is not below a mapping" in outcome.detail
    # Removed by freshd, so that a file brought back in its place is nobody's hot patch.
    assert site.written.known == {(shell, "/app/a.py"): ""}


def test_a_renamed_file_is_at_no_time_missing_under_both_names(
    site: Site, stack: Stack, shell: str
) -> None:
    step = inject(shell, removal("/app/old.py", b"old\n"), site.change("/app/renamed.py", b"old\n"))
    assert act.run(step, site.world()).status is StepStatus.DONE
    assert site.journal.names == ["put", "rename", "verify", "delete"]


def test_nothing_stays_staged_when_a_rename_cannot_be_tried(
    site: Site, stack: Stack, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object, **__: object) -> tuple[bool, str]:
        raise EngineFailed("it cannot")

    monkeypatch.setattr(ShellSession, "rename", refusing)
    outcome = act.run(inject(shell, site.change("/app/old.py", b"new\n")), site.world())
    assert outcome.status is StepStatus.FAILED, outcome
    assert not [name for name in listing(stack, shell) if name.startswith(".freshd")]
    assert stack.read(shell, "/app/old.py") == b"old\n"


def test_a_stopped_container_is_written_in_place_and_said_so(
    site: Site, stack: Stack, shell: str
) -> None:
    stack.docker("stop", "-t", "0", shell)
    change = site.change("/app/sub/new.py", b"new")
    outcome = act.run(inject(shell, change), site.world())
    assert outcome.status is StepStatus.DONE, outcome
    assert "not atomically: the container is exited" in outcome.detail
    stack.docker("start", shell)
    assert stack.read(shell, "/app/sub/new.py") == b"new"


def test_an_image_without_a_shell_is_written_in_place_and_read_back(
    site: Site, stack: Stack, docker: Docker
) -> None:
    identity = stack.run("freshd-static:1")
    changes = [site.change("/app/a", b"a"), site.change("/app/b\n", b"b", mode=0o755)]
    outcome = act.run(inject(identity, *changes), site.world())
    assert outcome.status is StepStatus.DONE, outcome
    assert "in place, not atomically: the image has no usable /bin/sh" in outcome.detail
    with tarfile.open(fileobj=io.BytesIO(docker("cp", f"{identity}:/app", "-").stdout)) as tar:
        modes = {member.name: member.mode & 0o7777 for member in tar}  # 20.10 adds the kind
    assert modes["app/a"] == 0o644
    assert modes["app/b\n"] == 0o755
    removed = act.run(inject(identity, removal("/app/a", b"a")), site.world())
    assert removed.status is StepStatus.FAILED
    assert "cannot be deleted" in removed.detail


def owned_by_nine(directory: str, files: Mapping[str, bytes]) -> bytes:
    """An archive: not every engine lets a command chown without the capability."""
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for name, content in {directory: None, **files}.items():
            member = tarfile.TarInfo(name)
            member.uid = member.gid = 9
            member.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            member.mode = 0o755 if content is None else 0o644
            member.size = len(content or b"")
            tar.addfile(member, io.BytesIO(content or b""))
    return spool.getvalue()


def test_a_user_of_the_image_and_dropped_capabilities_do_not_hinder(
    site: Site, stack: Stack
) -> None:
    options = ["--user", "1000", "--cap-drop", "ALL"]
    identity = stack.run("freshd-busybox:1", *IDLE, options=options)
    made = Site(site.engine)
    first = act.run(inject(identity, made.change("/app/x", b"one")), made.world())
    assert first.status is StepStatus.DONE, first
    stack.docker("cp", "-", f"{identity}:/", stdin=owned_by_nine("app", {"app/x": b"one"}))
    second = act.run(inject(identity, made.change("/app/x", b"two")), made.world())
    assert second.status is StepStatus.DONE, second
    assert stack.read(identity, "/app/x") == b"two"
    assert owner(stack, identity, "/app/x") == "9:9 644"
    link = made.change("/app/l", b"x", kind=Kind.LINK)
    third = act.run(inject(identity, link), made.world())
    assert third.status is StepStatus.FAILED, third
    assert stack.exec(identity, ["ls", "/app"]).stdout == b"x\n", "a link becomes no file"
    assert not [name for name in listing(stack, identity) if name.startswith(".freshd")]


def test_a_volume_is_written_only_where_the_policy_permits(site: Site, stack: Stack) -> None:
    identity = stack.run("freshd-busybox:1", *IDLE, options=["-v", f"{stack.project}:/app/data"])
    change = site.change("/app/data/x", b"x")
    refused = act.run(inject(identity, change), site.world())
    assert refused.status is StepStatus.REFUSED
    assert "volumes = true" in refused.detail
    permitted = replace(site, volumes=True)
    done = act.run(inject(identity, change, site.change("/app/y", b"y")), permitted.world())
    assert done.status is StepStatus.DONE, done
    assert stack.read(identity, "/app/data/x") == b"x"
    assert stack.exec(identity, ["ls", "-A", "/app/data"]).stdout == b"x\n"
    stack.docker("rm", "-f", identity)
    stack.docker("volume", "rm", "-f", stack.project)


def test_a_thousand_files_are_one_put_and_few_renames(site: Site, stack: Stack, shell: str) -> None:
    changes = [
        site.change(f"/app/pkg/dir{i % 50}/module{i}.py", b"print(%d)\n" % i) for i in range(1000)
    ]
    assert act.run(inject(shell, *changes), site.world()).status is StepStatus.DONE
    again: list[FileChange] = [
        site.change(change.target, b"again " + (change.source or "").encode()) for change in changes
    ]
    began = time.monotonic()
    outcome = act.run(inject(shell, *again), site.world())
    print(f"1,000 files: {time.monotonic() - began:.3f} s")
    assert outcome.status is StepStatus.DONE, outcome
    assert site.journal.names.count("put") == 2
    assert len(site.written.known) == 1000


def test_what_a_killed_run_left_staged_is_swept_before_the_next_injection(
    site: Site, stack: Stack, shell: str
) -> None:
    left = "/.freshd-0123456789abcdef"
    other = "/.freshd-notes"
    script = f"mkdir -p {left}/0 {other} && echo half >'{left}/0/a b' && echo mine >{other}/x"
    stack.exec(shell, ["sh", "-c", script])
    outcome = act.run(inject(shell, site.change("/app/x", b"x")), site.world())
    assert outcome.status is StepStatus.DONE
    names = listing(stack, shell)
    assert left.strip("/") not in names
    assert other.strip("/") in names


def test_no_reader_sees_half_a_file_or_none(site: Site, stack: Stack, shell: str) -> None:
    """A loop reads without pause while the file is replaced forty times."""
    size = 2_000_000
    first = site.change("/app/big", b"0" * size)
    assert act.run(inject(shell, first), site.world()).status is StepStatus.DONE
    loop = "while [ ! -e /app/stop ]; do wc -c </app/big || echo missing; done"
    output: list[bytes] = []
    reader = threading.Thread(
        target=lambda: output.append(stack.exec(shell, ["sh", "-c", loop]).stdout)
    )
    reader.start()
    try:
        for i in range(40):
            change = site.change("/app/big", b"%d" % (i % 10) * size)
            assert act.run(inject(shell, change), site.world()).status is StepStatus.DONE
    finally:
        stack.exec(shell, ["touch", "/app/stop"])
        reader.join()
    reads = [line.strip() for line in output[0].splitlines()]
    assert len(reads) > 40
    assert set(reads) == {b"%d" % size}
