"""The project: whether one is here, whether its policy and model load, who else works on it."""

import os
from collections.abc import Iterator, Mapping

from freshd.config import load_policy
from freshd.doctor.diagnosis import Diagnosis, ok, problem, warning
from freshd.doctor.others import Process, inside, is_compose_watch, is_daemon, processes
from freshd.doctor.own import broken
from freshd.engine.compose import Compose
from freshd.engine.endpoint import resolve
from freshd.errors import ConfigError, FreshdError
from freshd.project import Located, load
from freshd.single import holder


def look(
    located: Located | None, environ: Mapping[str, str], configured: str | None, *, locks: str
) -> Iterator[Diagnosis]:
    """``located`` is None outside a project."""
    if located is None:
        yield ok("project", "none here: no freshd.toml and no Compose file")
        return
    policy = policy_of(located.policy_path)
    yield policy
    if policy.state.value == "ok":
        yield _model(located, environ, configured)
    ours = tuple(inside(processes(), located.directory))
    yield daemon(holder(locks, located.directory), ours)
    yield from watchers(ours)


def policy_of(path: str) -> Diagnosis:
    if not os.path.lexists(path):
        return ok("policy", "none: freshd only tells; `freshd init --write` proposes one")
    try:
        policy = load_policy(path)
    except ConfigError as error:
        return broken("policy", error)
    rules = "1 rule" if len(policy.rules) == 1 else f"{len(policy.rules)} rules"
    return ok("policy", f"{path}, {rules}")


def _model(located: Located, environ: Mapping[str, str], configured: str | None) -> Diagnosis:
    try:
        compose = Compose(resolve(environ, configured=configured), environ)
        project = load(located, engine=None, compose=compose)
    except FreshdError as error:
        return problem("project", error.message, error.hint or "`docker compose config` shows it")
    services = ", ".join(sorted(project.services)) or "no service"
    return ok("project", f"{project.name} at {located.directory}: {services}")


def daemon(pid: int | None, ours: tuple[Process, ...]) -> Diagnosis:
    """``pid`` holds the project's lock; another one knows of another state directory."""
    others = [each.pid for each in ours if is_daemon(each) and each.pid != pid]
    if others:
        return warning(
            "daemon",
            f"a freshd with other settings runs here as well (pid {others[0]})",
            f"end one of them: kill {others[0]}",
        )
    if pid is None:
        return ok("daemon", "none watches this project; `freshd run` would")
    return ok("daemon", f"pid {pid} watches this project")


def watchers(ours: tuple[Process, ...]) -> Iterator[Diagnosis]:
    for each in ours:
        if is_compose_watch(each):
            yield warning(
                "compose watch",
                f"`docker compose watch` runs here too (pid {each.pid}): both write the same files",
                f"let one of them do it: kill {each.pid}, or take the inject rules out",
            )
