"""ONBUILDs of a base image that is not here are not taken for its own instructions."""

import pytest

from freshd.mapping.dockerfile.infer import infer
from freshd.mapping.dockerfile.replay.onbuild import find_unseen_trigger
from freshd.mapping.dockerfile.stages import BaseImage
from freshd.model.files import Kind
from freshd.model.observed.image import HistoryEntry

FILES = {"package.json": Kind.FILE, "src": Kind.DIR, "src/a.js": Kind.FILE}
OWN = 'CMD ["x"]'


def told(line: str, *, base: BaseImage | None = None) -> str:
    found = infer("FROM far:1 AS a\nFROM a\nCMD x\n", FILES, image_config=lambda _ref: base)
    history = [HistoryEntry("ADD file:1 in /"), HistoryEntry(line), HistoryEntry(OWN, empty=True)]
    return find_unseen_trigger(found, history)


@pytest.mark.parametrize(
    ("line", "doubted"),
    [
        ("COPY . /app # buildkit", True),
        ("COPY package.json package-lock.json ./ # buildkit", True),
        ("ADD --chown=1:1 ./src/ /srv # buildkit", True),
        ("COPY pack*.json /x # buildkit", True),
        ("COPY / /x # buildkit", True),
        ("COPY docker-entrypoint.sh /usr/local/bin/ # buildkit", False),
        ("COPY /usr/local/bin/node /bin/ # buildkit", False),
        ("RUN /bin/sh -c cp package.json /x # buildkit", False),
        ("/bin/sh -c #(nop) COPY dir:1 in /app ", False),
        (OWN, False),
    ],
)
def test_a_copy_of_what_the_context_has_may_be_a_trigger(line: str, *, doubted: bool) -> None:
    assert bool(told(line)) is doubted
    assert told(line, base=BaseImage()) == ""


def test_the_words_name_the_line_and_the_image() -> None:
    assert told("COPY . /app # buildkit") == (
        "'COPY . /app' of the image may be an ONBUILD of far:1, which is not here to be looked "
        "at: pull it"
    )
