"""What one COPY or ADD puts where: an origin and a target Volume in, the target changed.

The rules are BuildKit's as seen on a real builder: a source that is a directory gives its
contents; links in a source or a destination path are followed inside their own root, also the
last one; links inside a copied directory stay links; a file goes into a destination that is a
directory or ends in '/', and replaces anything else.
"""

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from freshd.mapping.dockerfile.replay.volume import DIRECTORY, Node, Volume, join
from freshd.model.files import Kind
from freshd.model.paths import absolute
from freshd.tree.dockerignore import DockerIgnore


@dataclass(frozen=True, slots=True)
class Placement:
    """One source-to-destination order. ``destination`` is absolute; a final '/' or '/.' counts.

    ``stamp`` makes the node that lands from the node it came from; ``is_directory`` is asked when
    the volume does not know what the destination is.
    """

    destination: str
    stamp: Callable[[Node], Node]
    is_directory: Callable[[str], bool]
    exclude: DockerIgnore = field(default_factory=DockerIgnore)


@dataclass(slots=True)
class Placer:
    """Places into one volume. ``lost`` gets every node that another one replaced."""

    volume: Volume
    lost: list[Node] = field(default_factory=list)

    def copy(self, origin: Volume, source: str, order: Placement, *, named: bool = False) -> None:
        """Copy one path; one that the origin does not know only makes its destination.

        ``named``: the COPY has the path itself, and not a pattern that it matched.
        """
        node = origin.lookup(origin.resolve(source))
        if node is None:
            self.prepare(order)
            return
        target = self.prepare(order)
        if node.kind is Kind.DIR:
            self._contents(origin, origin.resolve(source), target=target, order=order)
            return
        landed = self._file_target(target, posixpath.basename(source), order)
        self._put(landed, order.stamp(node)._replace(named=named))

    def copy_tree(self, origin: Volume, pivot: str, *, pattern: str, order: Placement) -> None:
        """``COPY --parents``: what matches below ``pivot`` keeps its path relative to it."""
        target = self.prepare(order)
        wanted = DockerIgnore.from_text(pattern)
        base = origin.resolve(pivot)
        for relative, node in origin.below(base):
            if wanted.excludes(relative) and not order.exclude.excludes(relative):
                self._merge(join(target, relative), node, order)

    def put_other_file(self, name: str, order: Placement) -> None:
        """A file whose content is not the context's: a heredoc, or one from a URL."""
        target = self.prepare(order)
        self._put(self._file_target(target, name, order), order.stamp(Node(Kind.FILE)))

    def prepare(self, order: Placement) -> str:
        """Make the directories of the destination, and return its path without links."""
        slashed = order.destination.endswith(("/", "/."))
        target = self.volume.resolve(order.destination)
        self.volume.make_directories(
            target if slashed else self.volume.resolve(posixpath.dirname(order.destination))
        )
        return target

    def _file_target(self, target: str, name: str, order: Placement) -> str:
        kind = self.volume.kind(target)
        if kind is Kind.DIR or (kind is None and order.is_directory(target)):
            self.volume.make_directories(target)
            return join(target, name)
        return target

    def _contents(self, origin: Volume, base: str, *, target: str, order: Placement) -> None:
        volume, stamp = self.volume, order.stamp
        volume.make_directories(target)
        excludes = order.exclude.excludes if order.exclude.patterns else None
        for directory, name, node in origin.walk(base):
            if excludes is not None and excludes(f"{directory}/{name}" if directory else name):
                continue
            above = join(target, directory) if directory else target
            path = f"{above}/{name}" if above != "/" else f"/{name}"
            if node.kind is Kind.DIR or not volume.add(above, name, path, stamp(node)):
                self._merge(path, node, order)

    def _merge(self, path: str, node: Node, order: Placement) -> None:
        if node.kind is not Kind.DIR:
            self._put(path, order.stamp(node))
        elif self.volume.lookup(path) is None:
            self.volume.put(path, DIRECTORY)

    def _put(self, path: str, node: Node) -> None:
        old = self.volume.get(path)
        if old is not None and old.source is not None:
            self.lost.append(old)
            if old.source == node.source:
                node = node._replace(before=(*old.before, old.record))
        self.volume.put(path, node)


def expand_sources(origin: Volume, names: tuple[str, ...]) -> Iterator[str]:
    """The literal paths that the source words of one COPY name, in order."""
    for name in names:
        yield from origin.glob(absolute(name))


def chmod(node: Node, *, mode: int | None, free: bool) -> Node:
    """The node under ``--chmod``: an octal mode is known, a symbolic one is not computed."""
    if mode is not None:
        return node._replace(mode=mode, free_mode=False)
    return node._replace(free_mode=True) if free else node
