"""Archives as the engine makes and takes them: nodes in, tar bytes out, and back."""

import io
import os
import posixpath
import tarfile
from collections.abc import Iterable

from freshd.model.files import Kind
from tests.loop.fake.files import Node, View

_TYPES = {Kind.FILE: tarfile.REGTYPE, Kind.DIR: tarfile.DIRTYPE, Kind.LINK: tarfile.SYMTYPE}


def packed(members: Iterable[tuple[str, Node]]) -> bytes:
    """(name in the archive, node)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", errors="surrogateescape") as tar:
        for name, node in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime = _TYPES[node.kind], node.mode, int(node.mtime)
            info.uid, info.gid = node.uid, node.gid
            if node.kind is Kind.LINK:
                info.linkname = os.fsdecode(node.content)
            info.size = node.size if node.kind is Kind.FILE else 0
            tar.addfile(info, io.BytesIO(node.content) if node.kind is Kind.FILE else None)
    return buffer.getvalue()


def taken(view: View, path: str) -> bytes | None:
    """`GET archive`: names begin with the last component of ``path``; None: nothing is there."""
    node = view.get(path)
    if node is None:
        return None
    top = posixpath.basename(path.rstrip("/"))
    paths = view.below(view.real(path)) if node.kind is Kind.DIR else []
    start = view.real(path).rstrip("/")
    nodes = ((each, view.get(each)) for each in paths)
    members = [(posixpath.join(top, p[len(start) + 1 :]), n) for p, n in nodes if n is not None]
    return packed([(top or "./", node), *members])


def given(view: View, path: str, tar: bytes) -> str:
    """`PUT archive` with ``noOverwriteDirNonDir``; "" or why it is refused."""
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:", errors="surrogateescape") as archive:
        for info in archive:
            target = posixpath.normpath(posixpath.join(path, info.name))
            before = view.get(target)
            if info.isdir():
                if before is None:
                    view.write(target, _node(info, Kind.DIR, b""))
                continue
            if before is not None and before.kind is Kind.DIR:
                return f"cannot overwrite directory {target} with a file"
            reader = archive.extractfile(info)
            view.write(target, _node(info, Kind.FILE, b"" if reader is None else reader.read()))
    return ""


def _node(info: tarfile.TarInfo, kind: Kind, content: bytes) -> Node:
    return Node(kind, content, info.mode, info.uid, info.gid, float(info.mtime))
