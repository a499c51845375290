"""The docker command: what ``freshd.engine.cli.versions`` runs, carried out on the fake.

Compose files are JSON here, as `docker compose config` prints it: YAML that needs no reading.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from freshd.engine.cli import command
from freshd.engine.cli.command import CommandResult
from tests.loop.fake.builder import BuildFailed, build
from tests.loop.fake.engine import FakeEngine, Refused

_VERSION = "2.40.0"
_LABELS = "com.docker.compose"


@dataclass(slots=True)
class _Command:
    """``docker compose``'s own options, and the words that follow."""

    files: list[str] = field(default_factory=list)
    directory: str = ""
    words: list[str] = field(default_factory=list)

    @property
    def services(self) -> list[str]:
        return self.words[self.words.index("--") + 1 :]

    def after(self, option: str) -> list[str]:
        """The values of an option that may be given several times."""
        return [self.words[at + 1] for at, word in enumerate(self.words) if word == option]

    def model(self) -> dict[str, Any]:
        with open(self.files[0], encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
        return found

    def labels(self, service: str) -> Mapping[str, str]:
        """What the files after the first one add to its build."""
        found: dict[str, str] = {}
        for path in self.files[1:]:
            with open(path, encoding="utf-8") as file:
                services = json.load(file)["services"]
            found |= services.get(service, {}).get("build", {}).get("labels", {})
        return found


class FakeCompose:
    """``run`` is called as ``Compose._run`` is; it is the one way to the docker command."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float,
        on_start: Callable[[int], None],
        on_line: Callable[[str], None] | None = None,
        stdout: list[str] | None = None,
        until: threading.Event | None = None,
    ) -> CommandResult:
        command._refuse_others(argv)
        on_start(0x7FFFFFFF)  # a process id that nobody has
        try:
            code, lines = self._command(list(argv[1:]), stdout if stdout is not None else [])
        except ConnectionRefusedError:
            command._raise_known("Cannot connect to the Docker daemon")
            raise
        for line in lines:
            if on_line is not None:
                on_line(line)
        return CommandResult(code, tuple(lines))

    def _command(self, words: list[str], out: list[str]) -> tuple[int, list[str]]:
        if words[0] == "builder":
            with self._engine.call("prune"):
                if self._engine.prunes:
                    self._engine.sent.clear()
            return 0, []
        command = _parsed(words[1:])
        match command.words[0]:
            case "version":
                out.append(_VERSION)
                return 0, []
            case "config":
                return self._config(command, out)
            case "build":
                return self._build(command)
        return self._up(command)

    def _config(self, command: _Command, out: list[str]) -> tuple[int, list[str]]:
        try:
            model = command.model()
        except ValueError as error:
            return 15, [f"yaml: {error}"]
        if "--hash" in command.words:
            service = command.words[-1]
            out.append(f"{service} {config_hash(model['services'][service])}\n")
        else:
            out.append(json.dumps(model))
        return 0, []

    def _build(self, command: _Command) -> tuple[int, list[str]]:
        model, lines = command.model(), list[str]()
        with self._engine.call("build"):
            for name in command.services:
                asked = model["services"][name]["build"]
                try:
                    made = build(
                        self._engine,
                        image_of(model, name),
                        context=asked["context"],
                        dockerfile=asked.get("dockerfile", "Dockerfile"),
                        labels=command.labels(name),
                        use_cache="--no-cache" not in command.words,
                    )
                except BuildFailed as error:
                    return 17, [*lines, f"ERROR: {error}"]
                lines.append(f"{made.id} built")
        return 0, lines

    def _up(self, command: _Command) -> tuple[int, list[str]]:
        model = command.model()
        scaled = [word.partition("=") for word in command.after("--scale")]
        scale = {name: int(count) for name, _, count in scaled}
        try:
            with self._engine.call("up"):
                for name in command.services:
                    up(
                        self._engine,
                        model,
                        name,
                        count=scale[name],
                        force="--force-recreate" in command.words,
                        keep="--no-recreate" in command.words,
                        file=command.files[0],
                    )
        except Refused as error:
            return 1, [f"Error response from daemon: {error}"]
        return 0, [" Container started"]


def up(
    engine: FakeEngine,
    model: Mapping[str, Any],
    name: str,
    *,
    count: int,
    force: bool,
    file: str,
    keep: bool = False,
) -> None:
    """``count`` containers of the service, of its image as it is now; others of it go.

    ``keep``: none that is there is replaced, whatever it was made of.
    """
    made_of = model["services"][name]
    image = engine.image(image_of(model, name))
    wanted = config_hash(made_of)
    for number in range(1, count + 1):
        full = made_of.get("container_name") or f"{model['name']}-{name}-{number}"
        before = next((one for one in engine.of_service(name) if one.name == full), None)
        if before is not None:
            same = before.image is image and before.labels[f"{_LABELS}.config-hash"] == wanted
            if keep or (same and not force):
                if not before.running:
                    engine.start(before)
                continue
            engine.remove(before)
        joined = made_of.get("network_mode", "")
        if joined.startswith("service:"):
            joined = f"container:{engine.of_service(joined.removeprefix('service:'))[0].id}"
        one = engine.create(
            image,
            name=full,
            image_ref=image_of(model, name),
            labels=_labels(model, name, number, file=file),
            command=tuple(made_of.get("command") or image.command),
            environment={**image.environment, **(made_of.get("environment") or {})},
            binds=_mounts(made_of, "bind"),
            volumes=_mounts(made_of, "volume"),
            networks=() if joined else (f"{model['name']}_default",),
            joins=joined,
        )
        engine.start(one)
    for one in engine.of_service(name)[count:]:
        engine.remove(one)


def config_hash(made_of: Mapping[str, Any]) -> str:
    """Compose's: of everything but the build and the number of replicas."""
    left_out = ("build", "scale", "depends_on", "profiles", "develop")
    own = {key: value for key, value in made_of.items() if key not in left_out}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def image_of(model: Mapping[str, Any], name: str) -> str:
    return str(model["services"][name].get("image") or f"{model['name']}-{name}")


def _labels(model: Mapping[str, Any], name: str, number: int, *, file: str) -> Mapping[str, str]:
    return {
        f"{_LABELS}.project": str(model["name"]),
        f"{_LABELS}.service": name,
        f"{_LABELS}.container-number": str(number),
        f"{_LABELS}.oneoff": "False",
        f"{_LABELS}.config-hash": config_hash(model["services"][name]),
        f"{_LABELS}.project.working_dir": os.path.dirname(file),
        f"{_LABELS}.project.config_files": file,
        f"{_LABELS}.version": _VERSION,
    }


def _mounts(made_of: Mapping[str, Any], kind: str) -> Mapping[str, str]:
    found = (one for one in made_of.get("volumes") or () if one["type"] == kind)
    return {one["target"]: one["source"] for one in found}


def _parsed(words: list[str]) -> _Command:
    command = _Command()
    while words[0].startswith("--"):
        option, value = words[0], words[1]
        words = words[2:]
        if option == "--file":
            command.files.append(value)
        elif option == "--project-directory":
            command.directory = value
    command.words = words
    return command


__all__ = ["FakeCompose", "config_hash", "up"]
