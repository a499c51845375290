"""What may be written in ``freshd.toml`` and ``config.toml``, as pydantic models.

TOML tables go in; models hold checked values, still in the file's shape. Imported late: pydantic
takes longer to load than ``freshd --help`` may take.
"""

import os
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import partial
from typing import Annotated, ClassVar, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from freshd.catalog.causes.registry import CAUSES
from freshd.config import policy_values
from freshd.model.policy import ANY_CAUSE
from freshd.model.remedy import RebuildMode, Remedy


def suggest(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` where something near is known, else nothing."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def _one_of(what: str, known: Iterable[str]) -> Callable[[str], str]:
    allowed = tuple(known)

    def check(word: str) -> str:
        if word not in allowed:
            hint = suggest(word, allowed) or f"; one of {', '.join(allowed)}"
            raise ValueError(f"not a {what}{hint}")
        return word

    return check


def _not_empty(items: list[str]) -> list[str]:
    if not items:
        raise ValueError("must not be empty: leave it out where everything is meant")
    return items


def _some(items: list[str]) -> list[str]:
    if not items:
        raise ValueError("must name at least one")
    return items


def _exact(path: str) -> str:
    if any(wildcard in path for wildcard in "*?["):
        raise ValueError("must be one exact path: a secret is allowed file by file")
    return policy_values.clean_tree_path(path)


def _version(number: int) -> int:
    if number != 1:
        raise ValueError("this freshd reads version 1")
    return number


def _checked(check: Callable[[str], object]) -> AfterValidator:
    """Refuse what ``check`` refuses, keep the text: the value is made when all is right."""

    def validate(text: str) -> str:
        check(text)
        return text

    return AfterValidator(validate)


def _duration(*, least: float, most: float) -> AfterValidator:
    return _checked(partial(policy_values.parse_duration, least=least, most=most))


def check_http_address(text: str) -> str:
    """An address that can be requested from this machine."""
    if not text.startswith(("http://", "https://")) or len(text.split("/")) < 3 or " " in text:
        raise ValueError("must be http:// or https://, such as http://localhost:8000/health")
    return text


def parse_span(text: str) -> tuple[int, int]:
    """``22:00-07:00`` as minutes of the day."""
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError('must be two times of day, such as "22:00-07:00"')
    return policy_values.parse_minute(start.strip()), policy_values.parse_minute(end.strip())


def clean_project_dir(text: str) -> str:
    """An absolute directory; ``~`` at its beginning is the user's home."""
    directory = os.path.expanduser(text)
    if not os.path.isabs(directory) or "\0" in directory:
        raise ValueError('must be absolute or begin with "~/", such as "~/src/shop"')
    return os.path.normpath(directory)


def check_engine_host(text: str) -> str:
    """An endpoint as DOCKER_HOST has it, of a kind that freshd speaks to."""
    if not text.startswith(("unix://", "tcp://", "http://", "https://", "ssh://")):
        raise ValueError("must be unix://, tcp:// or ssh://, such as unix:///var/run/docker.sock")
    return text


Pattern: TypeAlias = Annotated[str, _checked(policy_values.check_pattern)]
PurgePattern: TypeAlias = Annotated[str, _checked(policy_values.check_purge_pattern)]
Cause: TypeAlias = Annotated[str, AfterValidator(_one_of("cause", (*CAUSES, ANY_CAUSE)))]
_REMEDIES = tuple(remedy for remedy in Remedy if remedy is not Remedy.EXEC)
Does: TypeAlias = Annotated[str, AfterValidator(_one_of("remedy", _REMEDIES))]
Mode: TypeAlias = Annotated[str, AfterValidator(_one_of("way to rebuild", RebuildMode))]
TreePath: TypeAlias = Annotated[str, AfterValidator(policy_values.clean_tree_path)]


class TomlTable(BaseModel):
    """A TOML table: unknown keys and wrong types are mistakes."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="forbid", frozen=True)


class ProjectTable(TomlTable):
    name: str | None = None
    files: list[str] = []
    profiles: list[str] = []
    develop_watch: bool = True


class MapTable(TomlTable):
    source: TreePath = Field(alias="from")
    target: Annotated[str, AfterValidator(policy_values.clean_container_path)] = Field(alias="to")


class ProbeTable(TomlTable):
    name: str | None = None
    run: str | list[str] | None = None
    http: Annotated[str, AfterValidator(check_http_address)] | None = None
    exit: Annotated[int, Field(ge=0, le=255)] | None = None
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    contains: str | None = None
    equals: str | list[str] | None = None
    timeout: Annotated[str, _duration(least=1, most=300)] = "10s"

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "ProbeTable":
        if (self.run is None) == (self.http is None):
            raise ValueError("must have one of run and http")
        if self.exit is not None and self.run is None:
            raise ValueError("has exit, which is a command's: http has status")
        if self.status is not None and self.http is None:
            raise ValueError("has status, which is an HTTP answer's: run has exit")
        commands = [command for command in (self.run, self.equals) if isinstance(command, list)]
        if self.run == "" or not all(words and words[0] for words in commands):
            raise ValueError("a command needs at least its name")
        return self


class ServiceTable(TomlTable):
    map: list[MapTable] = []
    ignore: list[Pattern] = []
    reload: Annotated[str, _checked(policy_values.parse_reload)] = "restart"
    container: str | None = None
    volumes: bool = False
    purge: list[PurgePattern] = []
    derives: list[MapTable] = []
    probe: list[ProbeTable] = []
    layer_age: Annotated[str, _checked(policy_values.parse_layer_age)] | None = None


class RuleTable(TomlTable):
    name: str | None = None
    services: Annotated[list[str], AfterValidator(_not_empty)] | None = None
    when: Annotated[list[Cause], AfterValidator(_some)]
    paths: Annotated[list[Pattern], AfterValidator(_not_empty)] | None = None
    do: Annotated[list[Does], AfterValidator(_some)]
    rebuild: Mode | None = None

    @model_validator(mode="after")
    def _mode_needs_rebuild(self) -> "RuleTable":
        if self.rebuild is not None and Remedy.REBUILD not in self.do:
            raise ValueError('has rebuild = … and no "rebuild" in do')
        return self


class NeverTable(TomlTable):
    inject: list[Pattern] = []
    allow: list[Annotated[str, AfterValidator(_exact)]] = []
    restart: list[str] = []
    recreate: list[str] = []
    rebuild: list[str] = []


class LimitsTable(TomlTable):
    rebuilds: Annotated[int, Field(ge=0, le=100)] = 20
    rebuild_window: Annotated[str, _duration(least=60, most=86400)] = "10m"
    restarts: Annotated[int, Field(ge=0, le=10_000)] = 60
    injections: Annotated[int, Field(ge=0, le=100_000)] = 1000
    window: Annotated[str, _duration(least=60, most=86400)] = "10m"


class ScheduleTable(TomlTable):
    patrol: Annotated[str, _duration(least=10, most=86400)] = "5m"
    validate_at: Annotated[str, _checked(policy_values.parse_weekly)] | None = Field(
        default=None, alias="validate"
    )


class PolicyFile(TomlTable):
    """All of ``freshd.toml``."""

    version: Annotated[int, AfterValidator(_version)] = 1
    project: ProjectTable = ProjectTable()
    service: dict[str, ServiceTable] = {}
    rule: list[RuleTable] = []
    never: NeverTable = NeverTable()
    limits: LimitsTable = LimitsTable()
    schedule: ScheduleTable = ScheduleTable()


class NotificationsTable(TomlTable):
    enabled: bool = True
    quiet_hours: Annotated[str, _checked(parse_span)] | None = None


class LogTable(TomlTable):
    level: Annotated[
        str, AfterValidator(_one_of("log level", ("debug", "info", "warning", "error")))
    ] = "info"
    format: Annotated[str, AfterValidator(_one_of("log format", ("auto", "text", "json")))] = "auto"


class EngineTable(TomlTable):
    host: Annotated[str, AfterValidator(check_engine_host)] | None = None


class WatchedTable(TomlTable):
    """One ``[[project]]``: which, and what the command line would say of it."""

    dir: Annotated[str, _checked(clean_project_dir)]
    files: Annotated[list[str], AfterValidator(_not_empty)] | None = None
    name: str | None = None
    profiles: list[str] = []


def _no_directory_twice(projects: list[WatchedTable]) -> list[WatchedTable]:
    directories: set[str] = set()
    for project in projects:
        directory = clean_project_dir(project.dir)
        if directory in directories:
            raise ValueError(f"names {directory} twice")
        directories.add(directory)
    return projects


class UserFile(TomlTable):
    """All of ``config.toml``."""

    project: Annotated[list[WatchedTable], AfterValidator(_no_directory_twice)] = []
    notifications: NotificationsTable = NotificationsTable()
    log: LogTable = LogTable()
    engine: EngineTable = EngineTable()
