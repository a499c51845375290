"""Each verb: what it asks the session for, what it prints, and its exit status."""

import io
import json
import sys
from dataclasses import replace

import pytest

from freshd.cli.boundary import USAGE
from freshd.commands.session import Applied
from freshd.model.plan import Plan
from freshd.model.remedy import RebuildMode
from freshd.model.report import Level, ProjectReport, Verdict
from freshd.render.diffs import FileDiff
from tests.unit.cli.fakes import APPLIED, FakeSession, Line
from tests.unit.render.values import DONE, FAILED, FRESH, PATCHED, PLAN, STALE, UNPROVED, differs

NOTHING = replace(APPLIED, plans=(), outcomes=())


@pytest.mark.parametrize(
    ("report", "options", "status"),
    [
        (FRESH, [], 0),
        (STALE, [], 1),
        (UNPROVED, [], 3),
        (PATCHED, [], 0),
        (PATCHED, ["--strict"], 1),
        (FRESH, ["--strict"], 0),
    ],
)
def test_the_status_of_check_is_the_verdict(
    line: Line, report: ProjectReport, options: list[str], status: int
) -> None:
    for more in ([], ["--json"]):
        result = line("check", *options, *more, session=FakeSession(report=report))
        assert (result.status, result.err) == (status, "")
    assert json.loads(result.out)["verdict"] == {0: "fresh", 1: "stale", 3: "unverifiable"}[status]


def test_check_of_an_image_asks_for_it_and_takes_no_narrowing(line: Line) -> None:
    session = FakeSession(report=STALE)
    judged = line("check", "--image", "shop-web:2", "web", session=session)
    assert judged.status == 1
    assert judged.out.startswith("shop-web:2 is stale\n")
    assert session.calls == [("check_image", "shop-web:2", "web")]
    for more in (("--full",), ("--path", "a")):
        assert line("check", "--image", "x", *more, session=FakeSession()).status == USAGE


def test_check_passes_services_globs_and_full_on(line: Line) -> None:
    session = FakeSession()
    line("check", "web", "--path", "a/**", "--path", "*.py", "--full", session=session)
    assert session.calls == [("check", "web", ("a/**", "*.py"), True)]


@pytest.mark.parametrize(("report", "status"), [(FRESH, 0), (STALE, 1), (UNPROVED, 3)])
def test_validate_prints_and_exits_as_check_does(
    line: Line, report: ProjectReport, status: int
) -> None:
    session = FakeSession(report=report)
    for more in ([], ["--json"]):
        result = line("validate", *more, session=session)
        assert (result.status, result.out) == (status, line("check", *more, session=session).out)
    assert session.calls[0] == ("validate",)
    assert line("validate", "web", session=session).status == 2, "it is the whole stack"


def test_piped_text_has_no_colour(line: Line) -> None:
    result = line("check", session=FakeSession(report=STALE))
    assert "\x1b" not in result.out
    assert "fix: freshd inject web app/main.py" in result.out


def test_map_lists_pairs_as_text_and_as_json(line: Line) -> None:
    assert "app/main.py → /app/app/main.py" in line("map", "web").out
    document = json.loads(line("map", "--json").out)
    assert document["services"][0]["pairs"][0]["target"] == "/app/app/main.py"


@pytest.mark.parametrize(
    ("plans", "status"),
    [
        ((), 0),
        ((Plan("web"),), 0),
        ((PLAN,), 1),
        ((Plan("web", notices=((differs(), "no rule"),)),), 1),
        ((Plan("web", notices=((replace(differs(), level=Level.UNVERIFIABLE), "-"),)),), 3),
        ((Plan("web", notices=((replace(differs(), level=Level.NOTE), "-"),)),), 0),
    ],
)
def test_the_status_of_plan_says_whether_something_parts_them(
    line: Line, plans: tuple[Plan, ...], status: int
) -> None:
    result = line("plan", session=FakeSession(plans=plans))
    assert result.status == status
    assert ("nothing to do" in result.out) == (not any(p.steps or p.notices for p in plans))


def test_plan_prints_the_one_rendering_of_a_plan(line: Line) -> None:
    from freshd.decide.text import plan_text

    assert line("plan", session=FakeSession(plans=(PLAN,))).out == plan_text(PLAN) + "\n"
    document = json.loads(line("plan", "--json", session=FakeSession(plans=(PLAN,))).out)
    assert document["plans"][0]["service"] == "web"


