"""What is watched of a project, and which services a changed path or an engine event concerns.

In: a project. Out: roots and a ``skip`` for the watcher; services by path and by event. All paths
are absolute. More marks than needed do no harm: a pass reads what really is there.
"""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from freshd.config.compose.build_files import read_build_files
from freshd.config.compose.develop_watch import any_selects
from freshd.config.compose.model import ComposeService, normalize_tag
from freshd.config.compose.places import list_named_places
from freshd.config.project import Project
from freshd.engine.events import EngineEvent
from freshd.engine.inspect import PROJECT, SERVICE, is_numbered, is_oneoff
from freshd.mapping.mounts import may_list
from freshd.model.errors import ConfigError
from freshd.model.files import Kind
from freshd.model.paths import is_below
from freshd.tree.dockerignore import DockerIgnore
from freshd.tree.ignore import WatchIgnore
from freshd.tree.places import find_place


class Routes:
    """Made anew when the project's files changed.

    ``own`` are freshd's directories: each pass writes there, and must not cause the next.
    ``places`` are, by service, what lands in it and the links on the way.
    """

    def __init__(self, project: Project, *, own: Collection[str] = ()) -> None:
        self._project = project
        self._own = tuple(os.path.abspath(path) for path in own)
        services = project.services
        self._links = {name: _links(service, project) for name, service in services.items()}
        self.places = {
            name: (*_places(service, project), *self._links[name])
            for name, service in services.items()
        }
        self._sent = _sent_by_service(project)
        contexts = {sent.context for sent in self._sent.values() if sent is not None}
        self._files = _with_links((*project.consent_files(), *project.input_files()))
        links = frozenset(link for group in self._links.values() for link in group)
        places = {place for group in self.places.values() for place in group} - links
        self._trees = _outermost({project.dir, *contexts, *places})
        self._ignores = {root: WatchIgnore(root) for root in self._trees}
        self._kept = links | {parent for link in links for parent in _parents(link)}
        self.roots = _outermost({*self._trees, *map(os.path.dirname, links)})

    def skip(self, path: str, is_dir: bool) -> bool:  # noqa: FBT001 - the watcher's shape
        """Whether git, an editor or freshd keeps this path to itself.

        What a ``develop.watch`` rule names is watched, whatever .gitignore says.
        """
        if any(is_below(path, own) for own in self._own):
            return True
        root = self._root(path)
        if path in self._files or path in self._kept or path == root:
            return False
        if root is None:  # beside a link that leads into a tree: only the way there is watched
            return not any(is_below(tree, path) for tree in self._trees)
        kind = Kind.DIR if is_dir else Kind.FILE
        if not self._ignores[root].skip(os.path.relpath(path, root), kind):
            return False
        rules = self._project.policy.watch
        return not any_selects(rules, os.path.relpath(path, self._project.dir), kind)

    def reload_ignores(self, paths: Collection[str]) -> bool:
        """Whether an ignore file is among ``paths``; then they are all read again."""
        decided_by = {path for sent in self._sent.values() if sent for path in sent.decided_by}
        if not any(os.path.basename(path) == ".gitignore" or path in decided_by for path in paths):
            return False
        for ignore in self._ignores.values():
            ignore.reload()
        self._sent = _sent_by_service(self._project)
        return True

    def is_project_file(self, path: str) -> bool:
        """Whether the policy, the Compose model or a Dockerfile is made of it."""
        return path in self._files

    def services_of(self, paths: Collection[str]) -> dict[str, set[str]]:
        """service -> those of ``paths`` that its build or its mounts may read."""
        services: dict[str, set[str]] = {}
        for name, places in self.places.items():
            sent = self._sent[name]
            concerned = {
                path
                for path in paths
                if any(_touches(path, place) for place in places) or (sent and sent.holds(path))
            }
            if concerned:
                services[name] = concerned
        return services

    def _root(self, path: str) -> str | None:
        return next((root for root in self._trees if is_below(path, root)), None)


