"""What is told of one cause."""

from dataclasses import dataclass

from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why a container runs other code than the tree's.

    ``level`` is the usual one; a finding may be milder (``image-behind`` of a patched service is a
    note). ``remedy`` is a suggestion: the policy decides. ``prevention`` says how to avoid it.
    """

    slug: str
    link: LinkName
    level: Level
    title: str
    meaning: str
    how_known: str
    remedy: Remedy
    prevention: str
