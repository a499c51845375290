"""What has changed since an image was first seen, and what cannot be said to have."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from freshd.model.files import Entry, Kind
from freshd.model.mapping import ServiceMap
from freshd.model.observed.image import ImageFacts, Trace
from freshd.model.observed.snapshot import Snapshot
from freshd.observe.image.build.first_sight import FirstLook
from freshd.store import Store, memory_store
from tests.unit.compare.stack import files

IMAGE = ImageFacts("sha256:one", "c", tagged_at=90.0)
SEEN = {"src/main.c": "one", "lock": "1", "Dockerfile": "FROM a"}


def facts(trace: Trace = Trace.UNKNOWN, **texts: str) -> Snapshot:
    tree = {**SEEN, **texts}
    traceless = tuple(sorted(tree.keys() - {"Dockerfile"}))
    mapping = ServiceMap("web", inputs=(*traceless, "Dockerfile"), traceless=traceless)
    return Snapshot("web", builds=True, mapping=mapping, tree=files(tree), trace=trace)


@pytest.fixture
def store() -> Store:
    return memory_store()


@pytest.fixture
def look(store: Store) -> Callable[..., tuple[str, ...]]:
    """Looks at 100; files changed at 50 unless ``times`` says otherwise, and none is gone."""

    def look(
        now: Snapshot,
        image: ImageFacts = IMAGE,
        *,
        times: dict[str, float] | None = None,
        gone: tuple[str, ...] = (),
        keep: bool = True,
    ) -> tuple[str, ...]:
        first = FirstLook(
            store.first_sights,
            "shop",
            lambda path: (times or {}).get(path, 50.0),
            gone.__contains__,
            lambda: 100.0,
        )
        return first.find_edited(now, image, dockerfile="Dockerfile", keep=keep)

    assert look(facts()) == ()
    return look


def test_an_edit_is_found_again_and_again_until_it_is_undone(
    look: Callable[..., tuple[str, ...]],
) -> None:
    for _ in range(2):
        assert look(facts(lock="2")) == ("lock",)
    assert look(facts()) == ()


def test_the_dockerfile_counts_where_the_image_does_not_tell_of_it(
    look: Callable[..., tuple[str, ...]],
) -> None:
    assert look(facts(Dockerfile="FROM b")) == ("Dockerfile",)
    assert look(facts(Trace.EQUAL, Dockerfile="FROM a # b")) == ()


def test_a_new_file_counts_by_its_time_alone(look: Callable[..., tuple[str, ...]]) -> None:
    """That it is an input may only now be known."""
    now = facts(new="new")
    assert look(now) == ()
    assert look(now, times={"new": 101.0}) == ("new",)


def test_a_file_that_is_not_read_now_is_gone_only_where_that_is_proved(
    look: Callable[..., tuple[str, ...]],
) -> None:
    now = facts()
    tree = {path: entry for path, entry in now.tree.items() if path != "lock"}
    mapping = replace(now.mapping, traceless=("src/main.c",))
    without = replace(now, tree=tree, mapping=mapping)
    assert look(without) == ()
    assert look(without, gone=("lock",)) == ("lock",)
    assert look(without, gone=("lock",), keep=False) == (), "a narrow pass has a part of the tree"


def test_what_cannot_be_read_has_not_changed(look: Callable[..., tuple[str, ...]]) -> None:
    now = facts()
    closed = {**now.tree, "lock": Entry(Kind.UNREADABLE, reason="Permission denied")}
    assert look(replace(now, tree=closed)) == ()


@pytest.mark.parametrize(
    "image", [replace(IMAGE, id="sha256:two"), replace(IMAGE, tagged_at=101.0)]
)
def test_another_image_or_name_is_seen_for_the_first_time(
    image: ImageFacts, look: Callable[..., tuple[str, ...]]
) -> None:
    assert look(facts(lock="2"), image) == ()
    if image.id != IMAGE.id:
        assert look(facts(lock="3"), image) == ("lock",)


def test_a_narrow_pass_sees_nothing_for_the_first_time(
    store: Store, look: Callable[..., tuple[str, ...]]
) -> None:
    before = store.first_sights.get("shop", "web")
    assert look(facts(lock="2"), replace(IMAGE, id="sha256:two"), keep=False) == ()
    assert store.first_sights.get("shop", "web") == before
    assert store.first_sights.get("shop", "api") is None
