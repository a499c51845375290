"""The SDK's client: the methods of it that ``freshd.engine`` calls, answered from the state."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from docker.errors import APIError

from tests.loop.fake.engine import Container, FakeEngine, Image, Refused, shown
from tests.loop.fake.files import changes
from tests.loop.fake.shell import Process


class FakeClient:
    """Errors are the SDK's; what breaks the connection is the OSError that broke it."""

    api_version = "1.47"

    def __init__(self, engine: FakeEngine, processes: dict[str, Process]) -> None:
        self._engine = engine
        self._processes = processes

    def close(self) -> None:
        """There is no connection."""

    def version(self) -> Mapping[str, Any]:
        with self._answered("version"):
            return {"Version": "27.0.0", "ApiVersion": self.api_version}

    def containers(self, *, all: bool, filters: Mapping[str, Any] | None) -> list[Any]:  # noqa: A002
        wanted = [text.partition("=") for text in (filters or {}).get("label", ())]
        with self._answered("list"):
            return [
                _listed(one)
                for one in self._engine.containers.values()
                if all
                and one.state in ((filters or {}).get("status") or [one.state])
                and _has_labels(one, wanted)
            ]

    def inspect_container(self, container_id: str) -> Mapping[str, Any]:
        with self._answered("inspect", container_id):
            return _inspected(self._engine.container(container_id), self._processes)

    def inspect_image(self, ref: str) -> Mapping[str, Any]:
        with self._answered("inspect image", ref):
            image = self._engine.image(ref)
            tags = [tag for tag, image_id in self._engine.tags.items() if image_id == image.id]
            return _image(image, tags)

    def inspect_volume(self, name: str) -> Mapping[str, Any]:
        with self._answered("inspect volume", name):
            if name not in self._engine.volumes:
                raise Refused(404, f"no such volume: {name}")
            labels = {"com.docker.compose.volume": name}
            return {"Name": name, "Driver": "local", "Options": None, "Labels": labels}

    def history(self, ref: str) -> list[Mapping[str, Any]]:
        with self._answered("history", ref):
            lines = reversed(self._engine.image(ref).history)
            return [
                {
                    "CreatedBy": line.text,
                    "Created": int(line.created),
                    "Size": 0 if line.layer is None else line.layer.size,
                }
                for line in lines
            ]

    def diff(self, container_id: str) -> list[Mapping[str, Any]]:
        with self._answered("diff", container_id):
            one = self._engine.container(container_id)
            found = changes(one.image.files, one.view.own)
            return [{"Path": path, "Kind": kind} for path, kind in sorted(found.items())]

    def info(self) -> Mapping[str, Any]:
        with self._answered("info"):
            return {"SystemTime": shown(self._engine.now())}

    def events(self, **_how: Any) -> list[Mapping[str, Any]]:
        """It keeps none: who was in a container is not known."""
        with self._answered("events"):
            return []

    def top(self, container_id: str, *, ps_args: str) -> Mapping[str, Any]:
        with self._answered("top", container_id):
            one = self._running(container_id)
            age = str(int(self._engine.now() - one.started))
            return {"Processes": [[str(_pid(one)), "1", age, " ".join(one.command)]]}

    def logs(self, container_id: str, *, tail: int, since: float) -> bytes:
        with self._answered("logs", container_id):
            self._engine.container(container_id)
            return b""

    def restart(self, container_id: str, *, timeout: int) -> None:
        with self._answered("restart", container_id):
            self._engine.restart(self._engine.container(container_id))

    def start(self, container_id: str) -> None:
        with self._answered("start", container_id):
            self._engine.start(self._engine.container(container_id))

    def kill(self, container_id: str, name: str) -> None:
        with self._answered("kill", container_id):
            self._running(container_id).signals.append(name)

    def exec_create(self, container_id: str, argv: Sequence[str], **how: Any) -> Mapping[str, str]:
        with self._answered("exec", container_id):
            one = self._running(container_id)
            process = Process(self._engine, one, tuple(argv), stdin=bool(how.get("stdin")))
            self._processes[process.id] = process
            return {"Id": process.id}

    def exec_inspect(self, exec_id: str) -> Mapping[str, Any]:
        with self._answered("inspect exec", exec_id):
            process = self._processes[exec_id]
            return {
                "Running": process.running,
                "ExitCode": process.exit_code,
                "ProcessConfig": {
                    "entrypoint": process.argv[0],
                    "arguments": list(process.argv[1:]),
                },
            }

    def create_container_config(self, image: str, **how: Any) -> Mapping[str, Any]:
        return {"image": image, "labels": how["labels"]}

    def create_host_config(self, **how: Any) -> Mapping[str, Any]:
        return how

    def create_container_from_config(self, config: Mapping[str, Any]) -> Mapping[str, str]:
        with self._answered("create", config["image"]):
            image = self._engine.image(config["image"])
            return {"Id": self._engine.create(image, labels=config["labels"]).id}

    def remove_container(self, container_id: str, **how: Any) -> None:
        with self._answered("remove", container_id):
            self._engine.remove(self._engine.container(container_id))

    def _running(self, container_id: str) -> Container:
        one = self._engine.container(container_id)
        if not one.running:
            raise Refused(409, f"container {container_id} is {one.state}")
        return one

    @contextmanager
    def _answered(self, name: str, target: str = "") -> Iterator[None]:
        try:
            with self._engine.call(name, target):
                yield
        except Refused as error:
            response = requests.Response()
            response.status_code = error.status
            raise APIError(str(error), response, str(error)) from error


