"""What the policy allows is done, and nothing else; what is left undone says why."""

import pytest

from freshd.model.plan import StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import Verdict
from tests.loop.fake.engine import Container
from tests.loop.world import INJECT, World, causes, ended, left, planned

DONE, FAILED = StepStatus.DONE, StepStatus.FAILED
WRITE, RESTART, RELOAD, PURGE = Remedy.INJECT, Remedy.RESTART, Remedy.RELOAD, Remedy.PURGE
NOTIFY = '[[rule]]\nwhen = ["content-differs"]\ndo = ["notify"]\n'
OTHERS = '[[rule]]\nservices = ["worker"]\nwhen = ["content-differs"]\ndo = ["inject"]\n'
PAGES = '[[rule]]\nwhen = ["content-differs"]\npaths = ["*.html"]\ndo = ["inject"]\n'


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("", "there is no policy for it"),
        (NOTIFY, "the policy says to notify"),
        (NOTIFY + INJECT, "the policy says to notify"),
        (PAGES, "no rule of the policy applies"),
        ('[never]\ninject = ["app/*.py"]\n' + INJECT, "the policy never injects app/*.py"),
    ],
    ids=["no rule", "notify", "the first rule decides", "other paths", "never"],
)
def test_nothing_is_done_that_no_rule_asks_for(shop: World, policy: str, reason: str) -> None:
    started = shop.container().started
    shop.policy(policy)
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert passed.report.verdict is Verdict.STALE
    assert planned(passed) == [[]]
    assert reason in left(passed)
    assert shop.holds("/app/main.py") == "one\n"
    assert shop.container().started == started
    assert shop.history() == ()


def test_a_rule_for_every_cause_neither_deletes_nor_overwrites_what_is_somebodys(
    shop: World,
) -> None:
    shop.policy('[[rule]]\nwhen = ["*"]\ndo = ["inject", "restart"]\n')
    shop.change_inside("/app/main.py", "by hand\n")
    (shop.root / "app/page.html").unlink()
    passed = shop.reconcile()
    assert {"changed-in-container", "extra-in-container"} <= causes(passed.report)
    assert [step for plan in passed.plans for step in plan.steps if step.files] == []
    assert (shop.holds("/app/main.py"), shop.holds("/app/page.html")) == ("by hand\n", "<p>\n")


def test_a_rule_with_paths_reaches_these_and_leaves_the_others(shop: World) -> None:
    shop.policy(PAGES)
    shop.write("app/main.py", "two\n")
    shop.write("app/page.html", "<b>\n")
    passed = shop.reconcile()
    assert ended(passed) == [(WRITE, DONE)]
    assert (shop.holds("/app/main.py"), shop.holds("/app/page.html")) == ("one\n", "<b>\n")
    assert "content-differs" in causes(passed.report)


def test_a_rule_of_another_service_is_not_this_ones(shop: World) -> None:
    shop.service("worker", build={"context": str(shop.root), "dockerfile": "Dockerfile"})
    shop.freshd.build_by_hand("worker")
    shop.recreate_by_hand("worker")
    shop.policy(OTHERS)
    shop.write("app/main.py", "two\n")
    assert planned(shop.reconcile("web")) == [[]]
    assert ended(shop.reconcile("worker")) == [(WRITE, DONE)]
    assert (shop.holds("/app/main.py"), shop.holds("/app/main.py", service="worker")) == (
        "one\n",
        "two\n",
    )


def test_a_secret_is_never_injected_unless_it_is_allowed_by_name(shop: World) -> None:
    shop.write("app/.env", "PASSWORD=one\n")
    passed = shop.reconcile()
    assert planned(passed) == [[]]
    assert any("it looks like a secret (.env)" in reason for reason in left(passed))
    assert shop.holds("/app/.env") is None
    shop.policy('[never]\nallow = ["app/.env"]\n' + INJECT)
    assert (WRITE, DONE) in ended(shop.reconcile())
    assert shop.holds("/app/.env") == "PASSWORD=one\n"


