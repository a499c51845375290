"""Content of paths by commands inside a running container: one stat of all, hashes of the changed.

Names go in on stdin, NUL-terminated; the scripts are constants. Commands run as root (user 0), so
that what the image's USER may not read is read too. Links are never followed.
"""

import bisect
import itertools
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from freshd.engine import exec as execs
from freshd.engine.client import Engine
from freshd.model import Entry, Kind
from freshd.observe import output
from freshd.observe.output import Stat

# A line with the container's own clock comes first: its files carry stamps of that clock.
_STAT = ("sh", "-c", 'date +%s || echo; exec xargs -0 stat -c "$0" --', output.STAT_FORMAT)
_HASH = ("xargs", "-0", "sha256sum", "--")
_HASH_ODD = ("xargs", "-0", "sh", "-c", 'for f; do sha256sum < "$f" || echo; done', "sh")
_READ_LINKS = (
    *("xargs", "-0", "sh", "-c"),
    'for f; do readlink -n -- "$f"; printf "\\000"; done',
    "sh",
)

_STAT_SECONDS = 30.0
_HASH_SECONDS = 30.0
_HASH_BYTES_PER_SECOND = 20_000_000
_SHARD_FILES = 400
_SHARD_BYTES = 4_000_000
_FILE_COST = 8_000  # opening a file takes about as long as hashing this many bytes
_RACY_SECONDS = 2


@dataclass(slots=True)
class Inside:
    """``files`` exist, ``missing`` do not; ``open`` could not be told, with what is known of each.

    ``signed`` are the new (signature, entry) rows that may be trusted at the next look.
    """

    files: dict[str, Entry] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    open: dict[str, Entry] = field(default_factory=dict)
    signed: dict[str, tuple[str, Entry]] = field(default_factory=dict)


def look(
    engine: Engine,
    container_id: str,
    paths: Collection[str],
    *,
    known: Mapping[str, tuple[str, Entry]],
    clock: Callable[[], float] = time.time,
) -> Inside:
    """Stat all ``paths``, hash those whose signature is not the ``known`` one.

    Raises TargetGone, EngineFailed (the container cannot run commands now), OutcomeUnknown (a
    command did not end in time).
    """
    began = clock()
    stats, inside_clock, seen = _stat_all(engine, container_id, sorted(paths))
    safe_before = min(began, inside_clock if inside_clock is not None else began)
    changed: dict[str, Stat] = {}
    for path, stat in stats.items():
        row = known.get(path)
        if stat.kind not in (Kind.FILE, Kind.LINK):
            seen.files[path] = stat.entry()
        elif row is not None and row[0] == stat.signature:
            seen.files[path] = row[1]
        else:
            changed[path] = stat
    digests = _digests(engine, container_id, changed)
    for path, stat in changed.items():
        if path not in digests:
            seen.open[path] = stat.unreadable("it could not be read inside the container")
            continue
        entry = seen.files[path] = stat.entry(digests[path])
        # A stamp this young can stay the same over another write: such a file is hashed again.
        if stat.stamp < int(safe_before) - _RACY_SECONDS:
            seen.signed[path] = (stat.signature, entry)
    return seen


def _stat_all(
    engine: Engine, container_id: str, paths: Sequence[str]
) -> tuple[dict[str, Stat], int | None, Inside]:
    result = _run(engine, container_id, _STAT, paths, timeout=_STAT_SECONDS)
    now, records = output.parse_clock(result.stdout)
    stats = output.parse_stats(records, paths)
    absent = [path for path in paths if path not in stats]
    seen = Inside()
    if not absent:
        return stats, now, seen
    if output.explains_absence(result.stderr, len(absent)):
        seen.missing.update(absent)
        return stats, now, seen
    why = "stat gave no answer inside the container"
    seen.open.update(dict.fromkeys(absent, Entry(Kind.UNREADABLE, reason=why)))
    return stats, now, seen


def _digests(engine: Engine, container_id: str, changed: Mapping[str, Stat]) -> dict[str, str]:
    files = [path for path, stat in changed.items() if stat.kind is Kind.FILE]
    links = [path for path, stat in changed.items() if stat.kind is Kind.LINK]
    plain = [path for path in files if not output.is_odd(path)]
    odd = [path for path in files if output.is_odd(path)]
    sizes = {path: changed[path].size for path in files}
    found = _hash_plain(engine, container_id, plain, sizes)
    if odd:
        timeout = _hash_timeout(odd, sizes)
        result = _run(engine, container_id, _HASH_ODD, odd, timeout=timeout)
        found |= output.parse_hashes_in_order(result.stdout, odd)
    if links:
        result = _run(engine, container_id, _READ_LINKS, links, timeout=_HASH_SECONDS)
        found |= output.parse_links_in_order(result.stdout, links)
    return found


def _hash_plain(
    engine: Engine, container_id: str, paths: Sequence[str], sizes: Mapping[str, int]
) -> dict[str, str]:
    def one(shard: Sequence[str]) -> dict[str, str]:
        timeout = _hash_timeout(shard, sizes)
        result = _run(engine, container_id, _HASH, shard, timeout=timeout)
        return output.parse_hashes(result.stdout, shard)

    shards = shards_of(paths, sizes)
    if len(shards) < 2:
        return one(shards[0]) if shards else {}
    with ThreadPoolExecutor(len(shards)) as pool:
        found: dict[str, str] = {}
        for part in pool.map(one, shards):
            found |= part
    return found


def shards_of(paths: Sequence[str], sizes: Mapping[str, int]) -> list[Sequence[str]]:
    """The paths in one part, or in two of about the same work where that pays."""
    if not paths:
        return []
    total = sum(sizes[path] for path in paths)
    if len(paths) < 2 or (len(paths) < _SHARD_FILES and total < _SHARD_BYTES):
        return [paths]
    done = list(itertools.accumulate(sizes[path] + _FILE_COST for path in paths))
    cut = min(bisect.bisect_left(done, done[-1] / 2) + 1, len(paths) - 1)
    return [paths[:cut], paths[cut:]]


def _hash_timeout(paths: Sequence[str], sizes: Mapping[str, int]) -> float:
    return _HASH_SECONDS + sum(sizes[path] for path in paths) / _HASH_BYTES_PER_SECOND


def _run(
    engine: Engine,
    container_id: str,
    argv: Sequence[str],
    paths: Sequence[str],
    *,
    timeout: float,
) -> execs.ExecResult:
    stdin = output.names(paths)
    limit = 2 * (len(stdin) + 160 * len(paths)) + 65536
    return execs.run(
        engine, container_id, argv, stdin=stdin, timeout=timeout, user="0", limit=limit
    )
