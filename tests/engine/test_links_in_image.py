"""Places are compared by where they really are in the image: links on the way, and at the end."""

import os
import shutil
from collections.abc import Mapping
from functools import partial

import pytest

from tests.harness.cli import Freshd, Result
from tests.harness.docker import Docker
from tests.harness.stack import Stack, unique_name
from tests.harness.waiting import wait_until

HEAD = "FROM freshd-busybox:1\n"
DOCKERFILES = {
    # onto a link: the builder writes through it
    "onto": (
        "RUN mkdir -p /etc/av /etc/en && echo distro >/etc/av/f && ln -s /etc/av/f /etc/en/f\n"
        "COPY f /etc/en/f\n"
    ),
    "relative": (
        "RUN mkdir -p /etc/av /etc/en && ln -s ../av/f /etc/en/f\nCOPY --chmod=600 f /etc/en/f\n"
    ),
    "chain": "RUN mkdir -p /r/1 && ln -s 1 /r/now && ln -s /r/now /app\nCOPY f /app\nADD g /app/\n",
    # through one inside what another COPY fills
    "inner": (
        "RUN mkdir -p /app/releases/1 && ln -s releases/1 /app/current\n"
        "COPY src /app\nCOPY site /app/current/\n"
    ),
    "workdir": (
        "RUN mkdir -p /srv/1 && ln -s /srv/1 /srv/now\nWORKDIR /srv/now/in\nCOPY site .\n"
        "RUN chmod -R o-r /srv\n"
    ),
    # a link out of an archive, and one that a RUN of another stage made
    "archive": "ADD links.tar /app/\nCOPY src /app\nCOPY site /app/now/\n",
    "stage": (
        "FROM freshd-busybox:1 AS made\nRUN mkdir -p /made/1 && ln -s 1 /made/now\n" + HEAD
        + "COPY --from=made /made /app\nCOPY site /app/now/\n"
    ),
    # a RUN that puts a link in the place of a directory
    "moved": (
        "WORKDIR /html\nRUN mkdir /public && cd / && rmdir /html && ln -s public /html\n"
        "COPY site /html/\nCOPY src /public\n"
    ),
}  # fmt: skip
FILES = {"f": "f\n", "g": "g\n", "src/a": "a\n", "site/index": "1\n"}
REAL = {  # service -> its edited file, where it is, the link that leads there
    "onto": ("f", "/etc/av/f", "/etc/en/f"),
    "relative": ("f", "/etc/av/f", "/etc/en/f"),
    "chain": ("g", "/r/1/g", "/app"),
    "inner": ("site/index", "/app/releases/1/index", "/app/current"),
    "workdir": ("site/index", "/srv/1/in/index", "/srv/now"),
    "archive": ("site/index", "/app/there/index", "/app/now"),
    "stage": ("site/index", "/app/1/index", "/app/now"),
    "moved": ("site/index", "/public/index", "/html"),
}
RULES = """version = 1
[[rule]]
when = ["content-differs", "missing-in-container", "extra-in-container"]
do = ["inject", "restart"]
"""


def causes(checked: Result) -> dict[str, set[str]]:
    return {
        service["name"]: {one["cause"] for one in service["findings"] if one["level"] != "note"}
        for service in checked.json["services"]
    }


def archive_of_links(path: str) -> bytes:
    import io
    import tarfile

    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        there = tarfile.TarInfo("there")
        there.type, there.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(there)
        link = tarfile.TarInfo(path)
        link.type, link.linkname = tarfile.SYMTYPE, "there"
        tar.addfile(link)
    return spool.getvalue()


@pytest.fixture
def linked(stack: Stack) -> Stack:
    services = []
    for name, body in DOCKERFILES.items():
        stack.write({f"{name}/{file}": text for file, text in FILES.items()})
        stack.write({f"{name}/Dockerfile": body if body.startswith("FROM") else HEAD + body})
        services.append(f"  {name}: {{build: {name}, init: true, command: [sleep, '1000']}}\n")
    stack.write({"archive/links.tar": archive_of_links("now")})
    stack.write({"compose.yaml": "services:\n" + "".join(services), "freshd.toml": RULES})
    stack.up(build=True)
    return stack


def link_at(stack: Stack, service: str) -> str:
    link = REAL[service][2]
    done = stack.exec(stack.container(service), ["readlink", link])
    return done.stdout.decode().strip()


