"""A file system of values: what a stage holds, as far as the Dockerfile says. Pure.

Paths are absolute and clean. A node without a ``source`` is known to exist, with content that is
not from the build context. What a RUN made is not in it; what the base image has is looked up
where a path leads through it.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from freshd.model.files import Kind
from freshd.model.globs.go import read_match
from freshd.model.globs.matcher import compile_nodes
from freshd.model.paths import absolute

MAX_LINKS = 255


class Node(NamedTuple):
    """One path; a tuple, since every file of a large context is remade by every COPY.

    ``source`` is the context path whose bytes it has, None for any other content.

    ``mode`` is the last ``--chmod``; ``free_mode``: the tree does not show which mode it has.
    ``line`` and ``record`` are the COPY's line and its text in the image's history. ``at`` orders
    it against RUNs; ``consumed`` and ``through_run`` were true in the stage it came from.
    ``before`` are the records of earlier COPYs that had put the same file there.
    ``named``: the COPY names this very file. ``guessed``: where it landed depends on a base image
    that is not known. ``given``: the base image has it.
    """

    kind: Kind
    source: str | None = None
    link: str = ""
    mode: int | None = None
    free_mode: bool = False
    line: int = 0
    record: str = ""
    before: tuple[str, ...] = ()
    at: int = 0
    consumed: bool = False
    through_run: bool = False
    named: bool = False
    guessed: bool = False
    given: bool = False


DIRECTORY = Node(Kind.DIR)
GIVEN = Node(Kind.DIR, given=True)


def join(directory: str, name: str) -> str:
    """Clean parts in, clean path out."""
    return f"/{name}" if directory == "/" else f"{directory}/{name}"


def split(path: str) -> tuple[str, str]:
    """(directory, name) of a clean path other than the root."""
    directory, _, name = path.rpartition("/")
    return directory or "/", name


@dataclass(slots=True)
class Volume:
    """Mutable while a stage is replayed; ``clone`` for a stage built on it.

    ``base`` says what the base image has at a path; it is asked once, and only below directories
    that the image has too. ``built`` says where a symbolic link leads that the built image has at a
    path ("": there is none): it is set where a RUN, or a base image that is not known, may have
    made links of which nothing else tells.
    """

    nodes: dict[str, Node] = field(default_factory=lambda: {"/": DIRECTORY})
    names: dict[str, set[str]] = field(default_factory=lambda: {"/": set()})
    base: Callable[[str], Node | None] | None = None
    absent: set[str] = field(default_factory=set)
    built: Callable[[str], str] | None = None

    @classmethod
    def from_image(cls, base: Callable[[str], Node | None] | None) -> "Volume":
        """The file system of a base image."""
        volume = cls(base=base)
        volume.nodes["/"] = GIVEN
        return volume

    def clone(self) -> "Volume":
        names = {path: set(below) for path, below in self.names.items()}
        return Volume(dict(self.nodes), names, self.base, set(self.absent), self.built)

    def get(self, path: str) -> Node | None:
        """The node itself, no link followed."""
        return self.nodes.get(path)

    def resolve(self, path: str) -> str:
        """Follow every link on the way, the last one too, inside this root; missing parts stay."""
        rest = absolute(path).strip("/").split("/")
        real, links = "/", 0
        while rest:
            name = rest.pop(0)
            if name in ("", "."):
                continue
            if name == "..":
                real = posixpath.dirname(real)
                continue
            step = join(real, name)
            link = self._link(step)
            if not link or links >= MAX_LINKS:
                real = step
                continue
            links += 1
            rest = [*link.split("/"), *rest]
            if link.startswith("/"):
                real = "/"
        return real

    def _link(self, path: str) -> str:
        """Where the symbolic link at ``path`` leads; "" where there is none."""
        node = self.lookup(path)
        if node is not None and node.kind is Kind.LINK and node.source is not None:
            return node.link  # the tree's own: where the next build follows it
        made = self.built(path) if self.built is not None else ""
        return made or (node.link if node is not None and node.kind is Kind.LINK else "")

    def lookup(self, path: str) -> Node | None:
        """The node itself, of the base image too where nothing has covered that."""
        own = self.nodes.get(path)
        if own is not None or self.base is None or path in self.absent:
            return own
        parent = split(path)[0]
        node = self.nodes.get(parent)
        if node is None or not node.given:
            return None
        inherited = self.base(path)
        if inherited is None:
            self.absent.add(path)
            return None
        inherited = inherited._replace(given=True)
        self.put(path, inherited)
        return inherited

    def kind(self, path: str) -> Kind | None:
        """What ``path`` is once its links are followed."""
        node = self.nodes.get(self.resolve(path))
        return node.kind if node else None

    def put(self, path: str, node: Node) -> None:
        """Set one path; the directories above it come to exist."""
        if path == "/":
            return
        directory, name = split(path)
        if directory not in self.names:
            self.make_directories(directory)
        if node.kind is not Kind.DIR:
            if path in self.names:
                self._drop_below(path)
        elif path not in self.names:
            self.names[path] = set()
        self.nodes[path] = node
        self.names[directory].add(name)

    def add(self, directory: str, name: str, path: str, node: Node) -> bool:
        """Set ``path``, the file ``name`` of a directory that is there; False, and nothing is done,
        where there is more to it. What ``put`` does for most files of a large context.
        """
        names = self.names.get(directory)
        if names is None or path in self.nodes:
            return False
        self.nodes[path] = node
        names.add(name)
        return True

    def make_directories(self, path: str) -> None:
        """The directory and those above it come to exist; what the base image has stays its."""
        node = self.nodes.get(path)
        if node is not None and node.kind is Kind.DIR:
            return
        self.put(path, DIRECTORY)

    def _drop_below(self, path: str) -> None:
        for name in self.names.pop(path, ()):
            child = join(path, name)
            self._drop_below(child)
            del self.nodes[child]

    def children(self, path: str) -> list[str]:
        """Names in one directory, in the byte order a walk has."""
        return sorted(self.names.get(path, ()), key=_bytes)

    def walk(self, path: str) -> Iterator[tuple[str, str, Node]]:
        """(directory relative to ``path``, name, node) of everything below, parents first."""
        pending = [""]
        while pending:
            prefix = pending.pop()
            directory = join(path, prefix) if prefix else path
            above = "" if directory == "/" else directory
            for name in self.names.get(directory, ()):
                node = self.nodes[f"{above}/{name}"]
                yield prefix, name, node
                if node.kind is Kind.DIR:
                    pending.append(f"{prefix}/{name}" if prefix else name)

    def below(self, path: str) -> Iterator[tuple[str, Node]]:
        """(path relative to ``path``, node) of everything below, parents first."""
        for directory, name, node in self.walk(path):
            yield f"{directory}/{name}" if directory else name, node

    def glob(self, pattern: str) -> list[str]:
        """The paths a COPY source names, in walking order; links are followed before a wildcard."""
        parts = absolute(pattern).strip("/").split("/")
        first = next((at for at, part in enumerate(parts) if has_wildcard(part)), None)
        if first is None:
            return [absolute(pattern)]
        paths = [self.resolve("/".join(parts[:first]))]
        for part in parts[first:]:
            matches = go_match(part)
            if matches is None:
                return []
            paths = [
                join(directory, name)
                for directory in paths
                for name in self.children(directory)
                if matches(name)
            ]
        return paths


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def has_wildcard(text: str) -> bool:
    """Whether an unescaped ``*``, ``?`` or ``[`` is in it."""
    return re.search(r"(?<!\\)(?:\\\\)*[*?\[]", text) is not None


@lru_cache(maxsize=256)
def go_match(pattern: str) -> Callable[[str], object] | None:
    """One path component in the grammar of Go's filepath.Match; None for a malformed one."""
    try:
        return compile_nodes(read_match(pattern)).fullmatch
    except ValueError:
        return None
