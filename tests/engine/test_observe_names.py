"""The names of an image as a container of it tells them, against what the image really holds."""

import time
from collections.abc import Iterator, Mapping

import pytest

from freshd.engine.client import Engine
from freshd.engine.transport.endpoint import resolve
from freshd.model.observed.container import Replica
from freshd.observe.container.names import image_names
from freshd.observe.image.content import PRUNED, image_of, list_below
from freshd.store import memory_store
from tests.harness.docker import Docker
from tests.harness.stack import LABEL, unique_name
from tests.harness.waiting import wait_until

DOCKERFILE = """FROM freshd-busybox:1
RUN mkdir -p /real/sub /real/node_modules && echo a >/real/a && echo b >/real/sub/b \\
    && echo c >/real/node_modules/c && ln -s /real /short && touch "/real/two words"
CMD ["sleep", "1000000"]
"""
REAL = {"/real/a", "/real/sub/b", "/real/two words"}


@pytest.fixture(scope="module")
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    with Engine(resolve(engine_env)) as made:
        yield made


@pytest.fixture(scope="module")
def image(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    context = tmp_path_factory.mktemp("names")
    (context / "Dockerfile").write_text(DOCKERFILE)
    tag = unique_name("fdnames-")
    docker("build", "-q", "-t", tag, str(context))
    yield tag
    docker("image", "rm", "-f", tag, check=False)


@pytest.fixture
def replica(docker: Docker, engine: Engine, image: str) -> Iterator[Replica]:
    made = docker("run", "-d", "--init", "--label", LABEL, "-v", "/vol", image).stdout.decode()
    yield engine.replica(made.strip())
    docker("rm", "-f", "-v", made.strip(), check=False)


def names(engine: Engine, replica: Replica, directory: str) -> set[str] | None:
    told = image_names(engine, replica, [directory], prune=PRUNED)
    return None if told is None else set(told)


def test_an_untouched_container_tells_what_its_image_holds(
    engine: Engine, replica: Replica
) -> None:
    assert names(engine, replica, "/real") == REAL
    store = memory_store()
    assert (
        set(
            list_below(
                engine, image_of(engine, replica.image_id), ["/real"], cache=store.image_contents
            )
        )
        == REAL
    )
    store.close()


def test_what_was_added_since_is_not_the_images(
    docker: Docker, engine: Engine, replica: Replica
) -> None:
    docker("exec", replica.id, "sh", "-c", "mkdir /real/new && touch /real/new/x /real/y")
    docker("exec", replica.id, "sh", "-c", "echo changed >/real/a")
    assert names(engine, replica, "/real") == REAL


def test_directories_older_than_the_container_need_no_list_of_changes(
    docker: Docker, engine: Engine, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list costs the engine a walk over the whole image."""
    built = time.time()
    wait_until(lambda: time.time() > built + 2, 120.0, what="a whole second")  # ages are seconds
    young = docker("run", "-d", "--init", "--label", LABEL, replica.image_id).stdout.decode()
    try:
        monkeypatch.setattr(engine, "changes", lambda _id: pytest.fail("the list was asked for"))
        assert names(engine, engine.replica(young.strip()), "/real") == REAL
        monkeypatch.undo()
        docker("exec", young.strip(), "sh", "-c", "echo changed >/real/a")
        assert names(engine, engine.replica(young.strip()), "/real") == REAL
        docker("exec", young.strip(), "sh", "-c", "mv /real /moved; mkdir /real; mv /moved/* /real")
        docker("exec", young.strip(), "touch", "-d", "2001-01-01", "/real", "/real/sub")
        assert names(engine, engine.replica(young.strip()), "/real") in (None, REAL)
    finally:
        docker("rm", "-f", "-v", young.strip(), check=False)


@pytest.mark.parametrize(
    "directory", ["/short", "/", "/vol", "/proc", "/none", "/real/node_modules"]
)
def test_where_the_container_cannot_tell_the_image_is_asked(
    engine: Engine, replica: Replica, directory: str
) -> None:
    assert names(engine, replica, directory) is None


def test_after_a_deletion_and_without_names_to_prune_the_image_is_asked(
    docker: Docker, engine: Engine, replica: Replica
) -> None:
    assert image_names(engine, replica, ["/real"], prune=()) is None
    docker("exec", replica.id, "rm", "/real/a")
    assert names(engine, replica, "/real") is None


def test_the_files_of_the_engine_are_left_out(engine: Engine, replica: Replica) -> None:
    told = names(engine, replica, "/etc")
    assert told is not None
    assert "/etc/passwd" in told
    assert not told & {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}
