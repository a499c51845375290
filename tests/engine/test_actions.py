"""Purge, reload, restart, recreate and rebuild on a real engine: what was observed afterwards."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from freshd import act
from freshd.engine.cli.command import CommandResult
from freshd.engine.cli.compose import Compose, ComposeFiles
from freshd.engine.client import Engine
from freshd.engine.transport.endpoint import resolve
from freshd.model.errors import EngineUnavailable, OutcomeUnknown
from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.remedy import RebuildMode, Remedy
from tests.engine.worlds import Site
from tests.harness.stack import Stack

IDLE = ("freshd-busybox:1", "sleep", "600")
PROJECT = """
services:
  web:
    build: .
    image: {project}-web
    command: ["sleep", "600"]
    init: true
    labels: {{dev.freshd.test: "1"}}
"""


@pytest.fixture(scope="module")
def engine(engine_env: Mapping[str, str]) -> Iterator[Engine]:
    with Engine(resolve(engine_env)) as made:
        yield made


@pytest.fixture
def site(engine: Engine) -> Site:
    return Site(engine)


@pytest.fixture
def shop(engine: Engine, stack: Stack) -> Site:
    """A Compose project with two replicas of `web`, built from one file."""
    stack.write(
        {
            "compose.yaml": PROJECT.format(project=stack.project),
            "Dockerfile": "FROM freshd-busybox:1\nCOPY page /page\n",
            "page": "one",
        }
    )
    stack.build()
    stack.up(scale={"web": 2})
    files = ComposeFiles(stack.directory, (stack.path("compose.yaml"),), stack.project)
    return Site(engine, files=files, image_ref=f"{stack.project}-web")


def run(site: Site, remedy: Remedy, container: str | None = None, **rest: object) -> Outcome:
    step = Step(remedy, "web", ("content-differs",), container_id=container)
    return act.run(replace(step, **rest), site.world())  # type: ignore[arg-type]


def ids(site: Site) -> set[str]:
    return {replica.id for replica in site.replicas() if replica.running}


# ---- purge


def files_below(stack: Stack, container: str, directory: str) -> set[str]:
    done = stack.exec(container, ["find", directory, "-type", "f"])
    return set(done.stdout.decode().split())


def test_after_an_injection_only_the_bytecode_of_the_touched_modules_goes(
    site: Site, stack: Stack
) -> None:
    identity = stack.run(*IDLE)
    cache = "/app/__pycache__"
    gone = [f"{cache}/a.cpython-311.pyc", f"{cache}/a.cpython-311.opt-1.pyc", "/app/a.pyc"]
    kept = [
        f"{cache}/ab.cpython-311.pyc",
        f"{cache}/b.a.cpython-311.pyc",
        "/app/b.pyc",
        "/app/a.py",
    ]
    script = f"mkdir -p {cache} && touch {' '.join(gone + kept)}"
    stack.exec(identity, ["sh", "-c", script])
    outcome = run(site, Remedy.PURGE, identity, files=(site.change("/app/a.py", b""),))
    assert outcome.status is StepStatus.DONE, outcome
    assert files_below(stack, identity, "/app") == set(kept)
    assert outcome.detail == "3 files deleted"
    assert site.journal.names == ["purge"]


def test_patterns_are_looked_for_below_mappings_and_where_they_say(
    site: Site, stack: Stack
) -> None:
    identity = stack.run(*IDLE)
    script = (
        "mkdir -p /app/p/__pycache__ /var/cache/web/deep /other '/app/odd\nname' && "
        "touch /app/p/__pycache__/x.pyc /app/p/x.py /var/cache/web/deep/t '/app/odd\nname/-f.pyc' "
        "/other/y.pyc /var/cache/keep"
    )
    stack.exec(identity, ["sh", "-c", script])
    site.directories = ("/", "/app")  # a file copied to the top does not make all of it ours
    patterns = ("__pycache__/", "*.pyc", "/var/cache/web/**")
    outcome = run(site, Remedy.PURGE, identity, patterns=patterns)
    assert outcome.status is StepStatus.DONE, outcome
    assert files_below(stack, identity, "/app") == {"/app/p/x.py"}
    assert files_below(stack, identity, "/var/cache") == {"/var/cache/keep"}
    assert files_below(stack, identity, "/other") == {"/other/y.pyc"}
    again = run(site, Remedy.PURGE, identity, patterns=patterns)
    assert (again.status, again.detail) == (StepStatus.DONE, "nothing to purge")


def test_a_purge_without_a_shell_fails_with_the_reason(site: Site, stack: Stack) -> None:
    identity = stack.run("freshd-static:1")
    outcome = run(site, Remedy.PURGE, identity, patterns=("*.pyc",))
    assert outcome.status is StepStatus.FAILED
    assert "no usable /bin/sh" in outcome.detail


# ---- reload and restart


def test_a_signal_reaches_the_process_and_it_lives(site: Site, stack: Stack) -> None:
    script = "trap 'echo got >/got' HUP; touch /ready; while :; do sleep 0.05; done"
    identity = stack.run("freshd-busybox:1", "sh", "-c", script)
    stack.exec(identity, ["sh", "-c", "while [ ! -e /ready ]; do sleep 0.01; done"])
    outcome = run(site, Remedy.RELOAD, identity, signal="HUP")
    assert outcome.status is StepStatus.DONE, outcome
    stack.exec(identity, ["sh", "-c", "while [ ! -e /got ]; do sleep 0.01; done"])


def test_a_signal_that_ends_the_process_is_a_failure(site: Site, stack: Stack) -> None:
    identity = stack.run(*IDLE, options=["--init"])
    outcome = run(site, Remedy.RELOAD, identity, signal="signal:HUP")
    assert outcome.status is StepStatus.FAILED
    assert "ended the process" in outcome.detail


def test_a_restart_keeps_the_container_and_its_files(site: Site, stack: Stack) -> None:
    identity = stack.run(*IDLE)
    stack.put(identity, "/kept", b"kept")
    before = site.engine.replica(identity)
    outcome = run(site, Remedy.RESTART, identity)
    assert outcome.status is StepStatus.DONE, outcome
    after = site.engine.replica(identity)
    assert after.running
    assert after.started_at > before.started_at
    assert stack.read(identity, "/kept") == b"kept"


def test_a_restart_of_a_stopped_container_starts_it(site: Site, stack: Stack) -> None:
    identity = stack.run(*IDLE)
    stack.docker("stop", "-t", "0", identity)
    assert run(site, Remedy.RESTART, identity).status is StepStatus.DONE
    assert site.engine.replica(identity).running


@pytest.mark.parametrize("policy", ["no", "always"])
def test_a_process_that_cannot_start_any_more_is_a_failure(
    site: Site, stack: Stack, policy: str
) -> None:
    script = "[ -e /broken ] && exit 3; exec sleep 600"
    identity = stack.run("freshd-busybox:1", "sh", "-c", script, options=["--restart", policy])
    stack.put(identity, "/broken", b"")
    outcome = run(site, Remedy.RESTART, identity)
    assert outcome.status is StepStatus.FAILED, outcome
    assert "3" in outcome.detail


@pytest.mark.parametrize(("check", "status"), [("true", "done"), ("false", "failed")])
def test_a_restart_waits_for_the_health_check(
    site: Site, stack: Stack, check: str, status: str
) -> None:
    options = [f"--health-cmd={check}", "--health-interval=200ms", "--health-retries=1"]
    identity = stack.run(*IDLE, options=options)
    outcome = run(site, Remedy.RESTART, identity)
    assert outcome.status.value == status, outcome
    assert "healthy" in outcome.detail


def test_a_paused_container_is_not_restarted(site: Site, stack: Stack) -> None:
    identity = stack.run(*IDLE)
    stack.docker("pause", identity)
    assert run(site, Remedy.RESTART, identity).status is StepStatus.REFUSED
    assert site.engine.replica(identity).state == "paused"
    stack.docker("unpause", identity)


def test_a_container_that_went_away_is_gone(site: Site, stack: Stack) -> None:
    identity = stack.run(*IDLE)
    stack.docker("rm", "-f", identity)
    for remedy in (Remedy.INJECT, Remedy.PURGE, Remedy.RELOAD, Remedy.RESTART):
        assert run(site, remedy, identity, signal="HUP").status is StepStatus.GONE


# ---- recreate


def test_a_recreate_replaces_every_replica_and_keeps_their_number(shop: Site, stack: Stack) -> None:
    """Rule 9: a plain `up -d --no-deps` removes all replicas but one."""
    before = ids(shop)
    outcome = run(shop, Remedy.RECREATE)
    assert outcome.status is StepStatus.DONE, outcome
    after = ids(shop)
    assert len(before) == len(after) == 2
    assert not before & after


def test_a_recreate_into_what_does_not_live_is_a_failure(shop: Site, stack: Stack) -> None:
    dying = PROJECT.format(project=stack.project).replace('"sleep", "600"', '"false"')
    stack.write({"compose.yaml": dying})
    outcome = run(shop, Remedy.RECREATE)
    assert outcome.status is StepStatus.FAILED, outcome
    assert "exited with 1 right after it started" in outcome.detail


def test_a_recreate_that_fails_is_followed_by_a_second_up(
    shop: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Compose killed in the middle leaves the service down; here it fails after removing it."""
    real = Compose.up
    calls: list[bool] = []

    def failing(self: Compose, *args: object, **rest: object) -> CommandResult:
        calls.append(bool(rest["force_recreate"]))
        if len(calls) == 1:
            stack.docker("rm", "-f", *ids(shop))
            return CommandResult(1, ("it broke",))
        return real(self, *args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Compose, "up", failing)
    outcome = run(shop, Remedy.RECREATE)
    assert outcome.status is StepStatus.FAILED
    assert "it broke" in outcome.detail
    assert "then worked" in outcome.detail
    assert calls == [True, False]
    assert len(ids(shop)) == 2


