"""Which files of the tree are the data of a service: what a program writes through its mount.

In: the services of a project. Out: for paths of the tree, whose data they are. The database that
one service keeps in ``./data`` lies in what another one's ``COPY . .`` takes; it is no code there.
Only below what a service mounts and may write is there data, and never what git tracks, but for
logs and databases. Git's index and ignore files and the owners of files are read.
"""

import os
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Final

from freshd.config.compose.model import ComposeMount, ComposeService, is_remote
from freshd.mapping.natures import Nature, find_nature
from freshd.mapping.service_map import MapResult
from freshd.model.mapping import ServiceMap, Via
from freshd.model.observed.questions import source_of
from freshd.model.paths import is_below
from freshd.tree.git import Repository, find_repository
from freshd.tree.git_index import read_tracked
from freshd.tree.ignore import WatchIgnore
from freshd.tree.listing import Stamp, stamp
from freshd.tree.places import find_place

_STATE: Final = ("/var/lib", "/var/log", "/var/spool", "/var/cache", "/var/opt", "/data/db")
"""Where programs keep what they write, by the Filesystem Hierarchy Standard and by MongoDB."""

_KEEPERS: Final = frozenset({".gitkeep", ".keep", ".gitignore", ".dockerignore"})
"""Files that are tracked so that a directory is there, or so that nothing else in it is."""


@dataclass(frozen=True, slots=True)
class _Bind:
    """A mount that ``service`` may write to: ``source`` is a real place of this machine."""

    source: str
    service: str
    target: str
    builds: bool

    @property
    def words(self) -> str:
        return f"data of {self.service}, which writes it through its mount at {self.target}"


class ServiceData:
    """The mounts of one project, as its services name them at one moment."""

    def __init__(self, project_dir: str, services: Iterable[ComposeService]) -> None:
        self._root = os.path.abspath(project_dir)
        self._services = tuple(services)

    def select(self, paths: Iterable[str], *, beside: Iterable[str] = ()) -> Mapping[str, str]:
        """Those of ``paths`` (project-relative) that are data -> whose, in words.

        ``beside`` are other files of the tree: what lies there tells data from work.
        """
        return self._select(paths, beside, {})

    def without(self, result: MapResult) -> MapResult:
        """The map without data: no copies, no inputs, no files of a mapped directory."""
        made, stamps = result.map, dict(result.stamps)
        brought = [pair for pair in made.pairs if pair.via is not Via.BIND]
        named = {made.origins.get(pair.target) for pair in brought if pair.via is Via.DECLARED}
        sources = {pair.source for pair in brought} - named
        data = self._select(sources.union(made.inputs), (p.source for p in made.pairs), stamps)
        data = {path: words for path, words in data.items() if path != result.dockerfile}
        if not data:
            return replace(result, stamps=stamps)
        pairs = tuple(p for p in made.pairs if p.via is Via.BIND or p.source not in data)
        gone = {pair.target for pair in brought if pair.source in data}
        left = replace(
            made,
            pairs=pairs,
            inputs=tuple(path for path in made.inputs if path not in data),
            traceless=tuple(path for path in made.traceless if path not in data),
            data=dict(sorted(data.items())),
        )
        copies = {target: copy for target, copy in result.copies.items() if target not in gone}
        return replace(result, map=left, copies=copies, stamps=stamps)

    def select_targets(self, mapping: ServiceMap, targets: Collection[str]) -> frozenset[str]:
        """Those of ``targets``, of which no pair is left, that data of a service came to."""
        sources = {target: source_of(mapping, target) for target in targets}
        wanted = {source for source in sources.values() if source is not None}
        beside = [*mapping.inputs, *(pair.source for pair in mapping.pairs)]
        data = self.select(wanted, beside=beside) if wanted else {}
        return frozenset(target for target, source in sources.items() if source in data)

    def _select(
        self, paths: Iterable[str], beside: Iterable[str], stamps: dict[str, Stamp]
    ) -> dict[str, str]:
        if not self._binds:
            return {}
        candidates = {path: binds for path in paths if (binds := self._binds_of(path))}
        if not candidates:
            return {}
        evidence = _Evidence(self._root, [*self._works, self._root])
        for path in {*candidates, *beside}:
            evidence.see(self._place(path))
        data = {
            path: owner.words
            for path, binds in candidates.items()
            if (owner := _find_owner(evidence, self._place(path), binds)) is not None
        }
        stamps.update(evidence.stamps())
        stamps.update((link, stamp(link, now=time.time_ns())) for link in self._links)
        return data

    def _place(self, path: str) -> str:
        if not path.startswith("."):
            return f"{self._root}/{path}"
        return os.path.normpath(os.path.join(self._root, path))

    def _binds_of(self, path: str) -> Sequence[_Bind]:
        place = self._place(path)
        return [bind for bind in self._binds if is_below(place, bind.source)]

    @cached_property
    def _binds(self) -> Sequence[_Bind]:
        """None of what holds nothing of the project, such as a socket."""
        binds = []
        for service in self._services:
            for mount in service.mounts:
                named = _name_on_host(mount)
                if named and not mount.read_only:
                    source = find_place(named).path
                    built = service.build is not None
                    binds.append(_Bind(source, service.name, mount.target, built))
        return binds

    @cached_property
    def _links(self) -> frozenset[str]:
        """Links that lead to the mounts: they may be turned."""
        mounts = (mount for service in self._services for mount in service.mounts)
        named = filter(None, map(_name_on_host, mounts))
        return frozenset(link for path in named for link in find_place(path).links)

    @cached_property
    def _works(self) -> Sequence[str]:
        """The directories that people work in: the project and what is built."""
        builds = (service.build for service in self._services if service.build is not None)
        return [build.context for build in builds if not is_remote(build.context)]


