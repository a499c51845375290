"""Each kind of question to the engine, its answer cut at byte after byte: an error or the truth."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from freshd.engine import images, inventory
from freshd.engine.client import Engine
from freshd.engine.container import archive, contents
from freshd.engine.container.exec import run
from freshd.engine.shared_cache import SharedCache
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import EngineFailed, EngineUnavailable, OutcomeUnknown
from tests.harness.cutting import CuttingProxy
from tests.harness.stack import Stack

EVERY: Final = int(os.environ.get("FRESHD_CUTS", "20")) >= 1000
STEP: Final = 1 if EVERY else 97
MOST: Final = 6000
CONNECTIONS: Final = 5
NEVER: Final = 1_000_000

Ask = Callable[[Engine, str, str], Any]


def shell_words(engine: Engine, container: str, _image: str) -> Any:
    shell = engine.shell(container)
    return shell.hash(["/etc/passwd"]), shell.look(["/etc/passwd", "/none"])


ASKED: Final[Mapping[str, Ask]] = {
    "version": lambda engine, _c, _i: engine.ping(),
    "info": lambda engine, _c, _i: engine.info().root,
    "identity": lambda engine, _c, _i: inventory.identity(engine),
    "list": lambda engine, container, _i: any(r.id == container for r in engine.replicas()),
    "inspect": lambda engine, container, _i: engine.replica(container),
    "top": lambda engine, container, _i: len(engine.top(container, "-eo pid,args")),
    "changes": lambda engine, container, _i: dict(engine.changes(container)),
    "image": lambda engine, _c, image: engine.image(image),
    "layers": lambda engine, _c, image: engine.layers(image),
    "save": lambda engine, _c, image: [
        (m.name, digest) for _, m, digest in images.save(engine, image, keep=lambda m: m.isreg())
    ][:3],
    "stat": lambda engine, container, _i: archive.stat(engine, container, "/etc/passwd"),
    "head": lambda engine, container, _i: archive.head(engine, container, "/etc/passwd").name,  # type: ignore[union-attr]
    "get": lambda engine, container, _i: [
        (m.name, None if r is None else r.read())
        for m, r in archive.get(engine, container, "/etc/passwd")
    ],
    "contents": lambda engine, container, _i: contents.read(
        engine, container, ["/etc/passwd", "/etc/group"]
    ),
    "exec": lambda engine, container, _i: (
        run(engine, container, ["echo", "words"], timeout=10.0).stdout
    ),
    "shell": shell_words,
}


def unreadable(answer: object) -> bool:
    """Whether it says of itself that it does not know."""
    return isinstance(answer, dict) and any(
        getattr(entry, "reason", "") for entry in answer.values()
    )


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ASKED)
def test_a_cut_answer_is_an_error_or_the_whole_truth(
    engine_env: Mapping[str, str], stack: Stack, tmp_path: Path, kind: str
) -> None:
    container = stack.run("freshd-busybox:1", "sleep", "1000000")
    ask, tried, refused, longest = ASKED[kind], 0, 0, 0.0
    memory = SharedCache()
    with CuttingProxy(engine_env["DOCKER_HOST"], tmp_path / "cut") as proxy:
        endpoint = Endpoint(proxy.host, "the test")
        with Engine(endpoint, memory=memory) as engine:
            image = engine.replica(container).image_id
            truth = ask(engine, container, image)
        for skip in range(CONNECTIONS):
            for after in range(1, MOST, STEP):
                proxy.cut(skip=skip, after=after)
                began = time.monotonic()
                try:
                    with Engine(endpoint, memory=SharedCache()) as engine:
                        answer = ask(engine, container, image)
                except (EngineUnavailable, OutcomeUnknown, EngineFailed):
                    refused += 1
                else:
                    assert answer == truth or unreadable(answer), (skip, after)
                longest = max(longest, time.monotonic() - began)
                if proxy.cuts == tried:  # the answer has fewer bytes
                    break
                tried = proxy.cuts
        proxy.cut(skip=NEVER, after=1)
    print(f"{kind}: {tried} cuts, {refused} errors, the longest {longest:.2f} s")
    assert refused > 0
