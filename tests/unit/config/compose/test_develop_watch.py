"""``develop.watch`` as Compose prints it becomes rules in freshd's terms, and a part of the map."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.config.compose.develop_watch import (
    Selection,
    any_selects,
    list_ignore_files,
    read_watch_rules,
)
from freshd.config.compose.model import ComposeService, parse
from freshd.mapping.service_map import MapResult, build_map
from freshd.model.errors import ConfigError
from freshd.model.files import Kind
from freshd.model.mapping import Via
from freshd.model.policy import Hook, MapEntry, ServicePolicy, WatchRule
from freshd.model.remedy import Remedy
from freshd.model.text import Json
from freshd.tree.dockerignore import DockerIgnore
from freshd.tree.listing import stamp_again

NONE: dict[str, Json] = {"command": None}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    def make(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return make


def service(root: Path, *rules: dict[str, Json], **more: Json) -> ComposeService:
    """As `docker compose config` prints it: absolute paths, and an empty exec everywhere."""
    watch = [
        {"exec": NONE, **rule, "path": os.path.normpath(root / str(rule["path"]))} for rule in rules
    ]
    raw: dict[str, Json] = {
        "build": {"context": str(root), "dockerfile": "Dockerfile"},
        "develop": {"watch": watch},
        **more,
    }
    return parse({"name": "shop", "services": {"web": raw}}).services["web"]


def rules_of(root: Path, *rules: dict[str, Json], **more: Json) -> tuple[WatchRule, ...]:
    return read_watch_rules([service(root, *rules, **more)], project_dir=str(root))


def mapped(
    root: Path, *rules: dict[str, Json], policy: ServicePolicy | None = None, **more: Json
) -> MapResult:
    one = service(root, *rules, **more)
    watch = read_watch_rules([one], project_dir=str(root))
    return build_map(one, project_dir=str(root), policy=policy, watch=watch)


# ---- the model, as Compose 2.26 and 2.40 print it


def test_a_rule_is_read_as_a_new_compose_prints_it(tmp_path: Path) -> None:
    command: dict[str, Json] = {
        "command": ["app", "reload"],
        "user": "0",
        "privileged": True,
        "working_dir": "/srv",
        "environment": {"A": "b", "FROM_HOST": None, "N": 3},
    }
    (rule,) = rules_of(
        tmp_path,
        {
            "path": "conf",
            "action": "sync+exec",
            "target": "/etc/conf/",
            "exec": command,
            "include": ["*.conf"],
            "ignore": ["x.conf"],
            "initial_sync": True,
        },
    )
    assert rule.name == "develop.watch web 1"
    assert rule.does == {Remedy.INJECT, Remedy.EXEC}
    environment = {"A": "b", "FROM_HOST": None, "N": "3"}
    assert rule.hook == Hook(("app", "reload"), "0", True, "/srv", environment)
    assert rule.initial
    assert rule.lands("conf/site.conf") == "/etc/conf/site.conf"
    assert rule.lands("conf/x.conf") is None
    assert rule.lands("conf/site.txt") is None


@pytest.mark.parametrize(
    ("action", "does"),
    [
        ("sync", {Remedy.INJECT}),
        ("sync+restart", {Remedy.INJECT, Remedy.RESTART}),
        ("sync+exec", {Remedy.INJECT, Remedy.EXEC}),
        ("restart", {Remedy.RESTART}),
        ("rebuild", {Remedy.REBUILD}),
    ],
)
def test_each_action_is_a_set_of_remedies(tmp_path: Path, action: str, does: set[Remedy]) -> None:
    (rule,) = rules_of(tmp_path, {"path": "a", "action": action, "target": "/a"})
    assert rule.does == does
    assert (rule.target is None) == (Remedy.INJECT not in does)
    assert rule.hook is None


def test_a_later_composes_action_is_left_out_and_the_numbers_stay(tmp_path: Path) -> None:
    rules = rules_of(
        tmp_path,
        {"path": "a", "action": "sync+signal", "target": "/a"},
        {"path": "b", "action": "sync", "target": "/b"},
    )
    assert [rule.name for rule in rules] == ["develop.watch web 2"]


@pytest.mark.parametrize(
    ("broken", "key"),
    [
        ({"watch": {}}, "develop.watch is a mapping"),
        ({"watch": [{"action": "sync"}]}, "develop.watch[0].path is missing"),
        ({"watch": [{"path": "/a", "ignore": "x"}]}, "develop.watch[0].ignore"),
        ({"watch": [{"path": "/a", "exec": {"command": "x"}}]}, "exec.command is 'x', not a list"),
    ],
)
def test_a_malformed_section_is_named(broken: dict[str, Json], key: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(key)):
        parse({"name": "shop", "services": {"web": {"develop": broken}}})


def test_a_malformed_pattern_is_told_with_its_rule(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"web\.develop\.watch\[0\]\.ignore:1.*malformed"):
        rules_of(tmp_path, {"path": "a", "action": "sync", "target": "/a", "ignore": ["["]})


def test_what_is_bind_mounted_is_not_synced_as_compose_does_not(tmp_path: Path) -> None:
    bind: Json = [{"type": "bind", "source": str(tmp_path), "target": "/app"}]
    rules = rules_of(
        tmp_path,
        {"path": "a", "action": "sync", "target": "/a"},
        {"path": "a", "action": "restart"},
        {"path": "a", "action": "rebuild"},
        volumes=bind,
    )
    assert [rule.number for rule in rules] == [2, 3]


# ---- what a rule speaks of


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        pytest.param("app/a.py", True, id="a file below"),
        pytest.param("app/deep/er/a.py", True, id="far below"),
        pytest.param("a.py", False, id="beside"),
        pytest.param("application/a.py", False, id="a name that begins alike"),
        pytest.param("app/a.log", False, id="ignored at the rule's path"),
        pytest.param("app/deep/a.log", True, id="anchored: not below it"),
        pytest.param("app/cache/x", False, id="below an ignored directory"),
        pytest.param("app/deep/cache/x", True, id="that directory elsewhere"),
        pytest.param("app/any/tmp/x", False, id="at any depth with **"),
        pytest.param("app/kept.tmp", True, id="taken back by a later line"),
        pytest.param("app/other.tmp", False, id="not taken back"),
        pytest.param("app/.git/config", False, id="git's own"),
        pytest.param("app/deep/.git/HEAD", False, id="git's own at any depth"),
        pytest.param("app/.a.py.swp", False, id="an editor's"),
        pytest.param("app/.idea/x.xml", False, id="another editor's"),
        pytest.param("app/secret/key", False, id="left out of the build context"),
        pytest.param("app/secret/public", True, id="taken back into the context"),
        pytest.param("app/#x", False, id="a list has no comments"),
    ],
)
def test_ignore_is_anchored_at_the_rule_and_the_contexts_own_at_the_context(
    write: Callable[[dict[str, str]], Path], path: str, ours: bool
) -> None:
    root = write({".dockerignore": "app/secret\n!app/secret/public\n"})
    ignore: Json = ["*.log", "/cache/", "**/tmp", "*.tmp", "!kept.tmp", "#x"]
    (rule,) = rules_of(root, {"path": "app", "action": "sync", "target": "/app", "ignore": ignore})
    assert rule.selects(path) is ours
    assert (rule.lands(path) is not None) is ours


def test_a_star_and_what_it_takes_back_hold_which_compose_forgets(
    write: Callable[[dict[str, str]], Path],
) -> None:
    root = write({".dockerignore": "*\n!app\n!Dockerfile\n"})
    (rule,) = rules_of(root, {"path": ".", "action": "sync", "target": "/srv"})
    assert rule.lands("app/a.py") == "/srv/app/a.py"
    assert rule.lands("notes.txt") is None
    assert rule.selects.enters("app")
    assert not rule.selects.enters("node_modules")


def test_the_ignore_file_of_the_dockerfile_comes_first_and_both_are_noticed(
    write: Callable[[dict[str, str]], Path],
) -> None:
    root = write({"Dockerfile.dockerignore": "a", ".dockerignore": "b"})
    one = service(root, {"path": ".", "action": "sync", "target": "/srv"})
    (rule,) = read_watch_rules([one], project_dir=str(root))
    assert not rule.selects("a")
    assert rule.selects("b")
    named = {os.path.basename(path) for path in list_ignore_files([one])}
    assert named == {"Dockerfile.dockerignore", ".dockerignore"}


def test_include_is_anchored_as_ignore_is_and_ignore_wins(tmp_path: Path) -> None:
    include: Json = ["*.py", "deep"]
    (rule,) = rules_of(
        tmp_path,
        {"path": "a", "action": "sync", "target": "/a", "include": include, "ignore": ["no.py"]},
    )
    hits = ["a/x.py", "a/deep/x.md", "a/deep/er/x.md"]
    misses = ["a/x.md", "a/other/x.py", "a/no.py"]
    assert [path for path in (*hits, *misses) if rule.selects(path)] == hits


@pytest.mark.parametrize(
    ("target", "lands"),
    [("/etc/app.conf", "/etc/app.conf"), ("/etc/", "/etc/site.conf"), ("etc//x/../y", "/etc/y")],
)
def test_one_file_lands_at_its_target_or_in_that_directory(
    tmp_path: Path, target: str, lands: str
) -> None:
    (rule,) = rules_of(tmp_path, {"path": "site.conf", "action": "sync", "target": target})
    assert rule.lands("site.conf") == lands
    assert rule.lands("site.conf/x") != lands


def test_a_path_outside_the_project_is_named_from_it(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (rule,) = rules_of(shop, {"path": "../lib", "action": "sync", "target": "/lib"})
    assert rule.lands("../lib/a.py") == "/lib/a.py"
    assert rule.lands("lib/a.py") is None
    (rule,) = rules_of(shop, {"path": "..", "action": "sync", "target": "/all"})
    assert rule.lands("a.py") == "/all/shop/a.py"
    assert rule.lands("../lib/a.py") == "/all/lib/a.py"


def test_a_project_reached_through_a_link_has_the_same_names(tmp_path: Path) -> None:
    real = tmp_path / "real"
    (real / "app").mkdir(parents=True)
    (real / "app/a.py").write_text("")
    (real / "Dockerfile").write_text("FROM x\n")
    link = tmp_path / "link"
    link.symlink_to(real)
    one = service(real, {"path": "app", "action": "sync", "target": "/app"})
    watch = read_watch_rules([one], project_dir=str(link))
    result = build_map(one, project_dir=str(link), watch=watch)
    assert [(pair.source, pair.target) for pair in result.map.pairs] == [("app/a.py", "/app/a.py")]


NAMES = st.sampled_from(["a", "b", "cache", "x.log", "y.log"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PATTERNS = st.lists(
    st.sampled_from(["a", "*", "**", "*.log", "cache", "?"]), min_size=1, max_size=3
)


@given(path=PATHS, pattern=PATTERNS.map("/".join))
def test_an_ignore_pattern_means_the_same_wherever_its_rule_is(path: str, pattern: str) -> None:
    """Against an oracle of its own: names one by one, ``**`` for any number of them."""

    def hits(names: list[str], parts: list[str]) -> bool:
        if not parts:
            return not names
        if parts == ["**"]:
            return bool(names)
        if parts[0] == "**":
            return any(hits(names[at:], parts[1:]) for at in range(len(names) + 1))
        if not names:
            return False
        wild = re.escape(parts[0]).replace(r"\*", ".*").replace(r"\?", ".")
        return re.fullmatch(wild, names[0]) is not None and hits(names[1:], parts[1:])

    names = path.split("/")
    left_out = any(hits(names[:end], pattern.split("/")) for end in range(1, len(names) + 1))
    for where in ("", "deep/", "../lib/"):
        source = os.path.normpath(f"/home/shop/{where}")
        ignore = DockerIgnore.from_lines([pattern])
        selects = Selection("/home/shop", source, ignore)
        assert selects(f"{where}{path}") is not left_out, where
        if not left_out:
            above = os.path.dirname(path)
            assert not above or selects.enters(f"{where}{above}")


# ---- the map


FILES = {
    "Dockerfile": "FROM x\nCOPY app /app\n",
    ".gitignore": "dist/\n",
    "app/a.py": "",
    "dist/b.js": "",
    "package.json": "",
    "start/me": "",
}
SYNC: dict[str, Json] = {"path": ".", "action": "sync", "target": "/", "ignore": ["start"]}
REBUILD: dict[str, Json] = {"path": "package.json", "action": "rebuild"}
RESTART: dict[str, Json] = {"path": "start", "action": "restart"}


def test_a_sync_maps_what_no_copy_maps_already_and_what_git_ignores(
    write: Callable[[dict[str, str]], Path],
) -> None:
    result = mapped(write(FILES), SYNC)
    pairs = {pair.target: (pair.via, pair.why, pair.on_change) for pair in result.map.pairs}
    why = "develop.watch rule 1 of web"
    assert pairs["/app/a.py"] == (Via.COPY, "Dockerfile line 2", False)
    assert pairs["/dist/b.js"] == (Via.DECLARED, why, True)
    assert "/start/me" not in pairs
    first = mapped(write(FILES), {**SYNC, "initial_sync": True})
    assert [pair.on_change for pair in first.map.pairs if pair.via is Via.DECLARED] == [False] * 4


def test_what_the_policy_maps_or_ignores_comes_before_a_rule(
    write: Callable[[dict[str, str]], Path],
) -> None:
    policy = ServicePolicy(map=(MapEntry("start/me", "/dist/b.js"),), ignore=("*.json",))
    result = mapped(write(FILES), SYNC, policy=policy)
    assert {p.target: p.source for p in result.map.pairs}["/dist/b.js"] == "start/me"
    assert "/package.json" not in {pair.target for pair in result.map.pairs}


def test_what_asks_for_a_rebuild_is_an_input_and_what_asks_for_a_restart_no_pair(
    write: Callable[[dict[str, str]], Path],
) -> None:
    result = mapped(write(FILES), REBUILD, RESTART, {"path": "app", "action": "rebuild"})
    assert "package.json" in result.map.inputs
    assert "package.json" not in result.map.traceless  # the image need not tell of it
    assert "app/a.py" not in result.map.inputs  # compared as it lands
    assert result.restarts == ("start/me",)
    assert [pair.target for pair in result.map.pairs] == ["/app/a.py"]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(SYNC, id="the whole context"),
        pytest.param({**SYNC, "path": "app", "ignore": ["in/*", "!in/kept"]}, id="below, ignoring"),
        pytest.param({**SYNC, "path": "app/in", "include": ["k*"]}, id="deeper, including"),
        pytest.param({**SYNC, "path": "app", "action": "rebuild"}, id="rebuild"),
    ],
)
def test_files_that_were_listed_for_the_build_are_those_a_walk_would_find(
    write: Callable[[dict[str, str]], Path], monkeypatch: pytest.MonkeyPatch, rule: dict[str, Json]
) -> None:
    more = dict.fromkeys(("app/in/kept", "app/in/k2", "app/out/a", "app/.idea/x", "app/.git/x"), "")
    root = write({**FILES, **more, ".dockerignore": "app/out\n**/*.json\n!app/in/kept\n"})
    policy = ServicePolicy(ignore=("in/k2", "/dist"))
    at_once = mapped(root, rule, policy=policy).map
    monkeypatch.setattr(Selection, "covers", lambda *_: False)
    assert mapped(root, rule, policy=policy).map == at_once


def test_a_file_that_comes_below_a_rule_makes_another_map(
    write: Callable[[dict[str, str]], Path],
) -> None:
    root = write(FILES)
    known = mapped(root, SYNC, RESTART)
    known = replace(known, stamps=stamp_again(known.stamps))
    assert stamp_again(known.stamps) == known.stamps
    write({"dist/c.js": ""})
    assert stamp_again(known.stamps) != known.stamps


def test_the_watch_enters_what_a_rule_may_speak_of(
    write: Callable[[dict[str, str]], Path],
) -> None:
    rules = rules_of(
        write(FILES), {"path": "dist/js", "action": "sync", "target": "/js", "ignore": ["vendor"]}
    )
    entered = ["dist", "dist/js", "dist/js/deep"]
    left = ["other", "dist/css", "dist/js/vendor", "dist/js/.git"]
    assert [one for one in (*entered, *left) if any_selects(rules, one, Kind.DIR)] == entered
    assert any_selects(rules, "dist/js/a.js", Kind.FILE)
    assert not any_selects(rules, "dist/a.js", Kind.FILE)
