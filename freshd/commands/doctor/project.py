"""The project: whether one is here, whether its policy and model load, who else works on it."""

import os
from collections.abc import Iterator, Mapping

from freshd.commands.doctor.others import RunningProcess, is_daemon, list_processes, select_inside
from freshd.commands.doctor.own import report_broken
from freshd.config.load import load_policy
from freshd.config.locate import Located
from freshd.config.project import Project, load
from freshd.engine.cli.compose import Compose
from freshd.engine.transport.endpoint import resolve
from freshd.model.errors import ConfigError, FreshdError
from freshd.model.verbs.diagnosis import Diagnosis, ok, problem, warning
from freshd.observe.compose_watch import AtWork, ComposeWatches
from freshd.store.instance_lock import holder


def diagnose(
    located: Located | None, environ: Mapping[str, str], configured: str | None, *, locks: str
) -> Iterator[Diagnosis]:
    """``located`` is None outside a project."""
    if located is None:
        yield ok("project", "none here: no freshd.toml and no Compose file")
        return
    policy = check_policy(located.policy_path)
    yield policy
    ours = tuple(select_inside(list_processes(), located.directory))
    at_work: tuple[AtWork, ...] = ()
    if policy.state.value == "ok":
        try:
            project = _loaded(located, environ, configured)
        except FreshdError as error:
            hint = error.hint or "`docker compose config` shows it"
            yield problem("project", error.message, hint)
        else:
            yield report_model(project)
            at_work = ComposeWatches().at_work(project)
    yield check_daemon(holder(locks, located.directory), ours)
    yield from check_watchers(at_work)


def check_policy(path: str) -> Diagnosis:
    if not os.path.lexists(path):
        return ok("policy", "none: freshd only tells; `freshd init --write` proposes one")
    try:
        policy = load_policy(path)
    except ConfigError as error:
        return report_broken("policy", error)
    rules = "1 rule" if len(policy.rules) == 1 else f"{len(policy.rules)} rules"
    return ok("policy", f"{path}, {rules}")


def _loaded(located: Located, environ: Mapping[str, str], configured: str | None) -> Project:
    compose = Compose(resolve(environ, configured=configured), environ)
    return load(located, engine=None, compose=compose)


def report_model(project: Project) -> Diagnosis:
    services = ", ".join(sorted(project.services)) or "no service"
    return ok("project", f"{project.name} at {project.dir}: {services}")


def check_daemon(pid: int | None, ours: tuple[RunningProcess, ...]) -> Diagnosis:
    """``pid`` holds the project's lock; another one knows of another state directory."""
    others = [process.pid for process in ours if is_daemon(process) and process.pid != pid]
    if others:
        return warning(
            "daemon",
            f"a freshd with other settings runs here as well (pid {others[0]})",
            f"end one of them: kill {others[0]}",
        )
    if pid is None:
        return ok("daemon", "none watches this project; `freshd run` would")
    return ok("daemon", f"pid {pid} watches this project")


def check_watchers(at_work: tuple[AtWork, ...]) -> Iterator[Diagnosis]:
    for watch in at_work:
        yield warning(
            "compose watch",
            f"{watch}: until it ends freshd only verifies",
            f"let freshd do it: kill {watch.pid}",
        )
