"""The daemon's worker and its queue: marks in, passes made, problems shown, incidents told once."""

import shutil

from freshd.model.report import Verdict
from tests.loop.fake.engine import Refused
from tests.loop.world import World

FEW, ALL = True, False  # a narrow pass, a whole one


def seen(world: World) -> list[str]:
    return [notice.title for notice in world.freshd.notices]


def test_the_first_mark_makes_a_whole_pass_and_a_fresh_service_is_no_news(shop: World) -> None:
    worker = shop.freshd.worker
    worker.mark("web")
    assert worker.run() == [ALL]
    assert worker.problems == {}
    assert seen(shop) == []
    assert shop.freshd.verdict("web") is Verdict.FRESH


def test_a_save_is_brought_by_a_narrow_pass_before_the_whole_one(shop: World) -> None:
    worker = shop.freshd.worker
    worker.mark("web")
    worker.run()
    shop.write("app/main.py", "two\n")
    worker.mark("web")
    worker.mark("web", ["app/main.py"])
    started = shop.container().started
    assert worker.run() == [FEW, ALL]
    assert shop.holds("/app/main.py") == "two\n"
    assert shop.engine.counted()["restart"] == 1
    assert shop.container().started > started
    assert seen(shop) == []


def test_many_saves_at_once_are_one_pass(shop: World) -> None:
    worker = shop.freshd.worker
    worker.mark("web")
    worker.run()
    for number in range(20):
        shop.write(f"app/page{number}.html", "<i>\n")
        worker.mark("web", [f"app/page{number}.html"])
    assert worker.run() == [FEW]
    assert shop.inside() == shop.tree()
    assert shop.engine.counted()["put"] == 1
    assert shop.engine.counted()["restart"] == 1


def test_what_the_policy_leaves_is_told_once_and_its_end_too(shop: World) -> None:
    shop.policy('[[rule]]\nwhen = ["content-differs"]\ndo = ["notify"]\n')
    worker = shop.freshd.worker
    shop.write("app/main.py", "two\n")
    for _ in range(3):
        worker.mark("web")
        worker.run()
    assert len(seen(shop)) == 1
    assert shop.freshd.verdict("web") is Verdict.STALE
    shop.write("app/main.py", "one\n")
    worker.mark("web")
    worker.run()
    assert len(seen(shop)) == 2
    assert shop.freshd.verdict("web") is Verdict.FRESH


def test_an_engine_that_went_away_is_a_problem_until_it_is_back(shop: World) -> None:
    worker = shop.freshd.worker
    shop.write("app/main.py", "two\n")
    shop.engine.before("put", shop.engine.go_away)
    worker.mark("web")
    assert worker.run() == [ALL]
    assert worker.lost, "a step may have broken off"
    assert "nothing answers" in worker.problems["web"]
    shop.engine.come_back()
    shop.freshd.recover()
    worker.mark("web")
    worker.run()
    assert worker.problems == {}
    assert shop.holds("/app/main.py") == "two\n"


def test_one_answer_that_broke_off_is_soon_asked_for_again(shop: World) -> None:
    """The engine is there: no return of it marks anything."""

    def cut() -> None:
        raise ConnectionResetError("the engine's answer broke off")

    def asked_again() -> float:
        return worker.due()["the engine did not answer"]

    worker = shop.freshd.worker
    shop.write("app/main.py", "two\n")
    for most in (1.0, 2.0, 4.0):
        shop.engine.before("inspect", cut)
        worker.mark("web")
        assert worker.run() == [ALL]
        assert "broke off" in worker.problems["web"]
        assert worker.lost
        assert most / 2 < asked_again() <= most
    shop.freshd.recover()
    worker.mark("web")
    assert worker.run() == [ALL]
    assert shop.holds("/app/main.py") == "two\n"
    assert worker.problems == {}


def test_a_container_that_is_replaced_in_the_middle_is_followed_by_a_pass_at_once(
    shop: World,
) -> None:
    worker = shop.freshd.worker
    worker.mark("web")
    worker.run()
    shop.write("app/main.py", "two\n")
    shop.recreate_by_hand()
    worker.mark("web", ["app/main.py"])
    assert worker.run() == [FEW, ALL], "the narrow one missed its container"
    assert shop.holds("/app/main.py") == "two\n"
    assert worker.problems == {}


