"""The tables, as migrations: entry N takes a database from version N to N + 1.

A released migration is never edited. ``user_version`` holds the version; all pending migrations run
in one transaction, so a database is never between two versions.
"""

import re
from typing import Final

APPLICATION_ID: Final = 0x66726573  # "fres": tells our file from another program's

_ENTRY = (
    "kind TEXT NOT NULL, digest BLOB NOT NULL, size INTEGER NOT NULL, mode INTEGER NOT NULL, reason"
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE root (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE)",
        f"""CREATE TABLE stat (
            root INTEGER NOT NULL REFERENCES root(id) ON DELETE CASCADE, path BLOB NOT NULL,
            mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, length INTEGER NOT NULL,
            inode INTEGER NOT NULL, device INTEGER NOT NULL, hashed_at_ns INTEGER NOT NULL,
            {_ENTRY}, PRIMARY KEY (root, path)) WITHOUT ROWID""",
        "CREATE TABLE image (id INTEGER PRIMARY KEY, chain_id TEXT NOT NULL UNIQUE)",
        f"""CREATE TABLE image_file (
            image INTEGER NOT NULL REFERENCES image(id) ON DELETE CASCADE, path BLOB NOT NULL,
            present INTEGER NOT NULL, {_ENTRY}, PRIMARY KEY (image, path)) WITHOUT ROWID""",
        """CREATE TABLE image_listing (
            image INTEGER NOT NULL REFERENCES image(id) ON DELETE CASCADE, directory BLOB NOT NULL,
            names TEXT NOT NULL, PRIMARY KEY (image, directory)) WITHOUT ROWID""",
        """CREATE TABLE image_writers (
            image INTEGER NOT NULL REFERENCES image(id) ON DELETE CASCADE, directory BLOB NOT NULL,
            lines TEXT NOT NULL, PRIMARY KEY (image, directory)) WITHOUT ROWID""",
        "CREATE TABLE container (id INTEGER PRIMARY KEY, container_id TEXT NOT NULL UNIQUE)",
        f"""CREATE TABLE container_file (
            container INTEGER NOT NULL REFERENCES container(id) ON DELETE CASCADE,
            path BLOB NOT NULL, signature TEXT NOT NULL, {_ENTRY},
            PRIMARY KEY (container, path)) WITHOUT ROWID""",
        """CREATE TABLE written (
            container_id TEXT NOT NULL, target BLOB NOT NULL, digest BLOB NOT NULL,
            at REAL NOT NULL, PRIMARY KEY (container_id, target)) WITHOUT ROWID""",
        """CREATE TABLE build (
            image_id TEXT PRIMARY KEY, service NOT NULL, inputs TEXT NOT NULL, args TEXT NOT NULL,
            recorded_at REAL NOT NULL, by_freshd INTEGER NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE journal (
            id INTEGER PRIMARY KEY AUTOINCREMENT, project NOT NULL, service NOT NULL,
            remedy TEXT NOT NULL, step TEXT NOT NULL, files INTEGER NOT NULL, plan NOT NULL,
            owner INTEGER NOT NULL, began_at REAL NOT NULL, finished_at REAL,
            status TEXT, detail NOT NULL, seconds REAL NOT NULL, output TEXT NOT NULL)""",
        "CREATE INDEX journal_service ON journal (project, service, id)",
        "CREATE INDEX journal_open ON journal (project, id) WHERE finished_at IS NULL",
        """CREATE TABLE phase (
            entry INTEGER NOT NULL REFERENCES journal(id) ON DELETE CASCADE,
            number INTEGER NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, at REAL NOT NULL,
            PRIMARY KEY (entry, number)) WITHOUT ROWID""",
        """CREATE TABLE project_status (
            project PRIMARY KEY, directory BLOB NOT NULL, saved_at REAL NOT NULL,
            extra TEXT NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE service_status (
            project NOT NULL REFERENCES project_status(project) ON DELETE CASCADE,
            service NOT NULL, report TEXT NOT NULL, checked_at REAL NOT NULL,
            PRIMARY KEY (project, service)) WITHOUT ROWID""",
        """CREATE TABLE incident (
            project NOT NULL, service NOT NULL, opened_at REAL NOT NULL, text NOT NULL,
            PRIMARY KEY (project, service)) WITHOUT ROWID""",
        """CREATE TABLE failure (
            project NOT NULL, service NOT NULL, key NOT NULL, count INTEGER NOT NULL,
            inputs TEXT NOT NULL, at REAL NOT NULL, next_try REAL NOT NULL, detail NOT NULL,
            PRIMARY KEY (project, service, key)) WITHOUT ROWID""",
        """CREATE TABLE halt (
            project NOT NULL, service NOT NULL, reason NOT NULL, at REAL NOT NULL,
            PRIMARY KEY (project, service)) WITHOUT ROWID""",
        """CREATE TABLE consent (
            directory BLOB PRIMARY KEY, files TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE last_run (
            project NOT NULL, name NOT NULL, at REAL NOT NULL,
            PRIMARY KEY (project, name)) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE owed (
            container_id TEXT NOT NULL, remedy TEXT NOT NULL, project NOT NULL, service NOT NULL,
            step TEXT NOT NULL, started_at REAL NOT NULL,
            PRIMARY KEY (project, container_id, remedy)) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE validation (
            id INTEGER PRIMARY KEY AUTOINCREMENT, project NOT NULL, began_at REAL NOT NULL,
            finished_at REAL NOT NULL, verdict TEXT NOT NULL, details TEXT NOT NULL)""",
        "CREATE INDEX validation_project ON validation (project, id)",
        """CREATE TABLE several (
            id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL)""",
        """CREATE TABLE tree_size (
            project NOT NULL, service NOT NULL, files INTEGER NOT NULL,
            PRIMARY KEY (project, service)) WITHOUT ROWID""",
    ),
    (
        "CREATE TABLE keyring (id INTEGER PRIMARY KEY CHECK (id = 1), key BLOB NOT NULL)",
        """CREATE TABLE made_with (
            container_id TEXT PRIMARY KEY, stamp TEXT NOT NULL, parts TEXT NOT NULL)
            WITHOUT ROWID""",
        """CREATE TABLE clean_bytecode (
            container_id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE held (
            container_id TEXT PRIMARY KEY, started_at REAL NOT NULL, digests TEXT NOT NULL)
            WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE derived (
            project NOT NULL, service NOT NULL, target BLOB NOT NULL, artefact TEXT NOT NULL,
            sources TEXT NOT NULL, PRIMARY KEY (project, service, target)) WITHOUT ROWID""",
        """CREATE TABLE resolved (
            container_id TEXT NOT NULL, upstream NOT NULL, started_at REAL NOT NULL,
            addresses TEXT NOT NULL, PRIMARY KEY (container_id, upstream)) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE engine_object (
            engine TEXT NOT NULL, object TEXT NOT NULL, content TEXT NOT NULL,
            PRIMARY KEY (engine, object)) WITHOUT ROWID""",
        # of these nobody knows whose they are; all is read again
        "DELETE FROM container_file",
        "DELETE FROM container",
        "DELETE FROM image_file",
        "DELETE FROM image_listing",
        "DELETE FROM image_writers",
        "DELETE FROM image",
    ),
    (
        "ALTER TABLE journal ADD COLUMN asked INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE recurrence (
            project NOT NULL, service NOT NULL, remedy NOT NULL, paths TEXT NOT NULL,
            drift TEXT NOT NULL, wanted TEXT NOT NULL, at REAL NOT NULL, count INTEGER NOT NULL,
            probed TEXT NOT NULL, probed_until REAL NOT NULL, stopped_at REAL NOT NULL,
            PRIMARY KEY (project, service, remedy)) WITHOUT ROWID""",
    ),
    (
        # build arguments were kept as they are, and may be secrets
        "INSERT OR IGNORE INTO keyring VALUES (1, randomblob(32))",
        "UPDATE build SET args = hashed_values((SELECT key FROM keyring WHERE id = 1), args)",
        # of probes the address and the command were kept whole; the next pass writes them anew
        "DELETE FROM service_status WHERE report LIKE '%\"asked\"%'",
    ),
    (
        """CREATE TABLE first_sight (
            project NOT NULL, service NOT NULL, image_id TEXT NOT NULL, inputs TEXT NOT NULL,
            at REAL NOT NULL, PRIMARY KEY (project, service)) WITHOUT ROWID""",
    ),
)

VERSION: Final = len(MIGRATIONS)

TABLES: Final = frozenset(
    name
    for migration in MIGRATIONS
    for statement in migration
    for name in re.findall(r"^CREATE TABLE (\w+)", statement)
)
