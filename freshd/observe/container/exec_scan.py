"""Content of paths by commands inside a running container: one stat of all, hashes of the changed.

Names go in on stdin, NUL-terminated; the scripts are constants. Commands run as root (user 0), so
that what the image's USER may not read is read too. Links are never followed.
"""

import bisect
import itertools
import time
from collections.abc import Callable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from freshd.engine.client import Engine
from freshd.engine.container import exec as execs
from freshd.model.errors import OutcomeUnknown
from freshd.model.files import Entry, Kind
from freshd.observe.container import exec_output
from freshd.observe.container.exec_output import Stat
from freshd.observe.identity import NO_FILES, HostFiles, Place

# A line with the container's own clock comes first, as its files carry stamps of that clock, and
# with its kernel's boot id, by which device and inode are known to mean what they mean here.
_BEGIN = (
    "export LC_ALL=C; { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null;"
    ' echo "$(date +%s) $boot"; exec xargs -0'
)
_STAT = ("sh", "-c", f'{_BEGIN} stat -c "$0" --', exec_output.STAT_FORMAT)
# Both at once, for when little is known. A batch with a device or a fifo, or a link to one, is not
# hashed: opening it could wait for ever. The stat comes last: what it says holds for the content.
# Hashes are printed at once: a sha256sum of coreutils writes each line by itself, and every write
# goes through the engine on its own, which costs it more than hashing a small file.
_HASH_AND_STAT = (
    *("sh", "-c", f'{_BEGIN} sh -c "$1" "$0"', exec_output.STAT_FORMAT),
    """plain=1
    for f; do
      [ -f "$f" ] || [ -d "$f" ] || [ ! -e "$f" ] || plain=
    done
    [ -z "$plain" ] || { lines=$(sha256sum -- "$@" 2>/dev/null); printf "%s\\n" "$lines"; }
    printf "\\000"; stat -c "$0" -- "$@"; printf "\\000"
    """,
)
_HASH = (
    *("xargs", "-0", "sh", "-c"),
    'lines=$(sha256sum -- "$@"); printf "%s\\n" "$lines"',
    "sh",
)
_HASH_ODD = ("xargs", "-0", "sh", "-c", 'for f; do sha256sum < "$f" || echo; done', "sh")
_READ_LINKS = (
    *("xargs", "-0", "sh", "-c"),
    'for f; do readlink -n -- "$f"; printf "\\000"; done',
    "sh",
)

_STAT_SECONDS = 30.0
_BOTH_SECONDS = 60.0
_HASH_SECONDS = 30.0
_HASH_BYTES_PER_SECOND = 20_000_000
_SHARD_FILES = 400
_SHARD_BYTES = 4_000_000
_FILE_COST = 8_000  # opening a file takes about as long as hashing this many bytes
_RACY_SECONDS = 2


@dataclass(slots=True)
class Scan:
    """``files`` exist, ``missing`` do not; ``open`` were not settled, with what is known of each.

    ``signed`` are the new (signature, entry) rows that may be trusted at the next pass; ``after``
    has the signatures that were taken when the content had been read. Of ``same`` no content was
    read: they are the host's very files.
    """

    files: dict[str, Entry] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    open: dict[str, Entry] = field(default_factory=dict)
    signed: dict[str, tuple[str, Entry]] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    same: set[str] = field(default_factory=set)


def scan(
    engine: Engine,
    container_id: str,
    paths: Set[str],
    *,
    known: Mapping[str, tuple[str, Entry]],
    clock: Callable[[], float] = time.time,
    bound: HostFiles = NO_FILES,
) -> Scan:
    """Stat all ``paths``, hash those whose signature is not the ``known`` one.

    A path that is ``bound`` and is the host's very file is not hashed, whatever it holds.

    Raises TargetGone, EngineFailed (the container cannot run commands now), OutcomeUnknown (a
    command did not end in time).
    """
    began = clock()
    ordered = sorted(paths)
    raw = _look(engine, container_id, ordered, known=known, bound=bound)
    result = Scan(missing=raw.missing, same=set(bound.find_same(raw.kernel, raw.places)))
    changed: dict[str, Stat] = {}
    for path in ordered:
        if path not in raw.signatures or path in raw.missing:
            continue
        row = known.get(path)
        if row is not None and row[0] == raw.signatures[path]:
            result.files[path] = row[1]
        elif (stat := exec_output.stat_of(raw.signatures[path])) is None:
            continue
        elif stat.kind in (Kind.FILE, Kind.LINK) and path not in result.same:
            changed[path] = stat
        else:
            result.files[path] = stat.entry()
    later = changed.keys() - raw.hashes.keys()
    result.after = {
        path: raw.signatures[path] for path in result.files.keys() | changed.keys() - later
    }
    safe_before = int(min([began, *raw.clocks]) - _RACY_SECONDS) * 1_000_000_000
    _settle(changed, _digests(engine, container_id, changed, raw.hashes), safe_before, result)
    for path in paths - result.files.keys() - result.missing - result.open.keys():
        result.open[path] = Entry(
            Kind.UNREADABLE, reason="stat gave no answer inside the container"
        )
    return result


def signatures(engine: Engine, container_id: str, paths: Set[str]) -> dict[str, str]:
    """What stat says of each of ``paths`` that is there. Raises as ``scan`` does."""
    return _stat(engine, container_id, sorted(paths)).signatures


