"""The Compose model is read as `docker compose config` prints it, and refused when malformed."""

import pytest

from freshd.config.compose.model import (
    ComposeBuild,
    ComposeMount,
    ComposeService,
    find_followers,
    is_remote,
    normalize_tag,
    parse,
)
from freshd.model.errors import ConfigError
from freshd.model.text import Json


def one(service: dict[str, Json]) -> ComposeService:
    return parse({"name": "shop", "services": {"web": service}}).services["web"]


def test_a_service_with_everything() -> None:
    service = one(
        {
            "build": {
                "context": "/p",
                "dockerfile": "docker/web",
                "args": {"A": "1", "N": 3, "T": True, "FROM_ENV": None},
                "target": "prod",
                "additional_contexts": {"lib": "/lib"},
                "platforms": ["linux/arm64"],
            },
            "image": "shop/web:dev",
            "volumes": [
                {"type": "bind", "source": "/p/src", "target": "/app/src/", "read_only": True},
                {"type": "volume", "source": "data", "target": "/data", "volume": {}},
                {"type": "volume", "target": "/anon"},
                {"type": "tmpfs", "target": "/tt"},
            ],
            "tmpfs": ["/run", "/tmp:size=1m,mode=1777"],
            "scale": 2,
            "deploy": {"replicas": 5},
            "profiles": ["dev"],
            "restart": "unless-stopped",
            "command": ["a", "b"],
            "container_name": "shop-web",
            "volumes_from": ["db"],
            "depends_on": {"db": {"condition": "service_started", "required": True}},
        }
    )
    assert service.build == ComposeBuild(
        "/p",
        "docker/web",
        None,
        {"A": "1", "N": "3", "T": "true", "FROM_ENV": None},
        "prod",
        {"lib": "/lib"},
        ("linux/arm64",),
    )
    assert service.image == "shop/web:dev"
    assert service.mounts == (
        ComposeMount("bind", "/app/src", "/p/src", read_only=True),
        ComposeMount("volume", "/data", "data"),
        ComposeMount("volume", "/anon"),
        ComposeMount("tmpfs", "/tt"),
        ComposeMount("tmpfs", "/run"),
        ComposeMount("tmpfs", "/tmp"),
    )
    assert (service.scale, service.profiles, service.restart) == (2, ("dev",), "unless-stopped")
    assert (service.command, service.container_name) == (("a", "b"), "shop-web")
    assert "volumes_from db" in service.unfollowed[0]
    assert service.depends_on == ("db",)


def test_the_least_a_service_can_be() -> None:
    service = one({})
    assert service == ComposeService("web", "shop-web")
    assert one({"tmpfs": "/x:rw", "command": "run it"}).mounts == (ComposeMount("tmpfs", "/x"),)
    assert parse({"name": "shop"}).services == {}


def test_replicas_and_restart_may_stand_under_deploy() -> None:
    service = one({"deploy": {"replicas": 3, "restart_policy": {"condition": "any"}}})
    assert (service.scale, service.restart) == (3, "any")
    assert one({"scale": 0}).scale == 0


