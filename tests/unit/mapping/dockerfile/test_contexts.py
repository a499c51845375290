"""Further build contexts: what a name means, and what lands from there."""

from collections.abc import Mapping

import pytest

from freshd.mapping.dockerfile.contexts import NamedContext, familiar
from freshd.mapping.dockerfile.infer import Inference, infer
from freshd.mapping.dockerfile.replay.volume import Node
from freshd.mapping.dockerfile.stages import BaseImage
from freshd.model.files import Kind

LIB = NamedContext(
    dict.fromkeys(("z.py", "pkg/y.py"), Kind.FILE) | {"near": Kind.LINK, "pkg": Kind.DIR},
    {"near": "z.py"},
    prefix="../lib",
)
MAIN = dict.fromkeys(("a.py", "src/m.py"), Kind.FILE)


def run(text: str, **contexts: NamedContext) -> Inference:
    return infer(
        text,
        MAIN,
        contexts={name.replace("_", "/"): one for name, one in contexts.items()},
        image_config=lambda ref: None if ref == "absent" else BaseImage(lookup=lambda _path: None),
    )


def landed(inference: Inference) -> Mapping[str, str]:
    return {pair.target: pair.source for pair in inference.pairs}


@pytest.mark.parametrize("name", ["lib", "docker.io/lib", "lib:latest", "docker.io/library/lib"])
def test_names_are_compared_in_their_short_form(name: str) -> None:
    assert familiar(name) == "lib"
    assert landed(run(f"FROM x\nCOPY --from={name} z.py /d/\n", lib=LIB)) == {
        "/d/z.py": "../lib/z.py"
    }


def test_a_directory_of_a_further_context_is_remembered_by_its_name_from_the_main_one() -> None:
    found = run("FROM x\nCOPY --from=lib . /d\nCOPY --from=lib pkg /e\n", lib=LIB)
    assert landed(found) == {
        "/d/near": "../lib/near",
        "/d/pkg/y.py": "../lib/pkg/y.py",
        "/d/z.py": "../lib/z.py",
        "/e/y.py": "../lib/pkg/y.py",
    }
    assert found.directories == {"/d": "../lib", "/e": "../lib/pkg"}
    assert [step.verbatim for step in found.final] == [True, True]
    assert found.opaque == ()


def test_a_context_takes_the_place_of_a_stage_with_all_its_instructions() -> None:
    text = "FROM x AS lib\nWORKDIR /w\nCOPY a.py /a\nFROM x\nCOPY --from=lib /z.py /d/\n"
    assert landed(run(text, lib=LIB)) == {"/d/z.py": "../lib/z.py"}
    assert landed(run(text)) == {}


def test_a_directory_takes_the_place_of_a_base_image() -> None:
    assert landed(run("FROM lib\nCOPY a.py /pkg\n", lib=LIB)) == {
        "/near": "../lib/near",
        "/pkg/a.py": "a.py",
        "/pkg/y.py": "../lib/pkg/y.py",
        "/z.py": "../lib/z.py",
    }


def test_an_image_takes_the_place_of_a_base_image() -> None:
    image = BaseImage(workdir="/w", lookup=lambda _path: None)
    found = infer(
        "FROM absent\nCOPY a.py .\n",
        MAIN,
        contexts={"absent": NamedContext(image="here:1")},
        image_config=lambda ref: image if ref == "here:1" else None,
    )
    assert landed(found) == {"/w/a.py": "a.py"}
    assert found.opaque == ()


def test_what_cannot_be_followed_is_said_only_where_it_is_used() -> None:
    remote = NamedContext(unfollowed="the further build context lib is far away")
    assert run("FROM x\nCOPY a.py /a\n", lib=remote).opaque == ()
    found = run("FROM x\nCOPY --from=lib /q /q\n", lib=remote)
    assert found.opaque == ("line 2: COPY --from=lib: the further build context lib is far away",)
    assert found.lasting == found.opaque
    assert run("FROM lib\nCOPY a.py /a\n", lib=remote).lasting == (
        "line 1: the further build context lib is far away",
    )


def test_a_mounted_context_is_an_input() -> None:
    found = run("FROM x\nRUN --mount=type=bind,from=lib,source=pkg,target=/m make\n", lib=LIB)
    assert found.inputs == ("../lib/pkg/y.py",)
    assert found.untraced == ()


@pytest.mark.parametrize(
    ("lines", "untraced"),
    [
        ("RUN --mount=type=bind,from=img:1,target=/m x", "line 4: what its --mount brings"),
        ("RUN --mount=from=one,target=/m x", "line 4: what its --mount brings"),
        ("COPY --from=one /bin/tool /t", "line 4: what --from=one brings of its base image"),
        ("COPY --from=one / /all", "line 4: what --from=one brings of its base image"),
        ("COPY --from=one /etc /all", "line 4: what --from=one brings of its base image"),
        ("COPY --exclude=*.py src /d", "line 4: its --exclude"),
        ("COPY --from=one /made /d", None),
        ("COPY --from=one /a.py /d", None),
        ("RUN --mount=type=cache,target=/m x", None),
    ],
)
def test_what_no_history_shows_is_named(lines: str, untraced: str | None) -> None:
    """Another --from, or another image behind it, would leave the same history."""
    base = BaseImage(lookup={"/etc": Node(Kind.DIR), "/bin": Node(Kind.DIR)}.get)
    text = f"FROM x AS one\nCOPY a.py src /made/\nFROM x\n{lines}\n"
    text = text.replace("COPY a.py src /made/", "COPY a.py /a.py") if "/a.py" in lines else text
    found = infer(text, MAIN, image_config=lambda _ref: base)
    assert found.untraced == (() if untraced is None else (untraced,))


@pytest.mark.parametrize(
    ("syntax", "followed"),
    [
        ("docker/dockerfile:1", True),
        ("docker/dockerfile:1.7-labs", True),
        ("docker.io/docker/dockerfile-upstream:master", True),
        ("mirror.example:5000/docker/dockerfile@sha256:0", True),
        ("someone/other-language:2", False),
        ("docker/dockerfile2", False),
    ],
)
def test_a_file_of_another_frontend_is_not_read_and_all_it_may_use_is_an_input(
    syntax: str, *, followed: bool
) -> None:
    text = f"# syntax={syntax}\nFROM x\nCOPY a.py /a\n"
    found = run(text if followed else text + "INCLUDE x\n")
    if followed:
        assert landed(found) == {"/a": "a.py"}
        return
    assert found.pairs == ()
    assert found.inputs == ("a.py", "src/m.py")
    assert found.opaque == (f"line 1: the frontend {syntax} reads this file its own way",)