def test_a_step_that_failed_is_an_incident_and_what_puts_it_right_ends_it(shop: World) -> None:
    def refused() -> None:
        raise Refused(500, "no space left on device")

    worker = shop.freshd.worker
    shop.write("app/main.py", "two\n")
    shop.engine.before("put", refused)
    worker.mark("web")
    worker.run()
    (notice,) = shop.freshd.notices
    assert "no space left on device" in notice.body
    shop.engine.wait(3.0)
    worker.mark("web")
    worker.run()
    assert len(seen(shop)) == 2
    assert shop.holds("/app/main.py") == "two\n"


def test_files_that_change_the_project_mark_every_service(shop: World) -> None:
    shop.service("worker", build={"context": str(shop.root), "dockerfile": "Dockerfile"})
    shop.freshd.build_by_hand("worker")
    shop.recreate_by_hand("worker")
    worker = shop.freshd.worker
    shop.write("app/main.py", "two\n")
    shop.policy('[[rule]]\nwhen = ["content-differs"]\ndo = ["inject"]\n')
    worker.mark("web")
    assert worker.run() == [ALL, ALL]
    assert shop.holds("/app/main.py", service="worker") == "two\n"


def test_a_tree_that_vanished_halts_and_nothing_is_taken_away(shop: World) -> None:
    for number in range(60):
        shop.write(f"app/many/{number}.html", "<i>\n")
    worker = shop.freshd.worker
    worker.mark("web")
    worker.run()
    before = shop.inside()
    shutil.rmtree(shop.root / "app/many")
    worker.mark("web", ["app/many"])
    worker.mark("web")
    worker.run()
    (halt,) = shop.freshd.store.halts.active("shop")
    assert halt.reason == "60 of 62 mapped files are gone at once"
    assert shop.inside() == before
    assert len(seen(shop)) >= 1
    shop.freshd.store.halts.resume("shop")
    worker.mark("web")
    worker.run()
    assert shop.inside() == shop.tree(), "a person has looked: it is meant"


def test_a_tree_that_vanishes_after_the_decision_is_not_deleted_in_the_container(
    shop: World,
) -> None:
    """A disk that goes away between the look and the step."""
    for number in range(60):
        shop.write(f"app/many/{number}.html", "<i>\n")
    worker = shop.freshd.worker
    worker.mark("web")
    worker.run()
    before = shop.inside()
    shop.write("app/main.py", "two\n")
    (shop.root / "app/page.html").unlink()
    shop.engine.after("logs", lambda: shutil.rmtree(shop.root / "app/many"), nth=2)
    worker.mark("web")
    worker.run()
    assert shop.inside() == before
    assert (shop.holds("/app/main.py"), shop.holds("/app/page.html")) == ("one\n", "<p>\n")
    assert shop.freshd.store.halts.active("shop")
    assert len(shop.history()) == 2, "of the first pass"


def test_a_validation_believes_nothing_that_is_remembered(shop: World) -> None:
    """A byte that turned over in a container, with the times that it had."""
    shop.policy("")  # without a rule that injects there is no kept shell, which reads all anyway
    worker = shop.freshd.worker
    worker.mark("web")
    worker.run()
    shop.flip_inside("/app/page.html", "<q>\n")
    worker.mark("web")
    worker.run()
    assert shop.freshd.verdict("web") is Verdict.FRESH
    worker.validate()
    assert worker.run() == [ALL]
    done = shop.freshd.store.validations.last("shop")
    assert done is not None
    assert done.verdict is Verdict.STALE
    assert done.services == {"web": Verdict.STALE}
    assert done.causes == ("changed-in-container",)
    assert any("weekly check" in title for title in seen(shop))
    worker.mark("web")
    worker.run()
    assert shop.freshd.store.validations.last("shop") == done, "once"


def test_a_validation_that_found_no_engine_is_made_when_there_is_one(shop: World) -> None:
    worker = shop.freshd.worker
    shop.engine.away = True
    worker.validate()
    worker.run()
    assert shop.freshd.store.validations.last("shop") is None
    shop.engine.come_back()
    worker.mark("web")
    worker.run()
    done = shop.freshd.store.validations.last("shop")
    assert done is not None
    assert (done.verdict, done.compared) == (Verdict.FRESH, 2)


def test_a_daemon_that_is_told_to_end_begins_no_step(shop: World) -> None:
    worker = shop.freshd.worker
    shop.write("app/main.py", "two\n")
    worker.mark("web")
    worker.stop()
    worker.run()
    assert shop.holds("/app/main.py") == "one\n"
    assert shop.history() == ()