def _name_on_host(mount: ComposeMount) -> str:
    """The directory or file of this machine that is mounted, as it is named; "" if none is."""
    return (mount.named or mount.source) if mount.kind == "bind" else mount.device


def _find_owner(evidence: "_Evidence", place: str, binds: Sequence[_Bind]) -> _Bind | None:
    """The service whose data it is, the innermost mount first."""
    ordered = sorted(binds, key=lambda bind: len(bind.source), reverse=True)
    return next((bind for bind in ordered if _is_data(evidence, place, bind)), None)


def _is_data(evidence: "_Evidence", place: str, bind: _Bind) -> bool:
    nature = find_nature(place)
    if nature is Nature.RECORD:
        return True
    if evidence.is_tracked(place):
        return False
    stored = any(is_below(bind.target, state) for state in _STATE)
    if nature is Nature.WORK:  # a plugin that Grafana installed; without git nobody knows
        return stored and not bind.builds and evidence.in_git(place)
    if evidence.is_program(place):
        return False
    if stored or evidence.is_foreign(place):
        return True
    apart, ignored = evidence.is_apart(place, bind.source), evidence.is_ignored(place)
    if nature is Nature.SETTINGS:
        if is_below(bind.target, "/etc"):
            return False
        apart = apart or (place == bind.source and ignored)
        return apart and (ignored or not bind.builds)
    return apart or ignored or (place == bind.source and evidence.in_git(place))


