"""What the passes know of one cause; what people are told of it is its page."""

from dataclasses import dataclass

from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why a container runs other code than the tree's.

    ``remedy`` is a suggestion: the policy decides. ``level`` is the usual one; a finding may be
    milder (``image-behind`` of a patched service is a note).
    """

    slug: str
    link: LinkName
    remedy: Remedy
    level: Level = Level.STALE