def _settle(
    changed: Mapping[str, Stat], digests: Mapping[str, str], safe_before: int, result: Scan
) -> None:
    for path, stat in changed.items():
        if path not in digests:
            result.open[path] = stat.unreadable("it could not be read inside the container")
            continue
        entry = result.files[path] = stat.entry(digests[path])
        # A stamp this young can stay the same over another write: such a file is hashed again.
        if stat.stamp < safe_before:
            result.signed[path] = (stat.signature, entry)


@dataclass(slots=True)
class _Raw:
    """What one or two commands printed: unchecked signatures, digests, the container's clock."""

    signatures: dict[str, str] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    clocks: list[float] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    kernel: str = ""

    def take(
        self, records: bytes, header: exec_output.Header, stderr: bytes, paths: Sequence[str]
    ) -> None:
        signatures = exec_output.parse_records(records, paths)
        self.signatures |= signatures
        self.kernel = header.kernel
        absent = set(paths) - signatures.keys()
        if absent and exec_output.explains_absence(stderr, len(absent)):
            self.missing |= absent
        if header.clock is not None:
            self.clocks.append(header.clock)

    def join(self, more: "_Raw") -> None:
        """Take what was said of other paths."""
        self.signatures |= more.signatures
        self.hashes |= more.hashes
        self.missing |= more.missing
        self.clocks += more.clocks
        self.places |= more.places
        self.kernel = more.kernel


def _look(
    engine: Engine,
    container_id: str,
    paths: Sequence[str],
    *,
    known: Mapping[str, tuple[str, Entry]],
    bound: HostFiles,
) -> _Raw:
    """What is ``bound`` is only stat'ed: it may be gigabytes that nobody has to read."""
    plain = [path for path in paths if path not in bound]
    both = plain if 2 * len(known) < len(plain) else []
    alone = [path for path in paths if path in bound] if both else paths
    raw = _hash_and_stat(engine, container_id, both) if both else _Raw()
    if alone or not both:
        raw.join(_stat(engine, container_id, alone, bound=bound))
    return raw


def _stat(
    engine: Engine, container_id: str, paths: Sequence[str], *, bound: HostFiles = NO_FILES
) -> _Raw:
    result = _run(engine, container_id, _STAT, paths, _STAT_SECONDS)
    header, records = exec_output.parse_header(result.stdout)
    raw = _Raw()
    raw.take(records, header, result.stderr, paths)
    if bound:
        raw.places = exec_output.parse_places(records, bound)
    return raw


def _hash_and_stat(engine: Engine, container_id: str, paths: Sequence[str]) -> _Raw:
    """Hash, then stat, in two halves side by side where there are many."""
    half = len(paths) // 2
    shards = [paths] if len(paths) < _SHARD_FILES else [paths[:half], paths[half:]]
    raw = _Raw()
    try:
        timeouts = [_BOTH_SECONDS] * len(shards)
        results = _run_all(engine, container_id, _HASH_AND_STAT, shards, timeouts)
    except OutcomeUnknown:
        # Gigabytes, perhaps; step by step the sizes are known, and the time they may take.
        return _stat(engine, container_id, paths)
    for part, result in zip(shards, results, strict=True):
        header, rest = exec_output.parse_header(result.stdout)
        lines, records = exec_output.parse_alternating(rest)
        raw.take(records, header, result.stderr, part)
        raw.hashes |= exec_output.parse_hashes(lines, part)
    return raw


def _digests(
    engine: Engine, container_id: str, changed: Mapping[str, Stat], known: Mapping[str, str]
) -> dict[str, str]:
    """Digests of the changed files and link texts; ``known`` ones of files are not made again."""
    files = [path for path, stat in changed.items() if stat.kind is Kind.FILE]
    links = [path for path, stat in changed.items() if stat.kind is Kind.LINK]
    digests = {path: known[path] for path in files if path in known}
    plain = [path for path in files if path not in digests and not exec_output.is_odd(path)]
    odd = [path for path in files if path not in digests and exec_output.is_odd(path)]
    sizes = {path: changed[path].size for path in files}
    shards = shards_of(plain, sizes)
    timeouts = [_hash_timeout(shard, sizes) for shard in shards]
    results = _run_all(engine, container_id, _HASH, shards, timeouts)
    for shard, result in zip(shards, results, strict=True):
        digests |= exec_output.parse_hashes(result.stdout, shard)
    if odd:
        timeout = _hash_timeout(odd, sizes)
        result = _run(engine, container_id, _HASH_ODD, odd, timeout)
        digests |= exec_output.parse_hashes_in_order(result.stdout, odd)
    if links:
        result = _run(engine, container_id, _READ_LINKS, links, _HASH_SECONDS)
        digests |= exec_output.parse_links_in_order(result.stdout, links)
    return digests


def _run_all(
    engine: Engine,
    container_id: str,
    argv: Sequence[str],
    shards: Sequence[Sequence[str]],
    timeouts: Sequence[float],
) -> list[execs.ExecResult]:
    """One command a shard, side by side where there are more."""
    run = partial(_run, engine, container_id, argv)
    if len(shards) < 2:
        return [*map(run, shards, timeouts)]
    with ThreadPoolExecutor(len(shards)) as pool:
        return list(pool.map(run, shards, timeouts))


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
    timeout: float,
) -> execs.ExecResult:
    stdin = exec_output.names(paths)
    limit = 4 * len(stdin) + 400 * len(paths) + 65536
    return execs.run(
        engine, container_id, argv, stdin=stdin, timeout=timeout, user="0", limit=limit
    )
