"""A rebuild proves that its image holds the tree, or leaves alone what runs."""

import os
from functools import partial

import pytest

from freshd.model.errors import EngineUnavailable
from freshd.model.files import Kind
from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Verdict
from freshd.model.text import Json
from tests.loop.fake.files import Files, Node
from tests.loop.world import World, causes, ended, left, planned

DONE, FAILED = StepStatus.DONE, StepStatus.FAILED
REBUILD = """
[[rule]]
when = ["image-behind", "build-input-changed", "stale-build-context", "old-image"]
do = ["rebuild"]
"""


@pytest.fixture
def built(shop: World) -> World:
    """Whatever the image does not hold is built."""
    shop.policy(REBUILD)
    shop.freshd.consent()
    return shop


def modes(world: World) -> list[Json]:
    """How each build of the last step was made."""
    phases = world.history()[-1].phases
    return [
        phase.data["mode"] for phase in phases if "pid" not in phase.data and "mode" in phase.data
    ]


def same_size_and_time(world: World, text: str) -> None:
    """An edit that a builder does not see: rsync, or a checkout in the same second, make it."""
    path = world.root / "app/main.py"
    before = path.stat()
    path.write_text(text)
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_edit_is_built_and_new_containers_run_the_image(built: World) -> None:
    before, image = built.container(), built.container().image
    built.write("app/main.py", "two\n")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, DONE)]
    assert passed.report.verdict is Verdict.FRESH
    assert not passed.report.patched
    after = built.container()
    assert after.id != before.id
    assert after.image is not image
    assert built.inside() == built.tree()
    assert built.freshd.store.build_records.get(after.image.id, {}) is not None
    assert planned(built.reconcile()) == [[]]


def test_a_build_that_fails_leaves_alone_what_runs_and_is_not_tried_again(built: World) -> None:
    before = built.container()
    built.write("Dockerfile", "FROM base:1\nWORKDIR /app\nCOPY app /app\nRUN make\n")
    built.freshd.consent()
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, FAILED)]
    assert "what runs is untouched" in passed.outcomes[0].detail
    assert "did not complete" in passed.outcomes[0].output[-1]
    assert built.container() is before
    assert built.engine.counted()["up"] == 0
    again = built.reconcile()
    assert planned(again) == [[]], "the same content failed: nothing is to be gained"
    assert any("rebuild failed once with the same content" in reason for reason in left(again))
    assert built.engine.counted()["build"] == 1


@pytest.mark.parametrize("change", ["another edit", "time"])
def test_what_failed_is_tried_again_after_a_change_or_a_while(built: World, change: str) -> None:
    dockerfile = "FROM base:1\nWORKDIR /app\nCOPY app /app\nRUN make\n"
    built.write("Dockerfile", dockerfile)
    built.freshd.consent()
    built.reconcile()
    if change == "time":
        built.engine.wait(60.0)
        assert ended(built.reconcile()) == [(Remedy.REBUILD, FAILED)]
        built.engine.wait(60.0)
        assert planned(built.reconcile()) == [[]], "the second wait is longer"
        return
    built.write("Dockerfile", dockerfile.replace("RUN make\n", ""))
    built.freshd.consent()
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, DONE)]
    assert passed.report.verdict is Verdict.FRESH


def test_a_builder_that_took_old_bytes_is_made_to_read_them_again(built: World) -> None:
    same_size_and_time(built, "two\n")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, DONE)]
    assert modes(built) == ["cached", "fresh-context"]
    assert built.engine.counted()["prune"] == 1
    assert built.holds("/app/main.py") == "two\n"
    assert passed.report.verdict is Verdict.FRESH


def test_an_image_that_holds_old_bytes_all_the_same_is_not_run(built: World) -> None:
    before = built.container()
    built.engine.prunes = False
    same_size_and_time(built, "two\n")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, FAILED)]
    assert "the new image does not hold the tree's app/main.py" in passed.outcomes[0].detail
    assert built.container() is before
    assert built.engine.counted()["up"] == 0
    assert "stale-build-context" in causes(passed.report)


def test_a_tree_that_moves_on_while_it_is_built_is_no_proof_and_no_failure(built: World) -> None:
    before = built.container()
    for nth in (1, 2):
        built.engine.after("build", partial(built.write, "app/page.html", f"edit {nth}\n"), nth=nth)
    built.engine.prunes = False
    same_size_and_time(built, "two\n")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, StepStatus.SKIPPED)]
    assert passed.outcomes[0].detail == "the tree keeps changing while it is built"
    assert built.container() is before
    built.engine.prunes = True
    assert ended(built.reconcile()) == [(Remedy.REBUILD, DONE)], "it is no failure to wait after"
    assert built.inside() == built.tree()


def test_a_build_without_consent_to_its_files_waits(built: World) -> None:
    before = built.container()
    built.write("Dockerfile", "FROM base:1\nWORKDIR /app\nCOPY app /app\nENV A=1\n")
    passed = built.reconcile()
    assert planned(passed) == [[]]
    assert any("Dockerfile changed since you agreed" in reason for reason in left(passed))
    assert built.container() is before
    built.freshd.consent()
    assert ended(built.reconcile()) == [(Remedy.REBUILD, DONE)]
    assert built.container().environment == {"A": "1"}


