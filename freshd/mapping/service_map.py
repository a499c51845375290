"""Where the tree's files land in one service: COPY inference, declared maps and binds, in one map.

In: one service of the Compose model, its policy, what images say. Out: a ``MapResult``.
Reads directory listings, the Dockerfile and ignore files; no file's content.
"""

import os
import platform as host
import posixpath
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from freshd.config.compose.build_files import read_build_files
from freshd.config.compose.develop_watch import make_skip, select_among
from freshd.config.compose.model import ComposeBuild, ComposeMount, ComposeService
from freshd.mapping.archives import is_archive
from freshd.mapping.contexts import list_ignore_files, read_contexts
from freshd.mapping.corrections import Corrections
from freshd.mapping.dockerfile.infer import (
    CopyPair,
    Inference,
    infer,
    no_image,
    unknown_kind,
    unknown_link,
)
from freshd.mapping.dockerfile.stages import BaseImage
from freshd.mapping.mounts import mark_hidden, may_list, merge
from freshd.mapping.names import Names
from freshd.model.files import Kind
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.container import Mount
from freshd.model.paths import innermost, is_below
from freshd.model.policy import MapEntry, ServicePolicy, WatchRule
from freshd.model.remedy import Remedy
from freshd.tree.ignore import WatchIgnore, never_code
from freshd.tree.listing import (
    Listing,
    Stamp,
    list_below,
    list_context,
    list_watched,
    stamp,
)
from freshd.tree.walk import RootGone

if TYPE_CHECKING:
    from freshd.tree.dockerignore import DockerIgnore

_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class MapResult:
    """A map, and what it was made of.

    ``inference`` is None for a service without a local build; ``copies`` are its pairs by target.
    ``hidden_below`` are the destinations of mounts. ``stamps`` is compared with ``stamp_again``.
    ``restarts`` are the files whose change asks for nothing but a restart.
    """

    map: ServiceMap
    inference: Inference | None = None
    dockerfile: str | None = None
    copies: Mapping[str, CopyPair] = field(default_factory=dict)
    hidden_below: tuple[str, ...] = ()
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    restarts: tuple[str, ...] = ()


def build_map(
    service: ComposeService,
    *,
    project_dir: str,
    policy: ServicePolicy | None = None,
    watch: Sequence[WatchRule] = (),
    image_config: Callable[[str], BaseImage | None] = no_image,
    kind_in_image: Callable[[str, str], Kind | None] = unknown_kind,
    link_in_image: Callable[[str], str] = unknown_link,
    corrections: Corrections | None = None,
    mounts: Sequence[Mount] | None = None,
    platform: str = "",
) -> MapResult:
    """Map one service: inferred from its Dockerfile, declared by its policy, seen in its mounts.

    ``policy`` has the ``map`` rules, the patterns to leave out of binds and declared directories,
    and whether declared pairs count inside volumes; ``watch`` are the service's ``develop.watch``
    rules. ``corrections`` are what the image at hand told of an earlier map. ``mounts`` are a
    replica's, where there is one. Raises ConfigError for a Dockerfile or ignore file that is
    missing or wrong.
    """
    rules = policy or ServicePolicy()
    draft = _Draft(service, os.path.abspath(project_dir), rules.ignore)
    if service.build is not None:
        draft.add_build(
            service.build,
            platform=platform or _platform(service),
            image_config=image_config,
            kind_in_image=kind_in_image,
            link_in_image=link_in_image,
            corrections=corrections or Corrections(),
        )
    for rule in watch:
        draft.add_watched(rule)
    for entry in rules.map:
        draft.add_declared(entry)
    merged = merge(service.mounts, mounts)
    for mount in merged.values():
        if mount.kind == "bind":
            draft.add_bind(mount)
    return draft.finish(merged, through_volumes=rules.volumes)


