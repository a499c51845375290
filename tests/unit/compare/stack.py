"""A service in memory: tree, image and replicas as plain text, made into ``Snapshot``.

The values of a test are contents: ``{"app/main.py": "v1"}``; ``+`` in front makes it executable.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from freshd.compare.comparison import ServingReplica
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.observed.container import Mount, Observation, Replica
from freshd.model.observed.image import BuildRecord, HistoryEntry, ImageFacts, Trace
from freshd.model.observed.runtime import ReplicaRuntime
from freshd.model.observed.snapshot import Snapshot

COPY_LINE = "COPY app /srv/app # buildkit"


def entry(text: str) -> Entry:
    """A file with that content; ``+`` in front: executable."""
    mode = 0o755 if text.startswith("+") else 0o644
    content = text.removeprefix("+").encode()
    return Entry(Kind.FILE, hashlib.sha256(content).hexdigest(), len(content), mode)


def sha(text: str) -> str:
    return entry(text).digest


def files(texts: Mapping[str, str]) -> dict[str, Entry]:
    return {path: entry(text) for path, text in texts.items()}


def target(path: str) -> str:
    return f"/srv/{path}"


def landed(texts: Mapping[str, str]) -> dict[str, Entry]:
    """The same files where COPY lands them."""
    return {target(path): entry(text) for path, text in texts.items()}


def image(image_id: str, texts: Mapping[str, str], *, other: Iterable[str] = ()) -> ImageFacts:
    """An image whose files one COPY wrote, but for ``other`` targets, which a RUN made."""
    made = set(other)
    held = {**landed(texts), **{name: entry(f"made {name}") for name in made}}
    writers = {name: "RUN make # buildkit" if name in made else COPY_LINE for name in held}
    return ImageFacts(
        id=image_id,
        chain_id=f"chain {image_id}",
        history=(HistoryEntry(COPY_LINE), HistoryEntry("RUN make # buildkit")),
        files=held,
        writers=writers,
    )


@dataclass(frozen=True)
class Stack:
    """``tree`` and ``built`` map project paths to contents; each replica begins as ``built``."""

    tree: Mapping[str, str]
    built: Mapping[str, str]
    replicas: tuple[Replica, ...] = ()
    inside: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    pairs: tuple[Pair, ...] | None = None
    extra: Mapping[str, object] = field(default_factory=dict)

    def facts(self) -> Snapshot:
        pairs = self.pairs
        if pairs is None:
            pairs = tuple(Pair(path, target(path), Via.COPY) for path in sorted(self.tree))
        behind = image("sha256:one", self.built)
        known = set(behind.files) | {pair.target for pair in pairs}
        facts = Snapshot(
            service="web",
            builds=True,
            mapping=ServiceMap(
                service="web",
                pairs=pairs,
                inputs=("Dockerfile",),
                copied_into=("/srv/app",),
                origins={"/srv/app": "app"},
                copy_lines={COPY_LINE: True},
            ),
            tree=files({"Dockerfile": "FROM base", **self.tree}),
            observations=tuple(
                self._observed(each, behind, known) for each in self.replicas or (replica(1),)
            ),
            tag_image=behind,
            images={behind.id: behind},
            trace=Trace.EQUAL,
        )
        return replace(facts, **self.extra)  # type: ignore[arg-type]

    def _observed(self, each: Replica, behind: ImageFacts, known: set[str]) -> Observation:
        held = dict(behind.files)
        for path, text in self.inside.get(each.name, {}).items():
            where = path if path.startswith("/") else target(path)
            known.add(where)
            held.pop(where, None)
            if text is not None:
                held[where] = entry(text)
        return Observation(each, asked=frozenset(known), files=held)


def replica(number: int, **changes: object) -> Replica:
    """``web-N``, running the image ``sha256:one``."""
    base = Replica(
        id=f"{number:064x}",
        name=f"web-{number}",
        service="web",
        number=number,
        image_id="sha256:one",
        image_ref="web",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def serving(
    what: Replica | None = None, facts: Snapshot | None = None, **observed: object
) -> ServingReplica:
    """One replica, ``web-1`` if no other, and what was observed of how it was made and runs."""
    runtime = ReplicaRuntime(**observed)  # type: ignore[arg-type]
    plain = Snapshot("web", builds=True, mapping=ServiceMap("web"), tree={})
    return ServingReplica(facts or plain, what or replica(1), runtime)


def mount(kind: str, at: str, *, writable: bool = True) -> Mount:
    return Mount(kind=kind, target=at, writable=writable)


def record(
    inputs: Mapping[str, str], *, by_freshd: bool = True, args: Mapping[str, str] | None = None
) -> BuildRecord:
    """A build of ``sha256:one`` with these contents as inputs."""
    return BuildRecord(
        image_id="sha256:one",
        service="web",
        inputs={path: sha(text) for path, text in inputs.items()},
        args=args or {},
        by_freshd=by_freshd,
    )
