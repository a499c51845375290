"""Both sides of one file that differs: a finding in, the bytes of tree and container out."""

import os

from freshd.engine.container import archive
from freshd.model.errors import EngineFailed
from freshd.model.files import Entry, Kind
from freshd.model.report import Finding
from freshd.reconcile.context import Context


def tree_bytes(context: Context, finding: Finding) -> bytes | None:
    """What the tree has; None where that is no file."""
    if finding.path is None or finding.want is None:
        return None
    try:
        return context.surveyor.manifest.read(finding.path)[1]
    except FileNotFoundError:
        return None


def container_bytes(context: Context, finding: Finding) -> bytes | None:
    """What the container has, of a link its text; None where it is absent or cannot be read."""
    seen: Entry | None = finding.seen
    if seen is None or finding.container_id is None or finding.target is None:
        return None
    if seen.kind not in (Kind.FILE, Kind.LINK):
        return None
    try:
        for member, reader in archive.get(context.engine, finding.container_id, finding.target):
            if member.issym():
                return os.fsencode(member.linkname)
            return reader.read() if reader is not None else None
    except EngineFailed:
        return None
    return None
