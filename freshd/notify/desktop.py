"""One notice on the desktop by desktop-notifier, within a deadline; says whether it was shown.

The library swallows every failure and returns as if all were well; only ``on_dispatched`` says so.
"""

import asyncio
import logging
import os
import stat
import sys
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from freshd.model.text import printable
from freshd.notify.outbox import Notice

DEADLINE: Final = 1.0
_LONGEST_TITLE: Final = 120
_LONGEST_BODY: Final = 600
_BUS: Final = "DBUS_SESSION_BUS_ADDRESS"

# both log tracebacks for each notice that nobody shows; ``Desktop.show`` says it in one line
for _library in ("desktop_notifier", "dbus_fast"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)


def session_bus(environ: Mapping[str, str]) -> str | None:
    """The D-Bus address of the session, also where only its socket is there (user services)."""
    address = environ.get(_BUS)
    if address:
        return address
    runtime = environ.get("XDG_RUNTIME_DIR")
    if not runtime:
        return None
    socket = os.path.join(runtime, "bus")
    try:
        is_socket = stat.S_ISSOCK(os.stat(socket).st_mode)
    except OSError:
        return None
    return f"unix:path={socket}" if is_socket else None


class Desktop:
    """Used by one thread; keeps its connection until something fails."""

    def __init__(self, *, platform: str = sys.platform, deadline: float = DEADLINE) -> None:
        self._needs_bus = platform not in {"darwin", "win32"}
        self._deadline = deadline
        self._loop: asyncio.AbstractEventLoop | None = None
        self._api: Any = None

    def show(self, notice: Notice) -> str:
        """Show it; "" when it was, else why not. Takes at most the deadline."""
        if self._needs_bus:
            address = session_bus(os.environ)
            if address is None:
                return "no session bus"
            os.environ[_BUS] = address  # the library looks there and nowhere else
        try:
            return self._send(notice)
        except Exception as error:  # noqa: BLE001 - whatever the desktop does, freshd goes on
            self.close()
            return f"desktop notices do not work: {error!r}"

    def close(self) -> None:
        """Forget the connection; the next notice makes a new one."""
        self._drop_bus()
        self._api = None
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    def _send(self, notice: Notice) -> str:
        from desktop_notifier import DesktopNotifier  # takes a while, so before the deadline runs

        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            # what a broken bus leaves behind in futures is reported by ``show`` already
            self._loop.set_exception_handler(lambda _loop, _context: None)
        if self._api is None:
            self._api = DesktopNotifier(app_name="freshd", app_icon=None)
        dispatched: list[bool] = []
        try:
            self._loop.run_until_complete(
                asyncio.wait_for(self._dispatch(notice, dispatched), self._deadline)
            )
        except TimeoutError:
            self.close()
            return f"the notification service did not answer within {self._deadline:g} s"
        if dispatched:
            return ""
        self.close()
        return "no notification service answers on the session bus"

    async def _dispatch(self, notice: Notice, dispatched: list[bool]) -> None:
        from desktop_notifier import Urgency

        await self._api.send(
            title=shortened(printable(notice.title), _LONGEST_TITLE),
            message=body_text(notice.body, markup=self._needs_bus),
            urgency=Urgency.Critical if notice.urgent else Urgency.Normal,
            on_dispatched=lambda: dispatched.append(True),
        )

    def _drop_bus(self) -> None:
        """The library has no way to disconnect; its bus would leak a socket for each failure."""
        bus = getattr(getattr(self._api, "_backend", None), "bus", None)
        if bus is None or self._loop is None:
            return
        try:
            bus.disconnect()
            self._loop.run_until_complete(asyncio.sleep(0))
        except Exception:  # noqa: BLE001 - it is broken, which is why it goes
            return


def body_text(text: str, *, markup: bool) -> str:
    """The lines made safe to show; on D-Bus a body is markup, so names must not become tags."""
    lines = shortened("\n".join(map(printable, text.split("\n"))), _LONGEST_BODY)
    return escape(lines, quote=False) if markup else lines


def shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