def test_a_recreate_that_does_not_end_is_unknown_and_the_service_is_brought_up(
    shop: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Compose.up
    calls: list[int] = []

    def hanging(self: Compose, *args: object, **rest: object) -> CommandResult:
        calls.append(1)
        if len(calls) == 1:
            stack.docker("stop", "-t", "0", *ids(shop))
            raise OutcomeUnknown("it did not end")
        return real(self, *args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Compose, "up", hanging)
    assert run(shop, Remedy.RECREATE).status is StepStatus.UNKNOWN
    assert len(ids(shop)) == 2


def test_a_recreate_that_left_the_old_containers_is_a_failure(
    shop: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compose says that all is well, and the containers are those of before."""
    monkeypatch.setattr(Compose, "up", lambda *_, **__: CommandResult(0, ()))
    world = shop.world()
    world = replace(world, timeouts=replace(world.timeouts, patience=0.5))
    outcome = act.run(Step(Remedy.RECREATE, "web", ("old-image",)), world)
    assert (outcome.status, outcome.detail[:12]) == (StepStatus.FAILED, "not up after"), outcome


def test_a_service_without_containers_is_not_created(shop: Site, stack: Stack) -> None:
    stack.compose("rm", "-f", "-s", "web")
    assert run(shop, Remedy.RECREATE).status is StepStatus.SKIPPED
    assert not ids(shop)


# ---- rebuild


def test_a_rebuild_puts_every_replica_on_the_new_image(shop: Site, stack: Stack) -> None:
    shop.digests = {"page": "d"}
    stack.write({"page": "two two"})
    before = ids(shop)
    outcome = run(shop, Remedy.REBUILD, rebuild=RebuildMode.CACHED)
    assert outcome.status is StepStatus.DONE, outcome
    assert "2 recreated and up" in outcome.detail
    assert len(ids(shop)) == 2
    assert not before & ids(shop)
    assert [stack.read(identity, "/page") for identity in ids(shop)] == [b"two two"] * 2
    image = shop.engine.image(shop.image_ref)
    assert image is not None
    assert shop.built == {image.id: {"page": "d"}}
    assert any("COPY page" in line for line in shop.lines)
    pids = [data["pid"] for name, data in shop.journal.phases if name == "build" and "pid" in data]
    assert len(pids) == 1


def test_a_rebuild_whose_image_no_replica_runs_is_a_failure(
    shop: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act.recreate, "replace_all", lambda *_: ("", ()))
    stack.write({"page": "two two"})
    outcome = run(shop, Remedy.REBUILD)
    assert outcome.status is StepStatus.FAILED, outcome
    assert "runs another image" in outcome.detail


def test_a_build_without_a_change_leaves_the_containers(shop: Site, stack: Stack) -> None:
    before = ids(shop)
    outcome = run(shop, Remedy.REBUILD)
    assert outcome.status is StepStatus.DONE, outcome
    assert "all containers run it" in outcome.detail
    assert ids(shop) == before


def test_a_failed_build_leaves_what_runs_and_keeps_its_last_lines(shop: Site, stack: Stack) -> None:
    stack.write({"Dockerfile": "FROM freshd-busybox:1\nRUN echo so it broke && exit 7\n"})
    before = ids(shop)
    outcome = run(shop, Remedy.REBUILD)
    assert outcome.status is StepStatus.FAILED
    assert any("so it broke" in line for line in outcome.output)
    assert ids(shop) == before
    assert not shop.built


def test_a_builder_that_took_old_files_for_new_is_given_a_fresh_context_once(
    shop: Site, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 15: BuildKit takes equal size and mtime for unchanged."""
    modes: list[RebuildMode] = []
    real = Compose.build

    def noting(self: Compose, *args: object, **rest: object) -> CommandResult:
        modes.append(RebuildMode(str(rest["mode"])))
        return real(self, *args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Compose, "build", noting)
    stat = os.stat(stack.path("page"))
    stack.write({"page": "two"})
    os.utime(stack.path("page"), ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def mismatches() -> tuple[str, ...]:
        done = stack.docker("run", "--rm", shop.image_ref, "cat", "/page")
        return () if done.stdout == b"two" else ("page",)

    world = replace(shop.world(), mismatches=mismatches)
    step = Step(Remedy.REBUILD, "web", ("stale-build-context",), rebuild=RebuildMode.CACHED)
    outcome = act.run(step, world)
    assert outcome.status is StepStatus.DONE, outcome
    assert [stack.read(identity, "/page") for identity in ids(shop)] == [b"two"] * 2
    assert modes in ([RebuildMode.CACHED, RebuildMode.FRESH_CONTEXT], [RebuildMode.CACHED])


def test_an_image_that_stays_wrong_is_a_failure_and_nothing_is_recreated(
    shop: Site, stack: Stack
) -> None:
    before = ids(shop)
    shop.wrong = [("page",), ("page",)]
    stack.write({"page": "two"})
    outcome = run(shop, Remedy.REBUILD)
    assert outcome.status is StepStatus.FAILED
    assert outcome.detail.startswith("stale-build-context: ")
    assert ids(shop) == before
    assert len(shop.built) == 1, "what it was made of shows that the image is stale"


def test_a_tree_that_moves_during_the_build_is_built_once_more(shop: Site, stack: Stack) -> None:
    seen = iter([{"page": "1"}, {"page": "2"}, {"page": "2"}])
    world = replace(shop.world(), inputs=lambda: next(seen))
    shop.wrong = [("page",)]
    stack.write({"page": "two"})
    step = Step(Remedy.REBUILD, "web", ("build-input-changed",), rebuild=RebuildMode.CACHED)
    outcome = act.run(step, world)
    assert outcome.status is StepStatus.DONE, outcome
    assert list(shop.built.values()) == [{"page": "2"}]
    modes = {data["mode"] for name, data in shop.journal.phases if name == "build"}
    assert modes == {RebuildMode.CACHED}, "the builder was not fooled: its copy is good"


def test_a_tree_that_keeps_moving_is_no_proof_and_no_failure(shop: Site, stack: Stack) -> None:
    before = ids(shop)
    seen = iter([{"page": str(number)} for number in range(9)])
    world = replace(shop.world(), inputs=lambda: next(seen))
    shop.wrong = [("page",), ("page",)]
    stack.write({"page": "two"})
    step = Step(Remedy.REBUILD, "web", ("build-input-changed",), rebuild=RebuildMode.CACHED)
    outcome = act.run(step, world)
    assert (outcome.status, shop.built, ids(shop)) == (StepStatus.SKIPPED, {}, before)
    assert outcome.detail == "the tree keeps changing while it is built"


def test_an_engine_that_went_away_is_told_and_leaves_the_entry_open(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> Callable[[], None]:
        raise EngineUnavailable("gone")

    monkeypatch.setattr(Compose, "build", away)
    with pytest.raises(EngineUnavailable):
        run(shop, Remedy.REBUILD)
    assert (len(shop.journal.began), shop.journal.finished) == (1, [])
