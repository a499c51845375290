"""Configuration: ``freshd.toml`` in, a ``Policy`` out; ``config.toml`` in, a ``UserConfig`` out.

All mistakes of a file are reported at once, in one ``ConfigError``. Only ``check_services``
compares with the project's services.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from freshd.config.invocation import Invocation, without_project
from freshd.config.policy_values import parse_duration, parse_layer_age, parse_reload, parse_weekly
from freshd.config.toml import parse_toml, read_text
from freshd.model.errors import ConfigError
from freshd.model.policy import (
    Limits,
    MapEntry,
    Never,
    Policy,
    Probe,
    ProjectSettings,
    Rule,
    Schedule,
    ServicePolicy,
)
from freshd.model.remedy import RebuildMode, Remedy
from freshd.model.text import printable

if TYPE_CHECKING:
    from freshd.config.schema import PolicyFile, ProbeTable, RuleTable, ServiceTable, TomlTable

    _T = TypeVar("_T", bound=TomlTable)


@dataclass(frozen=True, slots=True)
class Notifications:
    """``quiet_hours`` are two minutes of the local day; the second may be the next day's."""

    enabled: bool = True
    quiet_hours: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class LogSettings:
    """``level`` is debug, info, warning or error; ``format`` auto, text or json."""

    level: str = "info"
    format: str = "auto"


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """``host`` as DOCKER_HOST has it; None: the environment and the context decide."""

    host: str | None = None


@dataclass(frozen=True, slots=True)
class ConfiguredProject:
    """One that ``freshd run --all`` watches; ``dir`` is absolute, ``files`` relative to it."""

    dir: str
    files: tuple[str, ...] = ()
    name: str | None = None
    profiles: tuple[str, ...] = ()

    def invocation(self, environ: Mapping[str, str]) -> Invocation:
        """As if this project had been named on a command line."""
        return Invocation(
            cwd=self.dir,
            environ=without_project(environ),
            project_dir=self.dir,
            files=self.files,
            project_name=self.name,
            profiles=self.profiles,
        )


@dataclass(frozen=True, slots=True)
class UserConfig:
    """All of ``config.toml``."""

    projects: tuple[ConfiguredProject, ...] = ()
    notifications: Notifications = Notifications()
    log: LogSettings = LogSettings()
    engine: EngineSettings = EngineSettings()


def load_policy(path: str) -> Policy:
    """Read ``freshd.toml``. Raises ``ConfigError`` with every mistake in it."""
    return replace(parse_policy(read_text(path), os.path.basename(path)), path=path)


def parse_policy(text: str, name: str = "freshd.toml") -> Policy:
    """A policy from TOML text; ``name`` is the file's name in messages."""
    from freshd.config.schema import PolicyFile

    return _policy(_validated(PolicyFile, parse_toml(text, name), name))


def load_user_config(path: str) -> UserConfig:
    """Read ``config.toml``; without such a file the defaults.

    Raises ``ConfigError`` with every mistake in it.
    """
    if not os.path.lexists(path):
        return UserConfig()
    return parse_user_config(read_text(path), os.path.basename(path))


def parse_user_config(text: str, name: str = "config.toml") -> UserConfig:
    """The user's configuration from TOML text."""
    from freshd.config.schema import UserFile, clean_project_dir, parse_span

    file = _validated(UserFile, parse_toml(text, name), name)
    quiet = file.notifications.quiet_hours
    return UserConfig(
        projects=tuple(
            ConfiguredProject(
                dir=clean_project_dir(project.dir),
                files=tuple(project.files or ()),
                name=project.name,
                profiles=tuple(project.profiles),
            )
            for project in file.project
        ),
        notifications=Notifications(
            enabled=file.notifications.enabled,
            quiet_hours=None if quiet is None else parse_span(quiet),
        ),
        log=LogSettings(level=file.log.level, format=file.log.format),
        engine=EngineSettings(host=file.engine.host),
    )


