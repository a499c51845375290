"""A RUN after a COPY that changes owner, mode or time leaves its bytes: the files stay pairs."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.harness.cli import Freshd, Result
from tests.harness.stack import Stack

DOCKERFILES = {
    # the most common ones there are
    "chmod": "COPY run.sh /run.sh\nRUN chmod +x /run.sh\n",
    "chown": "WORKDIR /app\nCOPY . .\nRUN echo app:x:7:7::: >>/etc/passwd && chown -R 7:7 /app\n",
    "find": "COPY . /app\nRUN find /app -name run.sh -exec chmod 750 {} + && touch /app/plain\n",
    # COPY says owner and mode itself, twice to one place, and a RUN has the last word
    "twice": (
        "COPY --chown=3:3 --chmod=600 plain /d/plain\nRUN chmod 644 /d/plain\n"
        "COPY --chown=4:4 plain /d/plain\nRUN chmod 640 /d/plain && chown 5:6 /d/plain\n"
    ),
    # what one RUN changed and the next put back
    "back": "COPY plain /d/\nRUN for f in /d/*; do echo x >>$f; done\nRUN sed -i '$d' /d/*\n",
    # an earlier stage
    "stage": (
        "AS made\nCOPY . /made\nRUN chown -R 7:7 /made\n"
        "FROM freshd-busybox:1\nCOPY --from=made /made /app\n"
    ),
    # one that may have changed anything, and did change this
    "worked": (
        "AS made\nCOPY . /made\nRUN sed -i s/gone/GONE/ /made/* && chown -R 7:7 /made\n"
        "FROM freshd-busybox:1\nCOPY --from=made /made /app\n"
    ),
    # one RUN that changes this and chmods that
    "mixed": (
        "COPY . /app\nRUN sed -i s/plain/PLAIN/ /app/plain && chmod 700 /app/run.sh "
        "&& rm /app/gone\n"
    ),
}
FILES = {"run.sh": "#!/bin/sh\nexec sleep 1000\n", "plain": "plain\n", "gone": "gone\n"}
PLACES = {
    "chmod": ("run.sh", "/run.sh", "755 0 0"),
    "chown": ("plain", "/app/plain", "644 7 7"),
    "find": ("run.sh", "/app/run.sh", "750 0 0"),
    "twice": ("plain", "/d/plain", "640 5 6"),
    "back": ("plain", "/d/plain", "644 0 0"),
    "stage": ("plain", "/app/plain", "644 7 7"),
    "worked": ("plain", "/app/plain", "644 7 7"),
    "mixed": ("run.sh", "/app/run.sh", "700 0 0"),
}
STALE = {"image-behind", "content-differs"}


@pytest.fixture
def everyday(stack: Stack) -> Stack:
    services = []
    for name, body in DOCKERFILES.items():
        head = "FROM freshd-busybox:1 " if body.startswith("AS ") else "FROM freshd-busybox:1\n"
        stack.write({f"{name}/{file}": text for file, text in FILES.items()}, mode=0o644)
        stack.write({f"{name}/Dockerfile": head + body, f"{name}/.dockerignore": "Dockerfile\n"})
        services.append(f"  {name}: {{build: {name}, init: true, command: [sleep, '1000']}}\n")
    stack.write({"compose.yaml": "services:\n" + "".join(services)})
    stack.up(build=True)
    return stack


def causes(checked: Result) -> dict[str, set[str]]:
    return {
        service["name"]: {one["cause"] for one in service["findings"]}
        for service in checked.json["services"]
    }


def saves(stack: Stack, since: str) -> int:
    """How often an image of the project was streamed since then."""
    until = now(stack)
    asked = ["--filter", "type=image", "--filter", "event=save", "--format", "{{.Actor.ID}}"]
    saved = stack.docker.words("events", "--since", since, "--until", until, *asked)
    own = stack.docker.words("image", "ls", "-q", "--no-trunc", f"{stack.project}*")
    return sum(image in own for image in saved)


def now(stack: Stack) -> str:
    (time,) = stack.docker.words("info", "--format", "{{.SystemTime}}")
    return time


def edit(stack: Stack, text: str, services: Mapping[str, Any] = PLACES) -> None:
    for name in services:
        source = PLACES[name][0]
        stack.write({f"{name}/{source}": f"{FILES[source]}# {text}\n"})


def stat(stack: Stack, service: str) -> str:
    place = PLACES[service][1]
    done = stack.exec(stack.container(service), ["stat", "-c", "%a %u %g", place])
    return done.stdout.decode().strip()


@pytest.mark.timeout(400)
def test_files_that_a_run_only_chmodded_or_chowned_are_compared_and_injected(
    everyday: Stack, freshd: Freshd, make_freshd: Callable[[Stack], Freshd]
) -> None:
    stack = everyday
    sure = PLACES.keys() - {"mixed", "stage", "worked"}
    untouched = causes(freshd("check", "--json"))
    assert {name: found for name, found in untouched.items() if found} == {
        "mixed": {"build-unrecorded"},  # a RUN did write /app/plain, of an input without a trace
        "stage": {"build-unrecorded"},  # no history shows an earlier stage's RUN
        "worked": {"build-unrecorded"},
    }
    since = now(stack)
    assert causes(freshd("check", "--json")) == untouched
    assert saves(stack, since) == 0, "a second look at what is as it was streams no image"
    edit(stack, "edited")
    found = causes(freshd("check", "--json"))
    assert {name: found[name] for name in PLACES} == dict.fromkeys(sure, STALE) | {
        "mixed": STALE | {"build-unrecorded"},
        "stage": STALE | {"build-unrecorded"},
        "worked": STALE | {"build-unrecorded"},
    }
    forgetful = make_freshd(stack)
    found["worked"] = {"build-unrecorded"}  # who never saw it equal cannot know
    assert causes(forgetful("check", "--json")) == found, "the layers tell, and no memory"
    since = now(stack)
    assert causes(forgetful("check", "--json")) == found
    assert saves(stack, since) == 0, "what the layers said is kept"
    for name, (source, place, rights) in PLACES.items():
        assert stat(stack, name) == rights, "as the image has it"
        shown = freshd("diff", name, f"{name}/{source}")
        assert (shown.returncode, "+# edited" in shown.stdout) == (1, True), name
        done = freshd("inject", name)
        assert "1 file written" in done.stdout, done
        assert stat(stack, name) == rights, f"{name}: injected with the image's owner and mode"
        text = stack.read(stack.container(name), place)
        assert text == f"{FILES[source]}# edited\n".encode()
    patched = causes(freshd("check", "--json"))
    assert {name: patched[name] for name in sure} == {
        name: {"image-behind", "patched"} for name in sure
    }


@pytest.mark.timeout(400)
def test_what_a_run_changed_stays_an_input_and_a_rebuild_changes_no_verdict(
    everyday: Stack, freshd: Freshd
) -> None:
    stack = everyday
    edit(stack, "edited")
    stack.write({"mixed/plain": "plain and more\n"})
    stack.up("chmod", build=True)  # by hand
    for name in ("chown", "mixed", "stage"):
        freshd("rebuild", name)
    found = causes(freshd("check", "--json"))
    assert [found[name] for name in ("chmod", "chown", "mixed", "stage")] == [set()] * 4
    stack.write({"mixed/plain": "plain and again more\n"})
    edit(stack, "edited again", dict.fromkeys(("chmod", "chown", "stage"), 0))
    found = causes(freshd("check", "--json"))
    assert found["mixed"] == {"build-input-changed"}
    assert [found[name] for name in ("chmod", "chown", "stage")] == [STALE] * 3
    # A mode that is the build's is looked after in the container as well.
    stack.exec(stack.container("chmod"), ["chmod", "644", "/run.sh"])
    stack.write({"chmod/run.sh": f"{FILES['run.sh']}# edited\n"}, mode=0o644)
    assert causes(freshd("check", "--json"))["chmod"] == {"mode-differs"}
