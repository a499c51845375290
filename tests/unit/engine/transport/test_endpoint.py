"""Which engine is meant: the same answer as the docker CLI would give."""

import hashlib
import json
from pathlib import Path

import pytest

from freshd.engine.transport.endpoint import DEFAULT_HOST, Endpoint, cli_environment, resolve
from freshd.model.errors import ConfigError


def configured(home: Path, *, current: str = "", name: str = "", host: str = "") -> dict[str, str]:
    directory = home / ".docker"
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps({"currentContext": current}))
    if name:
        meta = directory / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        meta.mkdir(parents=True)
        content = {"Name": name, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}
        (meta / "meta.json").write_text(json.dumps(content))
    return {"HOME": str(home)}


def test_without_any_setting_it_is_the_default_socket(tmp_path: Path) -> None:
    assert resolve({"HOME": str(tmp_path)}).host == DEFAULT_HOST


def test_the_host_variable_wins_over_every_context(tmp_path: Path) -> None:
    environ = configured(tmp_path, current="c", name="c", host="unix:///c.sock")
    environ |= {"DOCKER_HOST": "unix:///h.sock", "DOCKER_CONTEXT": "c"}
    assert resolve(environ) == Endpoint("unix:///h.sock", "DOCKER_HOST")


def test_the_context_variable_wins_over_the_current_context(tmp_path: Path) -> None:
    environ = configured(tmp_path, current="other", name="c", host="unix:///c.sock")
    found = resolve(environ | {"DOCKER_CONTEXT": "c"})
    assert (found.host, found.source) == ("unix:///c.sock", "DOCKER_CONTEXT (c)")


def test_the_current_context_is_honoured(tmp_path: Path) -> None:
    environ = configured(tmp_path, current="desktop", name="desktop", host="unix:///d.sock")
    assert resolve(environ).host == "unix:///d.sock"


def test_the_default_context_is_the_default_socket(tmp_path: Path) -> None:
    environ = configured(tmp_path, current="c", name="c", host="unix:///c.sock")
    assert resolve(environ | {"DOCKER_CONTEXT": "default"}).host == DEFAULT_HOST


def test_an_unknown_context_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'nope'"):
        resolve({"HOME": str(tmp_path), "DOCKER_CONTEXT": "nope"})


@pytest.mark.parametrize(
    "host",
    [
        *("npipe:////./pipe/x", "/var/run/x", "unix://", "ssh://", "ssh://me:secret@there"),
        *("ssh://-oProxyCommand=x", "ssh://-x@there", "ssh://there:port"),
    ],
)
def test_addresses_freshd_cannot_speak_to_are_said_so(host: str) -> None:
    with pytest.raises(ConfigError, match="cannot speak to"):
        resolve({"DOCKER_HOST": host})


def test_the_cli_is_given_this_endpoint_and_no_context(tmp_path: Path) -> None:
    environ = {"PATH": "/bin", "DOCKER_CONTEXT": "c", "DOCKER_TLS_VERIFY": "1"}
    got = cli_environment(Endpoint("unix:///x", "test"), environ)
    assert got == {"PATH": "/bin", "DOCKER_HOST": "unix:///x"}


def test_tls_material_reaches_the_cli() -> None:
    endpoint = Endpoint("tcp://h:2376", "test", cert_path="/certs")
    got = cli_environment(endpoint, {})
    assert got["DOCKER_CERT_PATH"] == "/certs"
    assert got["DOCKER_TLS_VERIFY"] == "1"
