"""The replicas of one service as they are now: observations, and what these tell of images."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from freshd.engine.client import Engine
from freshd.model.files import Entry
from freshd.model.observed.container import Observation, Replica
from freshd.model.observed.questions import is_serving
from freshd.observe.caches import ContainerCache
from freshd.observe.container.few_files import observe_few
from freshd.observe.container.files import observe
from freshd.observe.container.inherited import observe_changes
from freshd.observe.identity import NO_FILES, HostFiles
from freshd.observe.service_maps import ServiceMaps


@dataclass(frozen=True, slots=True)
class Observed:
    """One observation a replica, and what they have ``inherited``: image id -> path -> entry, or
    None where it is absent.
    """

    observations: tuple[Observation, ...]
    inherited: Mapping[str, Mapping[str, Entry | None]] = field(default_factory=dict)

    def joined(self, more: "Observed") -> "Observed":
        """These, and what was observed of the same replicas at other paths."""
        inherited = {
            image_id: {**self.inherited.get(image_id, {}), **more.inherited.get(image_id, {})}
            for image_id in self.inherited.keys() | more.inherited.keys()
        }
        both = zip(self.observations, more.observations, strict=True)
        return Observed(tuple(first.joined(other) for first, other in both), inherited)


def observe_replicas(
    engine: Engine,
    cache: ContainerCache,
    maps: ServiceMaps,
    service: str,
    replicas: Iterable[Replica],
    targets: Collection[str],
    *,
    full: bool,
    bound: HostFiles = NO_FILES,
) -> Observed:
    """``targets`` in each of them; with ``full`` no earlier hash is believed.

    ``bound`` says which of them come from which files of this machine.

    Where the image is not known yet, the first container of it says what it still has from there.
    """
    observations = []
    inherited: dict[str, Mapping[str, Entry | None]] = {}
    for replica in replicas:
        image = maps.image(service, replica.image_id)
        if not is_serving(replica):
            observations.append(Observation(replica))
            continue
        few = None if full or bound else observe_few(engine, replica, targets)
        if few is not None:
            observations.append(few)
            continue
        new = replica.running and image is not None and image.id not in inherited
        if image is None or not new or maps.knows(image, targets):
            observed = observe(engine, replica, targets, cache=cache, full=full, bound=bound)
            observations.append(observed)
            continue
        observation, entries = observe_changes(
            engine, replica, targets, cache=cache, full=full, bound=bound
        )
        observations.append(observation)
        inherited[image.id] = entries
    return Observed(tuple(observations), inherited)