def _has_labels(one: Container, wanted: Sequence[tuple[str, str, str]]) -> bool:
    return all(
        name in one.labels and (not equals or one.labels[name] == value)
        for name, equals, value in wanted
    )


def _pid(one: Container) -> int:
    return int(one.id[:4], 16) + 100


def _listed(one: Container) -> Mapping[str, Any]:
    return {
        "Id": one.id,
        "Names": [f"/{one.name}"],
        "Labels": dict(one.labels),
        "Image": one.image_ref,
        "ImageID": one.image.id,
        "State": one.state,
        "Created": int(one.created),
        "Ports": [],
    }


def _inspected(one: Container, processes: Mapping[str, Process]) -> Mapping[str, Any]:
    binds = [
        {"Type": "bind", "Source": source, "Destination": target, "RW": True}
        for target, source in one.binds.items()
    ]
    volumes = [
        {"Type": "volume", "Name": name, "Destination": target, "RW": True}
        for target, name in one.volumes.items()
    ]
    state: dict[str, Any] = {
        "Status": one.state,
        "ExitCode": one.exit_code,
        "StartedAt": shown(one.started),
        "FinishedAt": shown(one.finished),
        "Pid": _pid(one) if one.running else 0,
    }
    if one.health:
        state["Health"] = {"Status": one.health}
    path, *args = one.command or ("",)
    return {
        "Id": one.id,
        "Name": f"/{one.name}",
        "Created": shown(one.created),
        "Image": one.image.id,
        "Path": path,
        "Args": args,
        "State": state,
        "Config": {
            "Image": one.image_ref,
            "Labels": dict(one.labels),
            "Env": [f"{name}={value}" for name, value in one.environment.items()],
            "Cmd": list(one.command),
            "WorkingDir": one.image.workdir,
        },
        "HostConfig": {"NetworkMode": one.joins or "default", "RestartPolicy": {"Name": "no"}},
        "Mounts": [*binds, *volumes],
        "NetworkSettings": {"Networks": {name: {"IPAddress": ""} for name in one.networks}},
        "ExecIDs": [
            process.id
            for process in processes.values()
            if process.container is one and process.running
        ],
    }


def _image(image: Image, tags: Sequence[str]) -> Mapping[str, Any]:
    return {
        "Id": image.id,
        "Created": shown(image.created),
        "Metadata": {"LastTagTime": shown(image.tagged)},
        "RepoTags": list(tags),
        "Os": "linux",
        "Architecture": "amd64",
        "RootFS": {"Layers": list(image.layers)},
        "Config": {
            "Cmd": list(image.command),
            "Env": [f"{name}={value}" for name, value in image.environment.items()],
            "Labels": dict(image.labels),
            "WorkingDir": image.workdir,
        },
    }
