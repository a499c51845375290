"""What a narrow snapshot asks about: paths that changed in, pairs and targets out. Pure."""

from collections.abc import Collection, Iterable

from freshd.model.mapping import Pair


def narrowed(
    pairs: Iterable[Pair], paths: Collection[str], before: Iterable[Pair]
) -> tuple[Pair, ...]:
    """The pairs of ``paths`` or of what is below them, and those that are new."""
    wanted, old = set(paths), set(before)
    return tuple(
        pair
        for pair in pairs
        if pair.source in wanted or pair not in old or not wanted.isdisjoint(_above(pair.source))
    )


def gone(pairs: Iterable[Pair], before: Iterable[Pair]) -> tuple[str, ...]:
    """Targets that were mapped and are no more."""
    return tuple(sorted({pair.target for pair in before} - {pair.target for pair in pairs}))


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
