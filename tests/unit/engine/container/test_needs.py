"""What a container's own commands name, as places where it may be."""

import pytest

from freshd.engine.container.needs import Needs


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (("/entry.sh",), "/entry.sh"),
        (("entry.sh",), "/usr/bin/entry.sh"),
        (("./entry.sh",), "/app/entry.sh"),
        (("../entry.sh",), "/entry.sh"),
        (("python", "main.py"), "/app/main.py"),
        (("node", "--require=./hook.js"), "/app/hook.js"),
        (("/bin/sh", "-c", "exec /run.sh --fast"), "/run.sh"),
        (("sh", "-c", "cd /x;./in.sh&&'other one'"), "/app/other one"),
        (("sh", "-c", "a 'quote that never ends /b.sh"), "/b.sh"),
    ],
)
def test_a_file_is_named_in_every_form_of_a_command(command: tuple[str, ...], place: str) -> None:
    places = Needs((command,), "/app", ("/usr/bin", "/bin")).places()
    assert place in places
    assert places[0] == "/app", "and where it runs"
