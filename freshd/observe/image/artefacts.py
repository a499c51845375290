"""Artefacts that the policy says are made from sources, and that a build left as they were.

In: a service's facts with the record of its build. Out: the artefacts whose content is the one that
was first seen with other sources. Only builds by freshd are judged: of these the sources are known.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from freshd.config.compose.build_files import read_build_files
from freshd.config.project import Project
from freshd.model.errors import ConfigError, EngineFailed, OutcomeUnknown, TargetGone
from freshd.model.files import Entry
from freshd.model.mapping import Via
from freshd.model.observed.image import BuildRecord, ImageFacts
from freshd.model.observed.runtime import RuntimeFacts
from freshd.model.observed.snapshot import Snapshot
from freshd.model.observed.surroundings import Outdated
from freshd.model.policy import MapEntry
from freshd.model.remedy import RebuildMode, Remedy
from freshd.observe.image import content
from freshd.observe.observers import Tools
from freshd.store.records.artefacts import ArtefactRecord


@dataclass(slots=True)
class ArtefactObserver:
    """One thread at a time. What an image holds is asked for once."""

    _digests: dict[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, tools: Tools, facts: Snapshot, runtime: RuntimeFacts) -> RuntimeFacts:
        try:
            return replace(runtime, outdated=tuple(self._outdated(tools, facts)))
        except (EngineFailed, OutcomeUnknown, TargetGone):
            return runtime  # the image goes away: the next snapshot says what there is

    def _outdated(self, tools: Tools, facts: Snapshot) -> Iterator[Outdated]:
        record, image = facts.record, facts.tag_image
        if record is None or image is None or not record.by_freshd or record.image_id != image.id:
            return
        for entry in tools.project.policy.service(facts.service).derives:
            sources = _below(record.inputs, entry.source)
            artefact = self._artefact(tools, image, entry.target)
            if not sources or not artefact:
                continue
            changed = _changed(tools, facts, record, entry, ArtefactRecord(artefact, sources))
            if changed:
                yield Outdated(entry.source, entry.target, artefact, changed)

    def _artefact(self, tools: Tools, image: ImageFacts, target: str) -> str:
        """One digest of a file, or of all that lies below a directory; "" where there is none."""
        key = (image.id, target)
        if key not in self._digests:
            cache = tools.store.image_contents
            names = content.list_below(tools.engine, image, [target], cache=cache, prune=())
            held = content.fill(tools.engine, image, names or [target], cache=cache).files
            self._digests[key] = _digest(held)
        return self._digests[key]


def _changed(
    tools: Tools, facts: Snapshot, record: BuildRecord, entry: MapEntry, now: ArtefactRecord
) -> tuple[str, ...]:
    """The sources that are not those the artefact, as it is, was first seen with."""
    project, service = tools.project.name, facts.service
    before = tools.store.artefacts.get(project, service, entry.target)
    if before is not None and before.artefact == now.artefact:
        names = before.sources.keys() | now.sources.keys()
        changed = {name for name in names if before.sources.get(name) != now.sources.get(name)}
        if not changed or not _made_anew(tools, facts, record, entry):
            return tuple(sorted(changed))
    tools.store.artefacts.record(project, service, entry.target, now)
    return ()


def _made_anew(tools: Tools, facts: Snapshot, record: BuildRecord, made: MapEntry) -> bool:
    """Whether the build kept nothing, so that the same output is what the sources make."""
    below = f"{made.target.rstrip('/')}/"
    copies = (pair.target for pair in facts.mapping.pairs if pair.via is Via.COPY)
    if any(target == made.target or target.startswith(below) for target in copies):
        return False  # made on the host, and copied
    for outcome in tools.store.journal.history(tools.project.name, facts.service):
        ended = outcome.finished_at if outcome.finished_at is not None else outcome.began_at
        if (
            outcome.step.remedy is Remedy.REBUILD
            and outcome.began_at <= record.recorded_at <= ended
        ):
            mode = outcome.step.rebuild
            plain = mode is RebuildMode.NO_CACHE and not _keeps_a_cache(
                tools.project, facts.service
            )
            return plain or mode is RebuildMode.CLEAN
    return False


def _keeps_a_cache(project: Project, service: str) -> bool:
    """Whether a RUN mounts a cache, which a build without cache goes on using."""
    build = project.service(service).build
    if build is None:
        return True
    try:
        files = read_build_files(build, service=service, project_dir=project.dir)
    except ConfigError:
        return True
    return "type=cache" in files.text


def _below(inputs: Mapping[str, str], source: str) -> Mapping[str, str]:
    prefix = "" if source == "." else f"{source}/"
    return {
        path: digest for path, digest in inputs.items() if path == source or path.startswith(prefix)
    }


def _digest(files: Mapping[str, Entry]) -> str:
    total = hashlib.sha256()
    for path, entry in sorted(files.items()):
        total.update(f"{path}\0{entry.digest}\0".encode(errors="surrogateescape"))
    return total.hexdigest() if files else ""
