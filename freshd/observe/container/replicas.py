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
from freshd.observe.service_maps import ServiceMaps


@dataclass(frozen=True, slots=True)
class Observed:
    """One observation a replica; ``told`` of their images: id -> path -> entry, None is absent."""

    observations: tuple[Observation, ...]
    told: Mapping[str, Mapping[str, Entry | None]] = field(default_factory=dict)

    def joined(self, more: "Observed") -> "Observed":
        """This and another look at the same replicas, at other paths."""
        told = {
            image_id: {**self.told.get(image_id, {}), **more.told.get(image_id, {})}
            for image_id in self.told.keys() | more.told.keys()
        }
        both = zip(self.observations, more.observations, strict=True)
        return Observed(tuple(one.joined(other) for one, other in both), told)


def observe_replicas(
    engine: Engine,
    cache: ContainerCache,
    maps: ServiceMaps,
    service: str,
    replicas: Iterable[Replica],
    targets: Collection[str],
    *,
    full: bool,
) -> Observed:
    """``targets`` in each of them; with ``full`` no earlier hash is believed.

    Where the image is not known yet, the first container of it tells what it still has from there.
    """
    observations = []
    told: dict[str, Mapping[str, Entry | None]] = {}
    for replica in replicas:
        image = maps.image(service, replica.image_id)
        if not is_serving(replica):
            observations.append(Observation(replica))
            continue
        few = None if full else observe_few(engine, replica, targets)
        if few is not None:
            observations.append(few)
            continue
        new = replica.running and image is not None and image.id not in told
        if image is None or not new or maps.knows(image, targets):
            observations.append(observe(engine, replica, targets, cache=cache, full=full))
            continue
        seen, says = observe_changes(engine, replica, targets, cache=cache, full=full)
        observations.append(seen)
        told[image.id] = says
    return Observed(tuple(observations), told)
