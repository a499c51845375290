"""A report as lines for a person: one row per service, then what differs and what to do.

In: a ``ProjectReport``. Out: ``Line`` tuples; every name in them is safe to show. A fresh project
takes a few lines; each finding says cause, file, container, evidence and remedy.
"""

from collections.abc import Iterable, Iterator, Sequence

from freshd.catalog.causes.registry import get_cause
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.report import (
    Finding,
    Level,
    LinkName,
    LinkState,
    ProjectReport,
    ServiceReport,
    Verdict,
)
from freshd.model.text import printable
from freshd.render.undone import Undone
from freshd.render.words import Line, Span, columns, count, listed, shown, typed

LIMIT = 10
STYLES = {Verdict.FRESH: "good", Verdict.STALE: "bad", Verdict.UNVERIFIABLE: "doubt"}
MARKS = {Verdict.FRESH: "✓", Verdict.STALE: "✗", Verdict.UNVERIFIABLE: "?"}
_LINK_STYLES = {"fresh": "", "stale": "bad", "unverifiable": "doubt", "unchecked": "dim"}
_LEVEL_STYLES = {Level.STALE: "bad", Level.UNVERIFIABLE: "doubt", Level.NOTE: "dim"}


def report_lines(report: ProjectReport, *, of: str | None = None) -> Iterator[Line]:
    """The whole of ``freshd check``; ``of`` is what was judged, where that is not the project."""
    yield headline(of or report.project, report.verdict)
    if not report.services:
        yield (("  no service of this project has been created", "dim"),)
        return
    yield ()
    quiet = unchecked_everywhere(report.services)
    yield from columns(service_row(service, quiet=quiet) for service in report.services)
    for service in report.services:
        yield from finding_lines(service)
    if quiet:
        yield ()
        yield ((f"not checked: {', '.join(quiet)}", "dim"),)


def headline(project: str, verdict: Verdict) -> Line:
    """``shop is stale``."""
    words = {Verdict.UNVERIFIABLE: "cannot be proved fresh"}.get(verdict, f"is {verdict.value}")
    return ((shown(project), "strong"), (f" {words}", STYLES[verdict]))


def unchecked_everywhere(services: Iterable[ServiceReport]) -> tuple[LinkName, ...]:
    """Links that no service had a check for: named once, below, and not in every row."""
    every = list(services)
    return tuple(
        link
        for link in LinkName
        if all(_state(service, link) is LinkState.UNCHECKED for service in every)
    )


def _state(service: ServiceReport, link: LinkName) -> LinkState:
    return service.links.get(link, LinkState.UNCHECKED)


def service_row(service: ServiceReport, *, quiet: Sequence[LinkName]) -> Line:
    """Name, verdict, chain and sizes of one service, as cells of a table."""
    verdict = service.verdict
    words = verdict.value + (", patched" if service.patched else "")
    return (
        (f"  {MARKS[verdict]} {shown(service.name)}", STYLES[verdict]),
        (words, STYLES[verdict]),
        *(_cell(service, link) for link in LinkName if link not in quiet),
        (_sizes(service), "dim"),
    )


def _cell(service: ServiceReport, link: LinkName) -> Span:
    state = _state(service, link)
    return (f"{link.value} {_behind(service, link) or state.value}", _LINK_STYLES[state.value])


def _behind(service: ServiceReport, link: LinkName) -> str:
    """``3 behind`` where the image link says how many files it is behind."""
    if link is not LinkName.IMAGE:
        return ""
    for finding in service.findings:
        number = finding.evidence.get("count")
        if get_cause(finding.cause).keeps_link_stale and isinstance(number, int):
            return f"{number:,} behind"
    return ""


def _sizes(service: ServiceReport) -> str:
    replicas = service.containers
    if not replicas:
        return "no container looked at" if _image_alone(service) else "no container"
    where = count(len(replicas), "container")
    compared = max(replica.compared for replica in replicas)
    if not compared:
        return f"{where}, no file compared"
    unequal = sum(replica.compared - replica.equal for replica in replicas)
    if unequal:
        every = count(sum(replica.compared for replica in replicas), "file")
        return f"{unequal:,} of {every} {'differs' if unequal == 1 else 'differ'}"
    return f"{count(compared, 'file')} in {where}"


def _image_alone(service: ServiceReport) -> bool:
    return _state(service, LinkName.IMAGE) is not LinkState.UNCHECKED


def finding_lines(service: ServiceReport, undone: Sequence[Undone] = ()) -> Iterator[Line]:
    """Everything found at one service, the same cause once with all the files it has.

    ``undone`` says why the policy left what is as it is. What makes new containers is no fix where
    these would cost something.
    """
    if not service.findings:
        return
    yield ()
    yield ((shown(service.name), "strong"),)
    groups: dict[tuple[Level, str, Remedy], list[Finding]] = {}
    for finding in _said_once(service.findings):
        groups.setdefault((finding.level, finding.cause, finding.remedy), []).append(finding)
    held = any(get_cause(finding.cause).renewal for finding in service.findings)
    for level in Level:
        for key, group in groups.items():
            if key[0] is level:
                yield from _group(group, fix=not (held and key[2].renews_containers))
                yield from _reasons(group, undone)


