"""An engine behind ``ssh://``: a private socket here, and for each connection to it one `ssh`.

In: an ``Endpoint``. Out: the path of a Unix socket that leads to its engine. The remote side is
`docker system dial-stdio`, as for the docker command. `ssh` is told never to ask, and shares one
connection among all that are open.
"""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from urllib.parse import urlsplit

from freshd.engine.transport.endpoint import Endpoint

_CONNECT_SECONDS = 15
_SHARED_SECONDS = 60
_WORDS_READ = 4096

_relays: dict[str, "Relay"] = {}
_guard = threading.Lock()


def socket_path(endpoint: Endpoint) -> str:
    """Where a connection to ``endpoint`` begins; the same for the whole process."""
    with _guard:
        if endpoint.host not in _relays:
            if not _relays:
                atexit.register(close_all)
            _relays[endpoint.host] = Relay(endpoint.host)
        return _relays[endpoint.host].path


def last_words(endpoint: Endpoint) -> str:
    """The last thing that `ssh` said of this endpoint, "" for nothing."""
    relay = _relays.get(endpoint.host)
    return "" if relay is None else relay.last_words()


def close_all() -> None:
    """Ends every relay with its connections."""
    with _guard:
        for relay in _relays.values():
            relay.close()
        _relays.clear()


class Relay:
    """Listens until it is closed; ``path`` is its socket, in a directory for this user alone."""

    def __init__(self, host: str) -> None:
        self._target, self._command = command(host)
        self._directory = tempfile.mkdtemp(prefix="freshd-ssh-")
        self.path = os.path.join(self._directory, "s")
        self._words = os.path.join(self._directory, "words")
        self._children: list[subprocess.Popen[bytes]] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(64)
        threading.Thread(target=self._serve, name="ssh relay", daemon=True).start()

    def last_words(self) -> str:
        try:
            with open(self._words, "rb") as file:
                file.seek(max(0, os.path.getsize(self._words) - _WORDS_READ))
                lines = file.read().decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        self._listener.close()
        self._ssh(["-O", "exit", "--", self._target], subprocess.DEVNULL).wait(_CONNECT_SECONDS)
        for child in self._children:
            child.kill()
            child.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return  # closed
            # those that have ended are collected here; they are few
            self._children = [child for child in self._children if child.poll() is None]
            with accepted:
                try:
                    self._children.append(self._ssh(self._command, accepted.fileno()))
                except OSError as error:
                    self._say(str(error))

    def _ssh(self, words: list[str], stream: int) -> "subprocess.Popen[bytes]":
        """Its input and output are the one end of the connection: nothing is copied here."""
        shared = os.path.join(self._directory, "m")
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": str(_CONNECT_SECONDS),
            "ControlMaster": "auto",
            "ControlPath": shared,
            "ControlPersist": str(_SHARED_SECONDS),
        }
        told = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        with open(self._words, "ab") as said:
            return subprocess.Popen(
                ["ssh", *told, *words],
                stdin=stream,
                stdout=stream,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for freshd, which ends its steps first
            )

    def _say(self, text: str) -> None:
        with open(self._words, "a", encoding="utf-8") as said:
            said.write(text + "\n")


def command(host: str) -> tuple[str, list[str]]:
    """``ssh://[USER@]HOST[:PORT][/SOCKET]`` as a name for `ssh` and its arguments."""
    url = urlsplit(host)
    name = url.hostname or ""
    words = ["-T"]
    if url.username:
        words += ["-l", url.username]
    if url.port:
        words += ["-p", str(url.port)]
    remote = ["docker"]
    if url.path.strip("/"):
        remote += ["--host", f"unix://{url.path}"]
    return name, [*words, "--", name, *remote, "system", "dial-stdio"]
