"""Symbolic links on the way to a target: safety rule 3. Paths in, real paths or reasons out.

A link that somebody planted could lead a write through a mount to the host, so every component is
checked right before; a link that the image has itself (``/bin -> usr/bin``) may be followed when
it ends outside every mount. This narrows a race; what closes it is that the shells enter the
directory before they change anything in it, and ask where they are. An archive written in place
has no such help, which is why names below mounts are refused on their own and the engine's
``noOverwriteDirNonDir`` is always set.
"""

from collections.abc import Collection, Iterable, Mapping

from freshd.act.write import rules
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container.shell_session import ShellSession
from freshd.engine.images import probe_container
from freshd.model.files import Kind
from freshd.model.observed.container import Replica
from freshd.model.paths import ancestors

_HOPS = 8

# An image never changes, so what is a link in it is asked once in the life of the process.
_image_links: dict[tuple[str, str], str | None] = {}


def resolve(
    engine: Engine,
    replica: Replica,
    paths: Iterable[str],
    *,
    shell: ShellSession | None,
    volumes_allowed: bool,
) -> tuple[dict[str, str], dict[str, str]]:
    """(path -> where it really is, path -> why it is refused); every path is in one of the two.

    The last component is not followed, as a rename does not: see `image_has_link` for that one.
    """
    current = {path: path for path in paths}
    refused: dict[str, str] = {}
    settled: dict[str, str] = {}
    for _ in range(_HOPS):
        asked = {prefix for real in current.values() for prefix in ancestors(real)}
        links = _links(engine, replica, sorted(asked), shell)
        onward: dict[str, str] = {}
        for path, real in current.items():
            link = next((above for above in reversed([*ancestors(real)]) if above in links), None)
            if link is None:
                settled[path] = real
                continue
            target = _resolve_link(engine, replica, link)
            if target is None:
                refused[path] = f"{link} is a symbolic link that the image does not have"
                continue
            moved = target.rstrip("/") + real[len(link) :]
            reason = rules.find_objection(replica, moved, volumes_allowed=volumes_allowed)
            if reason:
                refused[path] = f"{link} leads to {moved}: {reason}"
            else:
                onward[path] = moved
        current = onward
        if not current:
            return settled, refused
    refused.update(dict.fromkeys(current, "too many symbolic links"))
    return settled, refused


def image_has_link(engine: Engine, replica: Replica, path: str) -> bool:
    """Whether the symbolic link at ``path`` is the one that the image has there."""
    return _resolve_link(engine, replica, path) is not None


def _links(
    engine: Engine, replica: Replica, prefixes: list[str], shell: ShellSession | None
) -> frozenset[str]:
    seen: frozenset[str] = frozenset()
    hidden: Collection[str] = prefixes
    if shell is not None:
        seen, hidden = shell.look(prefixes)
    stats: Mapping[str, archive.PathStat | None] = {
        prefix: archive.stat(engine, replica.id, prefix) for prefix in hidden
    }
    return seen.union(p for p, stat in stats.items() if stat and stat.kind is Kind.LINK)


def _resolve_link(engine: Engine, replica: Replica, link: str) -> str | None:
    """Where the link ends, if container and image agree on it; both as the engine resolves it."""
    here = archive.stat(engine, replica.id, link)
    if here is None or here.kind is not Kind.LINK:
        return None
    key = (replica.image_id, link)
    if key not in _image_links:
        with probe_container(engine, replica.image_id) as probe:
            there = archive.stat(engine, probe, link)
        is_link = there is not None and there.kind is Kind.LINK
        _image_links[key] = there.link_target if there and is_link else None
    return here.link_target if here.link_target == _image_links[key] else None
