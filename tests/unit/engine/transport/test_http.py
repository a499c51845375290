"""HTTP by hand: what a peer on a socket makes of our requests, and we of its answers."""

import base64
import io
import os
import re
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import freshd
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container.host_paths import gone_sources
from freshd.engine.transport import http, sdk_errors
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import (
    EngineFailed,
    EngineUnavailable,
    HostPathGone,
    OutcomeUnknown,
    TargetGone,
)
from tests.harness.waiting import wait_until

Serve = Callable[[bytes], "Peer"]


class Peer:
    """Accepts one connection after the other, reads until ``enough``, answers and hangs up."""

    def __init__(self, path: str, answer: bytes, *, read: bool = True) -> None:
        self.endpoint = Endpoint(f"unix://{path}", "the test")
        self.received: list[bytes] = []
        self._answer = answer
        self._read = read
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                data = connection.recv(65536)
                if data == b"stop":
                    return
                head, _, body = data.partition(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", head)
                while self._read and length and len(body) < int(length[1]):
                    body += connection.recv(65536)
                self.received.append(head + b"\r\n\r\n" + body)
                connection.sendall(self._answer)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self.endpoint.address)
            last.sendall(b"stop")
        self._thread.join()
        self._socket.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(answer: bytes, *, read: bool = True) -> Peer:
        peers.append(Peer(str(tmp_path / f"s{len(peers)}"), answer, read=read))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


class Api:
    """As much of the SDK's client as an upload asks for."""

    api_version = "1.45"

    def inspect_container(self, container_id: str) -> dict[str, str]:
        return {"Id": "another"}

    def close(self) -> None:
        pass


def engine_at(endpoint: Endpoint, *binds: str) -> Engine:
    """An engine that has inspected one container, which mounts ``binds``."""
    engine = Engine(endpoint)
    engine._api = Api()
    mounts = [{"Type": "bind", "Source": source} for source in binds]
    made = {"Config": {}, "HostConfig": {}, "Mounts": mounts}
    engine._inspected = {"a" * 64: made, "a": made}
    return engine


def soon() -> float:
    return time.monotonic() + 5.0


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
TAR = b"\0" * 10240


def test_every_upload_forbids_replacing_a_directory_and_has_its_length(
    serve: Callable[..., Peer],
) -> None:
    """Safety rules 1 and 4; without the flag a host directory under a bind mount is wiped."""
    peer = serve(OK)
    archive.put(engine_at(peer.endpoint), "a" * 64, path="/", tar=io.BytesIO(TAR))
    (request,) = peer.received
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /v1.45/containers/" + b"a" * 64 + b"/archive?")
    assert b"noOverwriteDirNonDir=true" in head.split(b"\r\n")[0]
    assert b"Content-Length: 10240" in head
    assert b"gzip" not in head
    assert body == TAR


def test_the_program_has_one_place_that_uploads() -> None:
    """Rule 1 holds for all uploads only while `archive.put` is the only one."""
    source = Path(freshd.__file__).parent
    uploads = re.compile(r"""['"]PUT['"]|put_archive|\.put\(|copyUIDGID""")
    found = {
        (str(path.relative_to(source)), match.group())
        for path in source.rglob("*.py")
        for match in uploads.finditer(path.read_text())
    }
    senders = {(name, text) for name, text in found if text != ".put("}
    assert senders == {("engine/container/archive.py", '"PUT"')}
    callers = {name for name, text in found if text == ".put("}
    queue = {"observe/image/prefetch.py"}  # a queue.Queue's
    assert {name for name in callers if name.startswith(("engine/", "observe/"))} == queue
    assert {
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if "archive.put(" in path.read_text()
    } == {"act/inject.py"}
    text = (source / "engine" / "container" / "archive.py").read_text()
    assert text.count('"PUT"') == 1
    assert text.count('noOverwriteDirNonDir="true"') == 1


@pytest.mark.parametrize("tar", [b"", b"\0" * 512, b"\0" * 1500, b"\x1f\x8b" + b"\0" * 1022 + b"x"])
def test_what_is_no_whole_plain_tar_is_never_sent(serve: Callable[..., Peer], tar: bytes) -> None:
    peer = serve(OK)
    with pytest.raises(EngineFailed, match="not a complete plain tar"):
        archive.put(engine_at(peer.endpoint), "a" * 64, path="/", tar=io.BytesIO(tar))
    assert not peer.received


def test_a_refusal_that_comes_before_the_upload_ends_is_a_refusal(
    serve: Callable[..., Peer],
) -> None:
    body = b'{"message":"no space left"}'
    head = b"HTTP/1.1 500 X\r\nContent-Length: %d\r\n\r\n" % len(body)
    peer = serve(head + body, read=False)
    with pytest.raises((EngineFailed, OutcomeUnknown)) as caught:
        archive.put(
            engine_at(peer.endpoint), "a" * 64, path="/", tar=io.BytesIO(b"\0" * 10_240_000)
        )
    if isinstance(caught.value, EngineFailed):
        assert "no space left" in caught.value.message


