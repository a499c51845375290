"""The engine's JSON becomes values; what it leaves out is filled in."""

import hashlib
from typing import Any

import pytest

from freshd.engine import inspect
from freshd.model.observed.container import Mount


def container(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "Id": "a" * 64,
        "Name": "/shop-web-2",
        "Image": "sha256:" + "b" * 64,
        "Created": "2026-11-22T20:00:00.5Z",
        "Path": "python3",
        "Args": ["-m", "shop"],
        "Config": {
            "Image": "shop-web",
            "User": "1000",
            "Labels": {
                "com.docker.compose.project": "shop",
                "com.docker.compose.service": "web",
                "com.docker.compose.container-number": "2",
                "com.docker.compose.oneoff": "False",
                "com.docker.compose.project.config_files": "/s/a.yaml,/s/b.yaml",
                "com.docker.compose.project.working_dir": "/s",
            },
        },
        "HostConfig": {"RestartPolicy": {"Name": "always"}, "Tmpfs": {"/run/x/": "ro,size=1k"}},
        "State": {"Status": "running", "StartedAt": "2026-11-22T20:00:01Z", "ExitCode": 0},
        "Mounts": [
            {"Type": "volume", "Name": "v", "Source": "/var/v", "Destination": "/data", "RW": False}
        ],
    }
    return data | changes


def test_a_container_of_compose_becomes_a_replica() -> None:
    found = inspect.replica_of(container())
    assert (found.name, found.service, found.project, found.number) == (
        "shop-web-2", "web", "shop", 2,
    )  # fmt: skip
    assert not found.oneoff
    assert found.is_replica
    assert found.config_files == ("/s/a.yaml", "/s/b.yaml")
    assert found.command == ("python3", "-m", "shop")
    assert found.started_at - found.created_at == pytest.approx(0.5)


NUMBERED = {
    "com.docker.compose.project": "shop",
    "com.docker.compose.service": "web",
    "com.docker.compose.container-number": "1",
    "com.docker.compose.oneoff": "False",
}


@pytest.mark.parametrize(
    ("labels", "numbered", "counted"),
    [
        pytest.param({}, True, True, id="a replica"),
        pytest.param({"oneoff": None}, True, False, id="as podman-compose labels one"),
        pytest.param({"oneoff": "True"}, False, False, id="compose run"),
        pytest.param({"hook": "pre_start"}, False, False, id="a hook, should it be numbered"),
        pytest.param({"container-number": None}, False, True, id="labelled by hand"),
        pytest.param({"container-number": "one"}, False, True, id="with another number"),
        pytest.param({"container-number": None, "oneoff": None}, False, False, id="a hook"),
    ],
)
def test_a_replica_is_what_compose_numbers(
    labels: dict[str, str | None], numbered: bool, counted: bool
) -> None:
    wanted = NUMBERED | {f"com.docker.compose.{name}": value for name, value in labels.items()}
    own = {name: value for name, value in wanted.items() if value is not None}
    seen = inspect.replica_of(container(Config={"Image": "shop-web", "Labels": own}))
    listed = inspect.listed({"Id": "a" * 64, "Names": ["/shop-web-1"], "Labels": own})
    for found in (seen, listed):
        assert (found.is_replica, found.counted) == (numbered, counted)


def test_a_tmpfs_of_the_host_configuration_is_a_mount_too() -> None:
    """The engine lists it nowhere else, and uploads to it vanish."""
    assert inspect.replica_of(container()).mounts == (
        Mount("volume", "/data", "/var/v", "v", writable=False),
        Mount("tmpfs", "/run/x", writable=False),
    )


def test_the_directory_of_a_volume_that_is_mounted_is_told() -> None:
    asked = {"Type": "volume", "Target": "/data/", "VolumeOptions": {"Subpath": "a"}}
    (found,) = inspect.replica_of(container(HostConfig={"Mounts": [asked]})).mounts
    assert (found.name, found.subpath) == ("v", "a")


