"""A look at a few paths says the same of them as a look at everything, and nothing of the rest."""

import pytest

from tests.harness.cli import Freshd
from tests.harness.stack import Stack

DOCKERFILE = 'FROM freshd-busybox:1\nCOPY app /app\nCMD ["sleep", "1000000"]\n'


@pytest.mark.timeout(240)
def test_a_file_outside_the_look_is_no_changed_build_input(stack: Stack, freshd: Freshd) -> None:
    """After a build by freshd, which recorded all that went into it."""
    stack.write({"compose.yaml": "services: {web: {build: ., stop_grace_period: 0s}}\n"})
    stack.write({"Dockerfile": DOCKERFILE, "app/a": "a", "app/b": "b", "app/c": "c"})
    stack.up(build=True)
    assert freshd("rebuild", "web").returncode == 0
    stack.write({"app/a": "a2", "app/new": "new"})

    def causes(*argv: str) -> set[str]:
        (web,) = freshd("check", "--json", *argv).json["services"]
        return {finding["cause"] for finding in web["findings"]}

    assert causes("--path", "app/b") == set()
    assert causes("--path", "app/a") == {"image-behind", "content-differs"}
    assert causes("--path", "app/new") == {"image-behind", "missing-in-container"}
    stack.write({"Dockerfile": DOCKERFILE.replace("1000000", "2000000")})
    assert "build-input-changed" in causes("--path", "app/b")
