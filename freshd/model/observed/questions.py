"""What is asked of the observed facts in more than one stage. Pure."""

import posixpath
from collections.abc import Iterable, Mapping

from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.container import Replica
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.snapshot import Snapshot
from freshd.model.paths import is_below

_RANK = {Via.COPY: 0, Via.DECLARED: 1, Via.BIND: 2}


def is_serving(replica: Replica) -> bool:
    """Whether findings are wanted: not for jobs that are done, nor for what is being removed."""
    if replica.state == "removing":
        return False
    if replica.running:
        return True
    return not replica.oneoff and not (replica.state == "exited" and replica.exit_code == 0)


def visible_pairs(pairs: Iterable[Pair], replica: Replica) -> Mapping[str, Pair]:
    """target -> the one pair that says what the process should read there.

    A pair hidden by a bind is left to the bind's own pair. One hidden by a volume or tmpfs counts:
    that is what the process reads. A mount that this replica does not have hides nothing.
    """
    kinds: dict[str | None, str | None] = {mount.target: mount.kind for mount in replica.mounts}
    chosen: dict[str, Pair] = {}
    for pair in pairs:
        if not pair.effective and (
            pair.via is Via.BIND or kinds.get(pair.hidden_by) not in (None, "volume", "tmpfs")
        ):
            continue
        before = chosen.get(pair.target)
        if before is None or _rank(pair) > _rank(before):
            chosen[pair.target] = pair
    return chosen


def _rank(pair: Pair) -> tuple[bool, int]:
    return pair.effective, _RANK[pair.via]


def image_of(facts: Snapshot) -> ImageFacts | None:
    """The image that the service's tag names; else one that a replica runs, running ones first."""
    if facts.tag_image is not None:
        return facts.tag_image
    replicas = [observation.replica for observation in facts.observations]
    replicas.sort(key=lambda replica: (not replica.running, replica.oneoff, replica.number))
    known = (facts.images.get(replica.image_id) for replica in replicas)
    return next((image for image in known if image is not None), None)


def source_of(mapping: ServiceMap, target: str) -> str | None:
    """The tree path that ``target`` would come from; None where no COPY directory contains it."""
    best = _origin(mapping, target)
    if best is None:
        return None
    rest = target[len(best.rstrip("/")) + 1 :]
    origin = mapping.origins[best].rstrip("/")
    if not rest:
        return origin
    return rest if origin in ("", ".") else f"{origin}/{rest}"


def directory_of(mapping: ServiceMap, target: str) -> str | None:
    """The tree's directory that must be there if the source of ``target`` is said to have left."""
    best = _origin(mapping, target)
    if best is None:
        return None
    origin = mapping.origins[best]
    return origin if best != target else posixpath.dirname(origin)


def _origin(mapping: ServiceMap, target: str) -> str | None:
    """The innermost place with a known origin that ``target`` is at or below."""
    return max(
        (directory for directory in mapping.origins if is_below(target, directory)),
        key=len,
        default=None,
    )


def same_mode(pair: Pair, want: Entry, seen: Entry) -> bool:
    """Whether both or neither are executable; only files have a mode that matters."""
    if want.kind is not Kind.FILE or pair.free_mode:
        return True
    mode = want.mode if pair.mode is None else pair.mode
    return bool(mode & 0o100) == bool(seen.mode & 0o100)