def _said_once(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Without the note ``image-behind`` beside ``patched``, which says the same of the same files.

    JSON has both, for a program that looks for one of them.
    """
    patched = any(get_cause(finding.cause).marks_patched for finding in findings)
    for finding in findings:
        of_image = finding.level is Level.NOTE and get_cause(finding.cause).keeps_link_stale
        if not (patched and of_image):
            yield finding


def _group(findings: Sequence[Finding], *, fix: bool) -> Iterator[Line]:
    """``fix``: with the command that helps."""
    first = findings[0]
    if len(findings) == 1:
        message = printable(first.message)
        rest = _evidence(first)
    else:
        message = _together(findings)
        rest = _files(findings)
    level = "" if first.level is Level.STALE else f" ({first.level.value})"
    yield (
        (f"  {first.cause}", _LEVEL_STYLES[first.level]),
        (level, _LEVEL_STYLES[first.level]),
        (f"  {message}", ""),
    )
    yield from rest
    command = remedy_command(findings)
    if fix and command and first.level is not Level.NOTE:
        yield (("      fix: ", "dim"), (command, "code"))


def _reasons(findings: Sequence[Finding], undone: Iterable[Undone]) -> Iterator[Line]:
    cause, where = findings[0].cause, {finding.container for finding in findings}
    ours = (reason.why for reason in undone if reason.cause == cause and reason.container in where)
    for why in dict.fromkeys(ours):
        yield (("      not done: ", "dim"), (printable(why), ""))


def _together(findings: Sequence[Finding]) -> str:
    containers = list(dict.fromkeys(finding.container for finding in findings if finding.container))
    paths = {
        finding.path or finding.target for finding in findings if finding.path or finding.target
    }
    where = f" in {listed(containers)}" if containers else ""
    return f"{count(len(paths), 'file')}{where}" if paths else f"{len(findings):,} times{where}"


def _evidence(finding: Finding) -> Iterator[Line]:
    if finding.path is not None and finding.target is not None:
        yield ((f"      {shown(finding.path)} → {shown(finding.target)}", ""), _digests(finding))
    elif finding.target is not None and shown(finding.target) not in finding.message:
        yield ((f"      {shown(finding.target)}", ""),)
    paths = finding.evidence.get("paths")
    if isinstance(paths, Sequence) and not isinstance(paths, str):
        number = finding.evidence.get("count")
        total = number if isinstance(number, int) else len(paths)
        yield from _cut([((f"      {shown(str(path))}", ""),) for path in paths], total=total)


def _digests(finding: Finding) -> Span:
    pairs = [(side, finding.evidence.get(side)) for side in ("tree", "container")]
    words = [
        f"{side} {value.removeprefix('sha256:')[:12]}"
        for side, value in pairs
        if isinstance(value, str) and value
    ]
    return (f"   {' · '.join(words)}" if words else "", "dim")


def _files(findings: Sequence[Finding]) -> Iterator[Line]:
    """One line per file; the containers are named where not every file is in all of them."""
    where: dict[tuple[str | None, str | None], list[str]] = {}
    for finding in findings:
        where.setdefault((finding.path, finding.target), []).append(finding.container or "")
    same = len({tuple(sorted(names)) for names in where.values()}) == 1
    lines = []
    for (path, target), names in where.items():
        words = " → ".join(shown(name) for name in (path, target) if name is not None)
        tail = "" if same else f"   {listed(filter(None, names))}"
        lines.append(((f"      {words}", ""), (tail, "dim")))
    if any(words.strip() for (words, _), _ in lines):
        yield from _cut(lines)
    else:
        yield from ((("      " + printable(finding.message), ""),) for finding in findings[:LIMIT])


def _cut(lines: Sequence[Line], *, total: int | None = None) -> Iterator[Line]:
    """The first ``LIMIT`` lines, and how many of ``total`` are left out."""
    kept = lines[:LIMIT]
    yield from kept
    left = (len(lines) if total is None else total) - len(kept)
    if left > 0:
        yield ((f"      … and {left:,} more", "dim"),)


def remedy_command(findings: Sequence[Finding]) -> str | None:
    """The command line that runs the suggested remedy by hand; None where there is none."""
    first = findings[0]
    if not first.remedy.is_verb:
        return None
    words = ["freshd", first.remedy.value, first.service]
    least = get_cause(first.cause).least_rebuild
    if first.remedy is Remedy.REBUILD and least is not RebuildMode.CACHED:
        words += ["--mode", least.value]
    paths = {finding.path for finding in findings}
    if first.remedy is Remedy.INJECT and len(paths) == 1:
        (path,) = paths
        exact = typed(*words, path) if path and not path.startswith("-") else None
        return exact or typed(*words)
    return typed(*words)
