"""A plan in, its one rendering out: plan, dry run, log, journal, notices and tests share it."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from freshd.model.plan import FileChange, Plan, Step
from freshd.model.remedy import Remedy
from freshd.model.report import Finding
from freshd.model.text import count_files, printable


def plan_text(plan: Plan, *, files: int = 20) -> str:
    """The plan as lines of text without a final newline; at most ``files`` names per step."""
    lines = [line for step in plan.steps for line in _step_lines(plan, step, files)]
    lines += _notice_lines(plan)
    return "\n".join(lines) if lines else f"{printable(plan.service)}: nothing to do"


def step_text(step: Step) -> str:
    """One step on one line, without its service, cause and files."""
    where = printable(step.container or step.service)
    match step.remedy:
        case Remedy.INJECT:
            return f"{_inject_words(step.files)} {where}"
        case Remedy.PURGE:
            return f"purge {_purge_words(step)} in {where}"
        case Remedy.RELOAD:
            return f"signal {step.signal or 'HUP'} to {where}"
        case Remedy.REBUILD:
            return f"rebuild {where} ({step.rebuild or 'cached'})"
        case Remedy.EXEC:
            lines = (printable(shlex.join(command.argv)) for command in step.commands)
            return f"run `{'`, `'.join(lines)}` in {where}"
        case _:
            return f"{step.remedy} {where}"


def _step_lines(plan: Plan, step: Step, limit: int) -> Iterator[str]:
    rule = f" [{printable(step.rule)}]" if step.rule else ""
    causes = ", ".join(step.causes)
    yield f"{printable(plan.service)}: {step_text(step)} because {causes}{rule}"
    if step.remedy is not Remedy.INJECT:
        return
    for change in step.files[:limit]:
        yield f"  {_change_text(change)}"
    if len(step.files) > limit:
        yield f"  … and {len(step.files) - limit:,} more"


def _change_text(change: FileChange) -> str:
    target = printable(change.target)
    if change.want is None:
        return f"delete {target}"
    return f"write  {target} from {printable(change.source or '?')}"


def _inject_words(files: Sequence[FileChange]) -> str:
    deleted = sum(change.want is None for change in files)
    written = len(files) - deleted
    if not deleted:
        return f"inject {count_files(written)} into"
    if not written:
        return f"delete {count_files(deleted)} in"
    return f"inject {count_files(written)} and delete {deleted:,} in"


def _purge_words(step: Step) -> str:
    parts = [f"the bytecode of {count_files(len(step.files))}"] if step.files else []
    parts += [printable(pattern) for pattern in step.patterns]
    return ", ".join(parts)


def _notice_lines(plan: Plan) -> Iterator[str]:
    """One line for all findings that share cause, container and reason."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding, reason in plan.notices:
        key = (finding.cause, finding.container or "", reason)
        groups.setdefault(key, []).append(finding)
    for (cause, container, reason), findings in sorted(groups.items(), key=lambda item: item[0]):
        where = f" in {printable(container)}" if container else ""
        names = _names(findings)
        yield (
            f"{printable(plan.service)}: nothing done about {cause}{where}{names}: "
            f"{printable(reason)}"
        )


def _names(findings: Iterable[Finding]) -> str:
    names = sorted({f.path or f.target or "" for f in findings} - {""})
    if not names:
        return ""
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return f" ({', '.join(printable(name) for name in names[:3])}{more})"
