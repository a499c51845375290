"""Delete bytecode and caches inside one container, by exact path: never a glob, never `rm -r`.

In: a step whose ``files`` are the modules just injected, and ``patterns`` as in .gitignore,
anchored at the container's root. After an injection only the touched modules' bytecode goes;
patterns are looked for below the mapped directories and below what an absolute pattern names.
"""

import os
import posixpath
import re
from collections.abc import Iterable, Sequence

from freshd.act import read_back
from freshd.act.inject import get_writers, read_target
from freshd.act.ports import World
from freshd.act.tally import Tally
from freshd.act.write import delete, rules, symlinks
from freshd.act.write.writers import Writers
from freshd.engine.container.exec import run
from freshd.model.errors import EngineFailed, StepRefused
from freshd.model.files import Kind
from freshd.model.globs.git import GitRules
from freshd.model.observed.container import Replica
from freshd.model.paths import is_below
from freshd.model.plan import Outcome, Step

_FIND = """
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
exec find "$@" -xdev -type f -print0
"""
_FIND_SECONDS = 60.0
_FIND_LIMIT = 64 * 1024 * 1024
# module.cpython-311.pyc, module.cpython-311.opt-1.pyc
_TAGS = r"\.[^.]+(?:\.opt-[^.]+)?\.pyc"
_WILD = re.compile(r"[*?\[\\!]")


def apply(step: Step, world: World) -> Outcome:
    """Raises TargetGone, StepRefused (not running), EngineFailed (no shell), OutcomeUnknown."""
    replica = read_target(step, world)
    if not replica.running:
        raise StepRefused(f"{replica.name} is {replica.state}: nothing is purged in it")
    writers, why = get_writers(world, replica)
    if writers is None:
        raise EngineFailed(f"nothing can be purged in {replica.name}: {why}")
    paths = dict.fromkeys(_find_bytecode(writers, [change.target for change in step.files]))
    if step.patterns:
        paths.update(dict.fromkeys(_find_matching(world, replica, writers, step.patterns)))
    return _delete(step, world, replica, writers, list(paths))


def _find_bytecode(writers: Writers, sources: Iterable[str]) -> list[str]:
    """What the interpreter may have kept of these modules: beside them and in __pycache__."""
    by_directory: dict[str, set[str]] = {}
    for source in sources:
        directory, name = posixpath.split(source)
        stem, suffix = posixpath.splitext(name)
        if suffix == ".py":
            by_directory.setdefault(directory, set()).add(stem)
    paths = []
    for directory, stems in by_directory.items():
        paths += [posixpath.join(directory, f"{stem}.pyc") for stem in sorted(stems)]
        cache = posixpath.join(directory, "__pycache__")
        kept = re.compile(f"(?:{'|'.join(map(re.escape, sorted(stems)))}){_TAGS}")
        names = [name for name in writers.list(cache) if kept.fullmatch(name)]
        paths += [posixpath.join(cache, name) for name in names]
    return paths


def _find_matching(
    world: World, replica: Replica, writers: Writers, patterns: Sequence[str]
) -> list[str]:
    """What root sees, and what only the container's user does."""
    caches = GitRules(patterns)
    roots = _list_roots(world, patterns)
    present = read_back.read_facts(world.engine, replica.id, roots, writers.root)
    roots = [root for root in roots if root in present]  # the others hold nothing (yet)
    if not roots:
        return []
    names, problem = _find(world, replica, roots, user="0")
    if problem and writers.own is not None:
        more, problem = _find(world, replica, roots, user=replica.user)
        names = [*dict.fromkeys([*names, *more])]
    if problem and not names:
        raise EngineFailed(f"files in {replica.name} cannot be listed: {problem}")
    return [name for name in names if caches.covers(name.lstrip("/"))]


def _find(
    world: World, replica: Replica, roots: Sequence[str], *, user: str
) -> tuple[list[str], str]:
    """The files below ``roots``, and "" or why there may be more."""
    argv = ["/bin/sh", "-c", _FIND, "freshd-purge", *roots]
    result = run(
        world.engine, replica.id, argv, timeout=_FIND_SECONDS, user=user, limit=_FIND_LIMIT
    )
    names = [os.fsdecode(name) for name in result.stdout.split(b"\0") if name]
    if result.ok:
        return names, ""
    said = (result.stderr or result.stdout).decode("utf-8", "replace").strip()
    return ([] if result.missing else names), said or "find failed"


def _list_roots(world: World, patterns: Sequence[str]) -> list[str]:
    """Mapped directories, and the plain beginning of each absolute pattern; none inside another."""
    named = [_plain_beginning(p) for p in patterns if p.startswith("/")]
    roots = sorted({*world.directories, *named} - {"/"})
    return [
        root
        for root in roots
        if not any(other != root and is_below(root, other) for other in roots)
    ]


def _plain_beginning(pattern: str) -> str:
    parts = []
    for part in pattern.strip("/").split("/"):
        if _WILD.search(part):
            break
        parts.append(part)
    return "/" + "/".join(parts)


def _delete(
    step: Step, world: World, replica: Replica, writers: Writers, paths: Sequence[str]
) -> Outcome:
    tally, shell = Tally(), writers.root
    allowed = [path for path in paths if not _is_forbidden(world, replica, path, tally)]
    settled, refused = symlinks.resolve(
        world.engine, replica, allowed, shell=shell, volumes_allowed=world.volumes_allowed
    )
    for path, reason in refused.items():
        tally.refuse(path, reason)
    real = list(settled.values())
    present = read_back.read_facts(world.engine, replica.id, real, shell)
    files = [path for path, fact in present.items() if fact.kind is Kind.FILE]
    if files:
        world.journal.phase("purge", {"files": len(files)})
        errors = writers.remove(files, delete.read_above(world, replica, writers, files))
        left = read_back.read_facts(world.engine, replica.id, files, shell)
        for path in left:
            tally.fail(path, f"it is still there ({' '.join(errors.split())})")
        tally.deleted = len(files) - len(left)
    outcome = tally.outcome(step)
    if not files and not tally.problems:
        return Outcome(step, outcome.status, "nothing to purge")
    return outcome


def _is_forbidden(world: World, replica: Replica, path: str, tally: Tally) -> bool:
    """Caches on mounts are others' files: a bind's are the host's. They are left alone."""
    mount = replica.mount_at(path)
    reason = rules.find_objection(replica, path, volumes_allowed=world.volumes_allowed)
    if reason is None:
        return False
    if mount is not None and mount.kind == "bind":
        tally.note(f"passed over the bind mount {mount.target}")
    else:
        tally.refuse(path, reason)
    return True
