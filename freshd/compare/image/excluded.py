"""Edits that get into no image: a link that leaves the context, a line of ``.dockerignore``."""

from collections.abc import Iterator

from freshd.compare.comparison import Comparison
from freshd.compare.finding import make_finding
from freshd.model.report import Finding
from freshd.model.text import printable


def symlink_leaves_context(comparison: Comparison) -> Iterator[Finding]:
    """One note for each link that is copied as a link and leads out of the context."""
    for link in comparison.runtime.around.links_out:
        yield make_finding(
            "symlink-leaves-context",
            comparison.service,
            f"{printable(link.path)} is a link to {printable(link.leads_to)}, outside the build "
            f"context, and leads to nothing in {link.container}",
            path=link.path,
            target=link.target,
            evidence={"leads_to": link.leads_to, "missing": link.missing},
        )


def ignored_by_dockerignore(comparison: Comparison) -> Iterator[Finding]:
    """One note for each tracked file that was edited and is left out of the build."""
    for file in comparison.runtime.around.left_out:
        yield make_finding(
            "ignored-by-dockerignore",
            comparison.service,
            f"{printable(file.path)} was edited and gets into no image of {comparison.service}: "
            f"line {file.line} of {printable(file.file)}, {printable(file.pattern)}, leaves it out",
            path=file.path,
            evidence={
                "tree": f"sha256:{file.digest}",
                "file": file.file,
                "line": file.line,
                "pattern": file.pattern,
            },
        )


BESIDE = (symlink_leaves_context, ignored_by_dockerignore)