def test_a_service_that_is_never_restarted_is_written_to_all_the_same(shop: World) -> None:
    started = shop.container().started
    shop.policy('[never]\nrestart = ["web"]\n' + INJECT)
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert ended(passed) == [(WRITE, DONE)]
    assert shop.container().started == started
    assert causes(passed.report) == {"process-older-than-code"}


@pytest.mark.parametrize("rule", ["restart", "reload"])
def test_a_signal_takes_the_place_of_a_restart(shop: World, rule: str) -> None:
    started = shop.container().started
    shop.policy('[service.web]\nreload = "signal:HUP"\n' + INJECT.replace("restart", rule))
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert ended(passed) == [(WRITE, DONE), (RELOAD, DONE)]
    assert shop.container().signals == ["HUP"]
    assert shop.container().started == started
    assert causes(passed.report) == set()


def test_a_signal_that_ends_the_process_is_a_failure(shop: World) -> None:
    shop.policy('[service.web]\nreload = "signal:HUP"\n' + INJECT)
    shop.engine.after("kill", lambda: shop.engine.stop(shop.container(), exit_code=129))
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert ended(passed) == [(WRITE, DONE), (RELOAD, FAILED)]
    assert "HUP ended the process in shop-web-1" in passed.outcomes[1].detail
    assert "not-running" in causes(passed.report)


@pytest.mark.parametrize("mode", ["self", "per-request"])
def test_a_service_that_takes_up_code_by_itself_is_not_restarted(shop: World, mode: str) -> None:
    started = shop.container().started
    shop.policy(f'[service.web]\nreload = "{mode}"\n' + INJECT)
    shop.write("app/page.html", "<b>\n")
    assert ended(shop.reconcile()) == [(WRITE, DONE)]
    assert shop.container().started == started


def test_after_a_python_module_its_bytecode_goes_and_no_other(shop: World) -> None:
    for name in ("main.cpython-311.pyc", "other.cpython-311.pyc"):
        shop.change_inside(f"/app/__pycache__/{name}", "compiled")
    shop.policy(INJECT.replace('"inject", ', '"inject", "purge", '))
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert ended(passed) == [(WRITE, DONE), (PURGE, DONE), (RESTART, DONE)]
    assert shop.holds("/app/__pycache__/main.cpython-311.pyc") is None
    assert shop.holds("/app/__pycache__/other.cpython-311.pyc") == "compiled"


def test_caches_that_the_policy_names_are_purged_and_what_is_not_mapped_is_not(shop: World) -> None:
    for path in ("/app/cache/a.tmpl", "/app/cache/keep.txt", "/srv/cache/b.tmpl"):
        shop.change_inside(path, "cached")
    rule = INJECT.replace('"inject", ', '"inject", "purge", ')
    shop.policy(f'[service.web]\npurge = ["*.tmpl"]\n{rule}')
    shop.write("app/page.html", "<b>\n")
    assert (PURGE, DONE) in ended(shop.reconcile())
    assert shop.holds("/app/cache/a.tmpl") is None
    assert shop.holds("/app/cache/keep.txt") == "cached"
    assert shop.holds("/srv/cache/b.tmpl") == "cached"


def test_a_service_that_is_down_is_started_where_a_rule_says_so(shop: World) -> None:
    shop.policy('[[rule]]\nwhen = ["not-running"]\ndo = ["restart"]\n')
    shop.engine.stop(shop.container(), exit_code=1)
    passed = shop.reconcile()
    assert ended(passed) == [(RESTART, DONE)]
    assert shop.container().running
    assert passed.report.verdict is Verdict.FRESH


def test_while_halted_nothing_is_done_and_then_it_is(shop: World) -> None:
    shop.freshd.store.halts.halt("shop", "web", reason="the tree has vanished", at=1.0)
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert passed.report.verdict is Verdict.STALE
    assert planned(passed) == [[]]
    assert set(left(passed)) == {"halted: the tree has vanished"}
    assert shop.holds("/app/main.py") == "one\n"
    shop.freshd.store.halts.resume("shop")
    assert ended(shop.reconcile()) == [(WRITE, DONE), (RESTART, DONE)]