def test_after_three_rebuilds_in_ten_minutes_the_fourth_waits(built: World) -> None:
    built.policy(REBUILD + "[limits]\nrebuilds = 3\n")
    built.freshd.consent()
    for number in range(4):
        built.write("app/main.py", f"edit {number}\n")
        passed = built.reconcile()
    assert planned(passed) == [[]]
    assert any("3 rebuilds within 10 minutes" in reason for reason in left(passed))
    built.engine.wait(601.0)
    assert ended(built.reconcile()) == [(Remedy.REBUILD, DONE)]
    assert built.holds("/app/main.py") == "edit 3\n"


def test_an_image_that_was_built_by_hand_is_taken_up_by_a_recreate(built: World) -> None:
    built.policy('[[rule]]\nwhen = ["old-image"]\ndo = ["recreate"]\n')
    built.freshd.consent()
    before = built.container()
    built.write("app/main.py", "two\n")
    built.freshd.build_by_hand("web")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.RECREATE, DONE)]
    assert before.id not in built.engine.containers
    assert built.holds("/app/main.py") == "two\n"
    assert passed.report.verdict is Verdict.FRESH


def test_what_somebody_changed_in_the_container_is_not_lost_by_a_rebuild(built: World) -> None:
    before = built.container()
    built.change_inside("/app/page.html", "by hand\n")
    built.write("app/main.py", "two\n")
    passed = built.reconcile()
    assert planned(passed) == [[]]
    assert any("it would lose the change to app/page.html" in reason for reason in left(passed))
    assert built.container() is before
    assert built.engine.counted()["build"] == 0


def test_a_change_by_hand_is_looked_for_before_a_narrow_pass_rebuilds(built: World) -> None:
    built.reconcile()
    built.change_inside("/app/page.html", "by hand\n")
    built.write("app/main.py", "two\n")
    assert planned(built.reconcile(paths=["app/main.py"])) == [[]]
    assert built.holds("/app/page.html") == "by hand\n"


def test_what_a_run_writes_over_a_copy_is_the_images_and_no_difference(world: World) -> None:
    def minify(files: Files, now: float) -> None:
        files.add("/app/page.html", Node(Kind.FILE, b"<p>", mtime=now, ctime=now), now=now)

    world.engine.runs["minify"] = minify
    shop = world.shop(run="minify")
    for text in ("one\n", "two\n"):
        shop.write("app/main.py", text)
        passed = shop.reconcile()
        assert causes(passed.report) == {"build-unrecorded"}, "of the page's source nothing shows"
        assert shop.inside()["/app/main.py"] == (text, False)
        assert shop.holds("/app/page.html") == "<p>"
    assert shop.engine.counted()["restart"] == 1


@pytest.fixture
def minified(world: World) -> World:
    """Of the page's source the image keeps nothing; the policy builds for what has changed."""

    def minify(files: Files, now: float) -> None:
        files.add("/app/page.html", Node(Kind.FILE, b"<p>", mtime=now, ctime=now), now=now)

    world.engine.runs["minify"] = minify
    shop = world.shop(run="minify")
    shop.policy(REBUILD)
    shop.freshd.consent()
    return shop


def test_doubt_of_a_build_asks_for_none_and_an_edit_after_first_sight_does(minified: World) -> None:
    for _ in range(2):
        passed = minified.reconcile()
        assert causes(passed.report) == {"build-unrecorded"}
        assert passed.report.verdict is Verdict.UNVERIFIABLE
        assert planned(passed) == [[]]
    minified.freshd.restart()
    minified.write("app/page.html", "<p>two\n")
    passed = minified.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, DONE)], "what was seen first outlives the process"
    assert passed.report.verdict is Verdict.FRESH
    assert planned(minified.reconcile()) == [[]]


def test_an_input_that_leaves_the_tree_after_first_sight_is_a_change(minified: World) -> None:
    minified.reconcile()
    (minified.root / "app/page.html").unlink()
    passed = minified.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, DONE)]
    assert passed.report.verdict is Verdict.FRESH


def test_an_input_that_was_only_touched_or_is_back_is_in_doubt_as_before(minified: World) -> None:
    minified.reconcile()
    minified.write("app/page.html", "<p>\n")
    passed = minified.reconcile()
    assert causes(passed.report) == {"build-unrecorded"}
    minified.policy("")
    minified.freshd.consent()
    minified.write("app/page.html", "<p>two\n")
    assert causes(minified.reconcile().report) == {"build-input-changed"}
    minified.write("app/page.html", "<p>\n")
    assert causes(minified.reconcile().report) == {"build-unrecorded"}


