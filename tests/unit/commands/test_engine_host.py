"""``engine.host`` of config.toml names the engine where the environment names none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from freshd.commands import session, workspace
from freshd.config.invocation import Invocation
from freshd.daemon import project, run
from freshd.engine.transport.endpoint import DEFAULT_HOST, SCHEMES, Endpoint, resolve
from freshd.model.errors import ConfigError


class Seen(Exception):
    """Ends what is started once it has named its engine."""


@pytest.fixture
def world(tmp_path: Path) -> Mapping[str, str]:
    """An environment whose config.toml names an engine."""
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.toml").write_text('[engine]\nhost = "unix:///mine.sock"\n')
    return {
        "HOME": str(tmp_path),
        "FRESHD_CONFIG_DIR": str(config),
        "FRESHD_STATE_DIR": str(tmp_path / "state"),
    }


def test_the_environment_stands_before_it_and_the_current_context_after_it() -> None:
    environ = {"HOME": "/nonexistent"}
    assert resolve(environ).host == DEFAULT_HOST
    found = resolve(environ, configured="unix:///mine.sock")
    assert (found.host, found.source) == ("unix:///mine.sock", "engine.host in config.toml")
    named = resolve({**environ, "DOCKER_HOST": "unix:///theirs.sock"}, configured=found.host)
    assert named == Endpoint("unix:///theirs.sock", "DOCKER_HOST")
    context = {**environ, "DOCKER_CONTEXT": "default"}
    assert resolve(context, configured=found.host).host == DEFAULT_HOST


def test_what_the_configuration_accepts_the_endpoint_accepts() -> None:
    from freshd.config.schema import check_engine_host

    for scheme in SCHEMES:
        address = f"{scheme}://address"
        assert resolve({}, configured=check_engine_host(address)).host == address
    for refused in ("npipe://./pipe/x", "/var/run/docker.sock"):
        with pytest.raises(ValueError, match="unix://"):
            check_engine_host(refused)
        with pytest.raises(ConfigError, match="in config"):
            resolve({}, configured=refused)


@pytest.mark.parametrize("module", [workspace, project])
def test_a_verb_and_the_daemon_talk_to_the_engine_it_names(
    module: Any, world: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Endpoint] = []
    (tmp_path / "freshd.toml").write_text('[service.web]\ncontainer = "shop-web"\n')

    def compose(endpoint: Endpoint, _environ: Mapping[str, str]) -> None:
        seen.append(endpoint)
        raise Seen

    monkeypatch.setattr(module, "Compose", compose)
    start: Any = run.watch_project if module is project else module.open_workspace
    with pytest.raises(Seen):
        start(Invocation(str(tmp_path), world))
    assert [each.host for each in seen] == ["unix:///mine.sock"]


def test_a_mistake_in_the_user_configuration_is_told_by_a_verb(
    world: Mapping[str, str], tmp_path: Path
) -> None:
    (tmp_path / "config" / "config.toml").write_text("[engine]\nhots = 1\n")
    with pytest.raises(ConfigError) as caught:
        session.open_session(Invocation(str(tmp_path), world))
    assert caught.value.problems == ('config.toml: engine.hots: unknown key; did you mean "host"?',)
