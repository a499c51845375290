"""What freshd remembers, in one SQLite database. Values come in, values go out.

``open_store`` for whoever writes, ``open_readonly`` for ``status`` and ``history``, and
``memory_store`` where nothing can be written: a check then only takes longer.
"""

from freshd.store.store import Store, memory_store, open_readonly, open_store

__all__ = ["Store", "memory_store", "open_readonly", "open_store"]
