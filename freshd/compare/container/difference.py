"""One path that is not the tree's: what the tree wants and what is seen in, one finding out.

The table of the contract decides the cause: who wrote what is there now (the image, freshd, or
neither), and whether anything can be written there at all.
"""

from dataclasses import dataclass, replace

from freshd.compare import evidence
from freshd.compare.container.shadows import judge_volume
from freshd.compare.finding import make_finding
from freshd.compare.unreadable import UNREADABLE, reason_of
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Mount, Replica
from freshd.model.observed.snapshot import Snapshot
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level
from freshd.model.text import Json, printable


@dataclass(frozen=True, slots=True)
class Difference:
    """``want`` is the tree's entry (mode already the COPY's), ``seen`` the container's."""

    facts: Snapshot
    replica: Replica
    pair: Pair
    want: Entry | None
    seen: Entry | None

    @property
    def in_image(self) -> Entry | None:
        """What the replica's own image has there; None also when that image is not known."""
        image = self.facts.images.get(self.replica.image_id)
        return image.files.get(self.pair.target) if image is not None else None

    @property
    def path(self) -> str | None:
        """The tree's path, or None where no source is known."""
        return self.pair.source or None

    @property
    def shown(self) -> str:
        return printable(self.path or self.pair.target)


@dataclass(frozen=True, slots=True)
class _Judged:
    """None: as the entry of the cause has it."""

    cause: str
    message: str
    remedy: Remedy | None = None
    level: Level | None = None


def finding_for(difference: Difference) -> Finding:
    """The one finding of a path that differs in one replica."""
    pair, replica = difference.pair, difference.replica
    mount = replica.mount_at(pair.target)
    judged = _judge(difference, mount)
    finding = make_finding(
        judged.cause,
        difference.facts.service,
        judged.message,
        replica=replica,
        level=judged.level,
        remedy=judged.remedy,
        path=difference.path,
        target=pair.target,
        evidence=_evidence(difference, mount),
    )
    return replace(finding, via=pair.via, want=difference.want, seen=difference.seen)


def _judge(difference: Difference, mount: Mount | None) -> _Judged:
    actual, where = difference.seen, difference.replica.name
    if actual is not None and actual.kind is Kind.UNREADABLE:
        return _Judged(UNREADABLE, reason_of(difference.pair.target, where, actual))
    if difference.pair.via is Via.BIND:
        return _judge_bound(difference, mount)
    reason = _unwritable(difference.replica, mount)
    if reason is not None:
        return _judge_unwritable(difference, mount, reason)
    if _injection_lost(difference, mount):
        return _Judged(
            "injection-lost",
            f"{difference.shown} had been injected before {where} was made, and is not in it",
        )
    if _same_bytes(difference) or _writer_known(difference):
        return _plain(difference, _remedy(difference))
    if mount is not None and mount.kind == "volume" and _in_own_image(difference):
        return _judge_hidden(difference, mount)
    words = "was removed" if actual is None else "was changed"
    volume = f" (on the volume at {mount.target})" if mount is not None else ""
    message = f"{difference.shown} {words} in {where}{volume}, and not by freshd"
    if actual is not None and difference.replica.image_id not in difference.facts.images:
        message = (
            f"{difference.shown} in {where}{volume} is not the file in the tree; its image is gone "
            "from the engine, so whether somebody changed it there cannot be told"
        )
    return _Judged("changed-in-container", message)


def _judge_bound(difference: Difference, mount: Mount | None) -> _Judged:
    """A mount of one file holds on to that file, whatever takes its place in the directory."""
    alone = mount is not None and mount.target == difference.pair.target
    want, actual = difference.want, difference.seen
    if want is None or actual is None or want.same_content(actual):
        return _plain(difference, Remedy.RESTART)
    if not alone:
        if mount is None or difference.pair.source not in difference.facts.settled:
            return _plain(difference, Remedy.RESTART)  # just saved: it may be on its way
        return _Judged(
            "bind-serves-old-bytes",
            f"{difference.shown} in {difference.replica.name} is not the file in the tree, though "
            f"its directory is mounted at {mount.target}",
        )
    return _Judged(
        "single-file-bind-detached",
        f"{difference.shown} is mounted alone into {difference.replica.name}, which still has the "
        "file that it replaced",
    )


def _in_own_image(difference: Difference) -> bool:
    """Whether the container's image brought the tree's file, so that only the mount is behind."""
    return difference.want is not None and difference.want.same_content(difference.in_image)


