"""What an image's layers and files say of an inferred map."""

from freshd.mapping.corrections import Corrections
from freshd.mapping.dockerfile.infer import CopyPair
from freshd.model.observed.image import ImageFacts
from freshd.observe.image.confirmation import (
    doubt_earlier_stages,
    learn_verbatim,
    learn_writers,
)
from freshd.observe.image.layers import Writer
from freshd.store.store import memory_store

COPY = "COPY . /app # buildkit"
PAIRS = {f"/app/{name}": CopyPair(name, f"/app/{name}", through_run=name != "d") for name in "abcd"}


def test_what_a_run_wrote_is_no_pair_and_what_it_chmodded_has_another_mode() -> None:
    known = Corrections()
    writers = {
        "/app/a": Writer("RUN sed -i s/a/b/ /app/a # buildkit"),
        "/app/b": Writer(COPY, 0o755),
        "/app/c": Writer(COPY),
        "/app/d": Writer(),
    }
    assert learn_writers(known, writers)
    assert known.rewritten.keys() == {"/app/a"}
    assert known.modes == {"/app/b": 0o755}
    assert not learn_writers(known, writers), "told again it is no news"


def test_a_file_that_was_once_seen_to_come_through_as_it_was_is_not_doubted() -> None:
    image = ImageFacts(id="sha256:1", chain_id="sha256:c")
    odd = ("/app/b", "/app/d")
    store = memory_store()
    learn_verbatim(Corrections(), PAIRS, lambda: ["/app/a", "/app/b"], image, store.image_contents)
    later = Corrections()  # another process, after an edit
    learn_verbatim(later, PAIRS, lambda: ["/app/a"], image, store.image_contents)
    assert later.verbatim == {"/app/a", "/app/b"}
    assert not doubt_earlier_stages(later, PAIRS, odd)
    assert doubt_earlier_stages(later, PAIRS, ("/app/c", "/app/d"))
    assert later.rewritten.keys() == {"/app/c"}, "/app/d passed no RUN"
    store.close()


def test_without_a_sight_of_it_a_difference_is_doubted() -> None:
    known = Corrections()
    assert doubt_earlier_stages(known, PAIRS, ("/app/a",))
    assert known.rewritten == {"/app/a": "a RUN of an earlier stage may have changed it"}
