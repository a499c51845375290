"""What lies around a service's files: mounts over what was built, links and rules that keep out.

In: a service's facts from a whole snapshot. Out: ``Surroundings``. Little is asked for: names that
build tools use, links that leave the context, and edited files that an ignore rule names.
"""

import hashlib
import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from freshd.catalog.runtimes.processes import is_code
from freshd.config.compose.build_files import BuildFiles, read_build_files
from freshd.config.compose.model import ComposeBuild
from freshd.config.project import Project
from freshd.engine.container import archive
from freshd.model.errors import ConfigError, EngineFailed, OutcomeUnknown, TargetGone
from freshd.model.files import Kind
from freshd.model.mapping import Via
from freshd.model.observed.container import Replica
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.questions import image_of, is_serving
from freshd.model.observed.runtime import RuntimeFacts
from freshd.model.observed.snapshot import Snapshot
from freshd.model.observed.surroundings import Covered, LeftOut, LinkOut, Surroundings
from freshd.model.paths import is_below
from freshd.observe.container.orphans import find_strays
from freshd.observe.image.build_products import built_below
from freshd.observe.image.other_builders import find_build_elsewhere
from freshd.observe.observers import Tools
from freshd.tree.git import Repository, find_repository
from freshd.tree.git_index import Tracked, is_blob, read_tracked
from freshd.tree.walk import open_beneath

_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A tracked file that an ignore rule leaves out of the context."""

    path: str
    below: str
    line: int
    pattern: str
    tracked: Tracked


@dataclass(slots=True)
class SurroundingsObserver:
    """One thread at a time."""

    _ignored: dict[str, tuple[object, tuple[_Candidate, ...]]] = field(default_factory=dict)

    def __call__(self, tools: Tools, facts: Snapshot, runtime: RuntimeFacts) -> RuntimeFacts:
        """Nothing where a container goes away meanwhile; of files nothing where none serves."""
        serving = [
            observation.replica
            for observation in facts.observations
            if is_serving(observation.replica)
        ]
        try:
            strays = tuple(find_strays(tools, facts))
            if not serving:
                return replace(runtime, around=Surroundings(strays=strays))
            covered = tuple(_covered(tools, facts, serving[0]))
            links_out = tuple(_links_out(tools, facts, serving[0]))
        except (EngineFailed, OutcomeUnknown, TargetGone):
            return runtime
        left_out = tuple(self._left_out(tools.project, facts))
        elsewhere = find_build_elsewhere(tools, facts)
        around = Surroundings(covered, links_out, left_out, strays, elsewhere)
        return replace(runtime, around=around)

    def _left_out(self, project: Project, facts: Snapshot) -> Iterator[LeftOut]:
        build, image = project.service(facts.service).build, image_of(facts)
        if build is None or build.remote or image is None or not facts.mapping.origins:
            return
        repository = find_repository(build.context)
        if repository is None:
            return
        try:
            files = read_build_files(build, service=facts.service, project_dir=project.dir)
        except ConfigError:
            return  # the map says what is wrong with it
        for candidate in self._candidates(project.dir, facts, build, files, repository):
            digest = _edited(repository, candidate, image)
            if digest is not None and not _is_mapped(facts, candidate.path):
                file = os.path.relpath(files.ignore_file, project.dir)
                yield LeftOut(candidate.path, digest, file, candidate.line, candidate.pattern)

    def _candidates(
        self,
        directory: str,
        facts: Snapshot,
        build: ComposeBuild,
        files: BuildFiles,
        repository: Repository,
    ) -> tuple[_Candidate, ...]:
        """Found anew only where git's index, the ignore file or what is copied changed."""
        if not files.ignore.patterns:
            return ()
        origins = facts.mapping.origins
        index = _stamp(os.path.join(repository.directory, "index"))
        key = (index, files.ignore.patterns, tuple(origins.items()), build.context)
        known = self._ignored.get(facts.service)
        if known is None or known[0] != key:
            candidates = tuple(_ignored(directory, origins, build.context, files, repository))
            known = self._ignored[facts.service] = (key, candidates)
        return known[1]