class _Draft:
    """A map being built."""

    def __init__(self, service: ComposeService, project_dir: str, ignore: Sequence[str]) -> None:
        self.service = service
        self.project_dir = project_dir
        self._names = Names(project_dir)
        self.pairs: dict[tuple[str, Via], Pair] = {}
        self.bound: dict[str, str] = {}
        self.inputs: set[str] = set()
        self.traceless: set[str] = set()
        self.opaque: list[str] = list(service.unfollowed)
        self.lasting: list[str] = []
        self.refuted: set[str] = set()
        self.origins: dict[str, str] = {}
        self.stamps: dict[str, Stamp] = {}
        self.restarts: set[str] = set()
        self.inference: Inference | None = None
        self.dockerfile: str | None = None
        self._ignore = tuple(ignore)
        self._watch: dict[str, WatchIgnore] = {}
        self._context: tuple[str, DockerIgnore, Listing] | None = None

    def add_build(
        self,
        build: ComposeBuild,
        *,
        platform: str,
        image_config: Callable[[str], BaseImage | None],
        kind_in_image: Callable[[str, str], Kind | None],
        link_in_image: Callable[[str], str],
        corrections: Corrections,
    ) -> None:
        if build.remote:
            words = f"the build context {build.context} is not on this machine"
            self.opaque.append(words)
            self.lasting.append(words)
            return
        files = read_build_files(build, service=self.service.name, project_dir=self.project_dir)
        self._stamp([*files.looked_at, *list_ignore_files(build)])
        listing = self._listing(build.context, lambda path: list_context(path, files.ignore))
        self._context = os.path.realpath(build.context), files.ignore, listing
        inference = infer(
            files.text,
            listing.files,
            links=listing.links,
            build_args={key: value for key, value in build.args.items() if value is not None},
            target=build.target,
            platform=platform,
            build_platform=_own_platform(),
            contexts=read_contexts(build, project_dir=self.project_dir, listing=self._listing),
            image_config=image_config,
            is_archive=partial(is_archive, build.context),
            kind_in_image=kind_in_image,
            link_in_image=link_in_image,
            name=files.name,
        )
        self.inference = corrections.apply(inference)
        self.dockerfile = self._names.relativize(files.dockerfile) if files.dockerfile else None
        further = filter(os.path.isfile, list_ignore_files(build))
        read = filter(None, (files.dockerfile, files.ignore_file, *files.followed, *further))
        self.inputs.update(self._names.relativize(path) for path in read)
        self._add_inferred(self.inference, self._names.find_prefix(build.context), files.name)
        refuted = corrections.refuted
        astray = [pair for pair in inference.pairs if pair.target in refuted]
        self.opaque += dict.fromkeys(refuted[pair.target] for pair in astray)
        self.refuted |= {pair.record for pair in astray}

    def _add_inferred(self, inference: Inference, prefix: str, name: str) -> None:
        why = {line: f"{name} line {line}" for line in {copy.line for copy in inference.pairs}}
        for copy in inference.pairs:
            if never_code(copy.source):
                continue
            self._add(
                Pair(
                    self._names.qualify(prefix, copy.source),
                    copy.target,
                    Via.COPY,
                    mode=copy.mode,
                    also_input=copy.also_input,
                    free_mode=copy.free_mode,
                    why=why[copy.line],
                )
            )
        inputs = {
            self._names.qualify(prefix, path) for path in inference.inputs if not never_code(path)
        }
        self.inputs |= inputs
        self.traceless |= inputs
        self.opaque += inference.opaque
        self.lasting += inference.lasting
        for target, source in inference.directories.items():
            self.origins[target] = origin = self._names.qualify(prefix, source)
            own = self._names.find_project(origin)
            if own:  # the project itself lies in what was copied
                self.origins[posixpath.join(target, own)] = "."

    def add_declared(self, rule: MapEntry) -> None:
        source = os.path.normpath(os.path.join(self.project_dir, rule.source))
        target = posixpath.normpath(rule.target)
        why = f"the policy maps {rule.source}"
        self._stamp([os.path.dirname(source)])
        if os.path.isdir(source) and not os.path.islink(source):
            self.origins[target] = self._names.relativize(source)
            for path, below in self._watched_files(source):
                self._declare(Pair(path, posixpath.join(target, below), Via.DECLARED, why=why))
        elif os.path.lexists(source):
            if rule.target.endswith("/"):
                target = posixpath.join(target, os.path.basename(source))
            self._declare(Pair(self._names.relativize(source), target, Via.DECLARED, why=why))

    def add_watched(self, rule: WatchRule) -> None:
        """Files that a ``sync`` brings, and those whose change asks for a rebuild or a restart.

        .gitignore does not count here, unlike elsewhere: Compose syncs what a rule names.
        """
        path = os.path.relpath(rule.source, os.path.realpath(self.project_dir))
        self._stamp([os.path.dirname(rule.source)])
        if rule.target is not None and os.path.isdir(rule.source):
            self.origins.setdefault(rule.target.rstrip("/") or "/", path)
        rebuilds = Remedy.REBUILD in rule.does and self.service.build is not None
        restarts, lands = rule.does == {Remedy.RESTART}, rule.target is not None
        copied = {pair.source for pair in self.pairs.values()} if rebuilds else set()
        why = f"develop.watch rule {rule.number} of {rule.service}"
        for source, below in self._selected(rule, "" if path == "." else path):
            if rebuilds and source not in copied:
                self.inputs.add(source)
            if restarts:
                self.restarts.add(source)
            target = rule.place(below) if lands else None
            if target is not None and not self._copies(source, target):
                on_change = not rule.initial
                self._declare(Pair(source, target, Via.DECLARED, on_change=on_change, why=why))

    def _selected(self, rule: WatchRule, prefix: str) -> Iterable[tuple[str, str]]:
        """(project-relative, below the rule's path) of its files that the policy does not ignore.

        What was listed for the build is not listed again.
        """
        if not os.path.isdir(rule.source):
            selected = os.path.isfile(rule.source) and rule.selects(prefix)
            return [(prefix, "")] if selected else []
        qualify = partial(self._names.qualify, prefix)
        context, ignore, listing = self._context or ("", None, Listing())
        if self._context is not None and rule.selects.covers(context, ignore):
            files = [path for path, kind in listing.files.items() if _lands(kind)]
            return select_among(rule, files, context, qualify, self._ignore)
        skip = make_skip(rule, qualify, self._ignore)
        listing = self._listing(rule.source, partial(list_below, skip=skip))
        lands = (below for below, kind in listing.files.items() if _lands(kind))
        return [(qualify(below), below) for below in lands]

    def _declare(self, pair: Pair) -> None:
        """The policy wins over a COPY to the same place; what both name is a COPY."""
        if self._copies(pair.source, pair.target):
            return
        copied = self.pairs.pop((pair.target, Via.COPY), None)
        if copied is not None:
            self.inputs.add(copied.source)
        self._add(pair)

    def _copies(self, source: str, target: str) -> bool:
        """Whether the build puts that very file there."""
        copied = self.pairs.get((target, Via.COPY))
        return copied is not None and copied.source == source

    def add_bind(self, mount: ComposeMount) -> None:
        source = os.path.normpath(mount.source)
        if not may_list(source, self.project_dir):
            return
        self._stamp([os.path.dirname(source)])
        if os.path.isdir(source) and not os.path.islink(source):
            for path, below in self._watched_files(source):
                self._bind(path, posixpath.join(mount.target, below), mount)
        elif os.path.isfile(source) and not os.path.islink(source):
            self._bind(self._names.relativize(source), mount.target, mount)

    def _bind(self, source: str, target: str, mount: ComposeMount) -> None:
        shown = self.bound.get(target)
        if shown is not None and len(shown) > len(mount.target):
            return  # two binds reach the same place: the inner one is what is seen there
        self.bound[target] = mount.target
        self._add(Pair(source, target, Via.BIND, why=f"bind mount at {mount.target}"))

    def _watched_files(self, source: str) -> Iterable[tuple[str, str]]:
        """(project-relative, relative to ``source``) of each file that git does not ignore."""
        inside = is_below(source, self.project_dir)
        base = self.project_dir if inside else source
        if base not in self._watch:
            self._watch[base] = WatchIgnore(base, policy=self._ignore if inside else ())
        watch = self._watch[base]
        listing = self._listing(source, partial(list_watched, base=base, watch=watch))
        self._stamp(os.path.join(base, path) for path in watch.files_read())
        prefix = self._names.find_prefix(source)
        for below, kind in listing.files.items():
            if _lands(kind):
                yield self._names.qualify(prefix, below), below

    def _listing(self, directory: str, lister: Callable[[str], Listing]) -> Listing:
        try:
            listing = lister(directory)
        except RootGone as error:
            self.opaque.append(error.message)
            self._stamp([directory])
            return Listing()
        self.stamps.update(listing.stamps)
        where = self._names.find_prefix(directory) or "."
        self.opaque += [f"{where}/{path}" for path in listing.unreadable]
        return listing

    def finish(self, mounts: Mapping[str, ComposeMount], *, through_volumes: bool) -> MapResult:
        pairs = mark_hidden(
            self.pairs.values(), mounts, self.bound, through_volumes=through_volumes
        )
        pairs.sort(key=attrgetter("target", "via"))
        origins = {
            target: source
            for target, source in sorted(self.origins.items())
            if innermost(target, mounts) is None
        }
        inference = self.inference
        result = ServiceMap(
            service=self.service.name,
            pairs=tuple(pairs),
            inputs=tuple(sorted(self.inputs)),
            traceless=tuple(sorted(self.traceless)),
            opaque=tuple(dict.fromkeys(self.opaque)),
            lasting=tuple(dict.fromkeys(self.lasting)),
            run_after_copy=inference is not None and inference.run_after_copy,
            copied_into=tuple(origins),
            origins=origins,
            copy_lines=_copy_lines(inference, self.refuted),
        )
        copies = {copy.target: copy for copy in inference.pairs} if inference is not None else {}
        return MapResult(
            map=result,
            inference=inference,
            dockerfile=self.dockerfile,
            copies=copies,
            hidden_below=tuple(sorted(mounts)),
            stamps=self.stamps,
            restarts=tuple(sorted(self.restarts)),
        )

    def _add(self, pair: Pair) -> None:
        self.pairs[pair.target, pair.via] = pair

    def _stamp(self, paths: Iterable[str]) -> None:
        now = time.time_ns()
        self.stamps.update((path, stamp(path, now=now)) for path in paths)


def _copy_lines(inference: Inference | None, refuted: Collection[str]) -> Mapping[str, bool]:
    """The history line of each COPY of the final chain -> whether it brings the tree's only.

    One that did not go where it was expected proves nothing of what it wrote.
    """
    steps = inference.final if inference is not None else ()
    copies = [step for step in steps if step.name in ("COPY", "ADD")]
    return {step.records[0]: step.verbatim and step.records[0] not in refuted for step in copies}


def _lands(kind: Kind) -> bool:
    return kind in (Kind.FILE, Kind.LINK)


def _platform(service: ComposeService) -> str:
    """What the image is built for: as the model says, else as this machine."""
    if service.platform:
        return service.platform
    if service.build is not None and service.build.platforms:
        return service.build.platforms[0]
    return _own_platform()


def _own_platform() -> str:
    machine = host.machine().lower()
    return f"linux/{_MACHINES.get(machine, machine)}"
