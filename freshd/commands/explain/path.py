"""Everything about one path: a ``Workspace`` and what was typed in, ``PathExplanation`` out."""

import os
import posixpath
from collections.abc import Mapping
from dataclasses import replace

from freshd.commands.explain.answers import answers_for, input_answer
from freshd.commands.inspection import Mapped, map_services
from freshd.commands.workspace import Workspace
from freshd.config.compose.build_files import read_build_files
from freshd.config.compose.model import ComposeBuild, ComposeService
from freshd.mapping.left_out import explain_context_ignore, explain_watch_ignore
from freshd.mapping.mounts import merge
from freshd.model.errors import ConfigError
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.container import Mount, Replica
from freshd.model.paths import innermost, is_below
from freshd.model.text import printable
from freshd.model.verbs.explanation import IgnoredBy, Landing, PathExplanation, PathInService
from freshd.tree.ignore import never_code
from freshd.tree.places import settle_parent
from freshd.tree.walk import classify


def explain_path(workspace: Workspace, asked: str, *, cwd: str) -> PathExplanation:
    """``asked`` is a path of the tree, relative to ``cwd`` or the project, or a container path,
    ``/app/x`` or ``service:/app/x``. Raises ConfigError for a service there is not.
    """
    maps = map_services(workspace)
    service, colon, target = asked.partition(":")
    if colon and target.startswith("/"):
        name = _service_named(workspace, maps, service)
        return _in_containers(workspace, {name: maps[name]}, asked, target)
    path = tree_path(asked, project_dir=workspace.project.dir, cwd=cwd)
    on_disk = os.path.lexists(os.path.join(workspace.project.dir, path))
    if asked.startswith("/") and not on_disk:
        return _in_containers(workspace, maps, asked, asked)
    return _in_tree(workspace, maps, asked, path)


def tree_path(asked: str, *, project_dir: str, cwd: str) -> str:
    """Relative to the project: from ``cwd`` if it exists there, else from the project.

    As maps have it: by the real place of its directory.
    """
    here = os.path.normpath(os.path.join(cwd, asked))
    there = os.path.normpath(os.path.join(project_dir, asked))
    chosen = there if os.path.lexists(there) and not os.path.lexists(here) else here
    return os.path.relpath(settle_parent(chosen), project_dir)


def _service_named(workspace: Workspace, maps: Mapping[str, Mapped], typed: str) -> str:
    for name, mapped in maps.items():
        if typed == name or any(typed in (r.name, r.id) for r in mapped.replicas):
            return name
    raise ConfigError(
        f"{workspace.project.name} has no service or container {printable(typed)}",
        hint=f"its services: {', '.join(sorted(maps)) or 'none'}",
    )


def _in_tree(
    workspace: Workspace, maps: Mapping[str, Mapped], asked: str, path: str
) -> PathExplanation:
    kind = _kind(os.path.join(workspace.project.dir, path))
    ignored = None
    if not path.startswith("../") and path != ".":
        ignored = explain_watch_ignore(workspace.project.dir, path, directory=kind == "dir")
    services = tuple(_in_service(workspace, name, mapped, path) for name, mapped in maps.items())
    return PathExplanation(asked, path, kind, services, ignored, workspace.unseen)


def _in_service(workspace: Workspace, name: str, mapped: Mapped, path: str) -> PathInService:
    if mapped.made is None:
        return PathInService(name, absent=mapped.problem)
    made = mapped.made.map
    service = workspace.project.service(name)
    landings = tuple(
        _landing(workspace, service, mapped, pair) for pair in made.pairs if pair.source == path
    )
    below = _below(made, path)
    is_input = path in made.inputs or any(landing.pair.also_input for landing in landings)
    view = PathInService(name, landings, below, is_input)
    if is_input:
        view = replace(view, input_answer=input_answer(workspace.project.policy, name))
    if landings or below or is_input:
        return view
    if path in made.data:
        return replace(view, absent=f"{made.data[path]}: not compared, and brought nowhere else")
    absent, left_out = _why_absent(workspace, service, path)
    return replace(view, absent=absent, left_out=left_out)


