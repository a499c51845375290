"""After a pass: what the engine has no more is forgotten, so that the database does not grow.

In: who asked the engine, and the store. A pass that saw nothing new costs one query of the
database: what went has a successor, and that is when its records go.
"""

from collections.abc import Collection

from freshd.engine import inventory
from freshd.engine.client import Engine
from freshd.model.errors import EngineFailed, EngineUnavailable, OutcomeUnknown
from freshd.store.store import Store


def forget_gone(store: Store, clients: Collection[Engine]) -> None:
    """Forget containers, images and volumes that an engine was known to have and has no more.

    ``clients`` are all of the same engine.
    """
    objects = {name: content for client in clients for name, content in client.take_seen().items()}
    if store.path is None or not store.engine_objects.unknown(objects):
        return
    engine = next(iter(clients))
    try:
        name = inventory.identity(engine)
        store.engine_objects.add(name, objects)
        # known before it is listed: what another process sees meanwhile is not taken for gone
        missing = inventory.missing(engine, store.engine_objects.get(name))
    except (EngineUnavailable, EngineFailed, OutcomeUnknown):
        return  # the next pass that sees something new tries again
    store.forget(name, gone=missing.gone, unused=missing.unused)