def check_services(policy: Policy, known: Collection[str]) -> tuple[str, ...]:
    """Mistakes in service names, one a line. ``known`` are the Compose model's services.

    A table with ``container`` makes a service of its own.
    """
    own = {name for name, service in policy.services.items() if service.container is not None}
    every = set(known) | own
    unknown = [(path, name) for path, name in _named_services(policy) if name not in every]
    if not unknown:
        return ()
    from freshd.config.schema import suggest  # it loads pydantic

    return tuple(
        f'{path} = "{printable(name)}": no such service{suggest(name, every)}'
        for path, name in unknown
    )


def _named_services(policy: Policy) -> Iterable[tuple[str, str]]:
    for name in policy.services:
        yield "service", name
    for index, rule in enumerate(policy.rules):
        for at, name in enumerate(rule.services):
            yield f"rule[{index}].services[{at}]", name
    never = policy.never
    lists = (("restart", never.restart), ("recreate", never.recreate), ("rebuild", never.rebuild))
    for key, names in lists:
        for at, name in enumerate(names):
            if name != "*":
                yield f"never.{key}[{at}]", name


def _validated(model: "type[_T]", tables: dict[str, Any], name: str) -> "_T":
    from pydantic import ValidationError

    from freshd.config.mistakes import list_problems

    try:
        return model.model_validate(tables)
    except ValidationError as error:
        raise _mistakes(
            name, (f"{name}: {line}" for line in list_problems(error, model))
        ) from error


def _mistakes(name: str, lines: Iterable[str]) -> ConfigError:
    every = tuple(lines)
    count = "1 mistake" if len(every) == 1 else f"{len(every)} mistakes"
    return ConfigError(f"{name} has {count}", problems=every)


def _policy(file: "PolicyFile") -> Policy:
    never, limits, schedule = file.never, file.limits, file.schedule
    moment = schedule.validate_at
    return Policy(
        version=file.version,
        project=ProjectSettings(
            name=file.project.name,
            files=tuple(file.project.files),
            profiles=tuple(file.project.profiles),
            develop_watch=file.project.develop_watch,
        ),
        services={name: _service(table) for name, table in file.service.items()},
        rules=tuple(_rule(table, index) for index, table in enumerate(file.rule)),
        never=Never(
            inject=tuple(never.inject),
            allow=tuple(never.allow),
            restart=tuple(never.restart),
            recreate=tuple(never.recreate),
            rebuild=tuple(never.rebuild),
        ),
        limits=Limits(
            rebuilds=limits.rebuilds,
            rebuild_window=parse_duration(limits.rebuild_window, least=0, most=86400),
            restarts=limits.restarts,
            injections=limits.injections,
            window=parse_duration(limits.window, least=0, most=86400),
        ),
        schedule=Schedule(
            patrol=parse_duration(schedule.patrol, least=0, most=86400),
            validate=None if moment is None else parse_weekly(moment),
        ),
    )


def _service(table: "ServiceTable") -> ServicePolicy:
    return ServicePolicy(
        map=tuple(MapEntry(entry.source, entry.target) for entry in table.map),
        ignore=tuple(table.ignore),
        reload=parse_reload(table.reload),
        container=table.container,
        volumes=table.volumes,
        purge=tuple(table.purge),
        derives=tuple(MapEntry(entry.source, entry.target) for entry in table.derives),
        probes=tuple(_probe(entry, number) for number, entry in enumerate(table.probe)),
        layer_age=None if table.layer_age is None else parse_layer_age(table.layer_age),
    )


def _probe(table: "ProbeTable", number: int) -> Probe:
    run = _command(table.run)
    return Probe(
        name=table.name or f"probe[{number}]",
        run=run if isinstance(run, tuple) else ("sh", "-c", run),
        http=table.http or "",
        exit=table.exit or 0,
        status=table.status,
        contains=table.contains,
        equals=None if table.equals is None else _command(table.equals),
        timeout=parse_duration(table.timeout, least=0, most=300),
    )


def _command(words: str | list[str] | None) -> str | tuple[str, ...]:
    return words if isinstance(words, str) else tuple(words or ())


def _rule(table: "RuleTable", index: int) -> Rule:
    return Rule(
        when=tuple(table.when),
        do=tuple(Remedy(word) for word in table.do),
        services=tuple(table.services or ()),
        paths=tuple(table.paths or ()),
        rebuild=RebuildMode(table.rebuild or RebuildMode.CACHED),
        name=table.name or f"rule[{index}]",
    )
