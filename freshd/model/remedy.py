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


class RebuildMode(StrEnum):
    CACHED = "cached"
    FRESH_CONTEXT = "fresh-context"
    NO_CACHE = "no-cache"
    CLEAN = "clean"
