"""The log is lines a machine or a person can read, whatever names and streams do."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from freshd.daemon.log import _ToStructlog, get_log, set_up


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    raises = logging.raiseExceptions
    yield
    structlog.reset_defaults()
    logging.raiseExceptions = raises
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _ToStructlog)]:
        root.removeHandler(handler)


def test_a_pipe_gets_one_json_object_a_line() -> None:
    stream = io.StringIO()
    set_up(stream)
    get_log().info("pass", service="web", seconds=0.5)
    get_log().warning("again")
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["event"], first["level"], first["service"]) == ("pass", "info", "web")
    assert first["timestamp"].endswith("Z")
    assert second["level"] == "warning"


@pytest.mark.parametrize(
    ("stream", "form", "is_json"),
    [
        (Terminal(), "auto", False),
        (Terminal(), "json", True),
        (io.StringIO(), "text", False),
        (io.StringIO(), "auto", True),
    ],
)
def test_the_form_follows_the_stream_unless_it_is_named(
    stream: io.StringIO, form: str, is_json: bool
) -> None:
    set_up(stream, form=form)
    get_log().info("pass")
    assert stream.getvalue().startswith("{") is is_json
    assert "pass" in stream.getvalue()


def test_less_than_the_level_is_not_written() -> None:
    stream = io.StringIO()
    set_up(stream, level="warning")
    get_log().info("quiet")
    get_log().error("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("hostile", ["a\x1b[2Jb", "a\nb", "a\u202eb", "a\udcffb", "a\rb"])
def test_hostile_names_stay_on_their_line_and_steer_nothing(form: str, hostile: str) -> None:
    stream = io.StringIO()
    set_up(stream, form=form)
    get_log().info(hostile, path=hostile, paths=[hostile])
    text = stream.getvalue()
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    text.encode()


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_is_shown_with_its_traceback_and_nothing_hostile(form: str) -> None:
    stream = io.StringIO()
    set_up(stream, form=form)
    try:
        int("bad \x1b[31m name")
    except ValueError:
        get_log().exception("a pass failed")
    text = stream.getvalue()
    assert "Traceback" in text
    assert "ValueError" in text
    assert "\x1b" not in text


def test_a_closed_stream_stops_nothing() -> None:
    stream = io.StringIO()
    set_up(stream, form="json")
    log = get_log()
    stream.close()
    log.info("nobody reads this")


def test_a_full_disk_stops_nothing() -> None:
    with open("/dev/full", "w", encoding="utf-8") as stream:
        set_up(stream)
        get_log().info("does not fit")
        try:
            stream.close()
        except OSError:
            pass  # what was buffered does not fit either


def test_warnings_of_libraries_come_in_the_same_form_once() -> None:
    stream = io.StringIO()
    set_up(stream)
    set_up(stream)
    logging.getLogger("some.library").warning("odd: %s", "thing")
    logging.getLogger("some.library").info("chatter")
    (line,) = [json.loads(each) for each in stream.getvalue().splitlines()]
    assert (line["event"], line["library"], line["level"]) == (
        "odd: thing",
        "some.library",
        "warning",
    )
