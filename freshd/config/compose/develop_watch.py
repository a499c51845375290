"""``develop.watch`` of a Compose file in freshd's terms: services of the model in, rules out.

Reads the build contexts' ignore files and nothing else. Which files a rule selects is as Compose
documents it: patterns of ``.dockerignore``, relative to the rule's path, on top of the ignore file
of the build context and of what Compose never watches.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from freshd.config.compose.build_files import read_ignore
from freshd.config.compose.model import ComposeBuild, ComposeService, ComposeWatch
from freshd.model.files import Kind
from freshd.model.globs.git import GitRules
from freshd.model.policy import Hook, WatchRule
from freshd.model.remedy import Remedy
from freshd.tree.dockerignore import DockerIgnore, ignore_file_names
from freshd.tree.ignore import never_code
from freshd.tree.walk import Skip

DOES: Final[Mapping[str, frozenset[Remedy]]] = {
    "sync": frozenset({Remedy.INJECT}),
    "sync+restart": frozenset({Remedy.INJECT, Remedy.RESTART}),
    "sync+exec": frozenset({Remedy.INJECT, Remedy.EXEC}),
    "restart": frozenset({Remedy.RESTART}),
    "rebuild": frozenset({Remedy.REBUILD}),
}
# What Compose leaves out by itself; git's own files and editors' temporary ones are `never_code`.
_NEVER: Final = DockerIgnore.from_lines(
    ("**/.idea/**", "**/.*.swo", "**/.*.swn", "**/.*.kate-swp", "**/*-go-tmp-umask")
)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files one rule selects: below ``source``, by its patterns and its context's.

    ``root`` is the project directory, ``context`` the build context with the ignore file
    ``shared``; all are absolute, without links.
    """

    root: str
    source: str
    ignore: DockerIgnore = field(default_factory=DockerIgnore)
    include: DockerIgnore | None = None
    context: str = ""
    shared: DockerIgnore = field(default_factory=DockerIgnore)

    def __call__(self, path: str) -> bool:
        """Whether the file is one of the rule's."""
        below = self.below(path)
        return below is not None and self.takes(below, path)

    def takes(self, below: str, path: str, *, sent: bool = False) -> bool:
        """The same for a file whose path is ``below`` from the source, and ``path`` from the root.

        ``sent``: the builder is known to be sent it, so the context's ignore file allows it.
        """
        if never_code(path) or _never(path):
            return False
        if below and self.ignore.patterns and self.ignore.excludes(below):
            return False
        if not sent:
            inside = _below(f"{self.source}/{below}" if below else self.source, self.context)
            if inside and self.shared.excludes(inside):
                return False
        return self.include is None or (bool(below) and self.include.excludes(below))

    def covers(self, context: str, ignore: object) -> bool:
        """Whether every file it selects is one that the build ``context`` has by ``ignore``."""
        inside = _below(self.source, self.context) is not None
        return inside and context == self.context and ignore == self.shared

    def enters(self, directory: str) -> bool:
        """Whether a file in or below ``directory`` may be one of the rule's."""
        absolute = self._absolute(directory)
        if _below(self.source, absolute) is not None:
            return True
        below = _below(absolute, self.source)
        if below is None or never_code(directory) or _never(directory):
            return False
        inside = _below(absolute, self.context)
        return not (_is_shut(self.ignore, below) or _is_shut(self.shared, inside))

    def below(self, path: str) -> str | None:
        """The path as seen from ``source``."""
        return _below(self._absolute(path), self.source)

    def _absolute(self, path: str) -> str:
        return os.path.normpath(f"{self.root}/{path}")


def _never(path: str) -> bool:
    """Whether Compose leaves it out; the substrings spare nearly every path the patterns."""
    suspect = ".idea" in path or ".sw" in path or ".kate-swp" in path or "-go-tmp-umask" in path
    return suspect and _NEVER.excludes(path)


def _is_shut(ignore: DockerIgnore, directory: str | None) -> bool:
    if not directory or not ignore.excludes(directory):
        return False
    return not ignore.may_reinclude_below(directory)


def _below(path: str, directory: str) -> str | None:
    if path == directory:
        return ""
    prefix = directory.rstrip("/") + "/"
    return path[len(prefix) :] if directory and path.startswith(prefix) else None


def read_watch_rules(
    services: Iterable[ComposeService], *, project_dir: str
) -> tuple[WatchRule, ...]:
    """The rules of all services, in the order of the model. ConfigError for an ignore file."""
    root = os.path.realpath(project_dir)
    return tuple(rule for service in services for rule in _rules(service, root))


def list_ignore_files(services: Iterable[ComposeService]) -> tuple[str, ...]:
    """Absolute paths of the ignore files that `read_watch_rules` reads, whether they exist."""
    builds = [service.build for service in services if service.watch and service.build is not None]
    return tuple(path for build in builds for path in _ignore_candidates(build))


