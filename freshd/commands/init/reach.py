"""Small questions about the files of a service, which every rule asks. Pure."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from freshd.catalog.runtimes.languages import Language, detect_language
from freshd.config.policy_values import check_pattern
from freshd.mapping.dockerfile.consumed import Run, consumes, split_words
from freshd.model.mapping import Pair
from freshd.model.patterns import matcher
from freshd.model.verbs.proposal import DetectedService


def built_language(service: DetectedService, path: str) -> Language | None:
    """The language of a source of ``service`` that must be built before an edit shows; else None.

    A development server builds by itself what it serves, and `go run` when it starts.
    """
    language = detect_language(path)
    if language is None or not language.is_built(service.runs):
        return None
    return None if service.way.mode == "self" or service.way.compiles else language


def consumed(service: DetectedService, pair: Pair) -> bool:
    """Whether a RUN is known to read the file, be it in an earlier copy of it."""
    return pair.also_input or any(consumes(run, pair.source) for run in _runs(service.runs))


@lru_cache(maxsize=64)
def _runs(texts: tuple[str, ...]) -> tuple[Run, ...]:
    return tuple(Run(0, 0, split_words(text)) for text in texts)


def runs_word(asked: str, service: DetectedService) -> bool:
    """Whether a RUN of the service's build has this in its text."""
    return Language("", (), built=asked).is_built(service.runs)


def acts(service: DetectedService) -> bool:
    return service.way.mode not in ("self", "per-request")


def injectable(service: DetectedService) -> bool:
    """Whether anything lands that an injection helps."""
    return any(
        not consumed(service, pair) and built_language(service, pair.source) is None
        for pair in service.copied
    )


def any_of(service: DetectedService, patterns: tuple[str, ...]) -> bool:
    matches = matcher(patterns)
    return any(matches(pair.source) for pair in service.copied)


def scope(
    services: Sequence[DetectedService],
    names: Sequence[str],
    *,
    every: Iterable[DetectedService] | None = None,
) -> tuple[str, ...]:
    """The ``services`` of a rule; () where all that hold code are meant, so that new ones are."""
    every = [service for service in services if service.copied] if every is None else every
    return () if {service.name for service in every} <= set(names) else tuple(names)


def anchored(source: str) -> str | None:
    """A pattern for exactly this path; None where no pattern can say it."""
    if source.startswith("../") or not source.isprintable():
        return None
    escaped = "".join(f"\\{char}" if char in "\\*?[]" else char for char in source)
    text = f"/{escaped[:-1]}\\ " if escaped.endswith(" ") else f"/{escaped}"
    try:
        return check_pattern(text)
    except ValueError:
        return None
