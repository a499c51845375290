"""What changed after a container was made, an image was made, or a process was started."""

import os
import time
from pathlib import Path

import pytest

from freshd.config.compose.develop_watch import Selection
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Observation, Replica
from freshd.model.observed.image import ImageFacts
from freshd.model.policy import WatchRule
from freshd.model.remedy import Remedy
from freshd.observe.change_times import ChangeTimes
from freshd.store.store import memory_store
from freshd.tree.manifest import TreeManifest

OLD = Entry(Kind.FILE, "0" * 64)
NEW = Entry(Kind.FILE, "1" * 64)
TARGET = "/app/a"


class Tree:
    """One file on disk, whose change time is what the file system says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("one")
        self.clock = time.time
        self.since = ChangeTimes(
            TreeManifest(str(root), memory_store().tree_hashes), lambda: self.clock()
        )

    def write(self, text: str) -> None:
        (self.root / "a").write_text(text)

    @property
    def changed(self) -> float:
        return os.lstat(self.root / "a").st_ctime


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def replica(*, created: float = 0.0, started: float = 0.0, number: int = 1) -> Replica:
    return Replica(
        id=str(number), name=f"web-{number}", service="web", image_id="image",
        created_at=created, started_at=started,
    )  # fmt: skip


def seen(one: Replica, entry: Entry | None) -> Observation:
    return Observation(one, frozenset({TARGET}), {} if entry is None else {TARGET: entry})


PAIR = Pair("a", TARGET, Via.DECLARED, on_change=True)


@pytest.mark.parametrize(
    ("image", "container", "later", "expected"),
    [
        pytest.param(None, None, False, False, id="never there, and old"),
        pytest.param(None, None, True, True, id="never there, changed since"),
        pytest.param(OLD, OLD, False, False, id="as the image has it, and old"),
        pytest.param(OLD, OLD, True, True, id="as the image has it, changed since"),
        pytest.param(OLD, NEW, False, True, id="not as the image has it"),
        pytest.param(OLD, None, False, True, id="gone from the container"),
        pytest.param(None, NEW, False, True, id="come into the container"),
    ],
)
def test_a_synced_file_is_expected_once_it_changed_after_the_container_was_made(
    tree: Tree, image: Entry | None, container: Entry | None, later: bool, expected: bool
) -> None:
    created = tree.changed + (-1 if later else 1)
    files = {} if image is None else {TARGET: image}
    images = {"image": ImageFacts("image", "chain", files=files)}
    looked = [seen(replica(created=created), container)]
    kept = tree.since.expected([PAIR], looked, images, tuple)
    assert (PAIR in kept) is expected


def test_what_was_brought_once_is_expected_in_every_container_that_comes_later(
    tree: Tree,
) -> None:
    images = {"image": ImageFacts("image", "chain")}
    looked = [seen(replica(created=tree.changed + 1), None)]
    assert tree.since.expected([PAIR], looked, images, lambda: {TARGET}) == (PAIR,)
    always = Pair("a", TARGET, Via.DECLARED)
    assert tree.since.expected([always], looked, images, tuple) == (always,)
    assert tree.since.expected([PAIR], looked, {}, tuple) == (PAIR,), "the image is not known"


def test_one_replica_that_lacks_it_is_enough(tree: Tree) -> None:
    images = {"image": ImageFacts("image", "chain")}
    young, old = replica(created=tree.changed + 1), replica(created=tree.changed - 1, number=2)
    assert tree.since.expected([PAIR], [seen(young, None), seen(old, None)], images, tuple)
    assert not tree.since.expected([PAIR], [seen(young, None)], images, tuple)


def test_inputs_that_a_rebuild_rule_names_are_newer_than_an_older_image(tree: Tree) -> None:
    root = str(tree.root)
    rules = [
        WatchRule("web", 1, frozenset({Remedy.REBUILD}), f"{root}/a", Selection(root, f"{root}/a"))
    ]
    other = [WatchRule("web", 1, frozenset({Remedy.INJECT}), root, Selection(root, root), "/")]
    older, younger = (ImageFacts("i", "c", created_at=tree.changed + offset) for offset in (-1, 1))
    assert tree.since.newer(rules, ["a", "gone"], older) == ("a",)
    assert tree.since.newer(rules, ["a"], younger) == ()
    assert tree.since.newer(other, ["a"], older) == ()


def test_a_restart_is_due_for_what_changed_after_the_start(tree: Tree) -> None:
    def due(one: Replica, paths: set[str] | None = None) -> tuple[str, ...]:
        return tree.since.restarts("web", ["a"], [one], paths)[one.id]

    running = replica(started=tree.changed + 0.001)
    assert due(replica(started=tree.changed - 1)) == ("a",), "changed while nobody looked"
    assert due(running) == ()
    tree.write("two")
    os.utime(tree.root / "a")
    while tree.changed <= running.started_at:
        tree.write("two")
    assert due(running) == ("a",)
    assert due(running, {"a"}) == ("a",)
    assert due(running, {"other"}) == ()
    tree.write("one")
    assert due(running) == (), "brought back: the process has read just that"
    (tree.root / "a").unlink()
    assert due(running) == ("a",), "deleted"
    assert due(running, {"other"}) == ()
    assert due(replica(started=running.started_at + 100)) == (), "another start, nothing known"


def test_a_change_time_to_come_asks_for_nothing(tree: Tree) -> None:
    tree.clock = lambda: tree.changed - 5
    assert tree.since.restarts("web", ["a"], [replica()], None) == {"1": ()}


COPIED = Pair("a", TARGET, Via.COPY)


@pytest.mark.parametrize(
    ("held", "made", "expected"),
    [
        pytest.param(NEW, +60.0, True, id="made after the edit, other bytes of the same size"),
        pytest.param(NEW, -60.0, False, id="made before the edit"),
        pytest.param(NEW, 0.0, False, id="made at about that time"),
        pytest.param(Entry(Kind.FILE, "1" * 64, size=9), +60.0, False, id="of another size"),
        pytest.param(Entry(Kind.LINK, "1" * 64), +60.0, False, id="of another kind"),
        pytest.param(None, +60.0, False, id="not in the image"),
        pytest.param(OLD, +60.0, False, id="the same bytes"),
    ],
)
def test_a_builder_was_fooled_where_an_older_edit_is_not_in_the_image(
    tree: Tree, held: Entry | None, made: float, *, expected: bool
) -> None:
    files = {} if held is None else {TARGET: held}
    image = ImageFacts("image", "chain", created_at=tree.changed + made, files=files)
    assert tree.since.fooled([COPIED], {"a": OLD}, image) is expected
    assert not tree.since.fooled([PAIR], {"a": OLD}, image), "a declared file is not built"
    assert not tree.since.fooled([COPIED], {}, image), "what left the tree was not edited"