def test_another_policy_holds_from_the_next_pass_on_and_a_broken_one_not_at_all(
    shop: World,
) -> None:
    shop.write("app/main.py", "two\n")
    shop.policy(NOTIFY)
    assert planned(shop.reconcile()) == [[]]
    shop.policy('[[rule]]\nwhen = ["no-such-cause"]\ndo = ["inject"]\n')
    passed = shop.freshd.reconcile("web", problem="freshd.toml has 1 mistake")
    assert planned(passed) == [[]], "the last good one"
    shop.policy(INJECT)
    assert (WRITE, DONE) in ended(shop.reconcile())


def test_a_container_that_no_compose_file_makes_is_written_to_and_never_made_anew(
    shop: World,
) -> None:
    tool = shop.engine.create(shop.engine.image("base:1"), name="tool")
    shop.engine.start(tool)
    shop.change_inside("/seen", "", container=tool)
    shop.policy(
        '[service.tool]\ncontainer = "tool"\nmap = [{ from = "app", to = "/srv" }]\n'
        '[[rule]]\nservices = ["tool"]\nwhen = ["missing-in-container"]\n'
        'do = ["inject", "restart"]\n'
        '[[rule]]\nservices = ["tool"]\nwhen = ["*"]\ndo = ["recreate"]\n'
    )
    shop.freshd.consent()
    started = tool.started
    passed = shop.reconcile("tool")
    assert ended(passed) == [(WRITE, DONE), (RESTART, DONE)]
    node = tool.view.get("/srv/main.py")
    assert node is not None
    assert node.content == b"one\n"
    assert tool.started > started
    assert shop.engine.counted()["up"] == 0


# ---- develop.watch of the Compose file


def watching(world: World, action: str, **more: object) -> World:
    rule = {"path": str(world.root / "app"), "action": action, "target": "/app", **more}
    shop = world.shop(develop={"watch": [rule]})
    shop.policy("")
    shop.freshd.consent()
    return shop


def test_a_command_of_the_compose_file_is_run_after_what_it_asks_for_landed(world: World) -> None:
    shop = watching(world, "sync+exec", exec={"command": ["migrate"]})
    seen: list[str | None] = []

    def migrate(_one: Container) -> tuple[int, str]:
        seen.append(shop.holds("/app/main.py"))
        return 0, "migrated\n"

    shop.engine.commands["migrate",] = migrate
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert ended(passed) == [(WRITE, DONE), (Remedy.EXEC, DONE)]
    assert passed.outcomes[1].output == ("migrated",)
    assert seen == ["two\n"]
    assert planned(shop.reconcile()) == [[]], "once"


def test_a_command_that_failed_is_not_run_again_for_the_same_files(world: World) -> None:
    shop = watching(world, "sync+exec", exec={"command": ["migrate"]})
    shop.engine.commands["migrate",] = lambda _one: (3, "no database\n")
    shop.write("app/main.py", "two\n")
    passed = shop.reconcile()
    assert ended(passed) == [(WRITE, DONE), (Remedy.EXEC, FAILED)]
    assert "`migrate` ended with 3: no database" in passed.outcomes[1].detail
    shop.engine.wait(3600.0)
    assert planned(shop.reconcile()) == [[]]


def test_a_command_without_consent_to_the_compose_file_is_not_run(world: World) -> None:
    shop = watching(world, "sync+exec", exec={"command": ["migrate"]})
    shop.policy("# another word\n")
    shop.write("app/main.py", "two\n")
    assert ended(shop.reconcile()) == [(WRITE, DONE)]


def test_what_a_sync_rule_names_is_brought_and_nothing_is_restarted(world: World) -> None:
    shop = watching(world, "sync")
    started = shop.container().started
    shop.write("app/main.py", "two\n")
    assert ended(shop.reconcile()) == [(WRITE, DONE)]
    assert shop.holds("/app/main.py") == "two\n"
    assert shop.container().started == started
