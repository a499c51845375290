"""The config link: a container's making against the model, difference by difference."""

from dataclasses import replace

import pytest

from freshd.compare.config import config_findings
from freshd.model.observed.config_drift import sealed
from freshd.model.observed.container import Mount
from freshd.model.observed.creation import (
    ConfigSeen,
    ContentSeen,
    Creation,
    ImageDefaults,
    Wanted,
    WantedContent,
    WantedMount,
)
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from tests.unit.compare.stack import Stack, replica, serving

KEY = b"k" * 32
PODMANS = {"container": "podman", "TERM": "xterm", "HOSTNAME": "0a1b", "HOME": "/", "PATH": "/bin"}
WANTED = Wanted(
    image="web:latest",
    environment={"A": "1", "SHELL_ONLY": None},
    command=("serve",),
    user="app",
    ports=frozenset({"127.0.0.1:8080->80/tcp"}),
    networks=frozenset({"shop_default"}),
    mounts=(
        WantedMount("bind", "/app", "/home/me/shop"),
        WantedMount("volume", "/data", "shop_data"),
        WantedMount("volume", "/anon"),
        WantedMount("tmpfs", "/tmp"),
    ),
)
MADE = Creation(
    image="web:latest",
    environment={"A": "1", "PATH": "/bin", "HTTP_PROXY": "http://proxy"},
    command=("serve",),
    user="app",
    ports=frozenset({"127.0.0.1:8080->80/tcp"}),
    networks=frozenset({"shop_default", "joined_by_hand"}),
    anonymous=frozenset({"/anon", "/of-the-image"}),
)
MOUNTS = (
    Mount("bind", "/app", "/host_mnt/home/me/shop"),
    Mount("volume", "/data", name="shop_data"),
    Mount("volume", "/anon", name="0" * 64),
    Mount("volume", "/of-the-image", name="1" * 64),
    Mount("tmpfs", "/tmp"),
)
IMAGE = ImageDefaults({"PATH": "/bin"}, command=("default",), entrypoint=("init",))
SAME = ConfigSeen(
    WANTED,
    replace(MADE, entrypoint=("init",)),
    image=IMAGE,
    mounts=MOUNTS,
    inputs=("compose.yaml",),
    key=KEY,
    inherited=frozenset({"/of-the-image"}),
    directory="/home/me/shop",
)


def found(seen: ConfigSeen, *, other_image: bool = False) -> list[Finding]:
    facts = Stack({}, {}, (replica(1),)).facts()
    where = replica(1, image_id="sha256:other") if other_image else replica(1)
    return list(config_findings(serving(where, facts, config=seen)))


def only(seen: ConfigSeen) -> Finding:
    (one,) = found(seen)
    return one


def wanting(**changes: object) -> ConfigSeen:
    return replace(SAME, wanted=replace(WANTED, **changes))  # type: ignore[arg-type]


def made(**changes: object) -> ConfigSeen:
    return replace(SAME, creation=replace(SAME.creation, **changes))  # type: ignore[arg-type]


def test_a_container_that_is_made_as_the_model_says_has_no_finding() -> None:
    assert found(SAME) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (wanting(environment={"A": "2"}), "A changed"),
        (wanting(environment={"A": "1", "B": ""}), "B is new"),
        (wanting(environment={}), "A was removed"),
        (made(environment={"A": "1", "PATH": "/opt/bin"}), "PATH was removed"),
        (made(environment={"A": None, "PATH": "/bin"}), "A changed"),
        (made(environment={"A": "1", **PODMANS, "PATH": "/opt/bin"}), "PATH was removed"),
        (made(environment={"A": "1", "PATH": "/bin", "HOME": "/root"}), "HOME was removed"),
    ],
    ids=[
        *("changed", "new", "removed", "no more than the image's", "was not set"),
        *("not Podman's, as the image has it", "not Podman's, as Podman made nothing here"),
    ],
)
def test_each_variable_that_differs_is_named(seen: ConfigSeen, words: str) -> None:
    one = only(seen)
    assert (one.cause, one.level, one.link) == ("env-changed", Level.STALE, LinkName.CONFIG)
    assert one.remedy is Remedy.RECREATE
    assert one.message == f"the environment of web-1 is not the model's: {words}"
    assert one.paths == ("compose.yaml",)


