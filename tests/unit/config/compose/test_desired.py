"""What the model wants of a container, out of the JSON of ``docker compose config``."""

from typing import Any

from freshd.config.compose.desired import read_wanted
from freshd.model.observed.creation import WantedContent, WantedMount
from freshd.model.text import Json

CONFIG: dict[str, Json] = {
    "name": "shop",
    "services": {
        "web": {
            "command": ["sh", "-c", "echo $$HOME"],
            "entrypoint": None,
            "environment": {"A": "x$$y", "N": None},
            "configs": [{"source": "c1"}, {"source": "c2", "target": "/etc/c2"}],
            "secrets": [{"source": "s1", "target": "/run/secrets/s1"}, {"source": "s2"}],
            "networks": {"default": None, "back": {}},
            "ports": [
                {"host_ip": "127.0.0.1", "target": 80, "published": "8080", "protocol": "tcp"},
                {"target": 53, "protocol": "udp", "mode": "ingress"},
            ],
            "volumes": [
                {"type": "bind", "source": "/home/a", "target": "/a/", "read_only": True},
                {"type": "volume", "source": "data", "target": "/data", "volume": {}},
                {"type": "volume", "target": "/anon"},
            ],
            "tmpfs": ["/run:size=1m"],
            "deploy": {"replicas": 3, "resources": {}},
            "build": {"context": "."},
            "depends_on": {"db": {}},
            "healthcheck": {"test": ["CMD"], "retries": None},
        },
        "db": {"image": "db:1", "network_mode": "service:web", "ports": [{"target": 1}]},
        "odd": None,
    },
    "networks": {"default": {"name": "shop_default"}},
    "volumes": {"data": {"name": "shop_data"}},
    "configs": {"c1": {"content": "5$$"}, "c2": {"file": "/c2"}},
    "secrets": {"s1": {"file": "/s1"}, "s2": {"environment": "S2"}},
}


def test_everything_is_read_as_the_engine_has_it() -> None:
    web = read_wanted(CONFIG)["web"]
    assert web.image == "shop-web"
    assert web.command == ("sh", "-c", "echo $HOME")
    assert web.entrypoint is None
    assert web.environment == {"A": "x$y", "N": None}
    assert web.networks == {"shop_default", "back"}
    assert web.ports == {"127.0.0.1:8080->80/tcp", ":->53/udp"}
    assert web.mounts == (
        WantedMount("bind", "/a", "/home/a", read_only=True),
        WantedMount("volume", "/data", "shop_data", options={}),
        WantedMount("volume", "/anon"),
        WantedMount("tmpfs", "/run"),
    )
    assert web.contents == (
        WantedContent("config", "c1", "/c1", content="5$"),
        WantedContent("config", "c2", "/etc/c2", file="/c2"),
        WantedContent("secret", "s1", "/run/secrets/s1", file="/s1"),
        WantedContent("secret", "s2", "/run/secrets/s2"),
    )


def test_a_volume_is_told_with_what_decides_about_its_data() -> None:
    mount = {"type": "volume", "source": "v", "target": "/v", "volume": {"subpath": "a"}}
    made = {"name": "shop_v", "driver": "nfs", "driver_opts": {"device": ":/a", "n": 1}}
    for volume, options in (
        (made, {"driver": "nfs", "device": ":/a", "n": "1"}),
        ({"name": "v", "external": True}, None),
    ):
        config: Any = {"services": {"web": {"volumes": [mount]}}, "volumes": {"v": volume}}
        (found,) = read_wanted(config)["web"].mounts
        assert (found.source, found.subpath, found.options) == (volume["name"], "a", options)


def test_parts_hold_what_a_container_is_made_of_and_no_more() -> None:
    parts = read_wanted(CONFIG)["web"].parts
    assert not {"build", "depends_on", "environment", "image", "scale"} & set(parts)
    assert parts["deploy"] == "{}"
    assert parts["healthcheck"] == '{"test": ["CMD"]}'
    assert "x$" not in repr(read_wanted(CONFIG)["web"])


def test_where_composes_hash_is_known_to_be_wrong() -> None:
    found = read_wanted(CONFIG)
    assert found["web"].hash_holds
    assert not found["db"].hash_holds
    assert found["db"].ports == frozenset()
    assert set(found) == {"web", "db"}


def test_an_image_without_a_name_is_called_as_compose_joins_names() -> None:
    config: dict[str, Json] = {"name": "shop", "services": {"web": {"build": {"context": "/x"}}}}
    assert read_wanted(config)["web"].image == "shop-web"
    assert read_wanted(config, {"web"})["web"].image == "shop_web"
