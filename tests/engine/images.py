"""What an image holds, read without anything of freshd: `docker export` and `docker save`."""

import io
import json
import posixpath
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import docker


@dataclass(frozen=True)
class ReadImage:
    """``files`` by content, ``links`` by text, ``modes`` of files, all by absolute path.

    ``writers`` is the history line of the layer that last wrote or removed a path.
    """

    files: Mapping[str, bytes]
    links: Mapping[str, str]
    modes: Mapping[str, int]
    directories: frozenset[str]
    writers: Mapping[str, str]

    def by_run(self, path: str) -> bool:
        return self.writers.get(path, "").startswith("RUN ")


def read_image(client: docker.DockerClient, ref: str) -> ReadImage:
    """Export a container that is created and never started, and attribute paths to layers."""
    container = client.containers.create(ref, command=["none"], labels={"dev.freshd.test": "1"})
    try:
        data = b"".join(cast("Iterable[bytes]", container.export()))
    finally:
        container.remove(force=True)
    files, links, modes, directories = {}, {}, {}, set()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            path = "/" + member.name.strip("/")
            if member.isdir():
                directories.add(path)
            elif member.issym():
                links[path] = member.linkname
            elif (reader := tar.extractfile(member)) is not None and member.size < 4096:
                files[path] = reader.read()
                modes[path] = member.mode & 0o7777
    return ReadImage(files, links, modes, frozenset(directories), writers(client, ref))


def writers(client: docker.DockerClient, ref: str) -> dict[str, str]:
    """Which history line's layer touched each path last; a removed directory takes all below."""
    data = b"".join(client.images.get(ref).save())
    found: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        manifest = json.loads(_member(tar, "manifest.json"))[0]
        config = json.loads(_member(tar, manifest["Config"]))
        lines = [e.get("created_by", "") for e in config["history"] if not e.get("empty_layer")]
        for line, name in zip(lines, manifest["Layers"], strict=True):
            with tarfile.open(fileobj=io.BytesIO(_member(tar, name))) as layer:
                for member in layer:
                    _attribute(found, "/" + member.name.strip("/"), line)
    return found


def _attribute(found: dict[str, str], path: str, line: str) -> None:
    directory, name = posixpath.split(path)
    if not name.startswith(".wh."):
        found[path] = line
        return
    gone = directory if name == ".wh..wh..opq" else posixpath.join(directory, name[4:])
    for known in found:
        if known.startswith(gone.rstrip("/") + "/"):
            found[known] = line
    if name != ".wh..wh..opq":
        found[gone] = line


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    reader = tar.extractfile(name)
    assert reader is not None, name
    return reader.read()
