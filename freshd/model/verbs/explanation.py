"""What is known of one path. Values only."""

from dataclasses import dataclass

from freshd.model.mapping import Pair


@dataclass(frozen=True, slots=True)
class IgnoredBy:
    """``file`` is absolute, "" for what is built in or the policy's own ``ignore``.

    ``line`` counts from 1; 0 where there is no file. ``path`` is what the pattern names: the path
    itself or a directory above it.
    """

    path: str
    pattern: str
    file: str = ""
    line: int = 0
    builtin: bool = False


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """What the policy would do if ``causes`` were found: words, and the rule that says so.

    ``does`` is empty where nothing would be done; ``reason`` says why, or why less than the rule
    asks.
    """

    causes: tuple[str, ...]
    does: tuple[str, ...] = ()
    rule: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Landing:
    """One place where the path lands, and the answers for it."""

    pair: Pair
    answers: tuple[PolicyAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class PathInService:
    """One service's view of the path.

    ``below`` counts the files of a directory that land. ``absent`` says why nothing of it is there,
    with the line that leaves it out, where one does. ``input_answer`` is for a build input.
    """

    service: str
    landings: tuple[Landing, ...] = ()
    below: tuple[tuple[str, int], ...] = ()
    is_input: bool = False
    input_answer: PolicyAnswer | None = None
    absent: str = ""
    left_out: IgnoredBy | None = None


@dataclass(frozen=True, slots=True)
class PathExplanation:
    """``path`` is relative to the project; None for a container path nothing of the tree is at.

    ``kind`` is what it is on disk, "" where it does not exist. ``ignored`` is why its changes raise
    no event.
    """

    asked: str
    path: str | None
    kind: str
    services: tuple[PathInService, ...]
    ignored: IgnoredBy | None = None
    unseen: tuple[str, ...] = ()
