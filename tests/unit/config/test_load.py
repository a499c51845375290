"""Configuration files: what is read, and what every mistake says."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from freshd.config.load import (
    ConfiguredProject,
    UserConfig,
    check_services,
    load_policy,
    load_user_config,
    parse_policy,
    parse_user_config,
)
from freshd.model.errors import ConfigError
from freshd.model.policy import Limits, MapEntry, Policy, Probe, Reload, ReloadKind, Weekly
from freshd.model.remedy import RebuildMode, Remedy

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config.example.toml"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_policy(text)
    assert caught.value.exit_code == 2
    return [line.removeprefix("freshd.toml: ") for line in caught.value.problems]


def sections() -> dict[str, str]:
    """The two files that the example holds, by name."""
    parts = re.split(r"^# ---- 8< ---- (\S+), .*$", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_example_is_a_valid_policy_and_a_valid_configuration() -> None:
    files = sections()
    assert set(files) == {"config.toml", "freshd.toml"}
    policy = parse_policy(files["freshd.toml"])
    web = policy.service("web")
    assert web.reload == Reload(ReloadKind.SIGNAL, "HUP")
    assert web.map == (MapEntry("src", "/app"),)
    assert policy.service("legacy").container == "legacy-php"
    assert [rule.name for rule in policy.rules][-2:] == [
        "what the build consumes",
        "everything else",
    ]
    assert policy.rules[0].rebuild is RebuildMode.FRESH_CONTEXT
    assert policy.rules[1].do == (Remedy.INJECT, Remedy.PURGE, Remedy.RELOAD)
    assert policy.never.allow == ("certs/dev.pem",)
    assert policy.limits == Limits(20, 600.0, 60, 1000, 600.0)
    assert (policy.schedule.patrol, policy.schedule.validate) == (300.0, Weekly(6, 3, 30))
    user = parse_user_config(files["config.toml"])
    assert user.notifications.quiet_hours == (22 * 60, 7 * 60)
    assert [project.profiles for project in user.projects] == [("dev",)]
    assert user.engine.host == "unix:///run/user/1000/docker.sock"


def test_the_example_shows_every_key() -> None:
    from freshd.config.schema import PolicyFile, UserFile

    text = EXAMPLE.read_text("utf-8")
    for model in (PolicyFile, UserFile):
        for key in keys(model.model_json_schema(by_alias=True)):
            assert re.search(rf"\b{key}\b", text), f"{key} is missing in the example"


def keys(schema: dict[str, object]) -> set[str]:
    """Every property name anywhere in a JSON schema."""
    found: set[str] = set()
    for name, value in schema.items():
        if name == "properties" and isinstance(value, dict):
            found |= set(value)
        if isinstance(value, dict):
            found |= keys(value)
    return found


def test_the_demos_policy_is_valid() -> None:
    assert load_policy(str(ROOT / "docs" / "demo" / "shop" / "freshd.toml")).rules


def test_an_empty_policy_is_the_default_one() -> None:
    assert parse_policy("") == Policy()
    assert parse_policy("version = 1\n") == Policy()


def test_rules_without_a_name_are_called_by_their_place() -> None:
    text = '[[rule]]\nwhen = ["*"]\ndo = ["notify"]\n' * 2
    assert [rule.name for rule in parse_policy(text).rules] == ["rule[0]", "rule[1]"]


def test_every_mistake_is_reported_at_once() -> None:
    found = problems(
        """
        version = 2
        proyect = 3
        [service.web]
        relaod = "restart"
        reload = "signal:FOO"
        volumes = "yes"
        purge = ["/", "~", "../x", "**", "__pycache__"]
        map = [{ from = "../x", to = "app" }, { from = "src", too = "/app" }]
        [[rule]]
        when = ["content-difers", "*"]
        do = ["injekt", 3]
        rebuild = "fresh"
        [[rule]]
        when = []
        paths = []
        do = ["inject"]
        [never]
        allow = ["*.pem"]
        [schedule]
        patrol = "5 minutes"
        validate = "Sunday 03:30"
        [limits]
        rebuilds = "3"
        """
    )
    assert found == [
        "version = 2: this freshd reads version 1",
        'service.web.map[0].from = "../x": must not leave the project with ..',
        'service.web.map[0].to = "app": must be an absolute path in the container, such as /app',
        "service.web.map[1].to: is required",
        'service.web.map[1].too: unknown key; did you mean "to"?',
        (
            'service.web.reload = "signal:FOO": not a signal that reloads: one of '
            "HUP, INT, QUIT, TERM, USR1, USR2, WINCH"
        ),
        'service.web.volumes = "yes": must be true or false',
        (
            'service.web.purge[0] = "/": must be relative: '
            "caches are purged below the mapped directories only"
        ),
        (
            'service.web.purge[1] = "~": must be relative: '
            "caches are purged below the mapped directories only"
        ),
        'service.web.purge[2] = "../x": must not leave the mapped directories with ..',
        'service.web.purge[3] = "**": would purge everything: name what is a cache',
        'service.web.relaod: unknown key; did you mean "reload"?',
        'rule[0].when[0] = "content-difers": not a cause; did you mean "content-differs"?',
        'rule[0].do[0] = "injekt": not a remedy; did you mean "inject"?',
        "rule[0].do[1] = 3: must be a string in quotes",
        (
            'rule[0].rebuild = "fresh": not a way to rebuild; one of '
            "cached, fresh-context, no-cache, clean"
        ),
        "rule[1].when = []: must name at least one",
        "rule[1].paths = []: must not be empty: leave it out where everything is meant",
        'never.allow[0] = "*.pem": must be one exact path: a secret is allowed file by file',
        'limits.rebuilds = "3": must be a whole number',
        'schedule.patrol = "5 minutes": not a duration: write "10s", "5m" or "1h"',
        (
            'schedule.validate = "Sunday 03:30": not a moment of the week: '
            'write "Sun 03:30", with Mon, Tue, Wed, Thu, Fri, Sat, Sun'
        ),
        'proyect: unknown key; did you mean "project"?',
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rule = 3", "rule = 3: must be a list in [brackets]"),
        ("service = 3", "service = 3: must be a table"),
        ("service.web = 3", "service.web = 3: must be a table"),
        ("[[rule]]\ndo = ['inject']", "rule[0].when: is required"),
        (
            "[[rule]]\nwhen = ['old-image']\ndo = ['inject']\nrebuild = 'clean'",
            'rule[0]: has rebuild = … and no "rebuild" in do',
        ),
        (
            "[limits]\nrebuilds = -1",
            "limits.rebuilds = -1: input should be greater than or equal to 0",
        ),
        (
            "[schedule]\npatrol = '0s'",
            'schedule.patrol = "0s": must be between 10s and 1d',
        ),
        (
            "[service.'a b']\nvolume = true",
            'service."a b".volume: unknown key; did you mean "volumes"?',
        ),
        ("zzz = 1979-05-27", "zzz: unknown key"),
        ("version = 1979-05-27", "version = 1979-05-27: must be a whole number"),
        (
            "[never]\ninject = ['*a*b*c*d']",
            'never.inject[0] = "*a*b*c*d": too many wildcards: at most 3 in a name and 4 times **',
        ),
        (
            f"[project]\nname = ['{'x' * 200}']",
            f'project.name = ["{"x" * 57}…: must be a string in quotes',
        ),
    ],
)
def test_what_a_mistake_says(text: str, expected: str) -> None:
    assert problems(text) == [expected]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = \n", "freshd.toml:1:5: Invalid value"),
        ("[x]\ny = 1\ny = 2\n", "freshd.toml:3:6: Cannot overwrite a value"),
        ("a = [1\n", "freshd.toml"),
        ("\ufeffversion = 1\n", "freshd.toml:1:1: begins with a byte order mark"),
        ("version = 1\n# \0\n", "freshd.toml:2: holds a NUL character"),
        ("a = " + "[" * 5000, "freshd.toml: nested too deeply"),
        ("#" * (1024 * 1024 + 1), "freshd.toml is larger than 1 MiB"),
        ("a = 2026-02-31", "freshd.toml"),
    ],
)
def test_what_is_no_toml_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_policy(text)
    assert caught.value.message.startswith(words)
    assert "\n" not in caught.value.message


@given(st.text(max_size=200))
@example("a.b.c = 1")
@example('rule = [{when = ["*"], do = ["notify"]}]')
def test_any_text_is_a_policy_or_a_configuration_error(text: str) -> None:
    try:
        read: Policy | ConfigError = parse_policy(text)
    except ConfigError as error:
        read = error
    if isinstance(read, ConfigError):
        assert read.message.startswith("freshd.toml")
        assert all("\n" not in line for line in read.problems)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["when", "do", "web", "map", "from", "reload", "paths", "x"]), inner
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["project", "service", "rule", "never", "limits", "schedule", "version"]),
        VALUES,
    )
)
def test_tables_of_any_shape_are_told_by_path_and_value(tables: dict[str, object]) -> None:
    from pydantic import ValidationError

    from freshd.config.mistakes import list_problems as explain
    from freshd.config.schema import PolicyFile

    lines: tuple[str, ...] = ("valid: nothing to say",)
    try:
        PolicyFile.model_validate(tables)
    except ValidationError as error:
        lines = explain(error, PolicyFile)
    assert lines
    assert all(": " in line and "\n" not in line for line in lines)


# --- files --------------------------------------------------------------------------------------


def test_a_policy_knows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "freshd.toml"
    path.write_text("version = 1\n")
    assert load_policy(str(path)).path == str(path)


@pytest.mark.parametrize("kind", ["missing", "directory", "fifo", "latin-1", "large"])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "freshd.toml"
    if kind == "directory":
        path.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    if kind == "latin-1":
        path.write_bytes(b"version = 1\nname = '\xe9'\n")
    if kind == "large":
        path.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(ConfigError) as caught:
        load_policy(str(path))
    assert "freshd.toml" in caught.value.message
    assert "\n" not in caught.value.message


def test_without_a_user_configuration_the_defaults_hold(tmp_path: Path) -> None:
    assert load_user_config(str(tmp_path / "config.toml")) == UserConfig()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("projects = ['src/shop']", 'projects: unknown key; did you mean "project"?'),
        ("project = ['src/shop']", 'project[0] = "src/shop": must be a table'),
        (
            "[[project]]\ndir = 'src/shop'",
            (
                'project[0].dir = "src/shop": '
                'must be absolute or begin with "~/", such as "~/src/shop"'
            ),
        ),
        ("[[project]]\nname = 'shop'", "project[0].dir: is required"),
        (
            "[[project]]\ndir = '/src/shop'\nfiles = []",
            "project[0].files = []: must not be empty: leave it out where everything is meant",
        ),
        ("[log]\nlevel = 'debgu'", 'log.level = "debgu": not a log level; did you mean "debug"?'),
        (
            "[notifications]\nquiet_hours = '22'",
            'notifications.quiet_hours = "22": must be two times of day, such as "22:00-07:00"',
        ),
        (
            "[engine]\nhost = '/run/docker.sock'",
            (
                'engine.host = "/run/docker.sock": '
                "must be unix://, tcp:// or ssh://, such as unix:///var/run/docker.sock"
            ),
        ),
        ("[notification]", 'notification: unknown key; did you mean "notifications"?'),
    ],
)
def test_mistakes_in_the_user_configuration(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_user_config(str(path))
    assert caught.value.problems == (f"config.toml: {expected}",)


def test_the_projects_of_the_user_configuration_are_absolute_and_each_is_there_once() -> None:
    home = os.path.expanduser("~")
    text = "[[project]]\ndir = '~/src/shop'\nprofiles = ['dev']\n[[project]]\ndir = '/srv/b/'\n"
    assert parse_user_config(text).projects == (
        ConfiguredProject(f"{home}/src/shop", profiles=("dev",)),
        ConfiguredProject("/srv/b"),
    )
    with pytest.raises(ConfigError) as caught:
        parse_user_config(text + "[[project]]\ndir = '~/src/../src/shop'\n")
    assert caught.value.problems[0].endswith(f": names {home}/src/shop twice")


def test_probes_are_commands_or_addresses_with_what_is_expected_of_them() -> None:
    text = """
        [[service.web.probe]]
        run = ["alembic", "current"]
        equals = ["alembic", "heads"]
        [[service.web.probe]]
        name = "count"
        http = "http://localhost:8000/count"
        status = 203
        contains = "Total: 25"
        timeout = "5s"
        [[service.web.probe]]
        run = "test -e /ready"
        exit = 1
        equals = ""
    """
    assert parse_policy(text).service("web").probes == (
        Probe("probe[0]", ("alembic", "current"), equals=("alembic", "heads")),
        Probe(
            "count",
            http="http://localhost:8000/count",
            status=203,
            contains="Total: 25",
            timeout=5.0,
        ),
        Probe("probe[2]", ("sh", "-c", "test -e /ready"), exit=1, equals=""),
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("contains = 'x'", "must have one of run and http"),
        ("run = 'x'\nhttp = 'http://a/'", "must have one of run and http"),
        ("run = 'x'\nstatus = 200", "has status, which is an HTTP answer's: run has exit"),
        ("http = 'http://a/'\nexit = 0", "has exit, which is a command's: http has status"),
        ("run = []", "a command needs at least its name"),
        ("run = ''", "a command needs at least its name"),
        ("run = 'x'\nequals = ['']", "a command needs at least its name"),
    ],
)
def test_a_probe_that_makes_no_sense_is_refused(body: str, said: str) -> None:
    assert problems(f"[[service.web.probe]]\n{body}\n") == [f"service.web.probe[0]: {said}"]


def test_every_wrong_value_of_a_probe_is_told_at_once() -> None:
    text = "[[service.web.probe]]\nhttp = 'ftp://a'\nstatus = 7\ntimeout = '1h'\nruns = 1\n"
    told = problems(text)
    assert [line.partition(" ")[0].rstrip(":") for line in told] == [
        f"service.web.probe[0].{key}" for key in ("http", "status", "timeout", "runs")
    ]


def test_unknown_services_are_named_with_a_suggestion() -> None:
    policy = parse_policy(
        """
        [service.wbe]
        [service.legacy]
        container = "legacy-php"
        [[rule]]
        services = ["web", "legacy", "wroker"]
        when = ["*"]
        do = ["notify"]
        [never]
        rebuild = ["*", "db"]
        """
    )
    assert check_services(policy, ["web", "worker"]) == (
        'service = "wbe": no such service; did you mean "web"?',
        'rule[0].services[2] = "wroker": no such service; did you mean "worker"?',
        'never.rebuild[1] = "db": no such service',
    )
