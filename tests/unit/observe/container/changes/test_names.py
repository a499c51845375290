"""Where programs keep what they write, and where it is code after all."""

import pytest

from freshd.observe.container.changes.names import is_written_by_programs


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/hosts", "/etc/ld.so.cache", "/var/lib/dpkg/status", "/var/log/nginx/access.log"),
        *("/run/nginx.pid", "/tmp/x", "/app/__pycache__/a.pyc", "/app/db.sqlite3", "/app/a.log"),
        *("/app/tmp.pid", "/root/.bash_history", "/etc/ssl/certs/ca-certificates.crt"),
    ],
)
def test_what_programs_write(path: str) -> None:
    assert is_written_by_programs(path, ["/app"])


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/nginx/nginx.conf", "/app/main.py", "/app/log/view.py", "/app/Cargo.lock"),
        *("/usr/lib/python3/json/decoder.py", "/opt/tool/run", "/var/www/index.php"),
    ],
)
def test_what_a_person_may_have_changed(path: str) -> None:
    assert not is_written_by_programs(path, ["/app"])


def test_a_copy_makes_code_of_what_lies_among_state() -> None:
    assert not is_written_by_programs("/var/lib/shop/main.py", ["/var/lib/shop"])
    assert is_written_by_programs("/var/lib/other/x", ["/var/lib/shop"])
    assert is_written_by_programs("/var/lib/other/x", ["/"])
