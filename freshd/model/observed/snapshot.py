"""All that was observed of one service, before it is compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshd.model.files import Manifest
from freshd.model.mapping import ServiceMap
from freshd.model.observed.container import Observation
from freshd.model.observed.image import BuildRecord, Fetched, ImageFacts, Trace


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything ``compare`` looks at for one service: values only, nothing is fetched from here.

    ``tag_image`` is the image the service's tag names now (None: no such image). ``images`` holds
    the facts of every image a replica runs, by id. ``tree`` maps sources and inputs to entries
    (absent = not in the tree). ``written`` is what freshd last wrote: (container id, target) ->
    digest. ``injected`` is what it wrote into any container of the service, gone ones too: target
    -> (digest, seconds); only asked for where files differ. ``trace`` compares the image's history
    with the Dockerfile; ``trace_arguments`` are all that it differs in, where that is so;
    ``built_from`` compares the identity that the image carries with the tree's. ``newer`` are
    inputs that a rule names and that changed after an image was made whose build is not recorded,
    ``edited`` those that changed since freshd first saw it;
    ``restarts`` (by container id) are files that ask for a restart and changed after the process
    had started. ``settled`` are tree files that were written a while ago, asked for as
    ``injected`` is. ``fetched`` are layers of the image that a network had a part in.
    """

    service: str
    builds: bool
    mapping: ServiceMap
    tree: Manifest
    observations: tuple[Observation, ...] = ()
    tag_image: ImageFacts | None = None
    images: Mapping[str, ImageFacts] = field(default_factory=dict)
    record: BuildRecord | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[tuple[str, str], str] = field(default_factory=dict)
    trace: Trace = Trace.UNKNOWN
    trace_evidence: str = ""
    built_from: Trace = Trace.UNKNOWN
    trace_arguments: tuple[str, ...] = ()
    fresh_build: bool = False
    newer: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    restarts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    injected: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    settled: frozenset[str] = frozenset()
    fetched: tuple[Fetched, ...] = ()
