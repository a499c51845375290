"""Where the tree's files land in one service: COPY inference, declared maps and binds, in one map.

In: one service of the Compose model, its policy, what images say. Out: a ``MapResult``.
Reads directory listings, the Dockerfile and ignore files; no file's content.
"""

import os
import posixpath
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

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
    list_copy_lines,
    no_image,
    unknown_kind,
    unknown_link,
)
from freshd.mapping.dockerfile.stages import BaseImage
from freshd.mapping.mounts import mark_hidden, may_list, merge
from freshd.mapping.names import Names
from freshd.mapping.platforms import own_platform, platform_of
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
from freshd.tree.places import find_place, find_trouble
from freshd.tree.walk import RootGone

if TYPE_CHECKING:
    from freshd.tree.dockerignore import DockerIgnore


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
            platform=platform or platform_of(service),
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
        self.single: dict[str, str] = {}
        self.unread: dict[str, str] = {}
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
        named = build.named or build.context
        self._settle(named)
        if self._names.relativize(named) in self.unread:
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
            build_platform=own_platform(),
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
        named = os.path.normpath(os.path.join(self.project_dir, rule.source))
        target = posixpath.normpath(rule.target)
        why = f"the policy maps {rule.source}"
        source = self._settle(named)
        if os.path.isdir(source):
            self.origins[target] = self._names.relativize(source)
            for path, below in self._watched_files(source):
                self._declare(Pair(path, posixpath.join(target, below), Via.DECLARED, why=why))
            return
        if rule.target.endswith("/"):
            target = posixpath.join(target, os.path.basename(named))
        self.single[target] = self._names.relativize(source)
        if os.path.lexists(source):
            self._declare(Pair(self._names.relativize(source), target, Via.DECLARED, why=why))

    def _settle(self, named: str) -> str:
        """The real place of what a rule or a mount names; a link on the way may be turned."""
        place = find_place(named)
        self._stamp([os.path.dirname(place.path), place.path, *place.links])
        trouble = find_trouble(named)
        if trouble:
            self.unread[self._names.relativize(named)] = trouble
        return place.path

    def add_watched(self, rule: WatchRule) -> None:
        """Files that a ``sync`` brings, and those whose change asks for a rebuild or a restart.

        .gitignore does not count here, unlike elsewhere: Compose syncs what a rule names.
        """
        path = os.path.relpath(rule.source, os.path.realpath(self.project_dir))
        self._settle(rule.source)
        if rule.target is not None:
            known = self.origins if os.path.isdir(rule.source) else self.single
            known.setdefault(rule.target.rstrip("/") or "/", path)
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
        named = os.path.normpath(mount.named or mount.source)
        if not may_list(find_place(named).path, self.project_dir, named=named):
            return
        source = self._settle(named)
        if os.path.isdir(source):
            for path, below in self._watched_files(source, mounted=True):
                self._bind(path, posixpath.join(mount.target, below), mount)
        elif os.path.isfile(source):
            self._bind(self._names.relativize(source), mount.target, mount)

    def _bind(self, source: str, target: str, mount: ComposeMount) -> None:
        shown = self.bound.get(target)
        if shown is not None and len(shown) > len(mount.target):
            return  # two binds reach the same place: the inner one is what is seen there
        self.bound[target] = mount.target
        self._add(Pair(source, target, Via.BIND, why=f"bind mount at {mount.target}"))

    def _watched_files(self, source: str, *, mounted: bool = False) -> Iterable[tuple[str, str]]:
        """(project-relative, relative to ``source``) of each file that git does not ignore."""
        inside = is_below(source, self.project_dir)
        base = self.project_dir if inside else source
        if base not in self._watch:
            self._watch[base] = WatchIgnore(base, policy=self._ignore if inside else ())
        watch = self._watch[base]
        lister = partial(list_watched, base=base, watch=watch)
        listing = self._listing(source, lister, mounted=mounted)
        self._stamp(os.path.join(base, path) for path in watch.files_read())
        prefix = self._names.find_prefix(source)
        for below, kind in listing.files.items():
            if _lands(kind):
                yield self._names.qualify(prefix, below), below

    def _listing(
        self, directory: str, lister: Callable[[str], Listing], *, mounted: bool = False
    ) -> Listing:
        """What a mount shows as it is needs no listing to be right: only of the rest it is said."""
        where = self._names.find_prefix(directory)
        try:
            listing = lister(directory)
        except RootGone as error:
            listing = Listing(unreadable={"": error.reason})
            self._stamp([directory])
        self.stamps.update(listing.stamps)
        closed = {
            self._names.qualify(where, below): why for below, why in listing.unreadable.items()
        }
        if mounted:
            self.opaque += [f"{path}: {why}" for path, why in closed.items()]
        else:
            self.unread |= closed
        return listing

    def finish(self, mounts: Mapping[str, ComposeMount], *, through_volumes: bool) -> MapResult:
        pairs = mark_hidden(
            self.pairs.values(), mounts, self.bound, through_volumes=through_volumes
        )
        pairs.sort(key=attrgetter("target", "via"))
        origins = _seen(self.origins, mounts)
        inference = self.inference
        result = ServiceMap(
            service=self.service.name,
            pairs=tuple(pairs),
            inputs=tuple(sorted(self.inputs)),
            traceless=tuple(sorted(self.traceless)),
            unread=dict(sorted(self.unread.items())),
            opaque=tuple(dict.fromkeys(self.opaque)),
            lasting=tuple(dict.fromkeys(self.lasting)),
            run_after_copy=inference is not None and inference.run_after_copy,
            copied_into=tuple(origins),
            origins=_seen({**self.single, **self.origins}, mounts),
            copy_lines=list_copy_lines(inference, self.refuted),
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


def _seen(origins: Mapping[str, str], mounts: Mapping[str, ComposeMount]) -> Mapping[str, str]:
    """Those that no mount hides, by target."""
    shown = (item for item in origins.items() if innermost(item[0], mounts) is None)
    return dict(sorted(shown))


def _lands(kind: Kind) -> bool:
    return kind in (Kind.FILE, Kind.LINK)
