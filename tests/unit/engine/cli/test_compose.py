"""The Compose CLI, played by a script: what it is asked, and what comes of its answers."""

import os
from pathlib import Path

import pytest

from freshd.engine.cli.command import MAY_RUN, run
from freshd.engine.cli.compose import Compose, ComposeFiles
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import ConfigError, EngineFailed, EngineUnavailable, OutcomeUnknown
from freshd.model.remedy import RebuildMode
from tests.harness.waiting import wait_until

FILES = ComposeFiles("/p", ("/p/a.yaml", "/p/b.yaml"), "shop", ("dev",), ("/p/.env",))
FIXED = (
    "compose --ansi never --project-directory /p --file /p/a.yaml --file /p/b.yaml"
    " --project-name shop --profile dev --env-file /p/.env"
)


@pytest.fixture
def scripted(tmp_path: Path) -> Path:
    """A directory for a `docker` that notes its arguments in ``argv``."""
    return tmp_path


def compose(directory: Path, body: str) -> Compose:
    script = directory / "docker"
    script.write_text(f'#!/bin/sh\necho "$@" >>"{directory}/argv"\n{body}\n')
    script.chmod(0o755)
    environ = {"PATH": f"{directory}:{os.environ['PATH']}", "DOCKER_CONTEXT": "other"}
    return Compose(Endpoint("unix:///e.sock", "t"), environ)


def asked(directory: Path) -> list[str]:
    return (directory / "argv").read_text().splitlines()


def test_an_up_never_touches_dependencies_builds_or_the_number_of_replicas(scripted: Path) -> None:
    """Safety rule 9."""
    result = compose(scripted, "").up(FILES, ["web"], scale={"web": 3}, force_recreate=True)
    assert result.ok
    assert asked(scripted) == [
        f"{FIXED} up --detach --no-deps --no-build --scale web=3 --force-recreate -- web"
    ]


def test_an_up_that_replaces_nothing(scripted: Path) -> None:
    assert compose(scripted, "").up(FILES, ["web"], scale={"web": 2}, no_recreate=True).ok
    assert asked(scripted) == [
        f"{FIXED} up --detach --no-deps --no-build --scale web=2 --no-recreate -- web"
    ]


def test_an_up_without_a_number_of_replicas_is_a_mistake(scripted: Path) -> None:
    for services in ([], ["web", "worker"]):
        with pytest.raises(ValueError, match="replica count"):
            compose(scripted, "").up(FILES, services, scale={"web": 1})
    assert not (scripted / "argv").exists()


def test_what_takes_away_is_on_no_list_and_is_never_started(scripted: Path) -> None:
    """Safety rule 9: not `down`, `rm`, `kill` or `stop`, and no option that takes volumes."""
    assert {" ".join(command) for command in MAY_RUN} == {
        *("compose version", "compose config", "compose build", "compose up", "builder prune"),
    }
    taking = {
        *("-v", "--volumes", "-V", "--renew-anon-volumes", "--remove-orphans"),
        *("-a", "--all", "--rmi", "--pull", "--always-recreate-deps", "--abort-on-container-exit"),
    }
    assert not taking & frozenset().union(*MAY_RUN.values())
    one = compose(scripted, "")
    start = FIXED.split()
    for words in (
        *(["docker", *start, verb] for verb in ("down", "rm", "stop", "kill", "run")),
        ["docker", "compose", "--compatibility", "--file", "a.yaml", "down"],
        ["docker", "compose", "--compatibility", "down", "-v"],
        *(["docker", *start, "up", option, "--", "web"] for option in sorted(taking)),
        ["docker", *start, "up", "--scale", "web=1", "-v", "--", "web"],
        ["docker", *start],
        ["docker", "compose"],
        ["docker", "rm", "-f", "web"],
        ["docker", "volume", "rm", "data"],
        ["docker", "system", "prune", "--force"],
        ["docker", "builder", "prune", "--all", "--force"],
    ):
        with pytest.raises(ValueError, match="freshd never runs"):
            run(words, one.environ, timeout=5.0, on_start=lambda _: None)
    assert not (scripted / "argv").exists()


def test_what_only_asks_is_run(scripted: Path) -> None:
    one = compose(scripted, 'echo "web 0123"')
    assert one.config_hash(FILES, "web") == "0123"
    assert one.version() == "web 0123"
    assert asked(scripted) == [f"{FIXED} config --hash web", "compose version --short"]


PRUNE = "builder prune --force --filter type=source.local"


@pytest.mark.parametrize(
    ("mode", "lines"),
    [
        (RebuildMode.CACHED, [f"{FIXED} build -- web"]),
        (RebuildMode.FRESH_CONTEXT, [PRUNE, f"{FIXED} build -- web"]),
        (RebuildMode.NO_CACHE, [f"{FIXED} build --no-cache -- web"]),
        (RebuildMode.CLEAN, [PRUNE, f"{FIXED} build --no-cache -- web"]),
    ],
)
def test_build_modes(scripted: Path, mode: RebuildMode, lines: list[str]) -> None:
    compose(scripted, "").build(FILES, ["web"], mode=mode)
    assert asked(scripted) == lines


