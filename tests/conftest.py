"""No test reaches the developer's own files, desktop or engine by accident.

The whole session gets a home of its own; unit tests get an engine address that refuses.
"""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast values are drawn says how busy the machine is, and nothing of the code.
settings.register_profile(
    "any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

pytest_plugins = ("tests.proofs", "tests.spread")

UNIT_TIMEOUT = 60.0  # a guard against a hang, also on a machine that is busy with engine tests
NOWHERE = "unix:///nonexistent/freshd-unit-tests-have-no-engine.sock"
ENGINE_TESTS = Path(__file__).parent / "engine"
UNIT_TESTS = Path(__file__).parent / "unit"

HOME_DIRECTORIES = {
    "HOME": "",
    "XDG_CONFIG_HOME": "config",
    "XDG_STATE_HOME": "state",
    "XDG_CACHE_HOME": "cache",
    "XDG_DATA_HOME": "data",
    "XDG_RUNTIME_DIR": "runtime",
}
# What a developer's shell may hold and would change what is tested.
UNWANTED_PREFIXES = ("COMPOSE_", "FRESHD_CONFIG", "FRESHD_STATE", "FRESHD_RUNTIME", "GIT_")
UNWANTED = (
    "DOCKER_CONTEXT", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "NO_COLOR", "FORCE_COLOR",
    "PYTHONDONTWRITEBYTECODE",  # each freshd that a test starts would compile all of itself
)  # fmt: skip
FIXED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.org",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.org",
}

_session = pytest.StashKey[tuple[str, dict[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended, it still clears up
    before = dict(os.environ)
    home = tempfile.mkdtemp(prefix="freshd-tests-")
    config.stash[_session] = (home, before)
    # The user's own Docker settings hold plugins and credentials; only engine tests use them.
    os.environ.setdefault("DOCKER_CONFIG", os.path.join(os.path.expanduser("~"), ".docker"))
    os.environ.setdefault("FRESHD_IMAGE_CACHE", _image_cache())
    for name in list(os.environ):
        if name.startswith(UNWANTED_PREFIXES) or name in UNWANTED:
            del os.environ[name]
    for name, directory in HOME_DIRECTORIES.items():
        path = os.path.join(home, directory) if directory else home
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.environ[name] = path
    os.environ.update(FIXED)


def _image_cache() -> str:
    """Where `.ci/images` keeps what it made: the developer's own, whose images are made once."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(caches, "freshd")


def pytest_unconfigure(config: pytest.Config) -> None:
    home, before = config.stash[_session]
    os.environ.clear()
    os.environ.update(before)
    shutil.rmtree(home, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        unit = item.path.is_relative_to(UNIT_TESTS)
        if unit and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(UNIT_TIMEOUT))


@pytest.fixture(autouse=True)
def _no_engine_by_accident(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test outside tests/engine that asks for an engine finds none, at once."""
    if not request.path.is_relative_to(ENGINE_TESTS):
        monkeypatch.setenv("DOCKER_HOST", NOWHERE)