def test_a_build_by_hand_after_an_edit_leaves_doubt_and_no_difference(minified: World) -> None:
    """The image may be the one that was there: an edit need not change what is made of it."""
    minified.policy("")
    minified.freshd.consent()
    minified.reconcile()
    minified.write("app/page.html", "<p>two\n")
    assert causes(minified.reconcile().report) == {"build-input-changed"}
    minified.engine.wait(5.0)
    minified.freshd.build_by_hand("web")
    minified.recreate_by_hand()
    assert causes(minified.reconcile().report) == {"build-unrecorded"}


def test_a_policy_that_wants_both_builds_and_does_not_inject_as_well(built: World) -> None:
    built.policy('[[rule]]\nwhen = ["*"]\ndo = ["inject", "rebuild", "restart"]\n')
    built.freshd.consent()
    built.write("app/main.py", "two\n")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, DONE)]
    assert built.engine.counted()["put"] == 0


def test_an_engine_that_goes_away_while_it_builds_leaves_the_rebuild_owed(built: World) -> None:
    before = built.container()
    built.write("app/main.py", "two\n")
    built.engine.before("build", built.engine.go_away)
    with pytest.raises(EngineUnavailable):
        built.freshd.reconcile("web")
    built.engine.come_back()
    assert built.container() is before
    (entry,) = built.history()
    assert entry.finished_at is None, "nobody knows how it ended"
    assert built.freshd.recover() == 0
    assert ended(built.reconcile()) == [(Remedy.REBUILD, DONE)]
    assert built.holds("/app/main.py") == "two\n"


def test_a_job_that_has_ended_is_built_and_not_run_again(built: World) -> None:
    """A migration that failed, a seed: nobody asked for a second run. Nor is it built for ever."""
    before = built.container()
    built.engine.stop(before, exit_code=1)
    built.write("app/main.py", "two\n")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, DONE)]
    assert "web-1 has ended, and is left as it is" in passed.outcomes[0].detail
    assert built.container() is before
    assert built.engine.counted()["up"] == 0
    assert {"old-image", "not-running"} <= causes(passed.report)
    again = built.reconcile()
    assert planned(again) == [[]]
    assert any("would run it again" in reason for reason in left(again))
    assert built.engine.counted()["build"] == 1
    assert not before.running


def test_a_job_that_has_ended_is_run_again_where_a_rule_names_it(built: World) -> None:
    built.policy(REBUILD.replace('"old-image"', '"old-image", "not-running"'))
    built.freshd.consent()
    before = built.container()
    built.engine.stop(before, exit_code=1)
    built.write("app/main.py", "two\n")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, DONE)]
    assert "1 recreated and run again: shop-web-1 running" in passed.outcomes[0].detail
    assert built.container() is not before
    assert passed.report.verdict is Verdict.FRESH


def test_a_job_that_has_ended_is_not_recreated(built: World) -> None:
    built.policy('[[rule]]\nwhen = ["*", "env-changed"]\ndo = ["recreate"]\n')
    before = built.container()
    built.engine.stop(before, exit_code=1)
    built.service("web", environment={"A": "1"})
    built.freshd.consent()
    passed = built.reconcile()
    assert planned(passed) == [[]]
    assert any("would run it again" in reason for reason in left(passed))
    assert built.container() is before


def test_a_job_that_ends_right_before_it_is_recreated_is_not_run_again(built: World) -> None:
    built.policy('[[rule]]\nwhen = ["env-changed"]\ndo = ["recreate"]\n')
    built.service("web", environment={"A": "1"})
    built.freshd.consent()
    before = built.container()
    passed = built.reconcile_with(
        partial(built.engine.stop, before, exit_code=0), before=Remedy.RECREATE
    )
    assert ended(passed) == [(Remedy.RECREATE, StepStatus.REFUSED)]
    assert "would run it again" in passed.outcomes[0].detail
    assert built.container() is before


def test_a_job_that_ends_while_it_is_built_is_not_run_again(built: World) -> None:
    before = built.container()
    built.engine.after("build", partial(built.engine.stop, before, exit_code=0))
    built.write("app/main.py", "two\n")
    passed = built.reconcile()
    assert "is left as it is" in passed.outcomes[0].detail
    assert built.container() is before
    assert not before.running


def test_a_replica_that_has_ended_beside_one_that_runs_is_replaced(built: World) -> None:
    """They are a server's: `--scale` is about those that there are."""
    built.recreate_by_hand(count=2)
    built.engine.stop(built.container(2), exit_code=1)
    built.write("app/main.py", "two\n")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, DONE)]
    assert built.container(1).running
    assert built.container(2).running


def test_what_somebody_changes_while_it_is_built_is_not_lost(built: World) -> None:
    before = built.container()
    built.engine.after("build", partial(built.change_inside, "/app/page.html", "mine\n"))
    built.write("app/main.py", "two\n")
    passed = built.reconcile()
    assert ended(passed) == [(Remedy.REBUILD, StepStatus.REFUSED)]
    detail = passed.outcomes[0].detail
    assert "the containers are as before" in detail
    assert "it would lose the change to /app/page.html in shop-web-1" in detail
    assert built.container() is before
    assert built.holds("/app/page.html") == "mine\n"
    assert built.engine.counted()["up"] == 0
    assert planned(built.reconcile()) == [[]]