def services_of_event(project: Project, event: EngineEvent) -> tuple[str, ...]:
    """The services that a container or an image event concerns; other projects' do not."""
    name, services = event.attributes.get("name", ""), project.services
    if event.kind == "container":
        labels = event.attributes
        labelled = labels.get(SERVICE)
        made = is_numbered(labels) or is_oneoff(labels)
        if labelled is not None and made and labels.get(PROJECT) == project.name:
            return (labelled,) if labelled in services else ()
        policy = project.policy
        return tuple(service for service in services if policy.service(service).container == name)
    named = {normalize_tag(event.id), normalize_tag(name)}
    return tuple(
        key
        for key, service in services.items()
        if service.image and normalize_tag(service.image) in named
    )


@dataclass(frozen=True, slots=True)
class _Sent:
    """A build context (absolute), and what its ignore file keeps from the builder.

    ``decided_by`` are the files that say so, whether they exist.
    """

    context: str
    ignore: DockerIgnore
    decided_by: frozenset[str] = frozenset()

    def holds(self, path: str) -> bool:
        """Whether the builder may be sent the path, or something below it."""
        if path in self.decided_by or not self.ignore.patterns:
            return _touches(path, self.context)
        if not is_below(path, self.context):
            return is_below(self.context, path)
        below = os.path.relpath(path, self.context)
        return not self.ignore.excludes(below) or self.ignore.may_reinclude_below(below)


def _sent_by_service(project: Project) -> dict[str, "_Sent | None"]:
    return {name: _sent(service, project) for name, service in project.services.items()}


def _sent(service: ComposeService, project: Project) -> _Sent | None:
    """None where nothing of this machine is built. An ignore file that is wrong excludes nothing:
    the pass that it causes says what is wrong with it.
    """
    build = service.build
    if build is None or build.remote:
        return None
    context = os.path.normpath(build.context)
    try:
        files = read_build_files(build, service=service.name, project_dir=project.dir)
    except ConfigError:
        return _Sent(context, DockerIgnore())
    return _Sent(context, files.ignore, frozenset(files.looked_at))


def _places(service: ComposeService, project: Project) -> tuple[str, ...]:
    """What lands in the service, or is read by its build, and is not of its build context."""
    places = set()
    if service.build is not None and not service.build.remote:
        for context in service.build.additional_contexts.values():
            if os.path.isdir(context):
                places.add(os.path.normpath(context))
    for mount in service.mounts:
        if mount.kind == "bind" and may_list(mount.source, project.dir, named=mount.named):
            places.add(os.path.normpath(mount.source))
    for rule in project.policy.service(service.name).map:
        places.add(find_place(os.path.join(project.dir, rule.source)).path)
    places.update(watch.source for watch in project.policy.watched(service.name))
    return tuple(sorted(places))


def _links(service: ComposeService, project: Project) -> frozenset[str]:
    """The links on the way to what the service names: to turn one is an edit of all behind it."""
    named = project.model.services.get(service.name, service)
    rules = project.policy.service(service.name).map
    mapped = (os.path.join(project.dir, rule.source) for rule in rules)
    paths = (*list_named_places(named), *mapped)
    return frozenset(link for path in paths for link in find_place(path).links)


def _with_links(files: Collection[str]) -> frozenset[str]:
    """The files, what they are links to, and the links on the way."""
    places = [find_place(file) for file in files]
    links = (link for place in places for link in place.links)
    return frozenset((*files, *(place.path for place in places), *links))


def _parents(path: str) -> Iterator[str]:
    while path != (parent := os.path.dirname(path)):
        yield parent
        path = parent


def _outermost(paths: Collection[str]) -> tuple[str, ...]:
    """Directories only, none below another; a file counts as the directory it is in."""
    directories = {path if os.path.isdir(path) else os.path.dirname(path) for path in paths}
    return tuple(
        sorted(
            path
            for path in directories
            if not any(path != other and is_below(path, other) for other in directories)
        )
    )


def _touches(path: str, place: str) -> bool:
    return is_below(path, place) or is_below(place, path)
