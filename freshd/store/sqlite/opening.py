"""From a path to a checked connection: schema brought up to date, damage told apart from the rest.

``Damaged`` is what setting the file aside cures; everything else is a ``StateError``.
"""

import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from freshd.model.errors import StateError
from freshd.store.sqlite.codec import hashed_values
from freshd.store.sqlite.database import BUSY_SECONDS, SQLITE_ERRORS, connect, is_full, state_error
from freshd.store.sqlite.schema import APPLICATION_ID, MIGRATIONS, TABLES, VERSION

_SIDE_FILES: Final = ("-wal", "-shm", "-journal")
_LOG_PAGES: Final = 256
"""The write-ahead log goes into the database at a megabyte, so that a small disk holds both."""
_LOG_BYTES: Final = 1024 * 1024


class Damaged(Exception):
    """The file is there and is not a usable freshd database; the text says why."""


@contextmanager
def alone(path: str) -> Iterator[None]:
    """No other process opens ``path`` for writing, or sets it aside, meanwhile."""
    from filelock import FileLock, Timeout

    lock = FileLock(f"{path}.lock", mode=0o600)
    try:
        os.stat(os.path.dirname(os.path.abspath(path)))  # the lock would make it, for all to read
        lock.acquire(timeout=BUSY_SECONDS)
    except Timeout as error:
        raise StateError(
            f"state database {path}: another freshd has been opening it for {BUSY_SECONDS:.0f} s",
            hint="try again",
        ) from error
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def open_writer(path: str) -> sqlite3.Connection:
    """A read-write connection to an up-to-date database, created where there is none."""
    if os.path.isdir(path):
        raise Damaged("is a directory")
    refuse_what_is_no_file(path)
    _create_private(path)
    try:
        connection = connect(path, mode="rw")
    except sqlite3.Error as error:
        raise failure(path, error) from error
    try:
        _checked(connection, path)  # before the first change to the file
        connection.execute("PRAGMA journal_mode = WAL")  # a no-op but for the one who made it
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        migrate(connection, path)
        _verify(connection)
    except SQLITE_ERRORS as error:
        connection.close()
        if _is_damage(error):
            raise Damaged(f"is damaged ({error})") from error
        raise failure(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def refuse_what_is_no_file(path: str) -> None:
    """Whoever opens a fifo waits. Raises StateError; what is not there is none of it."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode):
        raise StateError(
            f"the state database {path} is no file",
            hint="move it away, or set FRESHD_STATE_DIR to another directory",
        )


def readable(path: str) -> bool:
    """Whether ``path`` has the tables of this version; an older database has to be migrated first.

    Raises ``StateError`` when it is newer, damaged or cannot be read.
    """
    refuse_what_is_no_file(path)
    try:
        connection = connect(path, mode="ro")
        try:
            version = _version(connection)
            ours = _is_ours(connection)
        finally:
            connection.close()
    except SQLITE_ERRORS as error:
        raise failure(path, error) from error
    if ours and version > VERSION:
        raise _newer(path, version)
    return ours and version == VERSION


def damage(path: str) -> str:
    """Why the database at ``path`` cannot be used, "" where it can; nothing is changed."""
    try:
        refuse_what_is_no_file(path)
        connection = connect(path, mode="ro")
        try:
            _verify(connection)
        finally:
            connection.close()
    except (Damaged, StateError, *SQLITE_ERRORS) as error:
        return str(error)
    return ""


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Bring the schema to VERSION in one transaction; a second process waits and finds it done."""
    if _is_ours(connection) and _version(connection) == VERSION:
        return
    connection.create_function("hashed_values", 2, _hashed)
    connection.execute("PRAGMA secure_delete = ON")  # nothing of what is replaced stays readable
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in MIGRATIONS[_trusted_version(connection, path) :]:
            for statement in migration:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _hashed(key: bytes, column: str) -> str:
    try:
        values = dict(json.loads(column))
    except (TypeError, ValueError):
        values = {}
    return json.dumps(hashed_values(key, {name: str(value) for name, value in values.items()}))


def is_empty(path: str) -> bool:
    """Whether a file of no bytes is there, as a full disk or a lost write leaves one."""
    return os.path.isfile(path) and os.path.getsize(path) == 0


def quarantine(path: str, now: float) -> str:
    """Rename the file and its side files to a free name, and return it; nothing is deleted."""
    aside = f"{path}.corrupt-{int(now)}"
    number = 1
    while os.path.lexists(aside):
        number += 1
        aside = f"{path}.corrupt-{int(now)}-{number}"
    try:
        os.rename(path, aside)
        for suffix in _SIDE_FILES:
            if os.path.lexists(path + suffix):
                os.rename(path + suffix, aside + suffix)
    except OSError as error:
        raise StateError(
            f"cannot set the damaged state database {path} aside: {error.strerror}",
            hint=f"move {path} away by hand",
        ) from error
    return aside


def failure(path: str, error: Exception) -> StateError:
    return state_error(path, error)


def _create_private(path: str) -> None:
    """Make an absent file readable by its owner only, before SQLite makes it by the umask."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: str, error: OSError) -> StateError:
    if is_full(error):
        return state_error(path, error)
    return StateError(
        f"cannot use the state database {path}: {error.strerror}",
        hint="check the permissions of the state directory, or set FRESHD_STATE_DIR",
    )


def _is_damage(error: Exception) -> bool:
    """SQLITE_ERROR at opening is a schema that is not what its version promises, SQLITE_TOOBIG a
    value longer than SQLite would ever have written.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF in {
        sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG,
    }  # fmt: skip


def _verify(connection: sqlite3.Connection) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise Damaged(f"is damaged ({str(verdict).splitlines()[-1]})")
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    missing = TABLES - {row[0] for row in rows}
    if missing:
        raise Damaged(f"is damaged (no table {min(missing)})")


def _checked(connection: sqlite3.Connection, path: str) -> None:
    """``_trusted_version`` of one moment, as another process may be making the file."""
    connection.execute("BEGIN")
    try:
        _trusted_version(connection, path)
    finally:
        connection.execute("COMMIT")


def _trusted_version(connection: sqlite3.Connection, path: str) -> int:
    """The schema version, or 0 for an empty file; refuses newer ones and other programs' files."""
    version = _version(connection)
    if _is_ours(connection):
        if version > VERSION:
            raise _newer(path, version)
        return version
    if version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise Damaged("belongs to another program")
    return 0


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _is_ours(connection: sqlite3.Connection) -> bool:
    found: int = connection.execute("PRAGMA application_id").fetchone()[0]
    return found == APPLICATION_ID


def _newer(path: str, version: int) -> StateError:
    return StateError(
        f"the state database {path} has schema {version}; this freshd knows {VERSION}",
        hint="use the newer freshd that wrote it, or set FRESHD_STATE_DIR to another directory",
    )
