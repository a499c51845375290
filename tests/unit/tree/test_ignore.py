"""What is watched agrees with git, but for what freshd leaves out on top."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from freshd.mapping.left_out import explain_watch_ignore
from freshd.model.files import Kind
from freshd.model.globs.git import GitRules
from freshd.tree.ignore import WatchIgnore
from freshd.tree.walk import walk
from tests.patterns import PATHS, generated

FILES = (
    "a",
    "b.py",
    "src/a",
    "src/b.py",
    "src/c.txt",
    "src/deep/a",
    "src/deep/b.py",
    "src/deep/x/b.py",
    "lib/src/a",
    "lib/a/b.py",
    "build/out.txt",
    "lib/build/a",
    "odd name",
    "[x]",
)

NAMES = st.sampled_from(
    [
        "a",
        "*",
        "*.py",
        "src",
        "deep",
        "lib",
        "build",
        "b.*",
        "?",
        "**",
        "[ab]",
        "[!a]*",
        "x",
        "c.txt",
    ]
)


@st.composite
def patterns(draw: st.DrawFn) -> str:
    body = "/".join(draw(st.lists(NAMES, min_size=1, max_size=3)))
    prefix = draw(st.sampled_from(["", "", "", "!", "!", "/", "!/", "**/"]))
    suffix = draw(st.sampled_from(["", "", "", "/", "/*", "/**", " "]))
    return f"{prefix}{body}{suffix}"


def make_tree(root: Path) -> Path:
    for path in FILES:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    subprocess.run(["git", "init", "-q", str(root)], check=True, env=quiet_git())
    return root


def write_ignores(root: Path, ignore: dict[str, list[str]]) -> None:
    for directory, lines in ignore.items():
        (root / directory / ".gitignore").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tree(tmp_path_factory.mktemp("tree"))


def quiet_git() -> dict[str, str]:
    return {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "XDG_CONFIG_HOME": "/nonexistent",
    }


def ignored_by_git(root: Path, paths: list[str]) -> set[str]:
    done = subprocess.run(
        ["git", "-C", str(root), "check-ignore", "--no-index", "-z", "--stdin"],
        input="\0".join(paths).encode(),
        capture_output=True,
        check=False,
        env=quiet_git(),
    )
    assert done.returncode in (0, 1), done.stderr
    return {name for name in done.stdout.decode().split("\0") if name}


@pytest.mark.timeout(60)
@settings(max_examples=120, deadline=None)
@given(top=st.lists(patterns(), max_size=5), nested=st.lists(patterns(), max_size=3))
@example(top=["src/", "!src/a"], nested=[])
@example(top=["*", "!*/", "!*.py"], nested=[])
@example(top=["src/**"], nested=["!a"])
@example(top=["src/**/"], nested=[])
@example(top=["a", "!a/"], nested=[])
def test_the_same_files_as_git_are_ignored(tree: Path, top: list[str], nested: list[str]) -> None:
    write_ignores(tree, {"": top, "src": nested})
    rules = WatchIgnore(str(tree))
    ours = {path for path in FILES if rules.ignored(path)}
    assert ours == ignored_by_git(tree, list(FILES))
    walked = {found.path for found in walk(str(tree), skip=rules.skip) if found.kind is Kind.FILE}
    assert walked & set(FILES) == set(FILES) - ours


PATTERNS = int(os.environ.get("FRESHD_PATTERNS", "400"))
BATCH = 200


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(-(-PATTERNS // BATCH)))
def test_a_generated_pattern_means_what_git_takes_it_for(tmp_path: Path, seed: int) -> None:
    """Each in a directory of its own; git is asked about all of them at once."""
    lines = generated(seed, BATCH)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, env=quiet_git())
    for number, line in enumerate(lines):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / ".gitignore").write_text(f"{line}\n")
    every = [f"{number}/{path}" for number in range(BATCH) for path in PATHS]
    theirs = ignored_by_git(tmp_path, every)
    rules = WatchIgnore(str(tmp_path))
    differing = [path for path in every if rules.ignored(path) is not (path in theirs)]
    told = [(lines[int(path.partition("/")[0])], path) for path in differing]
    assert told == [], f"seed {seed}"
    assert theirs, "some are ignored"


def test_a_tree_may_be_deeper_than_calls_may_nest(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("x\n")
    deep = "/".join(["d"] * 2000)
    rules = WatchIgnore(str(tmp_path))
    assert not rules.ignored(f"{deep}/a")
    assert rules.ignored(f"{deep}/x/a")


def test_files_above_the_root_and_gits_own_exclude_count(tmp_path: Path) -> None:
    write_ignores(make_tree(tmp_path), {"": ["/src/deep/b.py"]})
    (tmp_path / ".git/info/exclude").write_text("c.txt\n")
    rules = WatchIgnore(str(tmp_path / "src"))
    assert rules.ignored("deep/b.py")
    assert rules.ignored("c.txt")
    assert not rules.ignored("deep/x/b.py")


@pytest.mark.parametrize(
    "name",
    ["a.py~", ".#a.py", "#a.py#", ".a.py.swp", "a.py___jb_tmp___", "4913", ".DS_Store", ".a.swo"],
)
def test_what_editors_leave_behind_is_not_watched(tmp_path: Path, name: str) -> None:
    assert WatchIgnore(str(tmp_path)).ignored(f"src/{name}")


def test_git_directories_are_never_watched_and_similar_names_are(tmp_path: Path) -> None:
    rules = WatchIgnore(str(tmp_path))
    assert rules.skip(".git", Kind.DIR)
    assert rules.skip("vendor/x/.git", Kind.FILE)
    assert rules.ignored(".git/HEAD")
    assert not rules.ignored(".gitignore")
    assert not rules.ignored("4913.py")


def test_policy_patterns_hide_what_git_shows(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("!logs/\n")
    rules = WatchIgnore(str(tmp_path), policy=["logs/", "*.log"])
    assert rules.ignored("logs/x")
    assert rules.ignored("a/b.log")
    assert not rules.ignored("a/b.py")


def test_a_changed_ignore_file_counts_after_reload(tmp_path: Path) -> None:
    rules = WatchIgnore(str(tmp_path))
    assert not rules.ignored("out/a")
    (tmp_path / ".gitignore").write_text("out\n")
    assert rules.concerns(".gitignore")
    assert rules.concerns("sub/.gitignore")
    assert not rules.concerns("a.py")
    rules.reload()
    assert rules.ignored("out/a")


def test_an_ignore_file_that_is_a_fifo_or_a_link_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor opened (rule 10): whoever waits at the other end of a fifo would go on."""
    opened: list[object] = []
    real = os.open

    def noting(path: str, flags: int, *, dir_fd: int | None = None) -> int:
        opened.append(path)
        return real(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", noting)
    os.mkfifo(tmp_path / ".gitignore")
    (tmp_path / "sub").mkdir()
    (tmp_path / "rules").write_text("a\n")
    (tmp_path / "sub/.gitignore").symlink_to("../rules")
    rules = WatchIgnore(str(tmp_path))
    assert not rules.ignored("a")
    assert not rules.ignored("sub/a")
    assert explain_watch_ignore(str(tmp_path), "sub/a") is None
    assert opened
    assert not [path for path in opened if str(path).endswith(".gitignore")]


def test_malformed_lines_are_dropped_and_others_kept() -> None:
    rules = GitRules(["[", "!", "/", "#x", "ok"])
    assert rules.decide("ok", directory=False)
    assert rules.decide("[", directory=False) is None


def test_names_that_are_not_utf8_are_matched(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"*.\xff\n")
    rules = WatchIgnore(str(tmp_path))
    assert rules.ignored(os.fsdecode(b"x.\xff"))
    assert not rules.ignored(os.fsdecode(b"x.\xfe"))
