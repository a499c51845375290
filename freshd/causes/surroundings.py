"""What lies around a service's files and keeps edits out of its containers: notes. Pure."""

from collections.abc import Iterator

from freshd.causes import evidence
from freshd.living import Covered, LeftOut, LinkOut, Stray, Surroundings
from freshd.model import Finding, Level, LinkName, printable


def surrounding_findings(service: str, seen: Surroundings) -> Iterator[Finding]:
    """One note for each mount, link and left out file."""
    yield from (bind_hides_image(service, one) for one in seen.covered)
    yield from (symlink_leaves_context(service, one) for one in seen.links_out)
    yield from (ignored_by_dockerignore(service, one) for one in seen.left_out)
    for stray in seen.strays:
        ours = stray.why in ("orphan", "one-off")
        yield (orphan_container if ours else wrong_project)(service, stray)


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


def orphan_container(service: str, stray: Stray) -> Finding:
    name = printable(stray.container)
    if stray.why == "orphan":
        words = f"{name} runs for {printable(stray.service)}, which the Compose files do not have"
    else:
        words = f"{name} was made by `compose run` and still runs an earlier image of {service}"
    return _of_stray(service, stray, "orphan-container", words)


def wrong_project(service: str, stray: Stray) -> Finding:
    name, where = printable(stray.container), printable(stray.directory) or "no Compose directory"
    if stray.why == "clone":
        words = f"{name} runs as {service} of this project's name and was made from {where}"
    else:
        words = f"port {stray.why} of {service} is published by {name}, made from {where}"
    return _of_stray(service, stray, "wrong-project", words)


def _of_stray(service: str, stray: Stray, cause: str, message: str) -> Finding:
    return Finding(
        cause=cause,
        level=Level.NOTE,
        link=LinkName.CONTAINER,
        service=service,
        message=message,
        evidence={
            "container": stray.container,
            "container_id": stray.container_id,
            "service": stray.service,
            "project": stray.project,
            "directory": stray.directory,
            "why": stray.why,
        },
    )
