"""What an injection will write, decided before anything is sent: safety rules 2, 3 and 6.

In: the changes of a step. Out: ``Job``s with content, owner and mode; the rest is in the tally.
"""

import os
import posixpath
from collections.abc import Mapping, Sequence

from freshd.act import read_back
from freshd.act.ports import World
from freshd.act.tally import Tally
from freshd.act.write import rules, symlinks
from freshd.act.write.job import Directory, Job
from freshd.act.write.startable import keep_startable
from freshd.engine.container.shell_output import FileFacts
from freshd.engine.container.shell_session import ShellSession
from freshd.engine.container.spool import Spool, Spooled
from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Replica
from freshd.model.paths import ancestors
from freshd.model.plan import FileChange


def prepare(
    world: World,
    replica: Replica,
    shell: ShellSession | None,
    changes: Sequence[FileChange],
    tally: Tally,
    spool: Spool,
) -> tuple[list[Job], list[Directory]]:
    """Read the sources first, into ``spool``, then the targets; nothing is changed."""
    contents: dict[str, Spooled] = {}
    for change in changes:
        content = _read(world, change, tally, spool)
        if content is not None:
            contents[change.target] = content
    places_of = resolve(world, replica, shell, list(contents), tally)
    asked = dict.fromkeys(places_of.values())
    for path in tuple(asked):
        asked.update(dict.fromkeys(ancestors(path)))
    if shell is not None:
        asked["/"] = None
    present = read_back.read_facts(world.engine, replica.id, list(asked), shell)
    moved = _moved(world, replica, shell, changes, places_of, present)
    jobs = []
    for change in changes:
        real = places_of.get(change.target)
        if real is None or change.want is None:
            continue
        reason = _occupied(world, replica, real, change.want, present)
        if reason:
            tally.refuse(change.target, reason)
            continue
        if change.target in moved:
            tally.skip(change.target, "it changed in the container while injecting")
            continue
        content = contents[change.target]
        jobs.append(_job(world, change.target, real, change.want, content, present))
    seen = {change.target: change.seen for change in changes}
    jobs = keep_startable(world, replica, shell, jobs, present, seen, tally)
    return jobs, _missing(jobs, present, int(world.clock()))


def resolve(
    world: World, replica: Replica, shell: ShellSession | None, targets: Sequence[str], tally: Tally
) -> dict[str, str]:
    """target -> where it really is, for those that may be touched; the others are refused."""
    allowed = []
    for target in targets:
        reason = rules.find_objection(replica, target, volumes_allowed=world.volumes_allowed)
        if reason:
            tally.refuse(target, reason)
        else:
            allowed.append(target)
    settled, refused = symlinks.resolve(
        world.engine, replica, allowed, shell=shell, volumes_allowed=world.volumes_allowed
    )
    for target, reason in refused.items():
        tally.refuse(target, reason)
    return settled


def _read(world: World, change: FileChange, tally: Tally, spool: Spool) -> Spooled | None:
    want = change.want
    if want is None or change.source is None:
        tally.refuse(change.target, "the step names no source for it")
        return None
    if want.kind not in (Kind.FILE, Kind.LINK):
        tally.refuse(change.target, f"only files and links are injected, not {want.kind}")
        return None
    start = spool.seek(0, os.SEEK_END)
    try:
        entry = world.read(change.source, spool)
    except FileNotFoundError:
        tally.skip(change.target, "its source vanished while injecting")
        return None
    except OSError as error:
        tally.fail(change.target, f"its source cannot be read: {error.strerror}")
        return None
    if not entry.same_content(want):
        tally.skip(change.target, "its source changed while injecting")
        return None
    return Spooled(spool, start, spool.tell() - start)


def _moved(
    world: World,
    replica: Replica,
    shell: ShellSession | None,
    changes: Sequence[FileChange],
    places_of: Mapping[str, str],
    present: Mapping[str, FileFacts],
) -> frozenset[str]:
    """Targets that are not what the plan saw there: somebody's edit since is not written over.

    Only what is to be replaced is read: that costs a hash of each file.
    """
    seen_there = {
        change.target: change.seen
        for change in changes
        if change.target in places_of
        and change.seen is not None
        and change.seen.kind in (Kind.FILE, Kind.LINK)
    }
    replaced = {places_of[target] for target in seen_there} & present.keys()
    facts = {path: present[path] for path in replaced}
    digests = read_back.read_digests(world.engine, replica.id, facts, shell)
    return frozenset(
        target
        for target, entry in seen_there.items()
        if places_of[target] in present and digests.get(places_of[target]) != entry.digest
    )


def _occupied(
    world: World, replica: Replica, path: str, want: Entry, present: dict[str, FileFacts]
) -> str | None:
    """Why what is at ``path`` now must not be replaced."""
    fact = present.get(path)
    kind = fact.kind if fact else None
    if kind is Kind.DIR:
        return "it is a directory in the container"
    if kind is Kind.OTHER:
        return "it is no regular file in the container"
    if kind is Kind.LINK and not symlinks.image_has_link(world.engine, replica, path):
        return "it is a symbolic link in the container that the image does not have"
    if kind is Kind.LINK and want.kind is not Kind.LINK:
        # What the image made a link of stays one: a build writes through it, or makes a file of it.
        return "it is a symbolic link in the image, which a file would replace: rebuild does it"
    for parent in ancestors(path):
        above = present.get(parent)
        if above is not None and above.kind is not Kind.DIR:
            return f"{parent} is not a directory in the container"
    return None


def _job(
    world: World,
    target: str,
    path: str,
    want: Entry,
    content: Spooled,
    present: dict[str, FileFacts],
) -> Job:
    replaced, above = present.get(path), _ancestor(path, present)
    precedent = replaced or above
    now = int(world.clock())
    return Job(
        target=target,
        path=path,
        want=want,
        content=content,
        uid=precedent.uid if precedent else 0,
        gid=precedent.gid if precedent else 0,
        mode=want.mode & 0o777,
        # Python takes bytecode for valid by its source's size and mtime in whole seconds, so the
        # new file's mtime must be one that no earlier content of this path had.
        mtime=max(now, replaced.mtime + 1) if replaced and replaced.mtime < 2**32 else now,
        above=above,
        replaces=replaced is not None,
    )


def _ancestor(path: str, present: dict[str, FileFacts]) -> FileFacts | None:
    """The nearest directory above that exists."""
    return next((present[p] for p in (*ancestors(path), "/") if p in present), None)


def _missing(jobs: Sequence[Job], present: dict[str, FileFacts], now: int) -> list[Directory]:
    """Parents before children."""
    absent = {p for job in jobs for p in ancestors(job.path) if p not in present}
    directories = []
    for path in sorted(absent):
        fact = _ancestor(posixpath.join(path, "x"), present)
        mode = fact.mode & 0o2777 if fact else 0o755
        uid, gid = (fact.uid, fact.gid) if fact else (0, 0)
        directories.append(Directory(path, uid, gid, mode, now))
    return directories
