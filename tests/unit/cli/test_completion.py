"""Completion offers services that were seen and causes, quickly, and never an error."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from freshd.cli.completing import VARIABLE
from freshd.cli.completion import SHELLS
from freshd.config.locations import locate, prepare
from freshd.render.documents import service_report
from freshd.store import open_store
from tests.unit.cli.fakes import Line
from tests.unit.render.values import STALE

Complete = Callable[[str], list[str]]


@pytest.fixture
def complete(line: Line) -> Complete:
    """``complete("freshd check w")``: what bash is offered for the last word."""

    def ask(typed: str) -> list[str]:
        line.environ[VARIABLE] = "bash_complete"
        with pytest.MonkeyPatch.context() as patch:  # click reads these two from the process
            patch.setenv("COMP_WORDS", typed)
            patch.setenv("COMP_CWORD", str(len(typed.split(" ")) - 1))
            result = line()
        assert result.err == ""
        return [offered for offered in result.out.splitlines() if offered]

    return ask


def save(line: Line, directory: str = "/src/shop") -> None:
    locations = locate(line.environ)
    prepare(locations)
    store = open_store(locations.database, now=line.now)
    reports = {name: service_report(STALE.services[0]) for name in ("web", "worker", "a\tb")}
    store.status.save("shop", directory=directory, services=reports, at=line.now)
    store.close()


def test_verbs_are_offered(complete: Complete) -> None:
    assert "plain,check" in complete("freshd ")
    assert complete("freshd expl") == ["plain,explain"]


@pytest.mark.parametrize("verb", ["check", "map", "plan", "apply", "diff", "history", "restart"])
def test_services_of_the_project_that_is_meant_are_offered(
    line: Line, complete: Complete, verb: str
) -> None:
    save(line)
    assert complete(f"freshd {verb} w") == ["plain,web", "plain,worker"]
    assert complete(f"freshd {verb} x") == []
    line.cwd = "/elsewhere"
    assert complete(f"freshd {verb} w") == []
    assert complete(f"freshd --project /src/shop {verb} wo") == ["plain,worker"]
    assert complete(f"freshd {verb} -p shop wo") == ["plain,worker"]


def test_a_service_is_offered_once(line: Line, complete: Complete) -> None:
    save(line)
    assert complete("freshd check web w") == ["plain,worker"]


def test_causes_are_offered_before_files(complete: Complete) -> None:
    assert complete("freshd explain old") == ["plain,old-image"]
    assert complete("freshd explain app/m") == ["file,app/m"]
    assert complete("freshd --project s") == ["dir,s"]


def test_without_a_database_nothing_is_offered_and_none_is_made(
    line: Line, complete: Complete
) -> None:
    assert complete("freshd check ") == []
    assert not Path(line.environ["FRESHD_STATE_DIR"]).exists()


def test_a_broken_database_is_no_reason_to_speak(line: Line, complete: Complete) -> None:
    state = Path(line.environ["FRESHD_STATE_DIR"])
    state.mkdir()
    (state / "freshd.sqlite3").write_text("no database" * 1000)
    assert complete("freshd check ") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_names_the_variable_that_freshd_listens_to(line: Line, shell: str) -> None:
    result = line("completion", shell)
    assert result.status == 0
    assert f"{VARIABLE}={shell}_complete" in result.out


def test_bash_takes_the_script(line: Line) -> None:
    script = line("completion", "bash").out + "\ncomplete -p freshd\n"
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True)
    assert "_freshd_completion freshd" in done.stdout