def _below(made: ServiceMap, path: str) -> tuple[tuple[str, int], ...]:
    """Where the files of a directory land: container directory -> how many."""
    prefix = "" if path == "." else f"{path}/"
    counts: dict[str, int] = {}
    for pair in made.pairs:
        if not pair.effective or not pair.source.startswith(prefix):
            continue
        inner = pair.source[len(prefix) :]
        at = pair.target.removesuffix(f"/{inner}") if pair.target.endswith(f"/{inner}") else ""
        top = at or posixpath.dirname(pair.target)
        counts[top or "/"] = counts.get(top or "/", 0) + 1
    return tuple(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _landing(workspace: Workspace, service: ComposeService, mapped: Mapped, pair: Pair) -> Landing:
    if not pair.effective:
        return Landing(pair)
    running = next((replica for replica in mapped.replicas if replica.running), None)
    return Landing(pair, answers_for(pair, workspace.project.policy, running or imagined(service)))


def imagined(service: ComposeService) -> Replica:
    """A running replica as the model would make it, where there is none to ask."""
    mounts = tuple(
        Mount(mount.kind, mount.target, mount.source, writable=not mount.read_only)
        for mount in service.mounts
    )
    return Replica(id=service.name, name=service.name, service=service.name, mounts=mounts)


def _why_absent(
    workspace: Workspace, service: ComposeService, path: str
) -> tuple[str, IgnoredBy | None]:
    """Why a path of the tree is not in a service, the nearest reason first."""
    full = os.path.normpath(os.path.join(workspace.project.dir, path))
    if never_code(path):
        return "it is nobody's code (git's own, an editor's, freshd's policy or bytecode)", None
    for mount in service.mounts:
        source = os.path.normpath(mount.source)
        if mount.kind == "bind" and is_below(full, source):
            policy = workspace.project.policy.service(service.name).ignore
            ignored = explain_watch_ignore(workspace.project.dir, path, policy=policy)
            words = f"the bind mount at {mount.target} shows it, and it is not compared"
            return words, ignored
    build = service.build
    if build is None:
        return f"{service.image} is not built here, and no mount brings it", None
    if build.remote:
        return f"the build context {build.context} is not on this machine", None
    context = os.path.normpath(build.context)
    if not full.startswith(f"{context}/"):
        where = os.path.relpath(context, workspace.project.dir)
        return f"it is outside the build context ({where})", None
    left_out = _left_out(workspace, service, build, os.path.relpath(full, context))
    if left_out is not None:
        return "it is left out of the build context", left_out
    if not os.path.lexists(full):
        return "it does not exist, and nothing maps it", None
    return "no COPY or ADD of the stages that are built takes it", None


def _left_out(
    workspace: Workspace, service: ComposeService, build: ComposeBuild, path: str
) -> IgnoredBy | None:
    try:
        files = read_build_files(build, service=service.name, project_dir=workspace.project.dir)
    except ConfigError:
        return None
    return explain_context_ignore(files.ignore, files.ignore_file, path)


def _in_containers(
    workspace: Workspace, maps: Mapping[str, Mapped], asked: str, target: str
) -> PathExplanation:
    """By where it is in the container; the tree's file decides the rest."""
    target = posixpath.normpath(target)
    sources = sorted({p.source for mapped in maps.values() for p in _at(mapped, target)})
    if not sources:
        services = tuple(
            PathInService(name, absent=_nothing_at(workspace, name, mapped, target))
            for name, mapped in maps.items()
        )
        return PathExplanation(asked, None, "", services, unseen=workspace.unseen)
    view = _in_tree(workspace, maps, asked, sources[0])
    here = tuple(
        replace(
            service,
            landings=tuple(
                landing for landing in service.landings if landing.pair.target == target
            ),
        )
        for service in view.services
    )
    return replace(
        view, services=tuple(service for service in here if service.landings) or view.services
    )


def _at(mapped: Mapped, target: str) -> list[Pair]:
    if mapped.made is None:
        return []
    pairs = [pair for pair in mapped.made.map.pairs if pair.target == target]
    return sorted(pairs, key=lambda pair: (not pair.effective, pair.via is not Via.BIND))


def _nothing_at(workspace: Workspace, name: str, mapped: Mapped, target: str) -> str:
    if mapped.made is None:
        return mapped.problem
    actual = mapped.replicas[0].mounts if mapped.replicas else None
    mounts = merge(workspace.project.service(name).mounts, actual)
    at = innermost(target, mounts)
    if at is not None:
        mount = mounts[at]
        return f"it lies in the {mount.kind} mounted at {at}, and nothing of the tree is there"
    below = sum(pair.target.startswith(f"{target}/") for pair in mapped.made.map.pairs)
    if below:
        return f"a directory; {below:,} of the tree's files land below it"
    return "nothing of the tree lands there: the image or the program made it, or it is not there"


def _kind(path: str) -> str:
    try:
        return classify(os.lstat(path).st_mode).value
    except OSError:
        return ""
