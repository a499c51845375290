"""Links on the way of a path."""

import pytest

from freshd.model.paths import follow

LINKS = {"/bin": "/usr/bin", "/usr/bin/x": "/opt/x", "/loop": "/loop", "/top": "/"}


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/usr/bin/a", "/usr/bin/a"),
        ("/bin/a/b", "/usr/bin/a/b"),
        ("/bin", "/usr/bin"),
        ("/bin/x/y", "/opt/x/y"),
        ("/top/bin", "/usr/bin"),
        ("/top", "/"),
        ("/", "/"),
        ("/loop/a", "/loop/a"),
    ],
)
def test_a_path_is_followed_to_its_end(path: str, real: str) -> None:
    assert follow(path, lambda step: LINKS.get(step, "")) == real
