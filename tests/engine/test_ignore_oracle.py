"""Which files an ignore file leaves in the context: BuildKit's answer against freshd's."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from freshd.model.errors import ConfigError
from freshd.tree.dockerignore import DockerIgnore
from tests.patterns import PATHS, generated

FILES = ("foo/bar/x", "foo/y", "foo/qux/z", "foo/qux/deep/w", "top", "xfoo", "#top", "a b/c d")
OWN = {"Dockerfile", ".dockerignore"}
IGNORE_FILES = (
    "foo\n!foo/bar\nfoo", "foo\n!foo/bar\nfoo/*", "foo/*\n!foo/qux\nfoo/*", "*\n!foo/qux\n**/deep",
    "**foo", "**\n!foo/y", "foo/**\n!foo/qux/z", "foo\n!foo/qux/deep\n!foo/bar/x\nfoo/qux",
    "!foo/y\nfoo", "foo/../top", "/", ".", "foo/b*r\n!**/x", "foo/q?x/**", "*/*/*", "foo/[!b]ar",
    "foo/[^b]*", "\\top", "foo\n!foo/*\nfoo/qux", "fo*\n!foo/qux/deep/w", "**/qux/**\n!**/w",
    "foo/qux/\n!foo/qux/deep/", "foo\n ! foo/y", " top\r\n", "#top\n\\#top", "*\n!**/deep",
    "*\n!foo/qux/d*p", "\ufefftop\n\n", "a b",
    "**/", "*\n!foo\nfoo/q*\n!foo/qux/deep", "./foo//bar/",
    "foo/[a-c]?[!x]", "**/[wz]", "***/w", "foo/**/w", "/foo/y",
)  # fmt: skip


@pytest.fixture(scope="module")
def context(engine_env: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ignored")
    for path in FILES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return root


def sent(root: Path) -> set[str]:
    """The files BuildKit gets, read off a build that copies all of them."""
    argv = ["docker", "buildx", "build", "-q", "-o", "type=tar,dest=-", str(root)]
    done = subprocess.run(argv, capture_output=True, timeout=60, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        return {member.name for member in tar if member.isfile()} - OWN


def walked(root: Path, ignore: DockerIgnore, directory: str = "") -> Iterator[str]:
    """A walk that enters an excluded directory only where something may come back below it."""
    for name in os.listdir(root / directory):
        path = f"{directory}/{name}" if directory else name
        if not (root / path).is_dir():
            if not ignore.excludes(path):
                yield path
        elif not ignore.excludes(path) or ignore.may_reinclude_below(path):
            yield from walked(root, ignore, path)


@pytest.mark.parametrize("text", IGNORE_FILES)
def test_the_files_left_in_the_context_are_those_buildkit_sends(context: Path, text: str) -> None:
    (context / ".dockerignore").write_text(text)
    ignore = DockerIgnore.from_text(text)
    expected = sent(context)
    assert {path for path in FILES if not ignore.excludes(path)} == expected
    assert set(walked(context, ignore)) - OWN == expected


PATTERNS = int(os.environ.get("FRESHD_PATTERNS", "100"))
BATCH = 50


def readable(line: str) -> bool:
    try:
        DockerIgnore.from_text(line)
    except ConfigError:
        return False
    return True


@pytest.fixture(scope="module")
def places(engine_env: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A context with a directory for each pattern of a batch, all of them alike."""
    root = tmp_path_factory.mktemp("generated")
    for number in range(BATCH):
        for path in PATHS:
            file = root / f"p{number}" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return root


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(-(-PATTERNS // BATCH)))
def test_a_generated_pattern_means_what_buildkit_takes_it_for(places: Path, seed: int) -> None:
    """All of a batch in one build, each in a directory of its own."""
    lines = [
        f"p{number % BATCH}/{line}"
        for number, line in enumerate(generated(seed, 3 * BATCH))
        # the API's header takes no tab; the others would not stay in their directory
        if "\t" not in line and not line.strip().startswith((".", "!"))
    ]
    lines = [line for line in lines if readable(line)][:BATCH]
    (places / ".dockerignore").write_text("\n".join(lines))
    theirs = sent(places)
    ignore = DockerIgnore.from_text("\n".join(lines))
    every = [f"p{number}/{path}" for number in range(BATCH) for path in PATHS]
    assert [path for path in every if ignore.excludes(path) is (path in theirs)] == [], lines
    assert len(theirs) < len(every), "some are left out"


def test_a_line_that_freshd_refuses_is_one_that_buildkit_refuses(context: Path) -> None:
    refused = [line for line in generated(0, 200) if "\t" not in line and not readable(line)]
    for line in refused[: max(5, PATTERNS // 100)]:
        (context / ".dockerignore").write_text(line)
        with pytest.raises(subprocess.CalledProcessError):
            sent(context)
