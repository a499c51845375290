"""Connections to one SQLite file: one writer behind a lock, a read-only one per reader thread.

SQL comes in, rows go out; every ``sqlite3`` error leaves as ``StateError``. Changes run in
``BEGIN IMMEDIATE`` transactions: another process that writes makes ours wait, not fail half-way.
"""

import contextlib
import errno
import os
import sqlite3
import threading
import urllib.parse
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from freshd.model.errors import DiskFull, StateError

_Value = TypeVar("_Value")
BUSY_SECONDS: Final = 10.0
_UNREADABLE: Final = (ValueError, LookupError, TypeError, AttributeError, RecursionError)

# a damaged schema is quoted in SQLite's message, which then may not be UTF-8
SQLITE_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)


def connect(path: str, *, mode: str) -> sqlite3.Connection:
    """A connection in autocommit mode; ``mode`` is SQLite's: rwc, rw or ro."""
    address = f"file:{urllib.parse.quote(os.fsencode(os.path.abspath(path)))}?mode={mode}"
    connection = sqlite3.connect(
        address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = _text
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _text(stored: bytes) -> str:
    """A flipped bit is a matter of its row, not of all that are asked for with it."""
    return stored.decode("utf-8", "surrogateescape")


class _Reader:
    """Closes its connection when its thread is gone and nothing else refers to it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._finalizer = weakref.finalize(self, connection.close)

    def close(self) -> None:
        self._finalizer()


class Database:
    """One file, or memory when ``path`` is None; then reader and writer are one connection."""

    def __init__(self, path: str | None, writer: sqlite3.Connection | None) -> None:
        self.path = path
        self._writer = writer
        self._lock = threading.RLock()
        self._local = threading.local()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()
        self._closed = False
        self.unreadable: dict[str, str] = {}

    def decoded(
        self, table: str, rows: Iterable[Any], decode: Callable[[Any], _Value]
    ) -> Iterator[_Value]:
        """The values of rows; one that cannot be read is left out, and ``unreadable`` names it."""
        for row in rows:
            try:
                value = decode(row)
            except _UNREADABLE as error:
                self.unreadable.setdefault(table, repr(error))
            else:
                yield value

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self._lock:
            if self._writer is None or self._closed:
                raise StateError("the state database is open for reading only")
            try:
                with self._translated(), _transaction(self._writer):
                    yield self._writer
            except DiskFull:
                _give_back_log(self._writer)
                raise

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """This thread's read-only connection; fetch the rows inside the block."""
        if self.path is None:
            with self._lock, self._translated():
                if self._writer is None or self._closed:
                    raise StateError("the state database is closed")
                yield self._writer
            return
        with self._translated():
            yield self._reader(self.path)

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        with self._lock:
            self._closed = True
            for reader in list(self._readers):
                reader.close()
            if self._writer is not None:
                self._writer.close()

    def _reader(self, path: str) -> sqlite3.Connection:
        if self._closed:
            raise StateError(f"the state database {path} is closed")
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = _Reader(connect(path, mode="ro"))
            reader.connection.execute("PRAGMA query_only = ON")
            self._local.reader = reader
            with self._lock:
                self._readers.add(reader)
        return reader.connection

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLITE_ERRORS as error:
            raise state_error(self.path or "in memory", error) from error
        except OSError as error:  # of the disk, while SQLite makes its files
            raise state_error(self.path or "in memory", error) from error


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        _rollback(connection)
        raise


def _rollback(connection: sqlite3.Connection) -> None:
    if not connection.in_transaction:  # SQLite has rolled back by itself, as on a full disk
        return
    try:
        connection.execute("ROLLBACK")
    except sqlite3.Error:
        # the error that led here is the one to report
        return


def _give_back_log(connection: sqlite3.Connection) -> None:
    """On a disk that is full the write-ahead log may be what fills it: empty it where that goes."""
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error:
        return  # no room to write the pages where they belong; the next write tries again


def state_error(path: str, error: Exception) -> StateError:
    kind = DiskFull if is_full(error) else StateError
    return kind(f"state database {path}: {error}", hint=hint_for(error))


def is_full(error: Exception) -> bool:
    """Whether there was no room; what SQLite maps into memory says so in its own way."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_FULL or code in (
        sqlite3.SQLITE_IOERR_SHMSIZE,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_TRUNCATE,
    )


def hint_for(error: Exception) -> str:
    """What a person can do about an SQLite error."""
    text = str(error)
    if is_full(error):
        return "free some disk space; `freshd run` goes on by itself"
    if "locked" in text:
        return "another freshd holds the database; try again"
    if "readonly" in text or "unable to open" in text:
        return "check the permissions of the state directory, or set FRESHD_STATE_DIR"
    return "run the command again; a damaged database is set aside and rebuilt at the next start"
