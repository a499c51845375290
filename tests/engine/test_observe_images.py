"""What images hold: by a probe, by a container that has not changed, and from the cache."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

from freshd.engine.client import Engine
from freshd.engine.transport.endpoint import resolve
from freshd.model.errors import TargetGone
from freshd.model.files import Entry, Kind
from freshd.observe.container.inherited import observe_changes
from freshd.observe.container.overlay import directories_stay
from freshd.observe.image import content as images
from freshd.observe.image.content import facts, image_of, list_below
from freshd.store import Store, memory_store
from tests.harness.docker import Docker
from tests.harness.stack import LABEL, unique_name
from tests.harness.waiting import wait_until

Build: TypeAlias = Callable[[str], str]

TREE = {
    "app/main.py": b"print(1)\n",
    "app/pkg/mod.py": b"x = 1\n",
    "app/pkg/__pycache__/mod.pyc": b"\0",
    "app/node_modules/dep/index.js": b"",
    "app/two\nlines": b"odd",
}
DOCKERFILE = """FROM freshd-busybox:1
COPY app /app
RUN ln -s pkg /app/alias && ln -s /app /short
VOLUME /app/pkg
"""


@pytest.fixture(scope="module")
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    with Engine(resolve(engine_env)) as made:
        yield made


@pytest.fixture
def store() -> Iterator[Store]:
    made = memory_store()
    yield made
    made.close()


@pytest.fixture(scope="module")
def image(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    context = tmp_path_factory.mktemp("context")
    for name, content in TREE.items():
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (context / "Dockerfile").write_text(DOCKERFILE)
    tag = unique_name("fdobs-")
    docker("build", "-q", "-t", tag, str(context))
    yield docker("image", "inspect", "-f", "{{.Id}}", tag).stdout.decode().strip()
    docker("image", "rm", "-f", tag, check=False)


def file(content: bytes) -> Entry:
    return Entry(Kind.FILE, hashlib.sha256(content).hexdigest(), len(content), 0o644)


def containers_of(docker: Docker, image: str) -> tuple[str, ...]:
    return docker.words("ps", "-aq", "--filter", f"ancestor={image}")


def test_facts_are_the_content_of_the_asked_paths(
    engine: Engine, store: Store, docker: Docker, image: str
) -> None:
    asked = [f"/{name}" for name in TREE] + ["/app/gone", "/gone/x", "/short/main.py", "/app/pkg"]
    seen = facts(engine, image, asked, cache=store.image_contents)
    expected = {f"/{name}": file(content) for name, content in TREE.items()}
    expected["/short/main.py"] = expected["/app/main.py"]
    assert {p: e for p, e in seen.files.items() if e.kind is Kind.FILE} == expected
    assert seen.files["/app/pkg"].kind is Kind.DIR
    assert seen.files.keys() == expected.keys() | {"/app/pkg"}
    assert seen.history
    assert containers_of(docker, image) == (), "the probe is gone"


def test_answers_are_kept_for_ever_absent_ones_too(
    engine: Engine, store: Store, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["/app/main.py", "/app/gone"]
    first = facts(engine, image, asked, cache=store.image_contents)
    listed = list_below(engine, image_of(engine, image), ["/app"], cache=store.image_contents)

    def no_probe(*_: object) -> None:
        raise AssertionError("a probe was made for what is known")

    monkeypatch.setattr(images, "probe_container", no_probe)
    assert facts(engine, image, asked, cache=store.image_contents) == first
    assert (
        list_below(engine, image_of(engine, image), ["/app"], cache=store.image_contents) == listed
    )
    with pytest.raises(AssertionError, match="a probe was made"):
        list_below(engine, image_of(engine, image), ["/app"], cache=store.image_contents, prune=())


def test_answers_learnt_elsewhere_are_taken_and_kept(
    engine: Engine, store: Store, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = file(b"print(1)\n")
    asked = ["/app/main.py", "/app/gone"]
    monkeypatch.setattr(images, "probe_container", None)
    known: dict[str, Entry | None] = {"/app/main.py": entry, "/app/gone": None}
    seen = facts(engine, image, asked, cache=store.image_contents, known=known)
    assert seen.files == {"/app/main.py": entry}
    again = facts(engine, image, asked, cache=store.image_contents, known=dict.fromkeys(asked))
    assert again.files == {"/app/main.py": entry}, "what is cached wins over later claims"


def test_what_the_engine_puts_into_every_container_is_not_the_images(
    engine: Engine, store: Store, image: str
) -> None:
    seen = facts(
        engine, image, ["/etc/hosts", "/.dockerenv", "/proc/x"], cache=store.image_contents
    )
    assert {entry.kind for entry in seen.files.values()} == {Kind.UNREADABLE}
    assert len(seen.files) == 3


def test_listings_have_every_file_and_link_below_and_prune(
    engine: Engine, store: Store, image: str
) -> None:
    listed = list_below(
        engine, image_of(engine, image), ["/app", "/app/pkg", "/none"], cache=store.image_contents
    )
    # /app/pkg/mod.py is on an anonymous volume of the probe, which has the image's content.
    assert listed == ("/app/alias", "/app/main.py", "/app/pkg/mod.py", "/app/two\nlines")
    everything = list_below(
        engine, image_of(engine, image), ["/app"], cache=store.image_contents, prune=()
    )
    pruned = {"/app/node_modules/dep/index.js", "/app/pkg/__pycache__/mod.pyc"}
    assert set(everything) - set(listed) == pruned
    through_link = list_below(
        engine, image_of(engine, image), ["/short"], cache=store.image_contents
    )
    assert through_link == tuple(path.replace("/app", "/short", 1) for path in listed)
    top = list_below(engine, image_of(engine, image), ["/"], cache=store.image_contents)
    assert set(listed) < set(top)
    assert not {"/.dockerenv", "/etc/hosts"} & set(top)


def test_an_image_that_is_gone_is_gone(engine: Engine, store: Store) -> None:
    with pytest.raises(TargetGone):
        facts(engine, "sha256:" + "0" * 64, ["/x"], cache=store.image_contents)
    with pytest.raises(TargetGone):
        list_below(
            engine, image_of(engine, "sha256:" + "0" * 64), ["/x"], cache=store.image_contents
        )


@pytest.fixture
def changed(engine: Engine, docker: Docker) -> Iterator[Callable[[str, str], str]]:
    """A running container of an image, after a script; full id."""
    made: list[str] = []

    def run(image: str, script: str) -> str:
        argv = ("run", "-d", "--init", "--label", LABEL, "--tmpfs", "/ram", image)
        made.append(docker(*argv, "sleep", "infinity").stdout.decode().strip())
        docker("exec", made[-1], "sh", "-c", script)
        return made[-1]

    yield run
    for container in made:
        docker("rm", "-f", "-v", container, check=False)


@pytest.fixture
def aged(docker: Docker, tmp_path: Path) -> Iterator[Build]:
    """Builds a Dockerfile without a context; no container of the image is as old. The tag."""
    tags: list[str] = []

    def build(dockerfile: str) -> str:
        (tmp_path / "Dockerfile").write_text(dockerfile)
        tags.append(unique_name("fdobs-"))
        docker("build", "-q", "-t", tags[-1], str(tmp_path))
        built = time.time()
        wait_until(lambda: time.time() > built + 2, what="a whole second")  # ages are seconds
        return tags[-1]

    yield build
    for tag in tags:
        docker("image", "rm", "-f", tag, check=False)


SCRIPT = """
echo 2 >/app/main.py; echo new >/app/new; rm -rf /app/node_modules; mkdir /app/node_modules
mv /app/old /app/moved; mkdir -p /fresh/dir; echo x >/fresh/dir/x; rm -rf /home/u; echo r >/ram/x
rm -rf /srv/s; mkdir /srv/s; cp /bin/busybox /srv/s/a
rm -rf /gone; mv /was /is; echo 2 >/aged/sub/f; touch -d 2001-01-01 /aged/sub/f
"""


def test_only_what_was_not_touched_counts_as_the_images(
    engine: Engine,
    store: Store,
    aged: Build,
    changed: Callable[[str, str], str],
) -> None:
    tag = aged(
        "FROM freshd-busybox:1\n"
        "RUN mkdir -p /app/node_modules/dep /app/kept /home/u /srv/s && echo 1 >/app/main.py"
        " && echo 1 >/app/node_modules/dep/i && echo k >/app/kept/k && echo l >/app/level"
        " && echo o >/app/old && echo u >/home/u/f && echo b >/srv/s/a"
        " && echo b >/srv/s/b && ln -s kept /app/behind"
        " && mkdir -p /gone /was /aged/sub && echo g >/gone/g && echo w >/was/w"
        " && echo a >/aged/a && echo 1 >/aged/sub/f && echo s >/aged/sub/same"
        " && mkdir -p /old/sub && echo a >/old/a && echo s >/old/sub/same\n"
    )
    container = changed(tag, SCRIPT)
    replica = engine.replica(container)
    image_paths = [
        "/app/main.py", "/app/new", "/app/node_modules/dep/i", "/app/old", "/app/moved",
        "/fresh/dir/x", "/home/u/f", "/ram/x", "/srv/s/a", "/srv/s/b",
        "/app/behind/k", "/etc/hosts", "/gone/g", "/was/w", "/is/w", "/aged/sub/f",
    ]  # fmt: skip
    old = ["/old/a", "/old/never", "/old/sub/same", "/old/sub/never", "/bin/busybox"]
    beside = ["/aged/a", "/aged/sub/same", "/app/kept/k", "/app/level"]
    same = [
        *old, *beside, "/aged/never", "/aged/sub/never", "/app/never", "/app/kept/never",
    ]  # fmt: skip
    truth = facts(engine, replica.image_id, [*image_paths, *same], cache=store.image_contents).files
    for full in (False, False, True, True):
        seen, learnt = observe_changes(
            engine, replica, [*image_paths, *same], cache=store.container_hashes, full=full
        )
        assert seen.asked == {*image_paths, *same}
        assert seen.files["/app/main.py"] == file(b"2\n")
        assert learnt.keys() <= set(same)
        by_layer = {"/app/never", "/app/kept/never", "/bin/busybox"}
        by_age = {*old, *beside} if directories_stay(engine, replica) else set(old)
        assert (by_layer if full else by_age) <= learnt.keys()
        assert {path: truth.get(path) for path in learnt} == learnt


def test_a_program_that_writes_beside_its_code_costs_no_list_of_changes(
    engine: Engine,
    store: Store,
    aged: Build,
    changed: Callable[[str, str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As Python does with its bytecode: the list costs the engine a walk over the whole image."""
    tag = aged(
        "FROM freshd-busybox:1\nRUN mkdir -p /app/pkg"
        " && for n in $(seq 300); do echo $n >/app/pkg/$n.py; done\n"
    )
    container = changed(tag, "mkdir /app/pkg/__pycache__ && echo 0 >/app/pkg/new.py")
    replica = engine.replica(container)
    if not directories_stay(engine, replica):
        pytest.skip("the overlay of this kernel lets directories be moved")
    monkeypatch.setattr(Engine, "changes", lambda *_: pytest.fail("asked for the changes"))
    code = {f"/app/pkg/{n}.py": file(b"%d\n" % n) for n in range(1, 301)}
    seen, learnt = observe_changes(
        engine, replica, [*code, "/app/pkg/new.py"], cache=store.container_hashes
    )
    assert learnt == code
    assert seen.files.keys() == {*code, "/app/pkg/new.py"}
