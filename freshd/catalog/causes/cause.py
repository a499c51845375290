"""What the passes know of one cause: the shape of its entry. Pure.

Everything that policy, remedies and reports have to know of a cause is a field here, so that no
other module asks for its slug. What people are told of it is its page (``pages``).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import Level, LinkName

ACCEPT_MOUNTS: Final = "--accept-mounts"
DISCARD_CHANGES: Final = "--discard-changes"


class Injection(StrEnum):
    """What is there when the tree's file is written into the container, or deleted there."""

    REPLACES = "replaces"
    """What the image or freshd brought: nothing is lost."""
    DELETES = "deletes"
    """A file that has left the tree."""
    OVERWRITES = "overwrites"
    """What somebody changed in the container alone: a new container would lose it, too."""
    IN_VOLUME = "in volume"
    """What a volume holds, which outlives every container."""


class Renewal(StrEnum):
    """What a new container in the old one's place needs, where that would cost something."""

    NAMED = "named"
    """A rule that names the cause and asks for a rebuild or a recreate."""
    NEVER = "never"
    """None is made."""


class InitRule(StrEnum):
    """The rule that ``freshd init`` proposes for a cause."""

    CONTENT = "content"
    LEFT_OVER = "left over"
    REMOUNTED = "remounted"
    BUILD = "build"
    NEWER_IMAGE = "newer image"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why a container runs other code than the tree's. Most need the first lines only.

    ``remedy`` is a suggestion: the policy decides. ``level`` is the usual one; a finding may be
    milder (``image-behind`` of a patched service is a note).
    """

    link: LinkName
    slug: str
    remedy: Remedy
    level: Level = Level.STALE

    stands_for: tuple[str, ...] = ()
    """Causes that it is found in place of: rules that name those reach it."""
    settles: tuple[str, ...] = ()
    """Causes that its remedy puts right as well: they are not reported beside it."""
    keeps_link_stale: bool = False
    """Even as a note; its count of files is shown at the link."""
    marks_patched: bool = False
    """The containers are fresh, and only the image is behind."""
    questions_image: bool = False
    """The image is not the right one. Every stale finding of the image link says so, too."""
    explains_image: bool = False
    """Why the image is not the right one: reported only beside a finding that says so."""

    injection: Injection | None = None
    """What is written over; None where it does not help to write the file."""
    no_injection: str = ""
    """Why it does not help, where that is not plain."""
    renewal: Renewal | None = None
    """What it takes to make a new container all the same; None: it costs nothing."""
    flag: str = ""
    """What gives it up where a recreate or rebuild is typed."""
    wakes_jobs: bool = False
    """A rule that names it runs again what has ended."""
    only_restart: bool = False
    """Only a restart helps, whatever the service's reload mode is."""
    least_rebuild: RebuildMode = RebuildMode.CACHED
    """What the image must be rebuilt with at least."""
    answered_by: Remedy | None = None
    """The action of ``develop.watch`` that helps, where it is not about a file that lands."""
    init_rule: InitRule | None = None
    """The rule that ``freshd init`` proposes for it; None: none."""
    mount_is_old: bool = False
    """A bind mount shows what the tree no longer has."""
    if_it: str = ""
    """How ``freshd explain PATH`` calls it, where an edit can lead to it."""

    @property
    def named_only(self) -> bool:
        """Whether a rule must name it: what is overwritten or deleted may be the only copy."""
        return self.injection not in (None, Injection.REPLACES) or self.renewal is Renewal.NAMED

    @property
    def has_diff(self) -> bool:
        """Whether it is about the bytes of one file, so that ``freshd diff`` shows both sides."""
        return self.injection is not None or self.mount_is_old

    @property
    def watch_remedy(self) -> Remedy | None:
        """By what a rule of ``develop.watch`` answers it; None: by nothing."""
        lands = self.injection in (Injection.REPLACES, Injection.DELETES)
        return Remedy.INJECT if lands else self.answered_by
