"""The image link: what the image holds and was built from, against the tree."""

from collections.abc import Iterator

from freshd.compare.comparison import Comparison, Finder
from freshd.compare.image import excluded, origin
from freshd.compare.image.build import build_findings
from freshd.compare.image.files import behind, verbatim_findings
from freshd.compare.image.leftovers import unclear
from freshd.model.report import Finding


def content_findings(comparison: Comparison) -> Iterator[Finding]:
    """File by file what a COPY landed, and input by input what the build consumed."""
    facts, image, mapped = comparison.facts, comparison.image, comparison.mapped
    if image is None:
        return
    differing = behind(facts, image, mapped)
    landed = () if facts.fresh_build else differing
    yield from verbatim_findings(facts, image, differing)
    yield from build_findings(facts, image, landed, unclear=unclear(facts, image, mapped))


FINDERS: tuple[Finder, ...] = (content_findings, *origin.FINDERS)
BESIDE: tuple[Finder, ...] = excluded.BESIDE
