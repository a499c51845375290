"""The daemon's log: structlog, words on a terminal and JSON lines elsewhere, to one stream.

structlog is the second heaviest import, so only the daemon calls this. What libraries log at
warning or above comes out in the same form. A closed or full stream never stops freshd.
"""

import logging
import sys
from typing import Any, Protocol, TextIO, cast

from freshd.model.text import printable


class Log(Protocol):
    """The part of a structlog logger that is used."""

    def info(self, event: str, **values: Any) -> Any: ...
    def warning(self, event: str, **values: Any) -> Any: ...
    def exception(self, event: str, **values: Any) -> Any: ...


def set_up(stream: TextIO, *, level: str = "info", form: str = "auto") -> None:
    """Configure structlog for this process; ``form`` is auto, text or json."""
    import structlog

    as_text = form == "text" or (form == "auto" and stream.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _safe,
    ]
    if as_text:
        processors.append(structlog.dev.ConsoleRenderer(colors=stream.isatty()))
    else:
        processors.append(structlog.processors.JSONRenderer(ensure_ascii=True))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, _Patient(stream))),
        cache_logger_on_first_use=False,
    )
    _take_over_libraries()


def get_log() -> Any:
    """A logger; configured by ``set_up``."""
    import structlog

    return structlog.get_logger()


def _safe(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Names come from trees and containers: nothing in them steers a terminal."""
    return {key: _shown(key, value) for key, value in event.items()}


def _shown(key: str, value: object) -> object:
    if not isinstance(value, str):
        return value  # both renderers show it by its repr, or as JSON in ASCII
    if key == "exception":
        return "\n".join(map(printable, value.split("\n")))
    return printable(value)


class _Patient:
    """A stream that nobody reads any more must not end what freshd does."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return 0  # closed, a broken pipe, or a full disk

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return  # as above


class _ToStructlog(logging.Handler):
    """What a library says through the standard library's logging, in our form."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            get_log().log(
                record.levelno, record.getMessage(), library=record.name, exc_info=record.exc_info
            )
        except Exception:  # noqa: BLE001 - a library's bad format string is not worth an end
            self.handleError(record)


def _take_over_libraries() -> None:
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _ToStructlog)]:
        root.removeHandler(handler)
    root.addHandler(_ToStructlog(level=logging.WARNING))
    logging.raiseExceptions = sys.stderr is not None and sys.stderr.isatty()
