"""freshd killed with -9 in the middle of what it does: nothing is lost, left over or half done."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.engine.kills import Journal, Site, alive
from tests.harness.cli import Freshd
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

# A hundred take a quarter of an hour on two busy cores: FRESHD_KILLS=100 asks for them.
KILLS = int(os.environ.get("FRESHD_KILLS", "4"))
INJECT = """
version = 1
[[rule]]
when = ["content-differs"]
do = ["inject"]
"""
INSIDE = ("put", "rename", "restart", "build")


@pytest.fixture
def site(stack: Stack, freshd: Freshd) -> Iterator[Site]:
    """Two replicas with a volume, level with their tree; churn and kills by one seed."""
    seed = int(os.environ.get("FRESHD_SEED", str(random.randrange(2**32))))
    print(f"seed {seed}")
    journal = Journal(os.path.join(freshd.state, "freshd.sqlite3"))
    made = Site(stack, freshd, random.Random(seed), journal)
    made.write_all()
    stack.up(build=True)
    rebuilt = freshd("rebuild", "web")  # so that freshd knows what the image was made of
    assert rebuilt.returncode == 0, rebuilt
    yield made
    journal.close()


@pytest.mark.timeout(3600)
def test_kills_in_the_middle_of_steps_leave_nothing_half_done(site: Site) -> None:
    """At least a fifth each inside a PUT, a rename, a restart and a build, told by the journal."""
    began = time.monotonic()
    least = max(1, KILLS // 5)
    children: Counter[str] = Counter()
    while (left := missing(site, least)) or sum(site.kills.values()) < KILLS:
        for wanted in rounds(site, left):
            with site.churning():
                found = site.kill_inside(wanted)
            assert site.half_written() == []
            pid = found.data.get("pid") if found else None
            children["outlived it" if pid and alive(pid) else "none"] += 1
            if sum(site.kills.values()) % 10 == 0:
                site.converge()
    site.converge()
    statuses = Counter(status for (status,) in site.journal.rows("SELECT status FROM journal"))
    print(
        f"{sum(site.kills.values())} kills: {dict(site.kills)}; builds and recreates that"
        f" outlived one: {children['outlived it']}; entries: {dict(statuses)};"
        f" {site.files_judged:,} files judged between kills; {time.monotonic() - began:.0f} s"
    )
    assert min(site.kills[phase] for phase in INSIDE) >= least
    assert statuses["interrupted"] >= KILLS * 9 // 10


def missing(site: Site, least: int) -> list[str]:
    """The phases that were not hit often enough yet, once for every hit that is missing."""
    return [phase for phase in INSIDE for _ in range(least - site.kills[phase])]


def rounds(site: Site, left: list[str]) -> list[str]:
    """What to aim at next: a few of a kind in a row, and some of everything at the end."""
    if not left:
        return [site.random.choice(INSIDE)]
    phase = site.random.choice(left)
    return [phase] * min(left.count(phase), site.random.randrange(2, 6))


@pytest.mark.timeout(1200)
def test_a_verb_that_was_killed_is_carried_through_by_the_next_apply(site: Site) -> None:
    """`freshd apply` in every phase, `freshd inject` in its two; no daemon has ever run here."""
    for verb, wanted in [
        (["apply"], "put"),
        (["apply"], "rename"),
        (["apply"], "restart"),
        (["apply"], "build"),
        (["inject", "web"], "put"),
        (["inject", "web"], "rename"),
    ]:
        site.kill_verb(verb, wanted)
        assert site.half_written() == [], (verb, wanted)
        site.edit(wanted)  # what did land is freshd's, and may be written over
        done = site.freshd("apply")
        assert done.returncode == 0, (verb, wanted, done)
        if verb == ["apply"]:
            assert site.differences() == [], (verb, wanted)
        site.clean()
    done = site.freshd("restart", "web")  # `inject` restarts nothing
    assert done.returncode == 0, done
    assert site.differences() == []


@pytest.mark.timeout(300)
def test_a_service_comes_back_when_compose_is_killed_in_a_recreate(site: Site) -> None:
    """freshd lives on and says that the step failed; `up` again brings every replica back."""
    process = site.verb(["recreate", "web"])
    before = set(site.stack.containers("web", all_states=True))

    def replacing() -> int | None:
        now = site.journal.last_open()
        assert process.poll() is None, "it was over before it could be disturbed"
        ids = set(site.stack.containers("web", all_states=True))
        if now is None or now.phase != "recreate" or "pid" not in now.data or ids == before:
            return None
        return int(now.data["pid"])

    os.killpg(wait_until(replacing, 120.0, what="a recreate in its middle") or 0, signal.SIGKILL)
    assert process.wait(120.0) == 1
    (last,) = site.journal.rows("SELECT status, detail FROM journal ORDER BY id DESC LIMIT 1")
    assert last[0] == "failed"
    assert "then worked" in last[1]
    assert len(site.stack.containers("web")) == 2
    site.clean()
    done = site.freshd("apply")
    assert done.returncode == 0, done
    assert site.differences() == []


BARE = """
FROM scratch
COPY --from=freshd-busybox:1 /bin/busybox /bin/sleep
COPY app /app
CMD ["/bin/sleep", "1000000"]
"""
BARE_SIZE = 48 * 1024 * 1024


@pytest.mark.timeout(300)
def test_a_file_that_a_kill_cut_off_in_an_image_without_a_shell_is_written_again(
    stack: Stack, freshd: Freshd
) -> None:
    """Nothing can be renamed there, so a kill can leave half a file: it is known for freshd's."""
    stack.write({"compose.yaml": "services: {web: {build: ., stop_grace_period: 0s}}\n"})
    stack.write({"Dockerfile": BARE, "app/big": b"0", "freshd.toml": INJECT})
    stack.up(build=True)
    web = stack.container("web")
    journal = Journal(os.path.join(freshd.state, "freshd.sqlite3"))
    site = Site(stack, freshd, random.Random(1), journal)

    def cut_off() -> bool:
        site.write("app/big", size=BARE_SIZE)
        process = site.verb(["inject", "web"])
        while process.poll() is None:
            now = journal.last_open()
            if now is not None and now.phase == "put" and now.owner == process.pid:
                time.sleep(site.random.uniform(0.0, 0.3))  # the upload takes about as long
                process.kill()
                process.wait()
                return 1 < len(stack.read(web, "/app/big") or b"") < BARE_SIZE - 1000
        return False

    wait_until(cut_off, 120.0, what="half a file to be left")
    done = freshd("apply")
    assert done.returncode == 0, done
    assert stack.oracle("web", {"app/big": "/app/big"}) == []
    assert journal.unfinished() == []
    journal.close()
