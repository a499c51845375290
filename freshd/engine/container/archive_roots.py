"""Which archives to ask for so that all paths are in them and little else is. Pure."""

import posixpath
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from freshd.model.paths import is_below

# One archive of a file costs about as much as some hundred small files in an archive of a
# directory; but a directory may hold anything (node_modules beside a handful of asked files).
_FEW = 3
_DIRECT = 12
_BRANCHES = 16

# Never fetched whole: other software lives there.
_SHARED = frozenset(
    {"/", "/bin", "/etc", "/home", "/lib", "/lib64", "/mnt", "/opt", "/root", "/run", "/sbin"}
    | {"/srv", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/local", "/usr/sbin"}  # noqa: S108
    | {"/usr/share", "/usr/src", "/var", "/var/lib"}
)


@dataclass(frozen=True, slots=True)
class Root:
    """One archive to fetch: ``path`` itself, or with ``whole`` the directory of all ``wanted``."""

    path: str
    wanted: tuple[str, ...]
    whole: bool


@dataclass(slots=True)
class _Node:
    direct: list[str] = field(default_factory=list)
    children: dict[str, "_Node"] = field(default_factory=lambda: defaultdict(_Node))

    def all(self) -> Iterator[str]:
        yield from self.direct
        for child in self.children.values():
            yield from child.all()


def plan(paths: Collection[str]) -> list[Root]:
    """Roots that together hold every path exactly once."""
    top = _Node()
    for path in sorted(set(paths)):
        node = top
        for part in posixpath.dirname(path).split("/"):
            if part:
                node = node.children[part]
        node.direct.append(path)
    return list(_roots("/", top))


def split(root: Root) -> list[Root]:
    """The same paths in smaller archives: for a directory that could not be fetched in one."""
    if not root.whole:
        return []
    prefix = root.path.rstrip("/") + "/"
    groups: dict[str, list[str]] = defaultdict(list)
    for path in root.wanted:
        first, slash, _ = path.removeprefix(prefix).partition("/")
        groups[prefix + first if slash else ""].append(path)
    singles = [Root(path, (path,), whole=False) for path in groups.pop("", [])]
    return singles + [Root(name, tuple(below), whole=True) for name, below in groups.items()]


def below_link(link: str, wanted: Collection[str]) -> Root:
    """What is wanted below a symbolic link, as a root of its own (it will be resolved)."""
    return Root(link, tuple(path for path in wanted if is_below(path, link)), whole=True)


def _roots(path: str, node: _Node) -> Iterator[Root]:
    wanted = tuple(node.all())
    worth_it = len(node.direct) > _DIRECT or len(node.children) > _BRANCHES
    if len(wanted) > _FEW and worth_it and path not in _SHARED:
        yield Root(path, wanted, whole=True)
        return
    for direct in node.direct:
        yield Root(direct, (direct,), whole=False)
    for name, child in node.children.items():
        yield from _roots(posixpath.join(path, name), child)
