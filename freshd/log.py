"""The daemon's log: structlog, words on a terminal and JSON lines elsewhere, to one stream.

structlog is the second heaviest import, so only the daemon calls this.
"""

import logging
from typing import Any, TextIO

from freshd.model import printable


def set_up(stream: TextIO, *, level: str = "info", form: str = "auto") -> None:
    """Configure structlog for this process; ``form`` is auto, text or json."""
    import structlog

    as_text = form == "text" or (form == "auto" and stream.isatty())
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _safe,
        structlog.processors.format_exc_info,
    ]
    if as_text:
        processors[-1:] = [structlog.dev.ConsoleRenderer(colors=stream.isatty())]
    else:
        processors.append(structlog.processors.JSONRenderer(ensure_ascii=True))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )


def get_log() -> Any:
    """A logger; configured by ``set_up``."""
    import structlog

    return structlog.get_logger()


def _safe(_logger: object, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Names come from trees and containers: nothing in them steers a terminal."""
    return {key: printable(v) if isinstance(v, str) else v for key, v in event.items()}