@pytest.mark.timeout(400)
def test_what_lies_behind_links_is_fresh_untouched_and_repaired_behind_them(
    linked: Stack, freshd: Freshd
) -> None:
    stack, links = linked, {name: link_at(linked, name) for name in REAL}
    untouched = causes(freshd("check", "--json"))
    # an earlier stage and what an archive unpacks to leave no trace; nothing else is in doubt
    doubted = {"stage", "archive"}
    assert {name for name, found in untouched.items() if found} <= doubted, untouched
    assert set().union(*untouched.values()) <= {"build-unrecorded"}
    applied = freshd("apply")
    assert "nothing to do" in applied.stdout, "nothing is deleted, nothing is restarted"
    mapped = {one["name"]: one["pairs"] for one in freshd("map", "--json").json["services"]}
    for name, (source, place, _) in REAL.items():
        pairs = {pair["source"]: pair["target"] for pair in mapped[name]}
        assert pairs[f"{name}/{source}"] == place, name
        stack.write({f"{name}/{source}": "edited\n"})
    stale = causes(freshd("check", "--json"))
    assert {name: stale[name] - {"build-unrecorded"} for name in REAL} == {
        name: {"image-behind", "content-differs"} for name in REAL
    }
    freshd("apply")
    for name, (_, place, _) in REAL.items():
        assert stack.read(stack.container(name), place) == b"edited\n", name
        assert link_at(stack, name) == links[name], "the link is still there"
    after = causes(freshd("check", "--json"))
    assert set().union(*after.values()) <= {"build-unrecorded"}, after
    # A near miss: what did leave the tree is told and goes, behind the link.
    os.unlink(stack.path("inner/site/index"))
    stack.write({"inner/site/other": "other\n"})
    assert "extra-in-container" in causes(freshd("check", "inner", "--json"))["inner"]
    freshd("apply")
    inner = stack.container("inner")
    held = stack.exec(inner, ["ls", "/app/releases/1"]).stdout.split()
    assert held == [b"other"]
    assert link_at(stack, "inner") == links["inner"]


@pytest.fixture
def base(docker: Docker) -> str:
    """The name for a base image whose /bin is a link, as Debian's is; removed at the end."""
    name = unique_name("ftbase")
    body = (
        "RUN mkdir -p /usr/bin && cp -a /bin/. /usr/bin/ && /usr/bin/busybox rm -r /bin "
        "&& /usr/bin/busybox ln -s usr/bin /bin && ln -s /run /var/run\n"
    )
    docker("build", "-q", "-t", name, "-", stdin=f"{HEAD}RUN mkdir -p /var /run\n{body}".encode())
    return name


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kept", [True, False], ids=["base here", "base gone"])
def test_the_entrypoint_below_a_link_of_the_base_stays_whatever_leaves_the_tree(
    stack: Stack, freshd: Freshd, docker: Docker, base: str, *, kept: bool
) -> None:
    stack.extra_images.append(base)
    dockerfile = f'FROM {base}\nCOPY rootfs/ /\nCOPY bin/ /bin/\nENTRYPOINT ["start.sh"]\n'
    files: Mapping[str, str] = {
        "compose.yaml": "services: {web: {build: ., init: true, stop_grace_period: 0s}}\n",
        "freshd.toml": RULES,
        "Dockerfile": dockerfile,
        "rootfs/usr/lib/app/x": "x\n",
    }
    stack.write(files)
    stack.write({"bin/start.sh": "#!/bin/sh\nexec sleep 1000\n", "bin/tool": "tool\n"}, mode=0o755)
    stack.write({"bin/kept": "kept\n"})
    stack.up(build=True)
    if not kept:
        docker("image", "rm", base)
    web = stack.container("web")
    checked = freshd("check", "--json")
    assert (checked.returncode, causes(checked)) == (0, {"web": set()}), checked.stdout
    assert "nothing to do" in freshd("apply").stdout
    for name in ("start.sh", "tool"):
        os.unlink(stack.path(f"bin/{name}"))
    stack.write({"bin/other": "other\n"}, mode=0o755)
    applied = freshd("apply")
    assert "would not start again" in applied.stdout + applied.stderr
    held = stack.exec(web, ["ls", "/usr/bin"]).stdout.split()
    assert (b"start.sh" in held, b"tool" in held, b"other" in held) == (True, False, True)
    assert stack.exec(web, ["readlink", "/bin"]).stdout == b"usr/bin\n"
    docker("restart", "-t", "0", web)
    look = partial(docker, "top", web, check=False)
    wait_until(lambda: b"sleep 1000" in look().stdout, 60, what="the service to run again")


@pytest.mark.timeout(300)
def test_a_mount_on_what_a_link_of_the_image_leads_to_hides_what_is_there(
    stack: Stack, freshd: Freshd, base: str
) -> None:
    """Compose names it /var/run/app, and the process reads it at /run/app."""
    stack.extra_images.append(base)
    compose = (
        "services:\n  web:\n    build: .\n    init: true\n    command: [sleep, '1000']\n"
        "    volumes: ['./state:/var/run/app', 'kept:/var/run/more']\nvolumes: {kept: {}}\n"
    )
    stack.write({"compose.yaml": compose, "freshd.toml": RULES, "state/conf": "of the host\n"})
    stack.write({"conf": "1\n", "Dockerfile": f"FROM {base}\nCOPY conf /run/app/conf\n"})
    stack.up(build=True)
    checked = freshd("check", "--json")
    assert causes(checked) == {"web": set()}, checked.stdout
    (copied,) = [
        pair
        for pair in freshd("map", "--json").json["services"][0]["pairs"]
        if pair["via"] == "copy"
    ]
    assert (copied["target"], copied["effective"]) == ("/run/app/conf", False)
    stack.write({"conf": "2\n"})
    assert "content-differs" not in causes(freshd("check", "--json"))["web"]
    freshd("apply")
    freshd("inject", "web")
    with open(stack.path("state/conf")) as file:
        assert file.read() == "of the host\n"
    shutil.rmtree(stack.path("state"), ignore_errors=True)
