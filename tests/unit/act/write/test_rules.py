"""Where freshd may write: rules 1-3 as a table."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.act.write import rules
from freshd.model.observed.container import Mount, Replica

MOUNTS = (
    Mount("bind", "/app/rw", "/host"),
    Mount("bind", "/app/one.txt", "/host/one.txt"),
    Mount("volume", "/data", name="v"),
    Mount("volume", "/data/ro", name="w", writable=False),
    Mount("bind", "/data/inner", "/host"),
    Mount("tmpfs", "/app/tmp"),
)
REPLICA = Replica("i", "n", "web", mounts=MOUNTS)
READ_ONLY = Replica("i", "n", "web", mounts=MOUNTS, read_only=True)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/app/x", None),
        ("/app/rwx", None),
        ("/app/rw/x", "bind mount /app/rw"),
        ("/app/rw", "mount"),
        ("/app", "is below it"),
        ("/app/one.txt", "mount"),
        ("/app/tmp/x", "tmpfs mount"),
        ("/data/x", "volumes = true"),
        ("/data/inner/x", "bind mount /data/inner"),
        ("/dev/null", "kernel"),
        ("/proc", "kernel"),
        ("/sys/a", "kernel"),
        ("/device", None),
        ("/etc/hosts", "engine"),
        ("/etc/hosts.d", None),
        ("/.freshd-abc/x", "freshd's own"),
        ("/app/.freshd-notes", None),
        ("/", "not an absolute path"),
        ("", "not an absolute path"),
        ("app/x", "not an absolute path"),
        ("/app/../x", "`..`"),
        ("/app/..", "`..`"),
        ("/app//x", "plain path"),
        ("//app/rw/x", "plain path"),
        ("/app/x/", "plain path"),
        ("/app/./x", "plain path"),
        ("/a\0b", "NUL"),
    ],
)
def test_where_a_write_is_refused(path: str, why: str | None) -> None:
    reason = rules.find_objection(REPLICA, path, volumes_allowed=False)
    if why is None:
        assert reason is None
    else:
        assert reason is not None
        assert why in reason


def test_a_volume_is_writable_where_the_policy_says_so_and_nothing_else_becomes_so() -> None:
    assert rules.find_objection(REPLICA, "/data/x", volumes_allowed=True) is None
    for path in ("/data", "/data/ro/x", "/data/inner/x", "/app/rw/x", "/app/tmp/x"):
        assert rules.find_objection(REPLICA, path, volumes_allowed=True), path


def test_a_read_only_root_leaves_only_volumes() -> None:
    assert "read-only" in (rules.find_objection(READ_ONLY, "/app/x", volumes_allowed=True) or "")
    assert rules.find_objection(READ_ONLY, "/data/x", volumes_allowed=True) is None


def test_staging_goes_to_the_top_of_the_same_mount() -> None:
    assert rules.find_top(REPLICA, "/app/x") == "/"
    assert rules.find_top(REPLICA, "/data/a/b") == "/data"


@settings(deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "", "a", "rw", "app", "data"]), max_size=6))
def test_no_spelling_reaches_a_bind(parts: list[str]) -> None:
    """Whatever is permitted is written as it stands, so its spelling must be the only one."""
    path = "/" + "/".join(parts)
    if rules.find_objection(REPLICA, path, volumes_allowed=True) is None:
        assert ".." not in parts
        assert not path.startswith(("/app/rw/", "/data/inner/"))
        assert "//" not in path
