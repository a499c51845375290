"""What is proposed for stacks of many kinds: the order of rules, their reach, and that it loads."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.commands.init.reach import anchored
from freshd.commands.init.rules import propose
from freshd.commands.init.text import policy_text, quoted
from freshd.config.load import check_services, parse_policy
from freshd.decide.match import injection_forbidden, matching_rule
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.processes import ReloadMode
from freshd.model.policy import Policy, ProjectSettings
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.verbs.proposal import Confidence, DetectedService, Proposal

RESTART = ReloadMode("restart", "it loads its code once")
SELF = ReloadMode("self", "it reloads")
PIP = ("pip install -r requirements.txt",)


def copied(*sources: str, **more: Any) -> tuple[Pair, ...]:
    return tuple(Pair(each, f"/app/{each}", Via.COPY, **more) for each in sources)


def bound(*sources: str) -> tuple[Pair, ...]:
    return tuple(
        Pair(each, f"/app/{each}", Via.BIND, why=f"bind mount at /app/{each}") for each in sources
    )


def service(
    name: str, *pairs: Pair, way: ReloadMode = RESTART, inputs: tuple[str, ...] = (), **more: Any
) -> DetectedService:
    made = ServiceMap(name, pairs=tuple(pairs), inputs=inputs, traceless=inputs)
    return DetectedService(name, f"shop-{name}", way, made, **{"builds": True, **more})


PYTHON = service(
    "web", *copied("app/main.py", "requirements.txt", "tests/test_a.py", "README.md"), runs=PIP
)
GO = service("api", *copied("main.go", "go.mod"), runs=("go build -o /x .",))
BINARY = service("tool", inputs=("main.go", "go.mod"))
NEXT = service("front", *copied("app/page.tsx", "public/a.png"), runs=("npm run build",))
VITE = replace(NEXT, name="dev", way=SELF)
STORE = service("db", *bound("db/init.sql"), builds=False, store=True)
CONFIGURED = service("proxy", *bound("nginx.conf"), builds=False)
IMAGE = service("mail", builds=False)


def policy(*looks: DetectedService, **more: Any) -> Policy:
    proposal = propose("shop", looks, **more)
    loaded = parse_policy(policy_text(proposal))
    assert check_services(loaded, [look.name for look in looks]) == ()
    return loaded


def does(loaded: Policy, service: str, path: str | None, cause: str = "content-differs") -> Any:
    finding = Finding(cause, Level.STALE, LinkName.CONTAINER, service, "", path=path)
    rule = matching_rule(finding, loaded)
    return None if rule is None else tuple(each.value for each in rule.do)


INJECTED = ("inject", "purge", "reload")


@pytest.mark.parametrize(
    ("look", "path", "cause", "expected"),
    [
        (PYTHON, "app/main.py", "content-differs", INJECTED),
        (PYTHON, "app/new.py", "missing-in-container", INJECTED),
        (PYTHON, "app/old.py", "extra-in-container", INJECTED),
        (PYTHON, "requirements.txt", "content-differs", ("rebuild",)),
        (PYTHON, "tests/test_a.py", "content-differs", ("inject",)),
        (PYTHON, "README.md", "content-differs", ("inject",)),
        (PYTHON, None, "build-input-changed", ("rebuild",)),
        (PYTHON, None, "old-image", ("recreate",)),
        (PYTHON, "app/main.py", "changed-in-container", None),
        (PYTHON, None, "image-behind", None),
        (PYTHON, None, "build-unrecorded", None),
        (GO, "main.go", "content-differs", ("rebuild",)),
        (GO, "main.go", "extra-in-container", ("rebuild",)),
        (replace(GO, way=replace(RESTART, compiles=True)), "main.go", "content-differs", INJECTED),
        (GO, "go.mod", "content-differs", ("rebuild",)),
        (BINARY, None, "build-unrecorded", None),
        (BINARY, None, "build-input-changed", ("rebuild",)),
        (NEXT, "app/page.tsx", "content-differs", ("rebuild",)),
        (NEXT, "public/a.png", "content-differs", INJECTED),
        (VITE, "app/page.tsx", "content-differs", INJECTED),
        (STORE, "db/init.sql", "content-differs", None),
        (CONFIGURED, "nginx.conf", "content-differs", ("restart",)),
        (IMAGE, None, "old-image", ("recreate",)),
        (IMAGE, None, "build-input-changed", None),
    ],
)
def test_what_would_be_done(
    look: DetectedService, path: str | None, cause: str, expected: tuple[str, ...] | None
) -> None:
    assert does(policy(look), look.name, path, cause) == expected


def test_rules_reach_only_the_services_they_are_meant_for() -> None:
    loaded = policy(PYTHON, GO, NEXT, VITE, STORE)
    assert does(loaded, "web", "app/main.py") == INJECTED
    assert does(loaded, "api", "main.go") == ("rebuild",)
    assert does(loaded, "front", "app/page.tsx") == ("rebuild",)
    assert does(loaded, "dev", "app/page.tsx") == INJECTED
    assert does(loaded, "db", "db/init.sql") is None
    assert loaded.never.restart == ("db",)
    assert loaded.never.recreate == ("db",)


def test_what_a_program_writes_beside_a_singly_mounted_file_restarts_nothing() -> None:
    directory = Pair("app/debug.log", "/srv/app/debug.log", Via.BIND, why="bind mount at /srv/app")
    outside = bound("../php.ini")
    loaded = policy(
        service("web", *bound("php.ini"), directory, builds=False),
        service("wp", *outside, directory, builds=False),
    )
    assert does(loaded, "web", "php.ini", "missing-in-container") == ("restart",)
    assert does(loaded, "web", "php.ini", "single-file-bind-detached") == ("restart",)
    assert does(loaded, "wp", "../php.ini", "single-file-bind-detached") == ("restart",)
    for name in ("web", "wp"):
        assert does(loaded, name, "app/debug.log") is None
        assert does(loaded, name, "app/debug.log", "missing-in-container") is None


def test_migrations_are_kept_out_of_a_service_that_applies_them_when_it_starts() -> None:
    pairs = copied("app/main.py", "app/migrations/0001.py")
    applying = service("web", *pairs, way=replace(RESTART, migrates="manage.py migrate"))
    assert injection_forbidden("app/migrations/0002.py", None, policy(applying)) is not None
    assert injection_forbidden("app/main.py", None, policy(applying)) is None
    for look in (service("web", *pairs), replace(applying, way=replace(SELF, migrates="x"))):
        assert injection_forbidden("app/migrations/0002.py", None, policy(look)) is None


def test_what_was_typed_to_find_the_model_is_written_down() -> None:
    settings = ProjectSettings(name="shop", files=("a.yaml", "b.yaml"), profiles=("dev",))
    assert policy(PYTHON, settings=settings).project == settings


def test_without_a_service_it_still_loads() -> None:
    assert policy().rules == ()


def test_a_cache_that_keeps_old_code_is_purged() -> None:
    laravel = service("web", *copied("artisan", "app/User.php"))
    assert policy(laravel).service("web").purge == ("storage/framework/views/*.php",)


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (replace(PYTHON, held=4), Confidence.PROVED),
        (replace(PYTHON, held=3), Confidence.INFERRED),
        (PYTHON, Confidence.INFERRED),
        (CONFIGURED, Confidence.PROVED),
        (IMAGE, Confidence.NOTHING),
        (replace(IMAGE, built_by="web"), Confidence.UNTOLD),
        (replace(PYTHON, problem="no Dockerfile"), Confidence.UNTOLD),
        (service("web"), Confidence.UNTOLD),
    ],
)
def test_how_sure_the_map_is(look: DetectedService, expected: Confidence) -> None:
    assert look.confidence is expected
    assert policy_text(propose("shop", [look]))


@pytest.mark.parametrize(
    ("source", "other"),
    [("a.txt", "b/a.txt"), ("a*b", "axb"), ("!x", "x"), ("#x", "x"), ("[a]", "a"), ("x ", "x")],
)
def test_a_pattern_names_exactly_the_path(source: str, other: str) -> None:
    from freshd.model.patterns import matcher

    text = anchored(source)
    assert text is not None
    assert matcher((text,))(source)
    assert not matcher((text,))(other)


NAMES = st.text(min_size=1, max_size=12).filter(lambda text: "/" not in text and "\0" not in text)
PATHS = st.one_of(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join),
    st.sampled_from(
        ["main.go", "app/x.py", "go.mod", "package.json", "src/a.tsx", "artisan", "*" * 9]
    ),
)  # fmt: skip
PAIRS = st.builds(
    lambda source, via, effective, also: Pair(
        source, f"/{source}", via, effective=effective, also_input=also, why="line 1"
    ),
    PATHS, st.sampled_from(Via), st.booleans(), st.booleans(),
)  # fmt: skip
WAYS = st.builds(
    ReloadMode,
    st.sampled_from(["restart", "self", "per-request", "signal:HUP"]),
    st.text(max_size=40),
    migrates=st.sampled_from(["", "alembic upgrade"]),
)
MAPS = st.builds(
    lambda pairs, inputs, opaque: ServiceMap(
        "x", pairs=tuple(pairs), inputs=tuple(inputs), traceless=tuple(inputs), opaque=tuple(opaque)
    ),
    st.lists(PAIRS, max_size=20), st.lists(PATHS, max_size=3), st.lists(st.text(), max_size=2),
)  # fmt: skip
LOOKS = st.builds(
    DetectedService,
    st.from_regex(r"\A[a-zA-Z0-9][a-zA-Z0-9._-]{0,8}\Z"),
    st.text(max_size=10),
    WAYS,
    MAPS,
    builds=st.booleans(),
    origin=st.text(max_size=10),
    runs=st.lists(st.sampled_from(["npm run build", "go build", *PIP]), max_size=2).map(tuple),
    store=st.booleans(),
    held=st.none() | st.integers(0, 20),
    problem=st.sampled_from(["", "no\nDockerfile"]),
)


@settings(deadline=None, max_examples=60)  # a TOML file is written and read for each
@given(st.lists(LOOKS, max_size=5, unique_by=lambda look: look.name), st.lists(st.text()))
def test_whatever_is_found_the_proposal_loads_and_says_the_same(
    looks: list[DetectedService], unseen: list[str]
) -> None:
    proposal = propose("shop", looks, unseen=unseen)
    text = policy_text(proposal)
    loaded = parse_policy(text)
    assert check_services(loaded, [look.name for look in looks]) == ()
    assert [rule.name for rule in loaded.rules] == [rule.name for rule in proposal.rules]
    assert _modes(loaded) == _proposed_modes(proposal)
    for rule in loaded.rules:
        deletes = Remedy.INJECT in rule.do and "extra-in-container" in rule.when
        assert not deletes or rule.when == ("extra-in-container",)
        assert "changed-in-container" not in rule.when
        assert "*" not in rule.when


def _modes(loaded: Policy) -> Mapping[str, str]:
    found = {name: table.reload for name, table in loaded.services.items()}
    return {
        name: each.kind.value + (f":{each.signal}" if each.signal else "")
        for name, each in found.items()
    }


def _proposed_modes(proposal: Proposal) -> Mapping[str, str]:
    return {each.name: each.reload for each in proposal.services if each.table}


@given(st.text().filter(lambda text: not any(0xD800 <= ord(c) <= 0xDFFF for c in text)))
def test_a_string_survives_toml_and_shows_nothing_odd(text: str) -> None:
    written = quoted(text)
    assert tomllib.loads(f"x = {written}")["x"] == text
    assert written.isprintable()
