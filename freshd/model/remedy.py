"""What can be done about a finding."""

from enum import StrEnum


class Remedy(StrEnum):
    """What a rule may do. The order is the order in which a plan runs them.

    EXEC is what ``sync+exec`` of a Compose file asks for; freshd's own policy has no word for it.
    """

    NOTIFY = "notify"
    REBUILD = "rebuild"
    RECREATE = "recreate"
    INJECT = "inject"
    PURGE = "purge"
    RELOAD = "reload"
    RESTART = "restart"
    EXEC = "exec"

    @property
    def renews_containers(self) -> bool:
        """Whether it is done to a whole service, and leaves new containers."""
        return self in (Remedy.REBUILD, Remedy.RECREATE)

    @property
    def follows_injection(self) -> bool:
        """Whether it takes up what was injected: pending until it was done, left out without it."""
        return self in (Remedy.PURGE, Remedy.RELOAD, Remedy.RESTART, Remedy.EXEC)

    @property
    def needs_process(self) -> bool:
        """Whether it works in a running container only."""
        return self in (Remedy.PURGE, Remedy.RELOAD, Remedy.EXEC)

    @property
    def outlives_start(self) -> bool:
        """Whether a new start of the container does not do it as well."""
        return self in (Remedy.PURGE, Remedy.EXEC)

    @property
    def is_verb(self) -> bool:
        """Whether ``freshd REMEDY SERVICE`` can be typed."""
        return self in _TYPED


_TYPED = frozenset({Remedy.INJECT, Remedy.PURGE, Remedy.RESTART, Remedy.RECREATE, Remedy.REBUILD})


class RebuildMode(StrEnum):
    CACHED = "cached"
    FRESH_CONTEXT = "fresh-context"
    NO_CACHE = "no-cache"
    CLEAN = "clean"
