"""One SQLite file: opened, migrated, one writer and many readers."""