@pytest.mark.parametrize(
    "seen",
    [
        made(environment={"A": "1", "PATH": "/bin", "no_proxy": "local"}),
        made(environment={"A": "1", "PATH": "/bin", "SHELL_ONLY": None}),
        replace(made(environment={"A": "1", "LEFT": "x"}), image=None),
        wanting(environment={"A": "1", "PATH": None}),
        made(environment={"A": "1", **PODMANS}),
    ],
    ids=[
        *("the client's proxy", "not set on either side", "image unknown", "the image's own"),
        "Podman's own",
    ],
)
def test_variables_that_nobody_changed_are_no_finding(seen: ConfigSeen) -> None:
    assert found(seen) == []


def test_values_are_only_shown_as_keyed_hashes() -> None:
    one = only(wanting(environment={"A": "hunter2"}))
    assert "hunter2" not in repr(one)
    assert one.evidence["variables"] == {
        "A": {"model": sealed(KEY, "hunter2"), "container": sealed(KEY, "1")}
    }
    assert sealed(KEY, "x") != sealed(b"other", "x")
    assert "hunter2" not in repr(wanting(environment={"A": "hunter2"}))


@pytest.mark.parametrize(
    ("seen", "keys"),
    [
        (wanting(command=("serve", "--debug")), {"command"}),
        (wanting(command=None), {"command"}),
        (wanting(command=None, entrypoint=("run",)), {"command", "entrypoint"}),
        (wanting(entrypoint=("run",)), {"entrypoint"}),
        (wanting(user="root"), {"user"}),
        (wanting(working_dir="/srv"), {"working_dir"}),
        (wanting(ports=frozenset({"127.0.0.1:8081->80/tcp"})), {"ports"}),
        (wanting(networks=frozenset({"shop_default", "shop_back"})), {"networks"}),
        (wanting(image="web:2"), {"image"}),
        (wanting(mounts=(*WANTED.mounts, WantedMount("bind", "/x", "/y"))), {"volumes"}),
        (wanting(mounts=(replace(WANTED.mounts[0], read_only=True), *WANTED.mounts[1:])),
         {"volumes"}),
        (replace(SAME, changed=("healthcheck",)), {"healthcheck"}),
    ],
)  # fmt: skip
def test_each_key_that_differs_is_named(seen: ConfigSeen, keys: set[str]) -> None:
    one = only(seen)
    assert (one.cause, one.level) == ("compose-changed", Level.STALE)
    told = one.evidence["keys"]
    assert isinstance(told, dict)
    assert set(told) == keys


def mounting(at: int, **changes: object) -> ConfigSeen:
    """The model with another mount at that place of the list."""
    mounts = list(WANTED.mounts)
    mounts[at] = replace(mounts[at], **changes)  # type: ignore[arg-type]
    return wanting(mounts=tuple(mounts))


def without(target: str, **changes: object) -> ConfigSeen:
    """The model without the mount at ``target``."""
    left = tuple(mount for mount in WANTED.mounts if mount.target != target)
    return replace(wanting(mounts=left), **changes)  # type: ignore[arg-type]


OPTIONS = {"device": "/srv/a", "o": "bind"}
OTHER = {"device": "/srv/b", "o": "bind"}


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (mounting(0, source="/home/me/shop/src"),
         "/app: bind /host_mnt/home/me/shop -> bind ./src"),
        (mounting(0, source="/shop"), "/app: bind /host_mnt/home/me/shop -> bind /shop"),
        (mounting(0, kind="volume", source="shop_code"),
         "/app: bind /host_mnt/home/me/shop -> volume shop_code"),
        (mounting(0, kind="tmpfs", source=""), "/app: bind /host_mnt/home/me/shop -> tmpfs"),
        (mounting(1, source="till_data"), "/data: volume shop_data -> volume till_data"),
        (mounting(1, kind="bind", source="/home/me/shop/pg"),
         "/data: volume shop_data -> bind ./pg"),
        (mounting(1, subpath="pg"), "/data: volume shop_data -> volume shop_data (pg)"),
        (replace(mounting(1, options=OTHER), volumes={"shop_data": OPTIONS}),
         "/data: volume shop_data (device=/srv/a, o=bind) -> volume shop_data (device=/srv/b, o=b"),
        (replace(mounting(1, options={}), volumes={"shop_data": OPTIONS}),
         "/data: volume shop_data (device=/srv/a, o=bind) -> volume shop_data (plain)"),
        (mounting(2, source="shop_named"), "/anon: an anonymous volume -> volume shop_named"),
        (mounting(3, kind="volume", source="shop_tmp"), "/tmp: tmpfs -> volume shop_tmp"),
        (mounting(3, kind="volume"), "/tmp: tmpfs -> an anonymous volume"),
        (without("/data"), "/data: volume shop_data -> the image's own content"),
        (mounting(1, target="/pg"), "/data: volume shop_data -> the image's own content"),
        (without("/anon"), "/anon: an anonymous volume -> the image's own content"),
        (replace(SAME, inherited=frozenset()),
         "/of-the-image: an anonymous volume -> the image's own content"),
        (replace(SAME, mounts=(*MOUNTS, Mount("volume", "/app/deps", name="shop_deps"))),
         "/app/deps: volume shop_deps -> what bind . has there"),
    ],
)  # fmt: skip
def test_a_path_that_would_show_other_data_is_told_with_both_names(
    seen: ConfigSeen, words: str
) -> None:
    one = next(each for each in found(seen) if each.cause == "other-data")
    assert (one.level, one.remedy) == (Level.STALE, Remedy.NOTIFY)
    assert words in one.message
    told = one.evidence["mounts"]
    assert isinstance(told, dict)
    assert list(told) == [words.partition(":")[0]]


