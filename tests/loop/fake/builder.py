"""Builds an image of a simple Dockerfile: FROM, WORKDIR, COPY, RUN, ENV, LABEL and CMD.

Like BuildKit it takes a local file of equal size and time of modification for unchanged, and
repeats no instruction whose inputs it knows.
"""

import hashlib
import json
import os
import posixpath
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from freshd.model.files import Kind
from tests.loop.fake.engine import FakeEngine, Image, Layer, Line, Refused
from tests.loop.fake.files import Files, Node, changes, directory, of_host, walk_host
from tests.loop.fake.tars import packed


class BuildFailed(Exception):
    """The words are what the builder prints."""


@dataclass(slots=True)
class _Build:
    engine: FakeEngine
    context: str
    use_cache: bool
    image: Image = field(default_factory=lambda: Image("", Files()))

    def step(self, word: str, rest: str) -> None:
        match word:
            case "FROM":
                self._from(rest)
            case "WORKDIR":
                self._workdir(rest)
            case "COPY":
                self._copy(shlex.split(rest))
            case "RUN":
                self._run(rest)
            case "CMD":
                self.image.command = tuple(json.loads(rest))
                words = " ".join(f'"{one}"' for one in self.image.command)
                self._line(f"CMD [{words}]")
            case "ENV" | "LABEL":
                name, _, value = rest.partition("=")
                if word == "ENV":
                    self.image.environment = {**self.image.environment, name: value}
                else:
                    self.image.labels = {**self.image.labels, name: value}
                self._line(f"{word} {rest}")
            case _:
                raise BuildFailed(f"dockerfile parse error: unknown instruction: {word}")

    def _from(self, ref: str) -> None:
        if ref == "scratch":
            self.image = Image("", Files({"/": directory(self.engine.now())}))
            return
        try:
            base = self.engine.image(ref)
        except Refused as error:
            raise BuildFailed(f"{ref}: not found") from error
        self.image = replace(base, files=Files(base.files))

    def _workdir(self, path: str) -> None:
        path = self.image.workdir = posixpath.normpath(posixpath.join(self.image.workdir, path))
        made = {} if path in self.image.files else {path: directory(0.0)}
        self._layer(f"WORKDIR {path}", made)

    def _copy(self, words: Sequence[str]) -> None:
        flags = [word for word in words if word.startswith("--")]
        *sources, target = [word for word in words if not word.startswith("--")]
        chmod = next((int(f.removeprefix("--chmod="), 8) for f in flags if "chmod" in f), None)
        landing = posixpath.normpath(posixpath.join(self.image.workdir, target))
        into = target.endswith(("/", ".")) or len(sources) > 1
        found: dict[str, Node] = {}
        for source in sources:
            found |= self._copied(source, landing, into=into)
        if chmod is not None:
            found = {path: replace(node, mode=chmod) for path, node in found.items()}
        self._layer(" ".join(["COPY", *flags, *sources, target]) + " # buildkit", found)

    def _copied(self, source: str, landing: str, *, into: bool) -> dict[str, Node]:
        top = os.path.normpath(os.path.join(self.context, source))
        node = self._sent(top)
        if node is None:
            raise BuildFailed(f'failed to compute cache key: "/{source}": not found')
        if node.kind is not Kind.DIR:
            there = self.image.files.get(landing)
            into = into or (there is not None and there.kind is Kind.DIR)
            return {posixpath.join(landing, os.path.basename(top)) if into else landing: node}
        found = {landing: replace(node, mode=node.mode & 0o777)}
        for below in walk_host(top):
            inner = self._sent(os.path.join(top, below))
            if inner is not None:
                found[posixpath.join(landing, below)] = inner
        return found

    def _sent(self, path: str) -> Node | None:
        """As the builder holds it: what it was sent before, if size and time are still the same."""
        node = of_host(path)
        if node is None or node.kind is not Kind.FILE:
            return node
        status = os.lstat(path)
        known = self.engine.sent.get(path)
        if known is not None and known[:2] == (status.st_size, status.st_mtime_ns):
            return replace(node, content=known[2].content)
        self.engine.sent[path] = (status.st_size, status.st_mtime_ns, node)
        return node

    def _run(self, text: str) -> None:
        line = f"RUN /bin/sh -c {text} # buildkit"
        if self._cached(line, ""):
            return
        act = self.engine.runs.get(text)
        if act is None:
            raise BuildFailed(f'process "/bin/sh -c {text}" did not complete: exit code: 127')
        before = Files(self.image.files)
        act(self.image.files, self.engine.now())
        made = changes(before, self.image.files)
        new = {path: self.image.files[path] for path, kind in made.items() if kind < 2}
        self._keep(line, "", {p: n for p, n in new.items() if before.get(p) is not n})

    def _layer(self, text: str, nodes: Mapping[str, Node]) -> None:
        known = [(p, n.kind, n.content.hex(), n.mode) for p, n in sorted(nodes.items())]
        inputs = hashlib.sha256(repr(known).encode()).hexdigest()
        if self._cached(text, inputs):
            return
        now = self.engine.now()
        own = {
            path: replace(node, uid=0, gid=0, ctime=now, mtime=node.mtime or now)
            for path, node in nodes.items()
        }
        for path, node in own.items():
            before = self.image.files.get(path)
            if node.kind is not Kind.DIR or before is None:
                self.image.files.add(path, node, now=now)
        self._keep(text, inputs, own)

    def _cached(self, text: str, inputs: str) -> bool:
        """Whether the instruction was carried out before on the same image: then it is taken."""
        known = self.engine.build_cache.get(self._key(text, inputs))
        if known is None or not self.use_cache:
            return False
        line, files = known
        self.image.history = (*self.image.history, line)
        self.image.files = Files(files)
        return True

    def _keep(self, text: str, inputs: str, nodes: Mapping[str, Node]) -> None:
        key, now = self._key(text, inputs), self.engine.tick()
        layer = None
        if nodes:
            tar = packed((path.lstrip("/"), node) for path, node in sorted(nodes.items()))
            size = sum(n.size for n in nodes.values())
            layer = Layer(f"sha256:{hashlib.sha256(tar).hexdigest()}", tar, size)
        line = Line(text, now, layer)
        self.image.history = (*self.image.history, line)
        self.engine.build_cache[key] = (line, Files(self.image.files))

    def _key(self, text: str, inputs: str) -> str:
        before = [(line.text, line.created) for line in self.image.history]
        return hashlib.sha256(repr((before, text, inputs)).encode()).hexdigest()

    def _line(self, text: str) -> None:
        if not self._cached(text, ""):
            self._keep(text, "", {})


def build(
    engine: FakeEngine,
    ref: str,
    *,
    context: str,
    dockerfile: str,
    labels: Mapping[str, str],
    use_cache: bool = True,
) -> Image:
    """Builds and tags. Raises BuildFailed; then nothing is tagged."""
    engine.tick()
    made = _Build(engine, context, use_cache)
    try:
        with open(os.path.join(context, dockerfile), encoding="utf-8") as file:
            lines = [line.strip() for line in file if line.strip() and line[0] != "#"]
    except OSError as error:
        raise BuildFailed(f"failed to read dockerfile: {error.strerror}") from error
    for line in lines:
        word, _, rest = line.partition(" ")
        made.step(word, rest.strip())
    image = made.image
    image.labels = {**image.labels, **labels}
    image.created = max((line.created for line in image.history), default=engine.now())
    told = [(line.text, line.created, line.layer and line.layer.diff_id) for line in image.history]
    text = repr((told, sorted(image.labels.items())))
    image.id = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    engine.tick()
    engine.tag(ref, image)
    return engine.images[image.id]
