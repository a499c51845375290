"""What a name says of a file."""

import pytest

from freshd.mapping.natures import Nature, find_nature


@pytest.mark.parametrize(
    ("name", "nature"),
    [
        ("logs/app.log", Nature.RECORD),
        ("app.log.1", Nature.RECORD),
        ("app.log-20260101.gz", Nature.RECORD),
        ("db.SQLITE3", Nature.RECORD),
        ("db.sqlite3-wal", Nature.RECORD),
        ("dump.rdb", Nature.RECORD),
        ("main.py", Nature.WORK),
        ("catalog.py", Nature.WORK),
        ("app.log.html", Nature.WORK),
        ("Dockerfile.web", Nature.WORK),
        ("go.mod", Nature.WORK),
        ("app.jar", Nature.WORK),
        ("a/config.json", Nature.SETTINGS),
        (".env.local", Nature.SETTINGS),
        ("base.1", Nature.OTHER),
        ("catalog", Nature.OTHER),
        ("logo.png", Nature.OTHER),
    ],
)
def test_names(name: str, nature: Nature) -> None:
    assert find_nature(name) is nature
