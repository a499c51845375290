"""What a person reads: calm when fresh; cause, file, container, evidence and remedy when not."""

from dataclasses import replace

import pytest

from freshd.model.mapping import ServiceMap
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName, LinkState, ProjectReport, Verdict
from freshd.render import maps, outcomes, verdicts
from freshd.render import report as text
from freshd.render.undone import Undone
from freshd.render.words import Line, plain
from tests.unit.render.values import (
    DONE,
    FAILED,
    FRESH,
    MAP,
    PATCHED,
    STALE,
    UNPROVED,
    differs,
    note,
    project,
    service,
)


def shown(report: ProjectReport) -> str:
    return "\n".join(plain(line) for line in text.report_lines(report))


def test_a_fresh_project_is_a_calm_few_lines() -> None:
    assert shown(FRESH) == (
        "shop is fresh\n"
        "\n"
        "  ✓ web   fresh   image fresh   container fresh   214 files in 1 container\n"
        "\n"
        "not checked: process, config"
    )


def test_a_stale_file_is_named_with_container_evidence_and_the_command_that_helps() -> None:
    words = shown(STALE)
    assert "✗ web   stale   image stale   container stale   1 of 214 files differs" in words
    assert words.split("\n\n")[2] == (
        "web\n"
        "  content-differs  app/main.py in shop-web-1 is not the file in the tree\n"
        "      app/main.py → /app/app/main.py   tree aaaaaaaaaaaa · container bbbbbbbbbbbb\n"
        "      fix: freshd inject web app/main.py"
    )


def test_why_the_policy_left_it_stands_below_what_would_help() -> None:
    undone = [
        Undone("content-differs", "shop-web-1", "the container is paused"),
        Undone("content-differs", "shop-web-2", "that is another container"),
        Undone("image-behind", None, "that is another cause"),
    ]
    lines = [plain(line) for line in text.finding_lines(STALE.services[0], undone)]
    assert lines[-2:] == [
        "      fix: freshd inject web app/main.py",
        "      not done: the container is paused",
    ]


def test_many_files_of_one_cause_are_one_entry_that_counts_them() -> None:
    many = [differs(f"src/{number}.py") for number in range(2000)]
    words = shown(project(service(*many, verdict=Verdict.STALE), verdict=Verdict.STALE))
    assert "content-differs  2,000 files in shop-web-1" in words
    assert "… and 1,990 more" in words
    assert words.count("src/") == 10 * 2
    assert words.count("fix: freshd inject web\n") == 1


def test_a_file_that_differs_in_some_replicas_only_says_in_which() -> None:
    found = [
        differs("a.py", container="shop-web-1"),
        differs("a.py", container="shop-web-2"),
        differs("b.py", container="shop-web-2"),
    ]
    words = shown(project(service(*found, verdict=Verdict.STALE), verdict=Verdict.STALE))
    assert "content-differs  2 files in shop-web-1, shop-web-2" in words
    assert "a.py → /app/a.py   shop-web-1, shop-web-2\n" in words
    assert "b.py → /app/b.py   shop-web-2\n" in words


def test_a_patched_service_is_fresh_with_a_note_and_no_command() -> None:
    words = shown(PATCHED)
    assert "✓ web   fresh, patched   image 30 behind   container fresh" in words
    assert "image-behind (note)" in words
    assert "… and 20 more" in words
    assert "fix:" not in words


def test_a_patched_service_names_its_files_once() -> None:
    both = note(), replace(note(), cause="patched", message="30 files would go back")
    words = shown(project(service(*both)))
    assert "image 30 behind" in words
    assert "patched (note)  30 files would go back" in words
    assert "image-behind" not in words
    assert words.count("app/00.py") == 1


def test_what_cannot_be_proved_is_not_called_fresh() -> None:
    assert shown(UNPROVED).startswith("shop cannot be proved fresh\n")


def test_a_link_that_one_service_was_checked_for_is_shown_for_all() -> None:
    other = service(name="worker")
    other = replace(other, links={**other.links, LinkName.PROCESS: LinkState.FRESH})
    words = shown(project(service(), other))
    assert "process unchecked" in words
    assert words.endswith("not checked: config")