def _covered(tools: Tools, facts: Snapshot, replica: Replica) -> Iterator[Covered]:
    image = facts.images.get(replica.image_id)
    if not facts.builds or image is None:
        return
    sources = {
        mount.target: mount.source
        for mount in tools.project.service(facts.service).mounts
        if mount.kind == "bind" and os.path.isdir(mount.source)
    }
    binds = [m for m in replica.mounts if m.kind == "bind" and m.asked_for in sources]
    if not binds:
        return
    tops = [mount.target for mount in binds]
    built = built_below(tools.engine, image, tops, cache=tools.store.image_contents)
    for mount in binds:
        source = sources[mount.asked_for]
        hidden = (path for path in built if replica.mount_at(path) == mount)
        paths = tuple(sorted(p for p in hidden if not _has(source, mount.target, p)))
        if paths:
            yield Covered(mount, os.path.relpath(source, tools.project.dir), paths)


def _links_out(tools: Tools, facts: Snapshot, replica: Replica) -> Iterator[LinkOut]:
    directory, build = tools.project.dir, tools.project.service(facts.service).build
    if build is None or build.remote or not replica.running:
        return
    links = {path for path, entry in facts.tree.items() if entry.kind is Kind.LINK}
    copied = (pair for pair in facts.mapping.pairs if pair.via is Via.COPY and pair.effective)
    contexts = [build.context, *build.additional_contexts.values()]
    roots = [os.path.realpath(context) for context in contexts]
    for pair in copied if links else ():
        if pair.source not in links:
            continue
        full = os.path.join(directory, pair.source)
        leads_to, text = _led_out(full, roots), _link(full)
        if leads_to is None or text is None:
            continue
        there = posixpath.normpath(posixpath.join(posixpath.dirname(pair.target), text))
        if archive.stat(tools.engine, replica.id, there) is None:
            shown = os.path.relpath(leads_to, directory)
            yield LinkOut(pair.source, pair.target, shown, there, replica.name)


def _is_mapped(facts: Snapshot, path: str) -> bool:
    return any(pair.source == path and pair.effective for pair in facts.mapping.pairs)


def _has(source: str, destination: str, path: str) -> bool:
    """Whether the mounted directory has what the image has at ``path``."""
    below = posixpath.relpath(path, destination)
    if below != ".":
        return os.path.lexists(os.path.join(source, below))
    try:
        return bool(os.listdir(source))
    except OSError:
        return True  # it cannot be looked into: nothing is said


def _link(path: str) -> str | None:
    """A link's text; None where it is gone or no link any more."""
    try:
        return os.readlink(path)
    except OSError:
        return None


def _led_out(link: str, roots: list[str]) -> str | None:
    """Where a link leads, if that exists and is in none of ``roots``."""
    real = os.path.realpath(link)
    inside = any(is_below(real, root) for root in roots)
    return real if not inside and os.path.exists(real) else None


def _ignored(
    project_dir: str,
    origins: Mapping[str, str],
    context: str,
    files: BuildFiles,
    repository: Repository,
) -> Iterator[_Candidate]:
    """Code below a copied directory that git tracks and an ignore rule leaves out."""
    tops = {os.path.normpath(os.path.join(project_dir, origin)) for origin in origins.values()}
    for below, tracked in read_tracked(repository).items():
        full = os.path.join(repository.top, below)
        if not is_code(below) or not full.startswith(f"{context.rstrip('/')}/"):
            continue
        if not any(full.startswith(f"{top.rstrip('/')}/") for top in tops):
            continue
        rule = files.ignore.deciding(os.path.relpath(full, context))
        if rule is not None and not rule.negated:
            path = os.path.relpath(full, project_dir)
            yield _Candidate(path, below, rule.line, rule.text, tracked)


def _edited(repository: Repository, candidate: _Candidate, image: ImageFacts) -> str | None:
    """The content's digest, where it is not what git has and changed after the image was made."""
    try:
        with os.fdopen(open_beneath(repository.top, candidate.below), "rb") as file:
            status = os.fstat(file.fileno())
            same = divmod(status.st_mtime_ns, 10**9) == candidate.tracked.mtime
            if status.st_ctime <= image.created_at or (
                same and status.st_size == candidate.tracked.size
            ):
                return None
            content = file.read(_MAX_BYTES)
    except OSError:
        return None
    return None if is_blob(content, candidate.tracked) else hashlib.sha256(content).hexdigest()


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
