"""A Compose project of its own for one test: files, containers, and the judge beside them.

In: a directory and an engine. Out: containers, volumes, networks and images under one unique
project name, all removed by ``remove``.
"""

import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field

import docker
from docker.errors import APIError

from tests.harness import oracle
from tests.harness.docker import Completed, Docker

LABEL = "dev.freshd.test=1"
PROJECT_LABEL = "com.docker.compose.project"
PATIENCE = 180  # seconds for one answer of the engine


def unique_name(prefix: str = "ft") -> str:
    """A name that is a valid project, container and image name, used by nobody else."""
    return f"{prefix}{uuid.uuid4().hex[:10]}"


@dataclass(slots=True)
class Stack:
    """``project`` is also the directory's name, so Compose finds the name by itself."""

    directory: str
    project: str
    environment: Mapping[str, str]
    extra_containers: list[str] = field(default_factory=list)
    extra_images: list[str] = field(default_factory=list)

    @property
    def docker(self) -> Docker:
        return Docker(self.environment, self.directory)

    # ---- the tree

    def path(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def write(self, files: Mapping[str, bytes | str], *, mode: int | None = None) -> None:
        """Write each file (path relative to the project -> content), parents included."""
        for name, content in files.items():
            path = self.path(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
            if mode is not None:
                os.chmod(path, mode)

    def files(self, source: str = ".", target: str = "/") -> dict[str, str]:
        """Pairs for every regular file below ``source``, as if it were copied to ``target``."""
        top = os.path.normpath(self.path(source))
        pairs = {}
        for directory, _, names in os.walk(top):
            for name in names:
                path = os.path.join(directory, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    below = os.path.relpath(path, top)
                    pairs[os.path.relpath(path, self.directory)] = os.path.join(target, below)
        return pairs

    # ---- the engine

    def compose(self, *argv: str, check: bool = True, timeout: float = 300.0) -> Completed:
        return self.docker("compose", *argv, check=check, timeout=timeout)

    def build(self, *services: str) -> None:
        self.compose("build", *services)

    def up(
        self, *services: str, scale: Mapping[str, int] | None = None, build: bool = False
    ) -> None:
        """Bring services up as a developer would, detached."""
        scales = [word for name, n in (scale or {}).items() for word in ("--scale", f"{name}={n}")]
        options = ["--build"] if build else []
        self.compose("up", "-d", "--timeout", "0", *options, *scales, *services)

    def containers(
        self, service: str | None = None, *, all_states: bool = False
    ) -> tuple[str, ...]:
        """Full ids, in the order of the replicas' names."""
        return tuple(self.named_containers(service, all_states=all_states))

    def container(self, service: str) -> str:
        """The one replica of a service."""
        (only,) = self.containers(service)
        return only

    def named_containers(
        self, service: str | None = None, *, all_states: bool = False
    ) -> dict[str, str]:
        """Full id -> name."""
        filters = [f"label={PROJECT_LABEL}={self.project}"]
        if service is not None:
            filters.append(f"label=com.docker.compose.service={service}")
        words = self.docker.words(
            "ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}",
            *(["--all"] if all_states else []),
            *(word for each in filters for word in ("--filter", each)),
        )  # fmt: skip
        found = dict(zip(words[::2], words[1::2], strict=True))
        return dict(sorted(found.items(), key=lambda item: item[1]))

    def run(self, *argv: str, name: str | None = None, options: Sequence[str] = ()) -> str:
        """A plain ``docker run -d`` outside the project; removed with it. Returns its full id."""
        own = name or unique_name("ft-plain-")
        done = self.docker("run", "-d", "--label", LABEL, "--name", own, *options, *argv)
        identity = done.stdout.decode().strip()
        self.extra_containers.append(identity)
        return identity

    def exec(
        self, container: str, argv: Iterable[str], *, stdin: bytes = b"", check: bool = True
    ) -> Completed:
        return self.docker("exec", "-i", container, *argv, stdin=stdin, check=check)

    def read(self, container: str, path: str) -> bytes | None:
        """A file's bytes in a container; None where it is absent."""
        return oracle.read(self.docker, container, path)

    def put(self, container: str, path: str, content: bytes) -> None:
        """Write a file inside a container behind freshd's back (needs a shell there)."""
        self.exec(container, ["sh", "-c", 'cat >"$1"', "put", path], stdin=content)

    # ---- the judge

    def oracle(
        self,
        service: str,
        pairs: Mapping[str, str],
        *,
        replicas: int | None = None,
        modes: bool = False,
    ) -> list[str]:
        """Where a replica of ``service`` is not the tree; empty when all are level.

        ``pairs``: source -> target. ``replicas``: how many there must be (at least one by default).
        """
        containers = self.named_containers(service)
        if not containers or (replicas is not None and len(containers) != replicas):
            return [f"{service}: {len(containers)} replicas run, not {replicas or 'one or more'}"]
        return oracle.differences(self.docker, containers, self.directory, pairs, modes=modes)

    # ---- the end

    def remove(self) -> None:
        """Remove all that carries this project's label or name from the engine.

        By one connection: a docker command for each look would cost more than the stack.
        """
        own = f"{PROJECT_LABEL}={self.project}"
        client = docker.from_env(
            environment=dict(self.environment), use_ssh_client=True, timeout=PATIENCE
        )
        with closing(client) as engine:
            api = engine.api
            containers = api.containers(all=True, filters={"label": own})
            for each in {one["Id"] for one in containers} | set(self.extra_containers):
                _discard(api.remove_container, each, v=True, force=True)
            for network in api.networks(filters={"label": own}):
                _discard(api.remove_network, network["Id"])
            for volume in api.volumes(filters={"label": own})["Volumes"] or ():
                _discard(api.remove_volume, volume["Name"], force=True)
            labelled = api.images(filters={"label": own})
            named = api.images(filters={"reference": f"{self.project}*"})
            for each in {one["Id"] for one in (*labelled, *named)} | set(self.extra_images):
                _discard(api.remove_image, each, force=True)


def _discard(remove: Callable[..., object], name: str, **how: bool) -> None:
    """One removal; what is gone already, or still in use, is left."""
    with suppress(APIError):
        remove(name, **how)