@dataclass(slots=True)
class _Evidence:
    """What is known of the files that lie around; of one look."""

    root: str
    works: Collection[str]
    _worked: set[str] = field(default_factory=set)
    _repositories: dict[str, Repository | None] = field(default_factory=dict)
    _tracked: dict[str, frozenset[str]] = field(default_factory=dict)
    _ignores: dict[str, WatchIgnore] = field(default_factory=dict)
    _owner: int | None = None

    def __post_init__(self) -> None:
        for directory in self.works:
            self._work_at(os.path.join(os.path.realpath(directory), "Dockerfile"))
        try:
            self._owner = os.stat(self.root).st_uid
        except OSError:
            self._owner = None

    def see(self, place: str) -> None:
        """Take in that a file lies there: where it is work, people work in its directory."""
        if find_nature(place) is Nature.WORK and os.path.basename(place) not in _KEEPERS:
            self._work_at(place)
        self._index_of(self._repository(os.path.dirname(place)))

    def is_apart(self, place: str, top: str) -> bool:
        """Whether, at or below ``top``, it lies in a directory that people do not work in."""
        directory = os.path.dirname(place)
        while is_below(directory, top):
            if directory not in self._worked:
                return True
            directory = os.path.dirname(directory)
        return False

    def in_git(self, place: str) -> bool:
        """Whether git tracks anything there that tells who made what."""
        repository = self._repository(os.path.dirname(place))
        return bool(self._index_of(repository))

    def is_tracked(self, place: str) -> bool:
        return place in self._index_of(self._repository(os.path.dirname(place)))

    def is_ignored(self, place: str) -> bool:
        repository = self._repository(os.path.dirname(place))
        top = self.root if repository is None else repository.top
        if not is_below(place, top):
            return False
        if top not in self._ignores:
            self._ignores[top] = WatchIgnore(top)
        return self._ignores[top].ignored(os.path.relpath(place, top))

    def is_foreign(self, place: str) -> bool:
        """Whether another user owns it than the one that the project belongs to."""
        status = _look(place)
        return status is not None and self._owner is not None and status.st_uid != self._owner

    def is_program(self, place: str) -> bool:
        """Whether it is a link or can be executed; modes say nothing where everybody may do all."""
        status = _look(place)
        if status is None:
            return False
        mode = status.st_mode
        return stat.S_ISLNK(mode) or (bool(mode & 0o111) and not mode & 0o002)

    def stamps(self) -> Iterator[tuple[str, Stamp]]:
        """Of git's files that were read, as in ``Listing``."""
        now = time.time_ns()
        read = {file for ignore in self._ignores.values() for file in ignore.files_read()}
        known = (r for r in self._repositories.values() if r is not None)
        read.update(os.path.join(repository.directory, "index") for repository in known)
        return ((file, stamp(file, now=now)) for file in read)

    def _work_at(self, place: str) -> None:
        directory = os.path.dirname(place)
        while directory not in self._worked:
            self._worked.add(directory)
            directory = os.path.dirname(directory)

    def _repository(self, directory: str) -> Repository | None:
        """Asked of each directory, since a submodule has an index of its own."""
        if directory not in self._repositories:
            above = os.path.dirname(directory)
            if os.path.lexists(os.path.join(directory, ".git")) or above == directory:
                self._repositories[directory] = find_repository(directory)
            else:
                self._repositories[directory] = self._repository(above)
        return self._repositories[directory]

    def _index_of(self, repository: Repository | None) -> frozenset[str]:
        """The absolute paths that git tracks there; people work where these are."""
        if repository is None:
            return frozenset()
        if repository.top not in self._tracked:
            index = os.path.join(repository.directory, "index")
            files = _read_index(repository, _identify(index))
            self._tracked[repository.top] = files
            for file in files:
                if os.path.basename(file) not in _KEEPERS and (
                    find_nature(file) is not Nature.RECORD
                ):
                    self._work_at(file)
        return self._tracked[repository.top]


@lru_cache(maxsize=8)
def _read_index(repository: Repository, _identity: object) -> frozenset[str]:
    return frozenset(os.path.join(repository.top, path) for path in read_tracked(repository))


def _identify(index: str) -> object:
    """Another one where git has written it again: it renames a new one into its place."""
    status = _look(index)
    return None if status is None else (status.st_ino, status.st_mtime_ns, status.st_size)


def _look(place: str) -> os.stat_result | None:
    try:
        return os.lstat(place)
    except OSError:
        return None