def test_a_build_does_not_begin_with_a_context_that_could_not_be_dropped(scripted: Path) -> None:
    """Rule 15: it would be the same stale one."""
    one = compose(scripted, 'case "$1" in builder) echo refused; exit 1 ;; esac')
    with pytest.raises(EngineFailed, match="pruning the build context failed: refused"):
        one.build(FILES, ["web"], mode=RebuildMode.FRESH_CONTEXT)
    assert asked(scripted) == [PRUNE]


def test_the_cli_is_told_the_endpoint(scripted: Path) -> None:
    result = compose(scripted, 'echo "$DOCKER_HOST ${DOCKER_CONTEXT-none}"').up(
        FILES, ["web"], scale={"web": 1}
    )
    assert result.lines == ("unix:///e.sock none",)


def test_lines_are_told_as_they_come_and_the_last_two_hundred_kept(scripted: Path) -> None:
    lines: list[str] = []
    pids: list[int] = []
    body = (
        "i=0; while [ $i -lt 300 ]; do printf '\\033[32mline %d\\033[0m\\r\\n' $i; i=$((i+1)); done"
    )
    result = compose(scripted, body + "; echo bad >&2; exit 3").build(
        FILES, ["web"], mode=RebuildMode.CACHED, on_line=lines.append, on_start=pids.append
    )
    assert result.exit_code == 3
    assert len(lines) == 301
    assert len(result.lines) == 200
    assert result.lines[-2:] == ("line 299", "bad")
    assert len(pids) == 1


def test_a_build_that_hangs_is_ended_with_all_its_children(scripted: Path) -> None:
    body = f'trap "" TERM; sh -c \'echo $$ >"{scripted}/child"; exec sleep 600\' & wait'
    with pytest.raises(OutcomeUnknown, match="did not end"):
        compose(scripted, body).build(FILES, ["web"], mode=RebuildMode.CACHED, timeout=0.5)
    child = int((scripted / "child").read_text())
    wait_until(lambda: not _runs(child), 10.0, what="the builder to end")


def test_told_to_stop_a_build_is_ended_and_an_up_is_not(scripted: Path) -> None:
    """Rule 9: an `up` that is cut off leaves the service down."""
    body = f'case "$*" in *" build "*) exec sleep 600 ;; esac; sleep 0.3; touch "{scripted}/up"'
    one = compose(scripted, body)
    one.end_builds()
    with pytest.raises(OutcomeUnknown, match="told to stop"):
        one.build(FILES, ["web"], mode=RebuildMode.CACHED)
    assert one.up(FILES, ["web"], scale={"web": 1}).ok
    assert (scripted / "up").exists()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_model_is_the_output_and_warnings_are_not(scripted: Path) -> None:
    body = 'echo \'time="x" level=warning msg="unset"\' >&2; echo \'{"name": "shop"}\''
    assert compose(scripted, body).config(FILES) == {"name": "shop"}
    assert asked(scripted) == [f"{FIXED} config --format json"]


def test_an_invalid_model_is_told_in_composes_own_words(scripted: Path) -> None:
    body = (
        "echo 'time=\"x\" level=warning msg=\"unset\"' >&2; echo 'services.a is bad' >&2; exit 15"
    )
    with pytest.raises(ConfigError) as caught:
        compose(scripted, body).config(FILES)
    assert caught.value.problems == ("services.a is bad",)
    assert "/p/a.yaml" in caught.value.message


def test_output_that_is_no_model_is_an_error(scripted: Path) -> None:
    for body in ("echo nonsense", "echo []"):
        with pytest.raises(ConfigError):
            compose(scripted, body).config(FILES)


@pytest.mark.parametrize(
    "said",
    [
        "docker: unknown command: docker compose",
        "docker: 'compose' is not a docker command.",
        "unknown flag: --ansi\nSee 'docker --help'.\n\nUsage:  docker [OPTIONS] COMMAND",
    ],
)
def test_a_missing_compose_is_told_with_a_hint(scripted: Path, said: str) -> None:
    with pytest.raises(ConfigError, match="not installed") as caught:
        compose(scripted, f'echo "{said}" >&2; exit 1').config(FILES)
    assert "install" in (caught.value.hint or "")


def test_a_missing_docker_command_is_told_with_a_hint() -> None:
    with pytest.raises(ConfigError, match="docker CLI") as caught:
        Compose(Endpoint("unix:///x", "t"), {"PATH": "/nonexistent"}).config(FILES)
    assert caught.value.hint


def test_an_engine_that_is_away_is_not_a_failed_build(scripted: Path) -> None:
    body = "echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1"
    with pytest.raises(EngineUnavailable):
        compose(scripted, body).build(FILES, ["web"], mode=RebuildMode.CACHED)


def test_names_are_joined_as_compose_v1_did_where_that_is_asked(scripted: Path) -> None:
    files = ComposeFiles("/p", underscores=True)
    result = compose(scripted, 'echo "$@"').build(files, ["web"], mode=RebuildMode.CACHED)
    assert "--compatibility" in result.lines[0].split()
