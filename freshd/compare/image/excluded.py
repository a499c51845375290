"""What lies around a service's files and keeps edits out of its containers: notes. Pure."""

from freshd.model.observed.surroundings import LeftOut, LinkOut
from freshd.model.report import Finding, Level, LinkName
from freshd.model.text import printable


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