def test_an_upload_to_a_container_that_is_not_there_is_gone(serve: Callable[..., Peer]) -> None:
    peer = serve(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(TargetGone):
        archive.put(engine_at(peer.endpoint), "a" * 64, path="/", tar=io.BytesIO(TAR))


def test_a_connection_cut_after_an_upload_leaves_the_outcome_unknown(
    serve: Callable[..., Peer],
) -> None:
    with pytest.raises(OutcomeUnknown):
        archive.put(engine_at(serve(b"").endpoint), "a" * 64, path="/", tar=io.BytesIO(TAR))


def test_an_engine_that_is_not_there_was_never_asked(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable):
        archive.put(
            engine_at(Endpoint(f"unix://{tmp_path}/no", "t")), "a", path="/", tar=io.BytesIO(TAR)
        )


@pytest.mark.parametrize(
    "ask",
    [
        lambda engine: archive.put(engine, "a" * 64, path="/", tar=io.BytesIO(TAR)),
        lambda engine: archive.stat(engine, "a" * 64, "/"),
        lambda engine: list(archive.get(engine, "a" * 64, "/")),
    ],
)
def test_an_engine_that_would_make_directories_here_is_not_asked(
    serve: Callable[..., Peer], tmp_path: Path, ask: Callable[[Engine], object]
) -> None:
    peer = serve(OK)
    engine = engine_at(peer.endpoint, str(tmp_path), str(tmp_path / "gone" / "site.conf"))
    with pytest.raises(HostPathGone, match=r"gone/site\.conf, which is gone"):
        ask(engine)
    assert peer.received == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{here}", False),
        ("{here}/gone", True),
        ("{here}/gone/deep/down", True),
        ("/gone-from-the-top", True),
        ("/host_mnt/Users/me/shop", False),
        ("/nowhere/at/all", False),
        ("/run/desktop/mnt/host/c/shop", False),
        ("/var/run/not-docker.sock", False),
        ("/etc/no-timezone", False),
    ],
)
def test_a_source_is_gone_where_its_directory_is_one_of_this_machine(
    tmp_path: Path, source: str, expected: bool
) -> None:
    path = source.format(here=tmp_path)
    local = engine_at(Endpoint("unix:///x", "t"), path)
    assert gone_sources(local, "a") == ((path,) if expected else ())
    far = engine_at(Endpoint("ssh://host", "t"), path)
    assert gone_sources(far, "a") == ()


