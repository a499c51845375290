"""Evidence as findings carry it: entries and paths in, JSON values out."""

import hashlib
from collections.abc import Iterable, Sized

from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Mount
from freshd.model.text import Json

SHOWN_PATHS = 20


def digest(entry: Entry | None) -> str | None:
    """``sha256:…`` of a file or link, the kind of anything else, None for what is absent."""
    if entry is None:
        return None
    return f"sha256:{entry.digest}" if entry.digest else str(entry.kind)


def octal(entry: Entry | None) -> str | None:
    """The permission bits as ``755``; None where there are none to compare."""
    return f"{entry.mode:o}" if entry is not None and entry.kind is Kind.FILE else None


def mounted(mount: Mount | None) -> dict[str, Json]:
    """The mount that covers a path: nothing where there is none."""
    if mount is None:
        return {}
    return {"mount": mount.target, "mount_kind": mount.kind}


def paths(names: Iterable[str]) -> dict[str, Json]:
    """At most ``SHOWN_PATHS`` of the names, sorted, and how many there are."""
    every = sorted(set(names))
    return {"paths": every[:SHOWN_PATHS], "count": len(every)}


def and_more(several: Sized) -> str:
    """What a message says behind the one of them that it names; "" where there is no other."""
    return f" and {len(several) - 1:,} more" if len(several) > 1 else ""


def drift(facts: Iterable[tuple[str, str | None]]) -> str:
    """One digest over (name, state) pairs: it changes when, and only when, the drift does."""
    total = hashlib.sha256()
    for name, state in sorted(facts, key=lambda fact: (fact[0], fact[1] or "")):
        total.update(name.encode(errors="surrogateescape") + b"\0")
        total.update((state or "-").encode(errors="surrogateescape") + b"\0")
    return f"sha256:{total.hexdigest()}"
