"""This computer: Python, git, inotify's limits, free disk, the kind of file system."""

import os
import shutil
import sys
from collections.abc import Iterator

from freshd.model.files import Kind
from freshd.model.paths import is_below
from freshd.model.verbs.diagnosis import Diagnosis, ok, problem, warning
from freshd.tree.ignore import WatchIgnore
from freshd.tree.walk import RootGone, walk

_LIMITS = "/proc/sys/fs/inotify"
_PROC = "/proc"
_MOUNTS = "/proc/self/mountinfo"
# events of changes that another machine makes do not arrive through these
_UNRELIABLE = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "drvfs", "vboxsf", "prl_fs"),
        *("afs", "ceph", "glusterfs", "fuse.sshfs", "fuse.grpcfuse", "fuse.vmhgfs-fuse"),
        *("fuse.osxfs", "fakeowner", "fuse.rclone", "fuse.glusterfs"),
    }
)
_MB = 1 << 20


def diagnose(directory: str | None) -> Iterator[Diagnosis]:
    """``directory`` is the project's, None outside one."""
    yield check_python(sys.version_info[:3])
    yield check_git(shutil.which("git"))
    if directory is None:
        return
    yield check_file_system(directory, find_file_system(directory, _read(_MOUNTS)))
    if sys.platform == "linux":
        limits = {name: _number(f"{_LIMITS}/max_user_{name}") for name in ("watches", "instances")}
        used_watches, used_instances = count_inotify(os.geteuid())
        yield check_watches(count_directories(directory), used_watches, limits["watches"])
        yield check_instances(used_instances, limits["instances"])


def check_python(version: tuple[int, ...]) -> Diagnosis:
    words = ".".join(map(str, version))
    if version < (3, 11):
        return problem("python", f"Python {words}", "freshd needs Python 3.11 or newer")
    return ok("python", words)


def check_git(path: str | None) -> Diagnosis:
    if path is None:
        return ok("git", "not installed; freshd reads .gitignore and the state of git by itself")
    return ok("git", path)


def check_watches(directories: int, used: int, limit: int | None) -> Diagnosis:
    """Each directory of the tree takes one watch, of those the user has in all."""
    if limit is None:
        return ok("watches", f"{directories:,} directories; the limit is not known")
    words = f"{directories:,} directories to watch; {used:,} of {limit:,} watches are taken"
    if directories + used <= limit * 0.9:
        return ok("watches", words)
    wanted = max(1 << 19, 1 << (2 * (directories + used)).bit_length())
    return warning(
        "watches",
        f"{words}: what is beyond the limit is polled, more slowly",
        f"sudo sysctl fs.inotify.max_user_watches={wanted} (and in /etc/sysctl.d to keep it)",
    )


def check_instances(used: int, limit: int | None) -> Diagnosis:
    if limit is None or used + 8 <= limit:
        return ok("instances", f"{used:,} of {limit or 'any number of'} inotify instances taken")
    return warning(
        "instances",
        f"{used:,} of {limit:,} inotify instances are taken: a watcher may get none, and polls",
        "sudo sysctl fs.inotify.max_user_instances=512 (and in /etc/sysctl.d to keep it)",
    )


def check_file_system(directory: str, kind: str) -> Diagnosis:
    if kind in _UNRELIABLE:
        return warning(
            "file system",
            f"{directory} is on {kind}: not every change there raises an event",
            'set `patrol = "1m"` under [schedule], or keep the project on a local disk',
        )
    return ok("file system", kind or "not known")


def check_disk(name: str, directory: str, free: int, *, wanted: int, needed: int) -> Diagnosis:
    """``wanted`` and ``needed`` bytes: below the one a warning, below the other a problem."""
    words = f"{_size(free)} free at {directory}"
    if free >= wanted:
        return ok(name, words)
    fix = "make room there"
    return problem(name, words, fix) if free < needed else warning(name, words, fix)


def find_free_space(directory: str) -> int | None:
    """Free bytes where ``directory`` is, or would be made; None where that is not known."""
    try:
        return shutil.disk_usage(nearest_directory(directory)).free
    except OSError:
        return None


def nearest_directory(path: str) -> str:
    """``path`` itself, or the innermost directory above it that exists."""
    while not os.path.isdir(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return path


def find_file_system(directory: str, mountinfo: str) -> str:
    """The type of the file system that the innermost mount at or above ``directory`` has."""
    best, kind = -1, ""
    real = os.path.realpath(directory)
    for line in mountinfo.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5:
            continue
        at = fields[4].encode().decode("unicode_escape", "replace").rstrip("/")
        if is_below(real, at) and len(at) >= best:
            best, kind = len(at), after.split(" ")[0]
    return kind


def count_directories(directory: str) -> int:
    """How many directories are watched: the root and all that nothing ignores."""
    ignore = WatchIgnore(directory)
    try:
        return 1 + sum(entry.kind is Kind.DIR for entry in walk(directory, skip=ignore.skip))
    except RootGone:
        return 0


def count_inotify(uid: int) -> tuple[int, int]:
    """Watches and instances that processes of this user hold, as far as they may be read."""
    watched = opened = 0
    for pid in filter(str.isdigit, os.listdir(_PROC)):
        base = f"{_PROC}/{pid}"
        try:
            if os.stat(base).st_uid != uid:
                continue
            for fd in os.listdir(f"{base}/fd"):
                if os.readlink(f"{base}/fd/{fd}") in ("anon_inode:inotify", "inotify"):
                    opened += 1
                    watched += _read(f"{base}/fdinfo/{fd}").count("\ninotify ")
        except OSError:
            continue  # it has ended, or this user may not read it
    return watched, opened


def _number(path: str) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdigit() else None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _size(number: int) -> str:
    return f"{number / (_MB * 1024):.1f} GB" if number >= _MB * 1024 else f"{number // _MB} MB"