@pytest.mark.parametrize(
    "seen",
    [
        mounting(0, read_only=True),
        wanting(mounts=(*WANTED.mounts, WantedMount("bind", "/x", "/y"))),
        without("/tmp"),
        without("/data", inherited=frozenset({"/of-the-image", "/data"})),
        mounting(1, source=""),
        mounting(1, options=OPTIONS),
        replace(mounting(1, options=OPTIONS), volumes={"shop_data": OPTIONS}),
        replace(mounting(1, options=None), volumes={"shop_data": OPTIONS}),
        replace(SAME, changed=("volumes",)),
        replace(
            wanting(contents=(WantedContent("config", "site", "/etc/site", file="/site"),)),
            mounts=(*MOUNTS, Mount("bind", "/etc/site", "/old/site")),
        ),
        wanting(mounts=(), all_mounts=False),
    ],
    ids=[
        "read-only", "added", "a tmpfs less", "a VOLUME of the image", "goes on as anonymous",
        "not made by Compose", "the same options", "external", "other words",
        "a config file", "volumes_from",
    ],
)  # fmt: skip
def test_the_same_data_in_another_way_is_no_other_data(seen: ConfigSeen) -> None:
    assert [each.message for each in found(seen) if each.cause == "other-data"] == []


@pytest.mark.parametrize(
    "seen",
    [
        wanting(user="", working_dir="", command=("serve",)),
        wanting(command=()),
        replace(wanting(command=None, entrypoint=None), image=None),
        made(networks=frozenset()),
        wanting(mounts=(), all_mounts=False),
        wanting(working_dir="/"),
        replace(SAME, changed=("command",)),
    ],
    ids=[
        "the image decides", "an empty command", "image unknown", "networks unknown",
        "volumes_from", "root by another name", "other words for the same command",
    ],
)  # fmt: skip
def test_keys_that_nobody_changed_are_no_finding(seen: ConfigSeen) -> None:
    assert [one.message for one in found(seen) if "working_dir" not in one.message] == []


def test_an_image_that_the_container_link_speaks_of_is_not_told_twice() -> None:
    assert found(wanting(image="web:2"), other_image=True) == []


def test_what_comes_from_the_shell_alone_is_a_note() -> None:
    seen = replace(wanting(environment={"A": "2"}), from_shell=frozenset({"environment.A"}))
    assert only(seen).level is Level.NOTE
    both = replace(wanting(environment={"A": "2", "B": "1"}), from_shell=seen.from_shell)
    assert only(both).level is Level.STALE
    ports = replace(wanting(ports=frozenset()), from_shell=frozenset({"ports"}))
    assert only(ports).level is Level.NOTE


def test_a_hash_that_does_not_fit_is_only_a_hint_and_only_where_nothing_else_tells() -> None:
    assert only(replace(SAME, hinted=True)).level is Level.NOTE
    causes = [one.cause for one in found(replace(wanting(environment={}), hinted=True))]
    assert causes == ["env-changed"]


def test_content_that_differs_is_told_by_name_and_keyed_hash() -> None:
    secret = WantedContent("secret", "token", "/run/secrets/token", content="hunter2")
    one = only(replace(SAME, contents=(ContentSeen(secret, "keyed:1", None),)))
    assert (one.cause, one.level) == ("config-content-changed", Level.STALE)
    assert "hunter2" not in repr(one)
    assert one.evidence["contents"] == [
        {"secret": "token", "target": "/run/secrets/token", "model": "keyed:1", "container": None}
    ]
