"""Whole Compose projects of the kinds that people have: `freshd map` against what really landed.

The images are read back by nothing of freshd's; every file's content names its own path.
"""

import os
from collections.abc import Callable

import docker
import pytest

from tests.engine.images import read_image
from tests.harness.cli import Freshd, Result
from tests.harness.docker import Docker
from tests.harness.stack import Stack

pytestmark = pytest.mark.timeout(180)
BASE = "freshd-busybox:1"
RICH = f"""FROM {BASE}
RUN mkdir -p /real /data && ln -s real /lnk
ENV GIVEN=/opt/given
WORKDIR /opt/given
ONBUILD COPY a.py ./onbuilt/
"""
REST = "    command: sleep 600\n    stop_grace_period: 0s\n"


def named(*paths: str) -> dict[str, bytes | str]:
    """Files whose content is their own name, from the project."""
    return {path: f"path={path}\n" for path in paths}


def landed(stack: Stack, tag: str) -> dict[str, str]:
    """Target -> source, by the contents of the image alone."""
    client = docker.from_env(environment=dict(stack.environment))
    try:
        files = read_image(client, tag).files
    finally:
        client.close()
    texts = {path: data.decode() for path, data in files.items() if data.startswith(b"path=")}
    return {path: text.removeprefix("path=").strip() for path, text in texts.items()}


def mapped(freshd: Freshd, *services: str) -> dict[str, dict[str, str]]:
    """Service -> target -> source, of the files that name themselves."""
    found = {
        one["name"]: one["pairs"] for one in freshd("map", "--json", *services).json["services"]
    }
    return {
        name: {one["target"]: one["source"] for one in pairs if one["source"].endswith(".py")}
        for name, pairs in found.items()
    }


def image(stack: Stack, name: str, dockerfile: str) -> str:
    """An image of the test's own; it goes with the stack."""
    tag = f"{stack.project}-{name}"
    Docker(stack.environment, stack.directory)(
        "build", "-q", "-t", tag, "-", stdin=dockerfile.encode()
    )
    return tag


@pytest.mark.needs_engine(23, "its BuildKit has no `additional_contexts`")
def test_a_project_of_many_files_contexts_and_services(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    lib = f"../{stack.project}-lib"
    base = image(stack, "base", RICH)
    stack.write(
        {
            **named("a.py", "b.py", "src/m.py", "src/skipped.md", "shared/s.py", "shared/t.py"),
            **named(f"{lib}/l.py", f"{lib}/pkg/n.py", f"{lib}/out.md"),
            f"{lib}/.dockerignore": "*.md\n",
            ".dockerignore": "**/*.md\r\n",
            ".env": "WHERE=/srv/env\n",
            "web.env": "X=1\n",
            "Dockerfile": f"\ufeff# check=skip=all\r\nfrom {base} as first\r\n"
            "ARG WHERE NAME=none\r\ncopy b.py ${WHERE}/${NAME%.*}/\r\n"
            "COPY --from=lib . /lnk/\r\nCOPY src /data\r\n"
            "from first as final\r\nADD src/. .\r\nFROM scratch\r\n",
            "common.yaml": "services:\n  app:\n    build:\n      context: .\n      target: final\n"
            f"      args: [WHERE, NAME=one.two]\n    env_file: web.env\n{REST}",
            "compose.yaml": "include: [more/compose.yaml]\nservices:\n"
            "  web:\n    extends: {file: common.yaml, service: app}\n"
            f"    image: {stack.project}-app\n"
            f"  job:\n    image: {stack.project}-app:latest\n    profiles: [tools]\n{REST}"
            f"  side:\n    build:\n      context: {lib}\n      dockerfile_inline: |\n"
            f"        FROM {BASE}\n        COPY pkg/.. /side/\n{REST}"
            "  far:\n    profiles: [far]\n    build: https://example.com/x.git#v1:sub\n"
            f"    image: {stack.project}-far\n{REST}",
            "compose.override.yaml": "services:\n  web:\n    build:\n"
            f"      additional_contexts: [lib={lib}]\n",
            "more/compose.yaml": "services:\n"
            "  one: {build: {context: ../shared, dockerfile: ../more/one}}\n"
            "  two: {build: {context: ../shared, dockerfile: ../more/two}}\n",
            "more/one": f"FROM {BASE}\nCOPY [s-t].py s.py /one/\n",
            "more/two": f"FROM {BASE}\nCOPY t.py /t\nFROM {BASE}\nCOPY --from=0 /t /two/t.py\n",
        }
    )
    freshd = make_freshd(stack)
    stack.build("web", "side", "one", "two")
    tags = {"web": "app", "job": "app", "side": "side", "one": "one", "two": "two"}
    truth = {service: landed(stack, f"{stack.project}-{tag}") for service, tag in tags.items()}
    assert all(truth.values())
    assert mapped(freshd, *tags) == truth
    assert truth["web"]["/real/pkg/n.py"] == f"{lib}/pkg/n.py"
    assert truth["web"]["/srv/env/one/b.py"] == "b.py"

    image(stack, "far", f"FROM {BASE}\nLABEL far=away\n")
    stack.compose("--profile", "*", "up", "-d", "--no-build", "web", "job", "far")
    assert freshd("check", "web", "job", "--json").json["verdict"] == "fresh"
    far = freshd("check", "far", "--json")
    (finding,) = far.json["services"][0]["findings"]
    assert (far.returncode, finding["cause"]) == (3, "build-unrecorded")
    assert "https://example.com/x.git#v1:sub is not on this machine" in finding["message"]

    stack.write({f"{lib}/l.py": "path=edited\n"})
    assert freshd("rebuild", "job").returncode == 0
    assert freshd("check", "job", "--json").json["verdict"] == "fresh"
    assert landed(stack, f"{stack.project}-app")["/real/l.py"] == "edited"


def test_what_the_image_contradicts_is_said_and_not_believed(stack: Stack, freshd: Freshd) -> None:
    """The base image is gone: only the image can tell where its WORKDIR led the COPYs."""
    base = image(stack, "base", RICH.replace("ONBUILD COPY a.py ./onbuilt/\n", ""))
    stack.write(
        {
            **named("a.py", "b.py", "src/m.py", "src/n.py"),
            "Dockerfile": f"FROM {base}\nCOPY a.py /data\nCOPY src .\nCOPY b.py c.py\n"
            "COPY b.py /app/\n",
            "compose.yaml": f"services:\n  web:\n    build: .\n{REST}",
        }
    )
    stack.up("web", build=True)
    truth = landed(stack, f"{stack.project}-web")
    assert mapped(freshd) == {"web": truth}
    stack.docker("image", "rm", base)

    said = freshd("map", "web").stdout
    assert "could not follow" in said
    assert "line 4: 'COPY b.py c.py' did not go where it was expected" in said
    assert "line 3: 'COPY src .' did not go where it was expected" in said
    assert mapped(freshd) == {"web": {"/app/b.py": "b.py", "/data/a.py": "a.py"}}
    report = freshd("check", "--json")
    (finding,) = report.json["services"][0]["findings"]
    assert (report.returncode, finding["cause"]) == (3, "build-unrecorded")
    assert "line 4: 'COPY b.py c.py'" in finding["message"]

    os.unlink(stack.path("src/n.py"))
    assert causes(freshd("check", "--json")) == {"build-input-changed"}, "it was there at first"
    stack.write({"b.py": "edited"})
    assert "content-differs" in causes(freshd("check", "--json"))


def causes(checked: Result) -> set[str]:
    return {finding["cause"] for one in checked.json["services"] for finding in one["findings"]}
