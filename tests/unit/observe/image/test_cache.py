"""What is held of images answers as the store would, and asks it once."""

from freshd.model.files import Entry, Kind
from freshd.observe.image.cache import MemoryImageCache
from freshd.store import memory_store


def test_answers_are_the_stores_and_outlive_it() -> None:
    store = memory_store()
    entry = Entry(Kind.FILE, "a" * 64, 3)
    store.image_contents.put_files("one", {"/a": entry, "/gone": None})
    held = MemoryImageCache(store.image_contents)
    assert held.get_files("one", ["/a", "/gone", "/unknown"]) == {"/a": entry, "/gone": None}
    held.put_files("one", {"/b": entry})
    assert store.image_contents.get_files("one", ["/b"]) == {"/b": entry}
    store.close()
    assert held.get_files("one", ["/a", "/b", "/gone"]) == {"/a": entry, "/b": entry, "/gone": None}


def test_the_oldest_image_makes_room_and_is_asked_for_again() -> None:
    store = memory_store()
    held = MemoryImageCache(store.image_contents)
    for name in ("one", "two", "three", "four", "five"):
        held.put_files(name, {"/a": Entry(Kind.FILE, "b" * 64)})
    assert list(held._files) == ["two", "three", "four", "five"]
    assert held.get_files("one", ["/a"]) == {"/a": Entry(Kind.FILE, "b" * 64)}
    store.close()
