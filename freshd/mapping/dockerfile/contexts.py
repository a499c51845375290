"""Build contexts as values: the main one, and the named ones beside it. Files in, Volumes out.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshd.mapping.dockerfile.replay.volume import DIRECTORY, Node, Volume
from freshd.model.files import Kind


@dataclass(frozen=True, slots=True)
class NamedContext:
    """A named build context: a directory, else an image, else ``unfollowed`` says why neither.

    ``files`` (after its ignore file) and ``links`` have the shape of the main context's;
    ``prefix`` leads from the main context to the directory: sources are named ``../lib/x``.
    """

    files: Mapping[str, Kind] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    image: str = ""
    unfollowed: str = ""

    @property
    def local(self) -> bool:
        return not self.image and not self.unfollowed

    def volume(self) -> Volume:
        """Its files below '/', each with the source it has as seen from the main context."""
        return context_volume(self.files, self.links, prefix=self.prefix)


def context_volume(
    files: Mapping[str, Kind], links: Mapping[str, str], *, prefix: str = ""
) -> Volume:
    """A directory's files as a Volume rooted at '/'."""
    volume = Volume()
    for path, kind in files.items():
        if kind is Kind.OTHER:
            continue  # sockets and devices are not sent to the builder
        if kind is Kind.DIR:
            volume.put(f"/{path}", DIRECTORY)
            continue
        source = below(prefix, path) if prefix else path
        node = Node(kind, source, links.get(path, "") if links else "")
        directory, _, name = path.rpartition("/")
        if not volume.add(f"/{directory}", name, f"/{path}", node):
            volume.put(f"/{path}", node)
    return volume


def below(prefix: str, path: str) -> str:
    """``path`` of a context, as seen from the main one."""
    return f"{prefix}/{path}" if prefix and path else prefix or path


def familiar(name: str) -> str:
    """The short form that contexts are named by: no registry, no ``library/``, no ``:latest``."""
    for start in ("docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(start)
    return name.removesuffix(":latest")
