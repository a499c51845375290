"""What inspect tells of how a container was made."""

from freshd.engine.inspect import creation_of

DATA = {
    "Config": {
        "Image": "web",
        "Env": ["A=1", "B=x=y", "NONE"],
        "Cmd": ["serve"],
        "Entrypoint": None,
        "User": "app",
        "WorkingDir": "/srv",
        "Labels": {
            "com.docker.compose.version": "2.26.1",
            "com.docker.compose.project.environment_file": "/a.env,/b.env",
        },
    },
    "HostConfig": {
        "PortBindings": {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
            "81/tcp": [{"HostIp": "0.0.0.0", "HostPort": "0"}],
            "82/tcp": None,
        }
    },
    "NetworkSettings": {"Networks": {"shop_default": {}}},
    "Mounts": [
        {"Type": "volume", "Name": "a" * 64, "Destination": "/anon"},
        {"Type": "volume", "Name": "shop_data", "Destination": "/data"},
        {"Type": "bind", "Destination": "/app"},
    ],
}


def test_everything_that_is_compared_is_read() -> None:
    made = creation_of(DATA)
    assert made.environment == {"A": "1", "B": "x=y", "NONE": None}
    assert (made.command, made.entrypoint) == (("serve",), ())
    assert (made.image, made.user, made.working_dir) == ("web", "app", "/srv")
    assert made.ports == {"127.0.0.1:8080->80/tcp", ":->81/tcp"}
    assert made.networks == {"shop_default"}
    assert made.anonymous == {"/anon"}
    assert (made.compose_version, made.env_files) == ("2.26.1", ("/a.env", "/b.env"))
    assert "x=y" not in repr(made)


def test_what_is_not_there_is_nothing() -> None:
    made = creation_of({"Config": {}, "HostConfig": {}})
    assert (made.environment, made.ports, made.networks) == ({}, frozenset(), frozenset())
