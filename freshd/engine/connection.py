"""The connection behind a client: one engine, spoken to from one thread, at its own API version.

In: an endpoint. Out: the SDK's client, for this package alone. The SDK is imported at the first
call, not before: it costs more than everything else that `freshd --help` does.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from freshd.engine.shared_cache import SharedCache
from freshd.engine.transport import http, sdk_errors, ssh
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import OutcomeUnknown, TargetGone


def _nothing() -> None:
    """What happens at work that nobody waits for."""


class _Turn:
    """A lock that can be held weakly."""

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = threading.RLock()


_turns: weakref.WeakValueDictionary[str, _Turn] = weakref.WeakValueDictionary()
_turns_guard = threading.Lock()


class Connection:
    """Nothing is connected before the first call; ids are full ids throughout.

    ``timeout`` bounds each ordinary call, in seconds. ``memory`` is shared with other clients of
    the same engine. ``at_work`` is called when a container was given a command or asked for an
    archive, before the answer is waited for.
    """

    def __init__(
        self, endpoint: Endpoint, *, timeout: float = 20.0, memory: SharedCache | None = None
    ) -> None:
        self.endpoint = endpoint
        self.timeout = timeout
        self.memory = SharedCache() if memory is None else memory
        self.at_work: Callable[[], None] = _nothing
        self._api: Any = None

    @property
    def api(self) -> Any:
        """The SDK's client, for this package only; connects and negotiates the API version."""
        if self._api is None:
            self._reach()
            with sdk_errors.translated(self.endpoint, "connecting to the engine"):
                self._api = _connect(self.endpoint, self.timeout, self.memory.api_version)
            self.memory.api_version = str(self._api.api_version)
        return self._api

    def _reach(self) -> None:
        """Says that there is no engine before the SDK, which costs 0.2 s, is imported for it."""
        if self.endpoint.scheme == "ssh":
            return  # its relay always answers: whether somebody is behind it, a question tells
        try:
            http.connect(self.endpoint, time.monotonic() + self.timeout).close()
        except OSError as error:
            raise sdk_errors.unavailable(self.endpoint, error) from error

    @property
    def api_version(self) -> str:
        return str(self.api.api_version)

    def inspect(self, container_id: str) -> Mapping[str, Any]:
        """What the engine says of one container, by its full id. Raises TargetGone."""
        with sdk_errors.translated(self.endpoint, f"inspecting container {container_id[:12]}"):
            data: Mapping[str, Any] = self.api.inspect_container(container_id)
        if data.get("Id") != container_id:
            # A name or a shortened id would silently mean another container after a recreate.
            raise TargetGone(f"no container has the id {container_id!r}")
        return data

    @contextmanager
    def mutating(self, container_id: str, what: str) -> Iterator[None]:
        """One outstanding change per container, in all threads; SDK errors inside are translated.

        A stalled change holds the engine's lock on the container, and what queues up behind it is
        carried out later, so nothing is sent while another change is on its way.
        """
        turn = _turn(container_id)
        if not turn.lock.acquire(timeout=max(self.timeout, 60.0)):
            raise OutcomeUnknown(f"{what}: another change to this container does not end")
        try:
            _ = self.api  # a failure to connect is not an unknown outcome
            with sdk_errors.translated(self.endpoint, what, mutating=True):
                yield
        finally:
            turn.lock.release()

    def close(self) -> None:
        """Ends the connections; the next call would connect anew."""
        if self._api is not None:
            self._api.close()
            self._api = None
            self.memory.api_version = ""  # who is there then may be another version

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _turn(container_id: str) -> _Turn:
    with _turns_guard:
        turn = _turns.get(container_id)
        if turn is None:
            turn = _turns[container_id] = _Turn()
        return turn


def _connect(endpoint: Endpoint, timeout: float, version: str) -> Any:
    """A version that is known already is not asked for again."""
    from docker import APIClient
    from docker.tls import TLSConfig

    tls: TLSConfig | bool = False
    if endpoint.cert_path is not None:
        directory = endpoint.cert_path
        pem = {name: os.path.join(directory, f"{name}.pem") for name in ("ca", "cert", "key")}
        tls = TLSConfig(
            client_cert=(pem["cert"], pem["key"]),
            ca_cert=pem["ca"] if os.path.exists(pem["ca"]) else None,
            verify=endpoint.tls_verify,
        )
    base = endpoint.host if endpoint.scheme != "ssh" else f"unix://{ssh.socket_path(endpoint)}"
    # The stubs say int; the SDK hands it on to requests, which takes a float.
    client = APIClient(base_url=base, version=version or "auto", timeout=timeout, tls=tls)  # type: ignore[arg-type]
    if endpoint.scheme in ("unix", "ssh"):
        client.trust_env = False  # no proxy is on the way; asking for one costs half of each call
    return client
