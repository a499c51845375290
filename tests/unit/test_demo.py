"""What the demo does where a container goes while it is being asked."""

import importlib.util
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(__file__).parents[2] / "docs" / "demo" / "demo.py"
BROKEN_OFF = b"HTTP/1.0 200 OK\r\nContent-Length: 22\r\n\r\n"


@pytest.fixture(scope="module")
def demo() -> Any:
    spec = importlib.util.spec_from_file_location("demo", DEMO)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("answer", "page"),
    [(BROKEN_OFF, ""), (b"", ""), (BROKEN_OFF.replace(b"22", b"2") + b"hi", "hi")],
)
def test_an_answer_that_breaks_off_is_none_and_ends_nothing(
    demo: Any, answer: bytes, page: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"

        def once() -> None:
            with server.accept()[0] as asked:
                asked.recv(65536)
                asked.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        assert demo.fetch(url) == page
        thread.join()
    assert demo.fetch(url) == "", "nobody listens"
