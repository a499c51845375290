"""The history line that last wrote or removed a path, on images that a real engine built."""

import io
import tarfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from freshd.engine import images as engine_images
from freshd.engine.client import Engine
from freshd.engine.transport.endpoint import resolve
from freshd.model.errors import TargetGone
from freshd.observe.image.layers import is_copy, rewritten, writers, written_by
from freshd.store import Store, memory_store
from tests.harness.docker import Docker
from tests.harness.stack import unique_name

Build: TypeAlias = Callable[..., str]

FILES = {
    f"src/{name}": name.encode()
    for name in (
        "plain", "chmodded", "edited", "appended", "removed", "moved", "again", "gone/a", "gone/b",
        "anew/kept", "anew/lost", "touched/f", "linked/f", "hard",
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    with Engine(resolve(engine_env)) as made:
        yield made


@pytest.fixture
def store() -> Iterator[Store]:
    made = memory_store()
    yield made
    made.close()


@pytest.fixture
def build(docker: Docker, tmp_path: Path) -> Iterator[Build]:
    """``build(dockerfile)``: an image of the FILES; its id. ``legacy``: without BuildKit."""
    made: list[str] = []
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def run(dockerfile: str, *, legacy: bool = False) -> str:
        (tmp_path / "Dockerfile").write_text(dockerfile)
        tag = unique_name("fdobs-")
        made.append(tag)
        environment = {**docker.environment, "DOCKER_BUILDKIT": "0" if legacy else "1"}
        Docker(environment)("build", "-q", "-t", tag, str(tmp_path))
        return docker("image", "inspect", "-f", "{{.Id}}", tag).stdout.decode().strip()

    yield run
    for tag in made:
        docker("image", "rm", "-f", tag, check=False)


STEPS = """FROM freshd-busybox:1
RUN mkdir -p /app /bin2 && ln -s /app /alias
COPY src /app/
RUN chmod 700 /app/chmodded
RUN sed -i s/e/E/ /app/edited
RUN echo more >>/app/appended
RUN rm /app/removed
RUN mv /app/moved /app/elsewhere
RUN rm -rf /app/gone
RUN rm -rf /app/anew && mkdir /app/anew && echo new >/app/anew/kept
RUN chmod 700 /app/touched && echo x >/app/touched/other
RUN sed -i s/a/A/ /app/again
RUN ln /app/hard /app/hard2
COPY src/again /app/again
ENV X=1
"""


@pytest.mark.parametrize("legacy", [False, True], ids=["buildkit", "legacy"])
def test_each_way_to_rewrite_a_file_after_copy_is_attributed(
    engine: Engine, store: Store, build: Build, legacy: bool
) -> None:
    image = build(STEPS, legacy=legacy)
    paths = [f"/app/{name.removeprefix('src/')}" for name in FILES]
    asked = [*paths, "/app/new-in-the-tree", "/app/anew/new-in-the-tree", "/app/elsewhere"]
    found = writers(engine, image, asked, cache=store.image_contents, below=["/app"])
    assert found.keys() == set(asked)
    by_run = {path: line for path, line in found.items() if line and not is_copy(line)}
    words = {
        "/app/edited": "sed -i s/e/E/",
        "/app/appended": "echo more",
        "/app/removed": "rm /app/removed",
        "/app/moved": "mv /app/moved",
        "/app/elsewhere": "mv /app/moved",
        "/app/gone/a": "rm -rf /app/gone",
        "/app/gone/b": "rm -rf /app/gone",
        "/app/anew/kept": "rm -rf /app/anew",
        "/app/anew/lost": "rm -rf /app/anew",
    }
    assert by_run.keys() == words.keys()
    assert all(words[path] in line for path, line in by_run.items())
    assert rewritten(paths, found).keys() == words.keys() - {"/app/elsewhere"}
    assert is_copy(found["/app/plain"])
    assert is_copy(found["/app/hard"]), "a further name leaves the file as it was"
    whole = written_by(engine, image, asked, cache=store.image_contents, below=["/app"])
    modes = {path: writer.mode for path, writer in whole.items() if writer.mode is not None}
    assert modes == {"/app/chmodded": 0o700}
    assert is_copy(found["/app/chmodded"]), "a mode is no content"
    assert is_copy(found["/app/touched/f"]), "a directory that is touched rewrites no file"
    assert "again" in found["/app/again"] or legacy
    assert is_copy(found["/app/again"]), "a COPY after the RUN wins"
    assert found["/app/new-in-the-tree"] == found["/app/anew/new-in-the-tree"] == ""


@pytest.mark.needs_engine(23, "its BuildKit refuses `COPY --link`")
def test_copy_link_add_of_an_archive_and_stages_are_copies(
    engine: Engine, store: Store, build: Build, tmp_path: Path
) -> None:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w:gz") as tar:
        info = tarfile.TarInfo("packed/f")
        tar.addfile(info, io.BytesIO())
    (tmp_path / "packed.tgz").write_bytes(spool.getvalue())
    image = build(
        "FROM freshd-busybox:1 AS made\nRUN mkdir /out && echo x >/out/built\nCOPY src /out/src\n"
        "RUN chmod 700 /out/src/plain\n"
        "FROM freshd-busybox:1\nWORKDIR /app\nADD packed.tgz /app/\n"
        "COPY --from=made /out /app/out\n"
        "COPY --link src/plain /app/linked/\nRUN echo done >/app/marker\n"
    )
    paths = ["/app/packed/f", "/app/out/built", "/app/out/src/plain", "/app/linked/plain"]
    found = writers(
        engine, image, [*paths, "/app/marker"], cache=store.image_contents, below=["/app"]
    )
    assert rewritten(found, found).keys() == {"/app/marker"}
    assert found["/app/packed/f"].startswith("ADD packed.tgz")
    assert found["/app/out/built"].startswith("COPY")
    assert found["/app/linked/plain"].startswith("COPY")


def test_a_parent_that_is_a_link_is_followed(engine: Engine, store: Store, build: Build) -> None:
    image = build(
        "FROM freshd-busybox:1\nRUN mkdir -p /usr/real && ln -s usr/real /short\n"
        "COPY src/plain src/edited /short/\nRUN sed -i s/e/E/ /short/edited\n"
    )
    asked = ["/short/plain", "/short/edited", "/usr/real/edited"]
    found = writers(engine, image, asked, cache=store.image_contents, below=["/short"])
    assert rewritten(asked, found).keys() == {"/short/edited", "/usr/real/edited"}
    assert is_copy(found["/short/plain"])


def test_files_directly_in_the_root_are_attributed(
    engine: Engine, store: Store, build: Build
) -> None:
    image = build("FROM freshd-busybox:1\nCOPY src/plain src/edited /\nRUN sed -i s/e/E/ /edited\n")
    found = writers(engine, image, ["/plain", "/edited"], cache=store.image_contents, below=["/"])
    assert rewritten(found, found).keys() == {"/edited"}


def test_layers_are_streamed_once_for_all_paths_below(
    engine: Engine, store: Store, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = build("FROM freshd-busybox:1\nCOPY src /app/\nRUN sed -i s/e/E/ /app/edited\n")
    first = writers(engine, image, ["/app/plain"], cache=store.image_contents, below=["/app"])

    def no_save(*_: object, **__: object) -> None:
        raise AssertionError("the image was streamed again")

    monkeypatch.setattr(engine_images, "save", no_save)
    asked = ["/app/plain", "/app/edited", "/app/gone/a"]
    again = writers(engine, image, asked, cache=store.image_contents, below=["/app"])
    assert again["/app/plain"] == first["/app/plain"]
    assert rewritten(asked, again).keys() == {"/app/edited"}


def test_two_clients_at_once_stream_an_image_once(
    engine: Engine, engine_env: Mapping[str, str], store: Store, build: Build
) -> None:
    """Two services of one image, and a save while the image is looked at ahead."""
    image = build("FROM freshd-busybox:1\nCOPY src /app/\nRUN sed -i s/e/E/ /app/edited\n")
    asked = ["/app/plain", "/app/edited"]
    streamed: list[str] = []
    whole = engine_images.save

    def save(client: Engine, image_id: str, **how: Any) -> engine_images.SavedImage:
        streamed.append(image_id)
        return whole(client, image_id, **how)

    def ask(client: Engine) -> Mapping[str, str]:
        return writers(client, image, asked, cache=store.image_contents, below=["/app"])

    with (
        pytest.MonkeyPatch.context() as patch,
        Engine(resolve(engine_env), memory=engine.memory) as other,
        ThreadPoolExecutor(2) as pool,
    ):
        patch.setattr(engine_images, "save", save)
        one, two = pool.map(ask, [engine, other])
    assert one == two
    assert rewritten(asked, one).keys() == {"/app/edited"}
    assert streamed == [image]


@pytest.mark.needs_engine(23, "its BuildKit refuses `COPY --link`")
def test_the_same_layer_twice_is_replayed_twice(engine: Engine, store: Store, build: Build) -> None:
    """Equal COPY layers around a removal are stored once; the order decides all the same."""
    image = build(
        "FROM freshd-busybox:1\nWORKDIR /app\nCOPY --link src/plain /app/plain\n"
        "RUN rm /app/plain\nCOPY --link src/plain /app/plain\n"
    )
    found = writers(engine, image, ["/app/plain"], cache=store.image_contents, below=["/app"])
    assert is_copy(found["/app/plain"])


def test_an_imported_image_attributes_nothing_or_to_no_copy(
    engine: Engine, store: Store, docker: Docker
) -> None:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("app/f"), io.BytesIO())
    tag = unique_name("fdobs-")
    docker("import", "-", tag, stdin=spool.getvalue())
    try:
        image = docker("image", "inspect", "-f", "{{.Id}}", tag).stdout.decode().strip()
        found = writers(
            engine, image, ["/app/f", "/app/g"], cache=store.image_contents, below=["/app"]
        )
    finally:
        docker("image", "rm", "-f", tag, check=False)
    assert found == {"/app/f": "", "/app/g": ""}


def test_an_image_that_is_gone_is_gone(engine: Engine, store: Store) -> None:
    with pytest.raises(TargetGone):
        writers(engine, "sha256:" + "0" * 64, ["/x"], cache=store.image_contents)