def test_a_link_that_leads_nowhere_is_there(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    assert gone_sources(engine_at(Endpoint("unix:///x", "t"), str(tmp_path / "link")), "a") == ()


def cuts(answer: bytes) -> list[bytes]:
    return [answer[:end] for end in range(len(answer))]


def chunked(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


STATED = base64.b64encode(b'{"name":"x","size":3,"mode":420,"linkTarget":""}')
LOOKED = b"HTTP/1.1 200 OK\r\nX-Docker-Container-Path-Stat: " + STATED + b"\r\n\r\n"


def one_file() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        info = tarfile.TarInfo("x")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    return packed.getvalue()[:2048]


def test_a_stat_that_is_cut_anywhere_is_no_answer(serve: Callable[..., Peer]) -> None:
    """A head that ends with the connection was taken for a whole one."""
    whole = archive.stat(engine_at(serve(LOOKED).endpoint), "a" * 64, "/x")
    assert whole is not None
    assert whole.size == 3
    for answer in cuts(LOOKED):
        with pytest.raises(EngineUnavailable):
            archive.stat(engine_at(serve(answer).endpoint), "a" * 64, "/x")


@pytest.mark.parametrize("stat", [b"bm90IGpzb24=", b"W10=", b"e30=", b"%%%", b"eyJtb2RlIjoieCJ9"])
def test_a_stat_that_is_none_is_no_answer(serve: Callable[..., Peer], stat: bytes) -> None:
    peer = serve(LOOKED.replace(STATED, stat))
    with pytest.raises(EngineUnavailable, match="cannot be read"):
        archive.stat(engine_at(peer.endpoint), "a" * 64, "/x")


def test_an_archive_that_is_cut_anywhere_has_no_members(serve: Callable[..., Peer]) -> None:
    answer = chunked(one_file())
    got = archive.get(engine_at(serve(answer).endpoint), "a" * 64, "/x")
    assert [member.name for member, _ in got] == ["x"]
    last_byte_of_data = len(answer) - len(b"\r\n0\r\n\r\n")
    for cut in [*range(0, last_byte_of_data, 37), last_byte_of_data]:
        engine = engine_at(serve(answer[:cut]).endpoint)
        with pytest.raises(EngineUnavailable):
            list(archive.get(engine, "a" * 64, "/x"))


def test_an_archive_of_a_known_length_that_is_cut_has_no_members(
    serve: Callable[..., Peer],
) -> None:
    body = one_file()
    peer = serve(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:-512])
    with pytest.raises(EngineUnavailable):
        list(archive.get(engine_at(peer.endpoint), "a" * 64, "/x"))


def test_a_hijack_whose_answer_is_cut_was_not_answered(serve: Callable[..., Peer]) -> None:
    for answer in [*cuts(LOOKED.replace(b"200 OK", b"409 X")), b"HTTP/1.1 101\r\n"]:
        with pytest.raises(OSError, match="closed the connection"):
            http.hijack(serve(answer).endpoint, "/x", body=b"{}", deadline=soon())


def test_a_refused_hijack_with_an_odd_length_is_an_answer(serve: Callable[..., Peer]) -> None:
    peer = serve(b"HTTP/1.1 409 X\r\nContent-Length: 0x6\r\n\r\npaused")
    got = http.hijack(peer.endpoint, "/x", body=b"{}", deadline=soon())
    assert isinstance(got, http.HttpAnswer)
    assert got.body == b"paused"


def test_names_of_any_bytes_are_quoted() -> None:
    assert http.query(path=os.fsdecode(b"/a b\xff&\n")) == "path=%2Fa+b%FF%26%0A"


def test_one_change_at_a_time_is_on_its_way_to_a_container() -> None:
    """An upload that stalls holds the engine's lock; what queues behind it happens later."""
    engines = [engine_at(Endpoint("unix:///x", "t")) for _ in range(2)]
    inside = threading.Event()
    leave = threading.Event()
    order: list[str] = []

    def first() -> None:
        with engines[0].mutating("c" * 64, "one"):
            inside.set()
            leave.wait(5.0)
            order.append("first out")

    def second() -> None:
        with engines[1].mutating("c" * 64, "two"):
            order.append("second in")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    inside.wait(5.0)
    threads[1].start()
    with engines[1].mutating("d" * 64, "another container"):
        leave.set()
    for thread in threads:
        thread.join()
    assert order == ["first out", "second in"]


def test_a_hijacked_stream_keeps_the_bytes_that_came_with_the_head(
    serve: Callable[..., Peer],
) -> None:
    peer = serve(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nearly")
    got = http.hijack(peer.endpoint, "/x", body=b"{}", deadline=soon())
    assert isinstance(got, tuple)
    assert got[1] == b"early"
    got[0].close()


def test_a_refused_hijack_is_an_answer(serve: Callable[..., Peer]) -> None:
    peer = serve(b"HTTP/1.1 409 X\r\nContent-Length: 6\r\n\r\npaused")
    got = http.hijack(peer.endpoint, "/x", body=b"{}", deadline=soon())
    assert isinstance(got, http.HttpAnswer)
    assert (got.status, got.body) == (409, b"paused")


def test_a_deadline_that_has_passed_sends_nothing(serve: Callable[..., Peer]) -> None:
    peer = serve(OK)
    with pytest.raises(TimeoutError):
        http.request(peer.endpoint, "GET", "/x", deadline=time.monotonic() - 1)
    assert not peer.received


def test_absent_dead_and_forbidden_sockets_have_hints_of_their_own(tmp_path: Path) -> None:
    dead = tmp_path / "dead"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(dead))
    texts = set()
    for path in (tmp_path / "absent", dead):
        with pytest.raises(EngineUnavailable) as caught:
            Engine(Endpoint(f"unix://{path}", "the test")).ping()
        texts.add((caught.value.message.replace(str(path), ""), caught.value.hint))
        assert caught.value.__cause__ is not None
    forbidden = sdk_errors.unavailable(Endpoint("unix:///x", "t"), PermissionError(13, "no"))
    texts.add((forbidden.message, forbidden.hint))
    assert len(texts) == 3
    assert "group" in (forbidden.hint or "")


def test_an_event_stream_ends_where_the_engine_cuts_it(serve: Callable[..., Peer]) -> None:
    from freshd.engine.events import EventStream

    event = b'{"Type":"container","Action":"die","Actor":{"ID":"x"},"timeNano":1500000000}\n'
    chunk = b"%x\r\n" % len(event) + event + b"\r\n"
    peer = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + b"40\r\n{cut")
    with EventStream(peer.endpoint, "1.45", 12.5, timeout=5.0) as stream:
        events = list(stream)
    assert [(e.kind, e.action, e.id, e.time) for e in events] == [("container", "die", "x", 1.5)]
    assert b"since=12.500000000" in peer.received[0]


def test_an_event_stream_is_ended_from_another_thread(tmp_path: Path) -> None:
    from freshd.engine.events import EventStream

    path = str(tmp_path / "s")
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(path)
    silent.listen()
    held: list[socket.socket] = []

    def answer() -> None:
        connection, _ = silent.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        held.append(connection)

    server = threading.Thread(target=answer)
    server.start()
    stream = EventStream(Endpoint(f"unix://{path}", "t"), "1.45", None, timeout=5.0)
    ended = threading.Event()

    def read() -> None:
        list(stream)
        ended.set()

    reader = threading.Thread(target=read)
    reader.start()
    stream.close()
    wait_until(ended.is_set, what="the iteration to end")
    for thread in (server, reader):
        thread.join()
    held[0].close()
    silent.close()