@pytest.mark.parametrize(
    ("service", "key"),
    [
        ("text", "services.web"),
        ({"image": 3}, "services.web.image"),
        ({"build": "."}, "services.web.build"),
        ({"build": {}}, "services.web.build.context"),
        ({"build": {"context": "/p", "args": ["A=1"]}}, "services.web.build.args"),
        ({"volumes": {"a": "b"}}, "services.web.volumes"),
        ({"volumes": ["./a:/b"]}, r"services.web.volumes\[0\]"),
        ({"volumes": [{"type": "odd", "target": "/x"}]}, r"services.web.volumes\[0\].type"),
        ({"volumes": [{"type": "bind", "source": "/x"}]}, r"services.web.volumes\[0\].target"),
        ({"scale": "two"}, "services.web.scale"),
        ({"scale": -1}, "services.web.scale"),
        ({"deploy": {"replicas": True}}, "services.web.scale"),
        ({"profiles": [1]}, r"services.web.profiles\[0\]"),
        ({"command": [1]}, r"services.web.command\[0\]"),
    ],
)
def test_a_malformed_model_is_refused_by_the_key(service: Json, key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        parse({"name": "shop", "services": {"web": service}})


@pytest.mark.parametrize(
    ("context", "remote"),
    [
        ("https://github.com/a/b.git#main", True),
        ("git@github.com:a/b.git", True),
        ("ssh://git@host/a", True),
        ("github.com/a/b", True),
        ("docker-image://alpine", True),
        ("/home/me/github.com/a", False),
        ("/p", False),
    ],
)
def test_remote_contexts_are_told_from_directories(context: str, remote: bool) -> None:
    assert is_remote(context) is remote
    assert ComposeBuild(context).remote is remote


def test_services_that_run_one_image_are_of_the_build_that_makes_it() -> None:
    web: Json = {"image": "shop/app", "build": {"context": "/p"}}
    services: Json = {
        "web": web,
        "job": {"image": "docker.io/shop/app:latest"},
        "db": {"image": "pg:1"},
    }
    found = parse({"name": "shop", "services": services}).services
    assert found["job"].build == found["web"].build == ComposeBuild("/p")
    assert (found["job"].built_by, found["web"].built_by) == ("web", "")
    assert found["db"].build is None
    assert all(service.unfollowed == () for service in found.values())


def test_one_image_that_is_built_in_two_ways_is_said() -> None:
    services: dict[str, Json] = {
        name: {"image": "app", "build": {"context": "/p", "target": name}} for name in ("a", "b")
    }
    services["c"] = {"image": "app"}
    found = parse({"name": "shop", "services": services}).services
    told = "image app is built by a, b in different ways: the last one has it"
    assert [service.unfollowed for service in found.values()] == [(told,)] * 3
    assert found["b"].build == ComposeBuild("/p", target="b")


@pytest.mark.parametrize(
    ("reference", "spelt"),
    [
        ("a", "a:latest"),
        ("a:1", "a:1"),
        ("host:5000/a", "host:5000/a:latest"),
        ("docker.io/library/a", "a:latest"),
        ("docker.io/b/a:2", "b/a:2"),
        ("a@sha256:0", "a@sha256:0"),
        ("", ""),
    ],
)
def test_references_are_spelt_as_the_engine_does(reference: str, spelt: str) -> None:
    assert normalize_tag(reference) == spelt


def test_who_follows_whom_is_told_by_shared_namespaces() -> None:
    services: dict[str, Json] = {
        "web": {},
        "sidecar": {"network_mode": "service:web"},
        "debug": {"pid": "service:sidecar", "ipc": "service:web"},
        "round": {"network_mode": "service:about"},
        "about": {"network_mode": "service:round"},
        "host": {"network_mode": "host", "pid": "host"},
    }
    found = parse({"name": "shop", "services": services}).services
    follow = {name: find_followers(found, name) for name in found}
    assert follow == {
        "web": ("debug", "sidecar"),
        "sidecar": ("debug",),
        "debug": (),
        "round": ("about",),
        "about": ("round",),
        "host": (),
    }


@pytest.mark.parametrize(
    ("options", "device"),
    [
        ({"type": "none", "o": "bind", "device": "/shop/data"}, "/shop/data"),
        ({"type": "none", "o": "rw,bind", "device": "/shop/data"}, "/shop/data"),
        ({"type": "nfs", "o": "addr=10.0.0.1", "device": ":/data"}, ""),
        ({"type": "tmpfs", "device": "tmpfs"}, ""),
        (None, ""),
    ],
)
def test_a_named_volume_may_be_a_directory_of_this_machine(options: Json, device: str) -> None:
    mount: Json = {"type": "volume", "source": "data", "target": "/data"}
    model = parse(
        {
            "name": "shop",
            "services": {"db": {"image": "db", "volumes": [mount]}},
            "volumes": {"data": {"driver_opts": options}},
        }
    )
    assert [each.device for each in model.services["db"].mounts] == [device]
