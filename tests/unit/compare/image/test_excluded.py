"""What lies around a service's files: each note names what it saw, and changes no verdict."""

import pytest

from freshd.compare import compare
from freshd.model.observed.container import Mount
from freshd.model.observed.runtime import RuntimeFacts
from freshd.model.observed.surroundings import (
    Covered,
    Elsewhere,
    LeftOut,
    LinkOut,
    Stray,
    Surroundings,
)
from freshd.model.report import Level, LinkName, LinkState, Verdict
from tests.unit.compare.stack import Stack
from tests.unit.compare.test_compare import V1, only

EDITED = {**V1, "app/a.py": "new"}
BIND = Mount("bind", "/srv", source="/home/me/shop")


def test_a_bind_over_what_the_image_built_names_mount_and_paths() -> None:
    seen = Covered(BIND, "shop", ("/srv/dist", "/srv/node_modules"))
    report = compare(Stack(V1, V1).facts(), RuntimeFacts(around=Surroundings(covered=(seen,))))
    note = only(report, "bind-hides-image")
    assert (note.level, note.link, note.target) == (Level.NOTE, LinkName.CONTAINER, "/srv/dist")
    assert note.evidence["paths"] == ["/srv/dist", "/srv/node_modules"]
    assert note.evidence["mount"] == "/srv"
    assert "/srv/dist and 1 more" in note.message
    assert report.verdict is Verdict.FRESH


def test_a_link_out_of_the_context_names_where_it_leads() -> None:
    seen = LinkOut("app/shared.py", "/srv/app/shared.py", "../lib/shared.py", "/lib/s.py", "web-1")
    report = compare(Stack(V1, V1).facts(), RuntimeFacts(around=Surroundings(links_out=(seen,))))
    note = only(report, "symlink-leaves-context")
    assert (note.path, note.target) == ("app/shared.py", "/srv/app/shared.py")
    assert note.evidence == {"leads_to": "../lib/shared.py", "missing": "/lib/s.py"}
    assert report.links[LinkName.IMAGE] is LinkState.FRESH


def test_a_file_that_is_left_out_names_the_rule_and_its_line() -> None:
    seen = LeftOut("app/local.py", "ab", ".dockerignore", 3, "app/local*")
    report = compare(Stack(V1, V1).facts(), RuntimeFacts(around=Surroundings(left_out=(seen,))))
    note = only(report, "ignored-by-dockerignore")
    assert (note.level, note.path) == (Level.NOTE, "app/local.py")
    assert "line 3 of .dockerignore, app/local*" in note.message
    assert note.evidence["line"] == 3


def test_strays_are_told_by_name_and_origin() -> None:
    orphan = Stray("shop-old-1", "a" * 64, "old", "shop", "/home/me/shop", "orphan")
    oneoff = Stray("shop-web-run-1", "b" * 64, "web", "shop", "/home/me/shop", "one-off")
    clone = Stray("shop-web-1", "c" * 64, "web", "shop", "/home/me/shop2", "clone")
    port = Stray("till-web-1", "d" * 64, "web", "till", "/home/me/till", ":8080/tcp")
    around = Surroundings(strays=(orphan, oneoff, clone, port))
    report = compare(Stack(V1, V1).facts(), RuntimeFacts(around=around))
    told = {finding.evidence["container"]: finding for finding in report.findings}
    assert [told[one.container].cause for one in around.strays] == [
        *("orphan-container", "orphan-container", "wrong-project", "wrong-project")
    ]
    assert "/home/me/shop2" in told["shop-web-1"].message
    assert "port :8080/tcp" in told["till-web-1"].message
    assert report.verdict is Verdict.FRESH
    nobody = Stack(V1, V1, extra={"observations": ()}).facts()
    assert len(compare(nobody, RuntimeFacts(around=around)).findings) == 4


@pytest.mark.parametrize(
    ("driver", "cause", "words"),
    [
        (
            "docker",
            "wrong-engine",
            "the engine at tcp://far:1 (builder b), and its contain",
        ),
        ("remote", "build-not-loaded", "the builder b (remote), and what it built was no"),
    ],
)
def test_a_build_that_went_elsewhere_is_told_beside_an_image_that_lacks_its_edits(
    driver: str, cause: str, words: str
) -> None:
    seen = Elsewhere("b", driver, "tcp://far:1", "unix:///here", 9.0, ("app/main.py",))
    around = RuntimeFacts(around=Surroundings(elsewhere=seen))
    report = compare(Stack(EDITED, V1).facts(), around)
    note = only(report, cause)
    assert (note.level, note.link) == (Level.NOTE, LinkName.IMAGE)
    assert words in note.message
    assert note.evidence["paths"] == ["app/main.py"]
    fresh = compare(Stack(V1, V1).facts(), around)
    assert (fresh.findings, fresh.verdict) == ((), Verdict.FRESH)
    early = Elsewhere("b", driver, "tcp://far:1", "unix:///here", 9.0, ())
    unedited = compare(
        Stack(EDITED, V1).facts(), RuntimeFacts(around=Surroundings(elsewhere=early))
    )
    assert cause not in {finding.cause for finding in unedited.findings}


def test_nothing_around_is_nothing_said() -> None:
    assert compare(Stack(V1, V1).facts(), RuntimeFacts()).findings == ()
