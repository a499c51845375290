"""One container, its mounts, and what its paths held when they were read."""

from dataclasses import dataclass, field

from freshd.model.files import Manifest
from freshd.model.paths import innermost


@dataclass(frozen=True, slots=True)
class Mount:
    """One mount of a container. ``source`` is a host path for binds; ``name`` a volume's name.

    ``subpath`` is the directory of the volume that is mounted.
    ``target`` is where it really is, once that was looked for; ``named`` is then the destination as
    it was asked for, which may lead through a link of the image.
    """

    kind: str
    target: str
    source: str = ""
    name: str = ""
    writable: bool = True
    subpath: str = ""
    named: str = ""

    @property
    def asked_for(self) -> str:
        """The destination as the Compose model has it."""
        return self.named or self.target


@dataclass(frozen=True, slots=True)
class Replica:
    """What inspect says of one container, addressed by its full ``id``.

    ``state`` is Docker's: created, running, paused, restarting, exited, dead, removing.
    ``health`` is "", starting, healthy or unhealthy. ``mounts`` include tmpfs. ``joins`` are the
    full ids of containers whose network, process or IPC namespace it shares. ``published`` are
    host ports as ``IP:8080/tcp``, no IP for any; only a listing tells them. ``publishes``: whether
    it was made with any, in whatever state it is. ``numbered``: Compose made it as a replica of its
    service; a one-off, the container of a hook and what only has the labels are none.
    ``counted``: Compose takes it for one all the same, by its labels.
    """

    id: str
    name: str
    service: str
    project: str = ""
    number: int = 1
    oneoff: bool = False
    numbered: bool = True
    counted: bool = True
    image_id: str = ""
    image_ref: str = ""
    state: str = "running"
    health: str = ""
    exit_code: int = 0
    created_at: float = 0.0
    started_at: float = 0.0
    restart_policy: str = ""
    read_only: bool = False
    user: str = ""
    mounts: tuple[Mount, ...] = ()
    config_hash: str = ""
    working_dir: str = ""
    config_files: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    published: frozenset[str] = frozenset()
    publishes: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether it was run and has ended, and nothing says that it is to stay up.

        To start such a one is to run a job again: a migration, a seed, a mail job. A restart policy
        says that it is to stay up, or until it succeeds; published ports say it, too. A health
        check does not: the image gives it to whatever runs of it.
        """
        if self.state != "exited" or self.publishes:
            return False
        return self.restart_policy in ("", "no") or self._has_succeeded

    @property
    def _has_succeeded(self) -> bool:
        return self.restart_policy == "on-failure" and self.exit_code == 0

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def is_replica(self) -> bool:
        """Whether it is one of those that `--scale` is about."""
        return self.numbered and not self.oneoff

    def mount_at(self, target: str) -> Mount | None:
        """The innermost mount at or above ``target``; None: the container's own file system."""
        if not self.mounts:
            return None
        mounts = {mount.target.rstrip("/") or "/": mount for mount in reversed(self.mounts)}
        at = innermost(target, mounts)
        return None if at is None else mounts[at]


@dataclass(frozen=True, slots=True)
class Observation:
    """What one replica says now of the paths it was asked for.

    ``files`` holds the paths that exist; a path in ``asked`` and not in ``files`` is missing.
    ``problem`` says why the content could not be observed at all (then nothing was compared).
    ``same`` are the tree's very files, seen through a bind mount; what they hold was not read
    here. ``unsettled`` changed while both sides were looked at.
    """

    replica: Replica
    asked: frozenset[str] = frozenset()
    files: Manifest = field(default_factory=dict)
    problem: str = ""
    same: frozenset[str] = frozenset()
    unsettled: frozenset[str] = frozenset()

    def joined(self, more: "Observation") -> "Observation":
        """This and another one of the same replica, of other paths."""
        files = {**self.files, **more.files}
        problem = self.problem or more.problem
        same, unsettled = self.same | more.same, self.unsettled | more.unsettled
        return Observation(
            self.replica, self.asked | more.asked, files, problem, same=same, unsettled=unsettled
        )