def _judge_hidden(difference: Difference, mount: Mount) -> _Judged:
    """A volume is filled from the image once, when it is empty, and never again."""
    cause, volume = judge_volume(mount)
    where = f"{difference.shown} in {difference.replica.name}"
    return _Judged(cause, f"{where} is not the image's: {volume} at {mount.target} hides it")


def _plain(difference: Difference, remedy: Remedy) -> _Judged:
    """The causes that say no more than how the path differs."""
    shown, where = difference.shown, difference.replica.name
    want, actual = difference.want, difference.seen
    if want is None:
        return _Judged("extra-in-container", f"{shown} has left the tree and is in {where}", remedy)
    if actual is None:
        return _Judged("missing-in-container", f"{shown} is missing in {where}", remedy)
    if want.same_content(actual):
        word = "executable" if actual.executable else "not executable"
        return _Judged("mode-differs", f"{shown} is {word} in {where}, unlike in the tree", remedy)
    return _Judged("content-differs", f"{shown} in {where} is not the file in the tree", remedy)


def _remedy(difference: Difference) -> Remedy:
    """Deleting what replaced an image's own file leaves a hole: a new container restores it.

    And what no source is known of cannot be proved to have left the tree: it is not deleted.
    """
    image = difference.in_image
    if difference.want is None and difference.path is None:
        return Remedy.RECREATE
    if difference.want is None and image is not None and not image.same_content(difference.seen):
        return Remedy.RECREATE
    return Remedy.INJECT


def _unwritable(replica: Replica, mount: Mount | None) -> str | None:
    """Why nothing can be injected there, in words; None when it can."""
    if mount is None:
        return "the root file system is read-only" if replica.read_only else None
    if mount.kind == "tmpfs":
        return f"a tmpfs is mounted at {mount.target}"
    return None if mount.writable else f"the {mount.kind} at {mount.target} is mounted read-only"


def _judge_unwritable(difference: Difference, mount: Mount | None, reason: str) -> _Judged:
    image = difference.facts.tag_image
    tagged = image.files.get(difference.pair.target) if image is not None else None
    built = difference.want is not None and difference.want.same_content(tagged)
    renew = Remedy.RECREATE if built else Remedy.REBUILD
    # A tmpfs hides what the image has from the start: only an edit since the build is news.
    hidden = mount is not None and mount.kind == "tmpfs" and difference.seen is None
    untouched = difference.want is not None and difference.want.same_content(difference.in_image)
    return _Judged(
        "target-not-writable",
        f"{difference.shown} in {difference.replica.name} is not the tree's and cannot be "
        f"written: {printable(reason)}",
        renew if mount is None else Remedy.NOTIFY,
        Level.NOTE if hidden and untouched else None,
    )


def _same_bytes(difference: Difference) -> bool:
    return difference.want is not None and difference.want.same_content(difference.seen)


def _writer_known(difference: Difference) -> bool:
    """Whether what is there now came from the replica's image or from freshd.

    Nothing is lost by writing where neither image nor record says that there was anything.
    """
    actual, image = difference.seen, difference.in_image
    wrote = difference.facts.written.get((difference.replica.id, difference.pair.target))
    if actual is None:
        return image is None or wrote == ""
    if actual.kind is Kind.DIR and wrote == "":
        return True  # freshd deleted the file; the directory came with what the tree had there then
    return actual.same_content(image) or (bool(actual.digest) and wrote == actual.digest)


def _injection_lost(difference: Difference, mount: Mount | None) -> bool:
    """Whether freshd had written the tree's bytes already, and a later container is the image's."""
    want, replica, target = difference.want, difference.replica, difference.pair.target
    known = difference.facts.injected.get(target)
    if known is None or want is None or mount is not None or _same_bytes(difference):
        return False
    if (replica.id, target) in difference.facts.written or not _writer_known(difference):
        return False
    digest, when = known
    return bool(digest) and digest == want.digest and when < replica.created_at


def _evidence(difference: Difference, mount: Mount | None) -> dict[str, Json]:
    values: dict[str, Json] = {
        "tree": evidence.digest(difference.want),
        "container": evidence.digest(difference.seen),
        "image": evidence.digest(difference.in_image),
        **evidence.mounted(mount),
    }
    known = difference.facts.injected.get(difference.pair.target)
    if known is not None and _injection_lost(difference, mount):
        values["injected_at"] = known[1]
        values["made_at"] = difference.replica.created_at
    if _same_bytes(difference):
        values["tree_mode"] = evidence.octal(difference.want)
        values["container_mode"] = evidence.octal(difference.seen)
    return values
