"""Path patterns: gitignore-style patterns and a project-relative path in, a match out."""

from collections.abc import Callable
from functools import lru_cache

from freshd.model.globs.git import GitRules


@lru_cache(maxsize=256)
def matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """A test for one path; the last pattern that matches decides, as in a gitignore file."""
    return GitRules(patterns).covers


def matching_pattern(patterns: tuple[str, ...], path: str) -> str | None:
    """The pattern that decides for ``path``, for messages; None when it is not matched."""
    if not matcher(patterns)(path):
        return None
    hits = (each for each in reversed(patterns) if matcher((each,))(path))
    return next(hits, None)