def test_a_project_without_containers_says_so() -> None:
    assert "no service of this project has been created" in shown(project())


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("a\x1b[2Jb.py", r"\x1b[2Jb.py"),
        ("a\u202eyp.b", r"\u202eyp.b"),
        ("a\nb.py", r"a\x0ab.py"),
        ("caf\udce9.py", r"caf\xe9.py"),
        (" lead", '" lead"'),
    ],
)
def test_a_hostile_name_is_escaped_everywhere(name: str, seen: str) -> None:
    words = shown(project(service(differs(name), verdict=Verdict.STALE), verdict=Verdict.STALE))
    assert seen in words
    assert all(char.isprintable() or char == "\n" for char in words)
    assert not any("\ud800" <= char <= "\udfff" for char in words)


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("app/main.py", "freshd inject web app/main.py"),
        ("a b.py", "freshd inject web 'a b.py'"),
        ("$(rm).py", "freshd inject web '$(rm).py'"),
        ("-rf", "freshd inject web"),
        ("caf\udce9.py", "freshd inject web"),
        ("a\nb", "freshd inject web"),
    ],
)
def test_the_command_can_be_pasted_into_a_shell(path: str, command: str) -> None:
    assert text.remedy_command([differs(path)]) == command


def test_a_rebuild_is_of_the_kind_that_helps() -> None:
    old = replace(differs(), cause="cached-layer-aged", remedy=Remedy.REBUILD)
    assert text.remedy_command([old]) == "freshd rebuild web --mode no-cache"
    other = replace(old, cause="image-behind")
    assert text.remedy_command([other]) == "freshd rebuild web"


def test_no_command_where_only_a_notice_is_suggested() -> None:
    assert text.remedy_command([replace(differs(), remedy=Remedy.NOTIFY)]) is None


@pytest.mark.parametrize(
    ("report", "plain_code", "strict_code"),
    [(FRESH, 0, 0), (STALE, 1, 1), (PATCHED, 0, 1), (UNPROVED, 3, 3)],
)
def test_strict_counts_a_note_as_stale(
    report: ProjectReport, plain_code: int, strict_code: int
) -> None:
    assert verdicts.EXIT_CODES[report.verdict] == plain_code
    stricter = verdicts.strict(report)
    assert verdicts.EXIT_CODES[stricter.verdict] == strict_code
    assert [each.findings for each in stricter.services] == [
        each.findings for each in report.services
    ]


def test_strict_marks_the_container_a_note_is_about() -> None:
    about = replace(differs(), level=Level.NOTE)
    (strict,) = verdicts.strict(project(service(about))).services
    assert strict.verdict is Verdict.STALE
    assert strict.containers[0].verdict is Verdict.STALE


def joined(lines: list[Line]) -> str:
    return "\n".join(plain(line) for line in lines)


def test_a_map_is_grouped_by_where_a_file_comes_from() -> None:
    assert joined(list(maps.map_lines([MAP]))) == (
        "web   3 files, 1 hidden by a mount, 2 build inputs\n"
        "  copy  Dockerfile:7 COPY . /app   1 file\n"
        "    app/main.py → /app/app/main.py\n"
        "  copy   1 file\n"
        "    conf/a.ini → /etc/a.ini   hidden by the mount at /etc\n"
        "  bind   1 file\n"
        "    static/x.css → /srv/x.css\n"
        "  input   2 files the build reads and that do not land as they are\n"
        "    Dockerfile\n"
        "    requirements.txt"
    )
    assert "→" not in joined(list(maps.map_lines([MAP], summary=True)))


def test_a_map_lists_the_data_of_services() -> None:
    value = ServiceMap("web", data={"db/base": "data of db", "db/wal.log": "data of db"})
    lines = joined(list(maps.map_lines([value])))
    assert "  data   2 files that services write: not compared, brought nowhere" in lines
    assert lines.endswith("    db/base\n    db/wal.log")
    assert "db/base" not in joined(list(maps.map_lines([value], summary=True)))


def test_an_outcome_says_what_was_done_and_a_failed_one_why() -> None:
    assert joined(list(outcomes.outcome_lines([DONE, FAILED]))) == (
        "✓ inject 1 file and delete 1 in shop-web-1   42 ms   content-differs\n"
        "✗ inject 1 file and delete 1 in shop-web-1   failed   2.5 s   content-differs\n"
        "    read back other bytes\n"
        "    | line 1"
    )
