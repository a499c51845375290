"""The config link: each way a container can be behind the Compose model, proved, found, put right.

That the container is behind is judged by the docker command: what its process was given, what it
can read. Then freshd has exactly the finding that it should have; its remedy makes both agree.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked, of
from tests.engine.stacks.truth import SLEEP
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

COMPOSE = f"""
services:
  web:
    image: freshd-busybox:1
    env_file: [web.env]
    environment: {{LEVEL: "${{LEVEL}}", PRICE: "5$$"}}
    configs: [{{source: site, target: /etc/site}}, {{source: rules, target: /etc/rules}}]
    healthcheck: {{test: ["CMD", "true"], interval: 200ms, retries: 3}}
    {SLEEP}
  quiet:
    image: freshd-busybox:1
    {SLEEP}
configs:
  site: {{content: "hello ${{GREETING}}\\n"}}
  rules: {{file: ./rules}}
"""
FILES = {
    ".env": "LEVEL=1\nGREETING=world\n",
    "web.env": "TOKEN=first\nOLD=1\n",
    "rules": "allow\n",
    "compose.yaml": COMPOSE,
}


@dataclass(frozen=True)
class Edit:
    """``proof`` runs in the container and prints ``before`` until it was made anew.

    ``within`` must be in the finding's message and ``changed_since`` its evidence.
    """

    files: Mapping[str, str]
    cause: str
    proof: tuple[str, ...]
    before: str
    after: str
    within: str
    changed_since: tuple[str, ...] = ("compose.yaml",)


def env(name: str) -> tuple[str, ...]:
    return ("sh", "-c", f'tr "\\0" "\\n" </proc/1/environ | grep "^{name}=" || true')


ENVIRONMENT = (
    Edit(
        {"web.env": "TOKEN=second\nOLD=1\n"},
        "env-changed",
        env("TOKEN"),
        "TOKEN=first\n",
        "TOKEN=second\n",
        "TOKEN changed",
        ("web.env",),
    ),
    Edit(
        {".env": "LEVEL=2\nGREETING=world\n"},
        "env-changed",
        env("LEVEL"),
        "LEVEL=1\n",
        "LEVEL=2\n",
        "LEVEL changed",
        (".env",),
    ),
    Edit(
        {"web.env": "TOKEN=second\nNEW=1\n"},
        "env-changed",
        env("OLD"),
        "OLD=1\n",
        "",
        "NEW is new, OLD was removed",
        ("web.env",),
    ),
)
KEYS = (
    Edit(
        {"compose.yaml": COMPOSE.replace('"1000000"', '"2000000"', 1)},
        "compose-changed",
        ("sh", "-c", "tr '\\0' ' ' </proc/1/cmdline"),
        "/sbin/docker-init -- sleep 1000000 ",
        "/sbin/docker-init -- sleep 2000000 ",
        "command",
    ),
    Edit(
        {"compose.yaml": COMPOSE.replace("    env_", '    volumes: ["./rules:/r"]\n    env_')},
        "compose-changed",
        ("sh", "-c", "cat /r 2>/dev/null || true"),
        "",
        "allow\n",
        "/r is missing",
    ),
)
CONTENT = (
    Edit(
        {".env": "LEVEL=1\nGREETING=moon\n"},
        "config-content-changed",
        ("cat", "/etc/site"),
        "hello world\n",
        "hello moon\n",
        "config site",
        (".env",),
    ),
)


@pytest.fixture
def web(stack: Stack) -> Stack:
    stack.write(FILES)
    stack.up()
    return stack


def told(stack: Stack, edit: Edit) -> str:
    """What the container says; one that has just started may refuse for a moment."""
    answers: list[str] = []

    def asked() -> bool:
        done = stack.exec(stack.container("web"), edit.proof, check=False)
        answers.append(done.stdout.decode())
        return done.returncode == 0

    wait_until(asked, 120.0, what="the container to answer")
    return answers[-1]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("edits", [ENVIRONMENT, KEYS, CONTENT], ids=["env", "keys", "content"])
@pytest.mark.proves("env-changed", "detected", "remedied")
@pytest.mark.proves("compose-changed", "detected", "remedied")
@pytest.mark.proves("config-content-changed", "detected", "remedied")
def test_each_change_of_the_model_is_found_and_a_recreate_brings_it(
    web: Stack, make_freshd: Callable[[Stack], Freshd], edits: tuple[Edit, ...]
) -> None:
    freshd = make_freshd(web)
    links = of(looked(freshd, exit_code=0))["links"]
    assert links["config"] == "fresh"
    for edit in edits:
        web.write(edit.files)
        assert told(web, edit) == edit.before, "the container is not behind"

        # freshd that knows the container, and one that has never seen it
        for each in (freshd, make_freshd(web)):
            document = looked(each, exit_code=1)
            assert found(document) == {Found(edit.cause, "stale")}
            assert found(document, "quiet") == set()
            assert of(document)["links"]["config"] == "stale"
            one = finding(document, edit.cause)
            assert edit.within in one["message"]
            assert one["evidence"]["changed_since"] == list(edit.changed_since)
            assert one["remedy"] == "recreate"
            assert not {"first", "second"} & set(str(one).replace("'", " ").split())

        done = freshd("recreate", "web")
        assert done.returncode == 0, done
        assert told(web, edit) == edit.after
        assert found(looked(freshd, exit_code=0)) == set()
        assert found(looked(make_freshd(web), exit_code=0)) == set()
        web.write(FILES)
        web.up("web")
        web.compose("up", "-d", "-t", "0", "--force-recreate", "web")
        assert told(web, edit) == edit.before


@pytest.mark.timeout(600)
def test_a_key_that_inspect_does_not_tell_is_known_from_the_record(
    web: Stack, freshd: Freshd
) -> None:
    looked(freshd, exit_code=0)
    web.write({"compose.yaml": COMPOSE.replace("retries: 3", "retries: 4")})
    (before,) = web.docker.words(
        "inspect", "-f", "{{.Config.Healthcheck.Retries}}", web.container("web")
    )
    assert before == "3"
    document = looked(freshd, exit_code=1)
    assert found(document) == {Found("compose-changed", "stale")}
    assert list(finding(document, "compose-changed")["evidence"]["keys"]) == ["healthcheck"]
    assert freshd("recreate", "web").returncode == 0
    assert found(looked(freshd, exit_code=0)) == set()


@pytest.mark.timeout(600)
@pytest.mark.proves("env-changed", "silent")
@pytest.mark.proves("compose-changed", "silent")
@pytest.mark.proves("config-content-changed", "silent")
def test_what_makes_no_other_container_is_no_finding(
    web: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """Other words for the same, keys that say nothing of one container, files only touched."""
    known = make_freshd(web)
    looked(known, exit_code=0)
    more = (
        "    depends_on: [quiet]\n    scale: 1\n    pull_policy: missing\n"
        "    develop: {watch: [{path: ./rules, action: restart}]}\n"
    )
    same = COMPOSE.replace('["sleep", "1000000"]', "sleep 1000000").replace(
        "    env_file", f"{more}    env_file", 1
    )
    web.write({"compose.yaml": f"# a comment\n{same}", "web.env": "# first\nOLD=1\nTOKEN=first\n"})
    web.write({".env": "UNUSED=1\nLEVEL='1'\nGREETING=world\n", "rules": "deny\n"})
    for freshd in (known, make_freshd(web)):
        document = freshd("check", "--json").json
        assert {f.cause for f in found(document)} <= {"restart-due"}  # the new rule speaks of it
        assert of(document)["links"]["config"] == "fresh"


@pytest.mark.timeout(600)
def test_what_only_the_shell_knows_is_a_note(
    stack: Stack, make_freshd: Callable[..., Freshd]
) -> None:
    """The container was made in a shell that sets LEVEL; freshd was started in another."""
    stack.write({**FILES, ".env": "GREETING=world\n"})
    stack.environment = {**stack.environment, "LEVEL": "7"}
    stack.up("web")
    stack.environment = {k: v for k, v in stack.environment.items() if k != "LEVEL"}
    freshd = make_freshd(stack)
    document = looked(freshd, exit_code=0)
    assert found(document) == {Found("env-changed", "note")}
    assert "shell" in finding(document, "env-changed")["message"]
    assert freshd("check", "--json", environment={"LEVEL": "7"}).json["verdict"] == "fresh"
    # the same shell again, and then the file it takes the value from: that is a change
    stack.write({".env": "GREETING=world\nLEVEL=8\n"})
    assert found(looked(freshd, exit_code=1)) == {Found("env-changed", "stale")}


MORE = "services: {web: {environment: {MORE: %s}}}\n"
ADDED = "services: {web: {labels: {made: here}, environment: {MORE: 1}}}\n"


@pytest.mark.timeout(600)
@pytest.mark.proves("other-compose-files", "detected", "remedied", "silent")
def test_a_container_of_other_compose_files_is_judged_by_its_own(
    stack: Stack, freshd: Freshd
) -> None:
    """Files more than the project has; then one of them is gone; then the same are named."""
    stack.write({**FILES, "gen/more.yaml": MORE % 1})
    files = ("-f", "compose.yaml", "-f", "gen/more.yaml")
    stack.compose(*files, "up", "-d", "web")
    web = stack.container("web")
    document = looked(freshd, exit_code=0)
    assert found(document) == {Found("other-compose-files", "note")}
    assert "gen/more.yaml" in finding(document, "other-compose-files")["message"]
    assert of(document)["links"]["config"] == "fresh"

    stack.write({"gen/more.yaml": MORE % 2})
    causes = {Found("other-compose-files", "note"), Found("env-changed", "stale")}
    assert found(looked(freshd, exit_code=1)) == causes
    done = freshd("recreate", "web")
    assert done.returncode == 1, done
    assert "gen/more.yaml" in done.stdout
    assert "freshd --file compose.yaml --file gen/more.yaml" in done.stdout
    assert stack.container("web") == web
    done = freshd("--file", "compose.yaml", "--file", "gen/more.yaml", "recreate", "web")
    assert done.returncode == 0, done
    web = stack.container("web")
    assert stack.exec(web, env("MORE")).stdout == b"MORE=2\n"
    both = looked(freshd, "compose.yaml", "gen/more.yaml", exit_code=0)
    assert found(both) == set()

    os.remove(stack.path("gen/more.yaml"))
    document = looked(freshd, exit_code=3)
    assert found(document) == {Found("other-compose-files", "unverifiable")}
    assert of(document)["links"]["config"] == "unverifiable"
    assert "gen/more.yaml is gone" in finding(document, "other-compose-files")["message"]
    stack.write({"freshd.toml": RECREATE})
    for argv in (("recreate", "web"), ("rebuild", "web"), ("apply", "web")):
        freshd(*argv)
        assert stack.container("web") == web, argv
        assert stack.exec(web, env("MORE")).stdout == b"MORE=2\n"


RECREATE = """
version = 1
[[rule]]
when = ["*", "other-compose-files", "compose-changed", "env-changed"]
do = ["recreate"]
"""


@pytest.mark.timeout(600)
def test_an_override_that_was_left_out_or_came_later_is_named(
    make_stack: Callable[..., Stack], make_freshd: Callable[[Stack], Freshd]
) -> None:
    """Left out it is a note, as somebody may have meant it; later it is a change of the model."""
    for later in (False, True):
        stack = make_stack(FILES)
        if not later:
            stack.write({"compose.override.yaml": ADDED})
        stack.compose("-f", "compose.yaml", "up", "-d", "--timeout", "0")
        if later:
            stack.write({"compose.override.yaml": ADDED})
        freshd = make_freshd(stack)
        document = looked(freshd, exit_code=1 if later else 0)
        causes = {Found("other-compose-files", "note")}
        if later:
            causes |= {Found("env-changed", "stale")}
        assert found(document) == causes
        message = finding(document, "other-compose-files")["message"]
        assert "without compose.override.yaml" in message
        # It says nothing of the other service, whose container would be the same.
        assert found(document, "quiet") == set()
        quiet = stack.container("quiet")
        assert freshd("recreate", "quiet").returncode == 0
        assert stack.container("quiet") != quiet
        assert found(looked(freshd, exit_code=1 if later else 0), "quiet") == set()


QUIET = f"""
services:
  web:
    image: freshd-busybox:1
    {SLEEP}
"""


@pytest.mark.timeout(600)
def test_a_compose_file_by_another_name_is_the_same_model(
    stack: Stack, make_freshd: Callable[[Stack], Freshd]
) -> None:
    """Renamed, which `docker compose up` takes for no change, and reached through a link."""
    stack.write({"docker-compose.yml": QUIET})
    stack.up()
    web = stack.container("web")
    os.rename(stack.path("docker-compose.yml"), stack.path("compose.yaml"))
    stack.up()
    assert stack.container("web") == web, "Compose makes it anew: the case is not what it was"
    freshd = make_freshd(stack)
    document = looked(freshd, exit_code=0)
    assert found(document) == set()
    assert of(document)["links"]["config"] == "fresh"
    done = freshd("recreate", "web")
    assert done.returncode == 0, done
    assert stack.container("web") != web