@pytest.mark.parametrize(
    ("done", "status"),
    [
        (NOTHING, 0),
        (APPLIED, 0),
        (replace(APPLIED, report=UNPROVED), 0),
        (replace(APPLIED, outcomes=(DONE, FAILED)), 1),
        (replace(APPLIED, report=STALE), 1),
    ],
)
@pytest.mark.parametrize("argv", [["apply"], ["inject", "web"], ["rebuild", "web"]])
def test_doing_fails_when_a_step_failed_or_something_is_still_stale(
    line: Line, argv: list[str], done: Applied, status: int
) -> None:
    for more in ([], ["--json"]):
        result = line(*argv, *more, session=FakeSession(done=done))
        assert result.status == status
    assert json.loads(result.out)["verdict"] == done.report.verdict.value


def test_steps_and_build_output_are_log_and_not_data(line: Line) -> None:
    result = line("apply", "--json", session=FakeSession())
    json.loads(result.out)
    assert result.err == "inject 1 file and delete 1 in shop-web-1 …\n#5 [2/4] RUN make \\x1b[2J\n"


@pytest.mark.parametrize(
    ("argv", "call"),
    [
        (["inject", "web", "a.py", "b.py"], ("inject", "web", "a.py", "b.py", None)),
        (["purge", "web"], ("purge", "web", None)),
        (["restart", "web"], ("restart", "web", None)),
        (["recreate", "web"], ("recreate", "web", None)),
        (["rebuild", "web"], ("rebuild", "web", RebuildMode.CACHED)),
        (["rebuild", "web", "--mode", "no-cache"], ("rebuild", "web", RebuildMode.NO_CACHE)),
        (
            ["rebuild", "web", "--mode", "fresh-context"],
            ("rebuild", "web", RebuildMode.FRESH_CONTEXT),
        ),
    ],
)
def test_a_remedy_by_hand_asks_for_exactly_that(
    line: Line, argv: list[str], call: tuple[object, ...]
) -> None:
    session = FakeSession()
    assert line(*argv, session=session).status == 0
    assert session.calls == [call]


DIFFERENCE = FileDiff("a.py", "/app/a.py", "shop-web-1", b"new\n", b"old \xff\n")


def test_diff_prints_the_bytes_of_both_sides_as_they_are(
    monkeypatch: pytest.MonkeyPatch, line: Line
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    result = line("diff", "web", "a.py", session=FakeSession(differences=(DIFFERENCE,)))
    assert result.status == 1
    assert written.getvalue().endswith(b"@@ -1 +1 @@\n-old \xff\n+new\n")


def test_diff_json_keeps_what_is_not_utf8(line: Line) -> None:
    result = line("diff", "web", "--json", session=FakeSession(differences=(DIFFERENCE,)))
    (difference,) = json.loads(result.out)["differences"]
    assert "-old \udcff\n+new\n" in difference["diff"]
    assert difference["tree"].startswith("sha256:")


def test_diff_without_a_difference_is_silent(line: Line) -> None:
    result = line("diff", "web")
    assert (result.status, result.out) == (0, "")


def test_project_options_count_before_and_after_the_verb(line: Line) -> None:
    line("--project", "a", "-f", "x.yaml", "check", "--project", "b", "--file", "y.yaml")
    line("-p", "shop", "check", "--profile", "dev")
    first, second = (opened["invocation"] for opened in line.opened)
    assert (first.project_dir, first.files) == ("b", ("x.yaml", "y.yaml"))
    assert (second.project_name, second.profiles) == ("shop", ("dev",))
    assert line.opened[1]["engine"] == "required"


def test_explain_says_what_a_cause_means(line: Line) -> None:
    from freshd.catalog.causes.pages import read_page
    from freshd.catalog.causes.registry import CAUSES

    for slug, cause in CAUSES.items():
        result = line("explain", slug)
        assert result.status == 0
        assert read_page(cause).title in result.out
        assert (
            json.loads(line("explain", slug, "--json").out)["meaning"] == read_page(cause).meaning
        )


def test_explain_of_an_unknown_cause_suggests_the_nearest(line: Line) -> None:
    result = line("explain", "content-difers")
    assert result.status == 2
    assert result.err.endswith("hint: did you mean content-differs?\n")


def test_the_verdict_of_a_stale_project_is_told_first(line: Line) -> None:
    result = line("check", session=FakeSession(report=STALE))
    assert result.out.splitlines()[0] == "shop is stale"
    assert STALE.verdict is Verdict.STALE


def test_diff_of_a_container_leaves_the_other_replicas_out(line: Line) -> None:
    other = replace(DIFFERENCE, container="shop-web-2")
    result = line(
        "diff", "shop-web-2", "--json", session=FakeSession(differences=(DIFFERENCE, other))
    )
    assert [each["container"] for each in json.loads(result.out)["differences"]] == ["shop-web-2"]
