"""What lies around a service's files and keeps edits out of its containers: notes. Pure."""

from collections.abc import Iterator

from freshd.causes import evidence
from freshd.living import Covered, LeftOut, LinkOut, Surroundings
from freshd.model import Finding, Level, LinkName, printable


def surrounding_findings(service: str, seen: Surroundings) -> Iterator[Finding]:
    """One note for each mount, link and left out file."""
    yield from (bind_hides_image(service, one) for one in seen.covered)
    yield from (symlink_leaves_context(service, one) for one in seen.links_out)
    yield from (ignored_by_dockerignore(service, one) for one in seen.left_out)


def bind_hides_image(service: str, covered: Covered) -> Finding:
    more = evidence.and_more(covered.paths)
    return Finding(
        cause="bind-hides-image",
        level=Level.NOTE,
        link=LinkName.CONTAINER,
        service=service,
        message=f"{printable(covered.paths[0])}{more} of the image of {service} is hidden by the "
        f"bind mount at {covered.mount.target}, and {printable(covered.source)} has no such thing",
        target=covered.paths[0],
        evidence={**evidence.mounted(covered.mount), **evidence.paths(covered.paths)},
    )


def symlink_leaves_context(service: str, link: LinkOut) -> Finding:
    return Finding(
        cause="symlink-leaves-context",
        level=Level.NOTE,
        link=LinkName.IMAGE,
        service=service,
        message=f"{printable(link.path)} is a link to {printable(link.leads_to)}, outside the "
        f"build context, and leads to nothing in {link.container}",
        path=link.path,
        target=link.target,
        evidence={"leads_to": link.leads_to, "missing": link.missing},
    )


def ignored_by_dockerignore(service: str, one: LeftOut) -> Finding:
    return Finding(
        cause="ignored-by-dockerignore",
        level=Level.NOTE,
        link=LinkName.IMAGE,
        service=service,
        message=f"{printable(one.path)} was edited and gets into no image of {service}: line "
        f"{one.line} of {printable(one.file)}, {printable(one.pattern)}, leaves it out",
        path=one.path,
        evidence={
            "tree": f"sha256:{one.digest}",
            "file": one.file,
            "line": one.line,
            "pattern": one.pattern,
        },
    )
