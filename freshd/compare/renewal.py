"""What a new container would cost: how the old one was made and what is in it in, findings out.

The finding of mounts is the config link's, too. All of them stop what makes new containers.
"""

from freshd.compare.finding import make_finding
from freshd.model.observed.container import Replica
from freshd.model.observed.creation import ConfigSeen, OtherFiles
from freshd.model.observed.mounts.other_data import find_other_data
from freshd.model.report import Finding, Level
from freshd.model.text import printable

_SHOWN = 3


def judge_files(service: str, replica: Replica, other: OtherFiles) -> Finding:
    """A container of other Compose files than the project's; a note where those were compared."""
    known = other.wanted is not None
    return make_finding(
        "other-compose-files",
        service,
        f"{replica.name} was made from {_names(other.files, other)}{_apart(other)}",
        replica=replica,
        level=Level.NOTE if known else None,
        evidence={
            "files": list(other.files),
            "gone": list(other.gone),
            "left_out": list(other.left_out),
            "hint": _hint(service, other),
        },
    )


def judge_patch(
    service: str, replica: Replica, target: str, source: str | None, *, removed: bool
) -> Finding:
    """A file of the image that somebody changed in the container; ``source`` is the tree's."""
    how = "removed" if removed else "changed"
    return make_finding(
        "hot-patch",
        service,
        f"{printable(target)} was {how} by hand in {replica.name}, and a new container would not "
        "have that",
        replica=replica,
        path=source,
        target=target,
    )


def _apart(other: OtherFiles) -> str:
    """What is not as the project has it."""
    words = []
    if other.gone:
        words.append(f"{_names(other.gone, other)} is gone")
    elif other.problem:
        words.append(printable(other.problem))
    if other.left_out:
        words.append(f"without {_names(other.left_out, other)}")
    extra = tuple(file for file in other.extra if file not in other.gone)
    if extra and not other.left_out:
        words.append(f"{_names(extra, other)} is not among the project's files")
    return f": {', '.join(words)}" if words else ", which the project has in another way"


def _hint(service: str, other: OtherFiles) -> str:
    if other.gone or other.problem:
        return f"bring it back, or type `docker compose up -d {service}` to use the project's files"
    named = " ".join(f"--file {_name(file, other)}" for file in other.files)
    return (
        f"`freshd {named} …` goes by its own files; `docker compose up -d {service}` makes it of "
        "the project's"
    )


def _names(files: tuple[str, ...], other: OtherFiles) -> str:
    return " and ".join(_name(file, other) for file in files)


def _name(file: str, other: OtherFiles) -> str:
    below = other.project_dir.rstrip("/") + "/"
    return printable(file.removeprefix(below))


def judge_mounts(service: str, replica: Replica, config: ConfigSeen) -> Finding | None:
    """Paths that would show other data than they do; None where there is none."""
    other = tuple(find_other_data(config))
    if not other:
        return None
    words = [printable(each.words) for each in other]
    more = f" and {len(words) - _SHOWN:,} more" if len(words) > _SHOWN else ""
    return make_finding(
        "other-data",
        service,
        f"a new {replica.name} would show other data at {', '.join(words[:_SHOWN])}{more}; "
        "nothing is copied",
        replica=replica,
        level=Level.NOTE if "volumes" in config.from_shell else None,
        paths=config.inputs,
        evidence={
            "mounts": {each.target: {"container": each.had, "model": each.gets} for each in other},
            "changed_since": list(config.inputs),
        },
    )