def test_of_a_volume_that_compose_made_the_options_are_told() -> None:
    labels = {"com.docker.compose.volume": "v"}
    assert inspect.volume_options({"Driver": "local", "Options": None, "Labels": labels}) == {}
    made = {"Driver": "nfs", "Options": {"device": ":/a"}, "Labels": labels}
    assert inspect.volume_options(made) == {"driver": "nfs", "device": ":/a"}
    assert inspect.volume_options({"Driver": "local", "Options": {"o": "bind"}}) is None


def test_a_plain_container_is_a_service_of_its_own_name() -> None:
    data = container(Config={"Image": "i", "Labels": None}, Mounts=None, HostConfig={})
    found = inspect.replica_of(data)
    assert (found.service, found.project, found.mounts) == ("shop-web-2", "", ())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0001-01-01T00:00:00Z", 0.0),
        ("", 0.0),
        (None, 0.0),
        ("1970-01-01T00:00:01.250000001Z", 1.250000001),
        ("1970-01-01T02:00:00+02:00", 0.0),
    ],
)
def test_times_are_seconds_since_the_epoch(text: str | None, seconds: float) -> None:
    assert inspect.seconds(text) == pytest.approx(seconds)


def test_the_chain_id_folds_the_layers_as_the_image_specification_says() -> None:
    first, second = "sha256:" + "1" * 64, "sha256:" + "2" * 64
    folded = "sha256:" + hashlib.sha256(f"{first} {second}".encode()).hexdigest()
    assert inspect.chain_id([first], "linux/amd64") == f"{first}@linux/amd64"
    assert inspect.chain_id([first, second], "linux/amd64") == f"{folded}@linux/amd64"
    assert inspect.chain_id([first], "linux/arm64/v8") != inspect.chain_id([first], "linux/arm64")


def facts(lines: list[tuple[str, int]], layers: int) -> list[bool]:
    image = {"Id": "i", "RootFS": {"Layers": [f"sha256:{n}" for n in range(layers)]}}
    history = [{"CreatedBy": text, "Size": size} for text, size in reversed(lines)]
    return [line.empty for line in inspect.image_facts(image, history).history]


def test_history_is_oldest_first_and_tells_lines_without_a_layer() -> None:
    lines = [("ADD rootfs", 100), ("ENV A=b", 0), ("COPY empty /e", 0), ('CMD ["sh"]', 0)]
    assert facts(lines, 2) == [False, True, False, True]


def test_a_workdir_that_made_no_directory_made_no_layer() -> None:
    lines = [("ADD rootfs", 100), ("WORKDIR /a", 0), ("RUN true", 0), ("WORKDIR /", 0)]
    assert facts(lines, 3) == [False, False, False, True]
    assert facts(lines, 4) == [False, False, False, False]


def test_compose_v1_names_its_files_relative_to_the_directory() -> None:
    labels = {
        "com.docker.compose.project.config_files": "docker-compose.yml,../x.yml",
        "com.docker.compose.project.working_dir": "/s/shop",
    }
    found = inspect.listed({"Id": "1", "Names": ["/shop_web_1"], "Labels": labels})
    assert found.config_files == ("/s/shop/docker-compose.yml", "/s/x.yml")


NO, ALWAYS, UNTIL = ({"Name": name} for name in ("no", "always", "on-failure"))
PORTS = {"80/tcp": [{"HostIp": "", "HostPort": ""}]}


@pytest.mark.parametrize(
    ("state", "code", "host", "ended"),
    [
        ("exited", 0, {"RestartPolicy": NO}, True),
        ("exited", 1, {}, True),
        ("exited", 0, {"RestartPolicy": UNTIL}, True),
        ("exited", 1, {"RestartPolicy": UNTIL}, False),
        ("exited", 1, {"RestartPolicy": ALWAYS}, False),
        ("exited", 1, {"RestartPolicy": NO, "PortBindings": PORTS}, False),
        ("running", 0, {"RestartPolicy": NO}, False),
        ("created", 0, {"RestartPolicy": NO}, False),
        ("restarting", 1, {"RestartPolicy": UNTIL}, False),
    ],
)
def test_a_job_that_has_ended_is_told_from_a_server_that_is_down(
    state: str, code: int, host: dict[str, Any], *, ended: bool
) -> None:
    data = container(State={"Status": state, "ExitCode": code}, HostConfig=host)
    assert inspect.replica_of(data).has_ended is ended