def _rules(service: ComposeService, root: str) -> Iterable[WatchRule]:
    if not service.watch:
        return
    context, shared = _context(service.build, root)
    dockerfile = _dockerfile(service.build, root)
    for number, watch in enumerate(service.watch, 1):
        does = DOES.get(watch.action)
        if does is None or (Remedy.INJECT in does and _is_bound(watch.path, service)):
            continue  # Compose does not sync what the service mounts anyway
        name = f"services.{service.name}.develop.watch[{number - 1}]"
        include = DockerIgnore.from_lines(watch.include, name=f"{name}.include")
        selects = Selection(
            root=root,
            source=os.path.realpath(watch.path),
            ignore=DockerIgnore.from_lines(watch.ignore, name=f"{name}.ignore"),
            include=include if watch.include else None,
            context=context,
            shared=shared,
        )
        syncs = Remedy.INJECT in does
        yield WatchRule(
            service=service.name,
            number=number,
            does=does,
            source=selects.source,
            selects=selects,
            target=(watch.target or None) if syncs else None,
            initial=watch.initial_sync,
            dockerfile=dockerfile is not None and selects(dockerfile),
            hook=_hook(watch) if Remedy.EXEC in does and watch.exec.command else None,
        )


def _context(build: ComposeBuild | None, root: str) -> tuple[str, DockerIgnore]:
    """The build context and what its ignore file says; ("", nothing) without one."""
    for path in () if build is None else _ignore_candidates(build):
        shared = read_ignore(path, project_dir=root)
        if shared is not None and build is not None:
            return os.path.realpath(build.context), shared
    return "", DockerIgnore()


def _ignore_candidates(build: ComposeBuild) -> Sequence[str]:
    if build.remote:
        return ()
    own, shared = ignore_file_names(os.path.join(build.context, build.dockerfile))
    return (os.path.normpath(own), os.path.join(build.context, shared))


def _dockerfile(build: ComposeBuild | None, root: str) -> str | None:
    if build is None or build.remote or build.dockerfile_inline is not None:
        return None
    return os.path.relpath(os.path.join(os.path.realpath(build.context), build.dockerfile), root)


def _is_bound(path: str, service: ComposeService) -> bool:
    binds = (mount.source for mount in service.mounts if mount.kind == "bind")
    return any(_below(path, source) is not None for source in binds)


def _hook(watch: ComposeWatch) -> Hook:
    run = watch.exec
    return Hook(
        argv=run.command,
        user=run.user or None,
        privileged=run.privileged,
        workdir=run.working_dir or None,
        environment=run.environment,
    )


def any_selects(rules: Iterable[WatchRule], path: str, kind: Kind) -> bool:
    """Whether a rule selects the file, or may select something below the directory."""
    if kind is Kind.DIR:
        return any(rule.selects.enters(path) for rule in rules)
    return any(rule.selects(path) for rule in rules)


def select_among(
    rule: WatchRule,
    files: Iterable[str],
    context: str,
    qualify: Callable[[str], str],
    ignore: Iterable[str],
) -> Iterable[tuple[str, str]]:
    """Those of the ``files`` of ``context`` (absolute, without links) that a walk below
    ``rule.source`` with ``make_skip`` would find: their names, and as seen from there.
    """
    lead = _below(rule.source, context)
    if lead is None:
        return
    prefix, ignored = f"{lead}/" if lead else "", GitRules(ignore)
    takes, enters_named = _make_takes(rule, ignored, sent=True), _make_enters(rule, ignored)
    entered = {"": True}

    def enters(directory: str) -> bool:
        if directory not in entered:
            above = directory.rpartition("/")[0]
            entered[directory] = enters(above) and enters_named(qualify(directory))
        return entered[directory]

    for path in files:
        if path.startswith(prefix):
            below = path[len(prefix) :]
            directory = below.rpartition("/")[0]
            if not (entered.get(directory) or enters(directory)):
                continue
            if takes(below, name := qualify(below)):
                yield name, below


def make_skip(rule: WatchRule, qualify: Callable[[str], str], ignore: Iterable[str]) -> Skip:
    """Leaves out of a walk below ``rule.source`` what is not the rule's, or ignored by the policy.

    ``qualify`` makes a project-relative path of one below the source.
    """
    ignored = GitRules(ignore)
    takes, enters = _make_takes(rule, ignored, sent=False), _make_enters(rule, ignored)

    def skip(below: str, kind: Kind) -> bool:
        path = qualify(below)
        return not (enters(path) if kind is Kind.DIR else takes(below, path))

    return skip


def _make_enters(rule: WatchRule, ignored: GitRules) -> Callable[[str], bool]:
    """Whether a file below the directory of this name may be the rule's and not ignored."""
    enters = rule.selects.enters
    return lambda path: enters(path) and not ignored.decide(path, directory=True)


def _make_takes(rule: WatchRule, ignored: GitRules, *, sent: bool) -> Callable[[str, str], bool]:
    """Whether a file is the rule's and not ignored, by its path below the source and its name."""
    takes = partial(rule.selects.takes, sent=sent)
    if not ignored:
        return takes
    return lambda below, path: takes(below, path) and not ignored.decide(path, directory=False)
