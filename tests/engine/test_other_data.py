"""A path never comes to show other data by a recreate or rebuild that nobody told to."""

import os
from collections.abc import Callable, Mapping

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

ROWS = "test -f /data/rows || echo EMPTY > /data/rows; sleep 1000000"
DB = f'image: "freshd-busybox:1", init: true, stop_grace_period: 0s, command: [sh, -c, "{ROWS}"]'


def model(mounts: Mapping[str, str], more: str = "") -> str:
    """A Compose file of one service for each list of mounts."""
    services = "".join(f"  {name}: {{{DB}, volumes: [{text}]}}\n" for name, text in mounts.items())
    volumes = "volumes: {pg: {}, old: {}, new: {}, opt: " + (more or "{}") + "}\n"
    return f"services:\n{services}{volumes}"


BEFORE = {
    "moved": '"./data:/data"',
    "bound": '"./one:/data"',
    "renamed": '"old:/data"',
    "dropped": '"old:/data"',
    "shifted": '"old:/data"',
    "fleeting": '"old:/data"',
    "options": '"opt:/data"',
}
AFTER = {
    "moved": '"pg:/data"',
    "bound": '"./two:/data"',
    "renamed": '"new:/data"',
    "dropped": "",
    "shifted": '"old:/srv"',
    "fleeting": "{type: tmpfs, target: /data}",
    "options": '"opt:/data"',
}


def rows(stack: Stack, service: str) -> bytes | None:
    return stack.read(stack.container(service), "/data/rows")


@pytest.mark.timeout(600)
@pytest.mark.proves("other-data", "detected", "remedied")
def test_each_way_to_other_data_is_refused_by_name_until_it_is_accepted(
    stack: Stack, freshd: Freshd
) -> None:
    device = "{driver_opts: {type: none, o: bind, device: %s}}"
    for name in ("data", "one", "two", "a", "b"):
        os.makedirs(stack.path(name))
    stack.write({"compose.yaml": model(BEFORE, device % stack.path("a"))})
    stack.write({"data/rows": "1000\n", "one/rows": "1000\n", "a/rows": "1000\n"})
    stack.up()
    for service in ("renamed", "dropped", "shifted", "fleeting"):
        stack.put(stack.container(service), "/data/rows", b"1000\n")
    stack.write({"compose.yaml": model(AFTER, device % stack.path("b"))})
    own = stack.project
    names = {
        "moved": f"/data: bind ./data -> volume {own}_pg",
        "bound": "/data: bind ./one -> bind ./two",
        "renamed": f"/data: volume {own}_old -> volume {own}_new",
        "dropped": f"/data: volume {own}_old -> the image's own content",
        "shifted": f"/data: volume {own}_old -> the image's own content",
        "fleeting": f"/data: volume {own}_old -> tmpfs",
        "options": f"/data: volume {own}_opt (device={stack.path('a')}, o=bind, type=none) -> ",
    }
    document = looked(freshd, exit_code=1)
    text = freshd("check").stdout
    assert "freshd recreate" not in text, "no fix that says nothing of the data"
    for service, words in names.items():
        assert words in finding(document, "other-data", service)["message"]
        assert rows(stack, service) == b"1000\n", "the case is not what it should be"
        before = stack.container(service)
        done = freshd("recreate", service)
        assert done.returncode == 1, done
        assert words in done.stdout
        assert "--accept-mounts" in done.stdout
        assert stack.container(service) == before
        assert rows(stack, service) == b"1000\n"

    # A rule for what else a recreate is good for does not do it; one that names it does.
    rule = 'version = 1\n[[rule]]\nwhen = [%s]\ndo = ["recreate"]\n'
    before = stack.container("renamed")
    stack.write({"freshd.toml": rule % '"*", "compose-changed"'})
    freshd("apply", "renamed")
    assert (stack.container("renamed"), rows(stack, "renamed")) == (before, b"1000\n")
    stack.write({"freshd.toml": rule % '"other-data"'})
    assert freshd("apply", "renamed").returncode == 0
    assert stack.container("renamed") != before
    done = freshd("recreate", "moved", "--accept-mounts")
    assert done.returncode == 0, done
    assert rows(stack, "moved") == b"EMPTY\n"
    with open(stack.path("data/rows")) as kept:
        assert kept.read() == "1000\n"
    for service in ("renamed", "moved"):
        assert found(looked(freshd, exit_code=1), service) == set()


@pytest.mark.timeout(600)
@pytest.mark.proves("other-data", "silent")
def test_the_same_data_in_another_way_holds_nothing_back(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """Options, other spellings, a mount more, anonymous volumes, a VOLUME of the image."""
    os.makedirs(stack.path("data"))
    os.symlink("data", stack.path("link"))
    stack.write(
        {"data/rows": "1\n", "site": "a\n", "Dockerfile": "FROM freshd-busybox:1\nVOLUME /own\n"}
    )
    head = "services:\n  web: {build: ., init: true, stop_grace_period: 0s, command: sleep 1000000"
    tail = "configs: {site: {file: ./site}}\nvolumes: {pg: {}}\n"
    mounts = '"./data:/data", "/anon", "pg:/pg"'
    stack.write({"compose.yaml": f"{head}, configs: [site], volumes: [{mounts}]}}\n{tail}"})
    stack.up(build=True)
    for path in ("/own/f", "/anon/f", "/pg/f"):
        stack.put(stack.container("web"), path, b"mine")
    freshd = make_freshd(stack)
    assert found(looked(freshd, exit_code=0)) == set()
    other = f'"{stack.path("link")}:/data:ro,z", "/anon", {{type: volume, source: pg, target: /pg}}'
    stack.write({"other": "b\n"})
    tail = "configs: {site: {file: ./other}}\nvolumes: {pg: {}, more: {}}\n"
    changed = f'{head}, configs: [site], volumes: [{other}, "more:/more"]}}\n{tail}'
    stack.write({"compose.yaml": changed})
    document = looked(freshd, exit_code=1)
    assert {each.cause for each in found(document)} <= {"compose-changed", "config-content-changed"}
    assert Found("compose-changed", "stale") in found(document)
    before = stack.container("web")
    done = freshd("recreate", "web")
    assert done.returncode == 0, done
    web = stack.container("web")
    assert web != before
    for path in ("/own/f", "/anon/f", "/pg/f"):
        assert stack.read(web, path) == b"mine", path
    assert stack.read(web, "/data/rows") == b"1\n"
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(300)
def test_a_new_image_without_the_volume_takes_no_containers_place(
    stack: Stack, freshd: Freshd
) -> None:
    """Only when it is built is it known which volumes it has."""
    end = "init: true, stop_grace_period: 0s, command: sleep 1000000"
    stack.write({"compose.yaml": f"services:\n  web: {{build: ., {end}}}\n"})
    stack.write({"Dockerfile": "FROM freshd-busybox:1\nCOPY a /a\nVOLUME /own\n", "a": "1\n"})
    stack.up(build=True)
    before = stack.container("web")
    stack.put(before, "/own/rows", b"mine")
    stack.write({"Dockerfile": "FROM freshd-busybox:1\nCOPY a /a\n", "a": "2\n"})
    done = freshd("rebuild", "web")
    assert done.returncode == 1, done
    said = " ".join(done.stdout.split())
    assert "the containers are as before: " in said
    assert "-> the image's own content" in said
    assert stack.container("web") == before
    assert stack.read(before, "/own/rows") == b"mine"
    done = freshd("rebuild", "web", "--accept-mounts")
    assert done.returncode == 0, done
    assert stack.read(stack.container("web"), "/a") == b"2\n"
