"""Files that differ, with both contents: findings of one pass in, the bytes of both sides out."""

import os
from collections.abc import Iterator

from freshd.catalog.causes.registry import get_cause
from freshd.engine.container import archive
from freshd.model.errors import EngineFailed
from freshd.model.files import Kind
from freshd.model.report import Finding
from freshd.reconcile.context import Context
from freshd.reconcile.reconcile import check_service
from freshd.render.diffs import FileDiff


def diff_files(context: Context, service: str, path: str | None) -> Iterator[FileDiff]:
    """Every file that differs in the containers of ``service``.

    ``path`` keeps one of them: a path of the tree, or a place in the container.
    """
    for finding in check_service(context, service).report.findings:
        if not get_cause(finding.cause).has_diff or finding.target is None:
            continue
        if path is None or path in (finding.path, finding.target):
            yield FileDiff(
                path=finding.path,
                target=finding.target,
                container=finding.container or "",
                tree=_tree_bytes(context, finding),
                seen=_container_bytes(context, finding),
            )


def _tree_bytes(context: Context, finding: Finding) -> bytes | None:
    """What the tree has; None where that is no file."""
    if finding.path is None or finding.want is None:
        return None
    try:
        return context.snapshots.manifest.read(finding.path)[1]
    except FileNotFoundError:
        return None


def _container_bytes(context: Context, finding: Finding) -> bytes | None:
    """What the container has, of a link its text; None where it is absent or cannot be read."""
    entry = finding.seen
    if entry is None or finding.container_id is None or finding.target is None:
        return None
    if entry.kind not in (Kind.FILE, Kind.LINK):
        return None
    try:
        for member, reader in archive.get(context.engine, finding.container_id, finding.target):
            if member.issym():
                return os.fsencode(member.linkname)
            return reader.read() if reader is not None else None
    except EngineFailed:
        return None
    return None
