"""A private session bus with a notification service on it that writes down what it is told."""

import json
import os
import subprocess
import sys
import textwrap
import threading

SERVICE = textwrap.dedent(
    """
    import asyncio, json, sys
    from dbus_fast.aio import MessageBus
    from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

    class Notifications(ServiceInterface):
        def __init__(self):
            super().__init__("org.freedesktop.Notifications")
            self.count = 0

        @dbus_method()
        def GetCapabilities(self) -> "as":
            return ["body", "body-markup", "actions"]

        @dbus_method()
        def GetServerInformation(self) -> "ssss":
            return ["freshd-test", "freshd", "1", "1.2"]

        @dbus_method()
        def Notify(self, app: "s", replaces: "u", icon: "s", title: "s", body: "s",
                   actions: "as", hints: "a{sv}", timeout: "i") -> "u":
            self.count += 1
            told = {"app": app, "title": title, "body": body, "urgency": hints["urgency"].value}
            print(json.dumps(told), flush=True)
            return self.count

        @dbus_method()
        def CloseNotification(self, id: "u") -> None:
            pass

        @dbus_signal()
        def NotificationClosed(self) -> "uu":
            return [0, 0]

        @dbus_signal()
        def ActionInvoked(self) -> "us":
            return [0, ""]

    async def main():
        bus = await MessageBus().connect()
        bus.export("/org/freedesktop/Notifications", Notifications())
        await bus.request_name("org.freedesktop.Notifications")
        print("ready", flush=True)
        await bus.wait_for_disconnect()

    asyncio.run(main())
    """
)


class Bus:
    """A private session bus and, on request, a notification service on it."""

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, "bus")
        self.told: list[dict[str, object]] = []
        self._processes: list[subprocess.Popen[str]] = []
        self._readers: list[threading.Thread] = []

    @property
    def address(self) -> str:
        return f"unix:path={self.path}"

    def start(self) -> "subprocess.Popen[str]":
        command = ["dbus-daemon", "--session", "--nofork", "--print-address", "--address"]
        bus = self._spawn([*command, self.address])
        assert bus.stdout is not None
        assert bus.stdout.readline().startswith("unix:")
        return bus

    def serve(self) -> "subprocess.Popen[str]":
        service = self._spawn([sys.executable, "-W", "ignore", "-c", SERVICE])
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n"
        reader = threading.Thread(target=self._read, args=(service,))
        reader.start()
        self._readers.append(reader)
        return service

    def end(self, process: "subprocess.Popen[str]") -> None:
        process.kill()
        process.wait(timeout=10)

    def stop(self) -> None:
        for process in reversed(self._processes):
            self.end(process)
        for reader in self._readers:
            reader.join(timeout=10)
        for process in self._processes:
            if process.stdout is not None:
                process.stdout.close()

    def _spawn(self, command: list[str]) -> "subprocess.Popen[str]":
        environ = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.address}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ
        )
        self._processes.append(process)
        return process

    def _read(self, service: "subprocess.Popen[str]") -> None:
        assert service.stdout is not None
        for line in service.stdout:
            self.told.append(json.loads(line))
