"""The images that a snapshot is about: the tag's and every replica's, with the files asked for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from freshd.mapping.service_map import MapResult
from freshd.model.files import Entry, Kind
from freshd.model.mapping import ServiceMap
from freshd.model.observed.container import Replica
from freshd.model.observed.image import ImageFacts
from freshd.model.observed.questions import source_of
from freshd.observe.container.replicas import Observed
from freshd.observe.service_maps import ServiceMaps


def images_of(
    maps: ServiceMaps, service: str, tagged: ImageFacts | None, replicas: Iterable[Replica]
) -> dict[str, ImageFacts]:
    """The tag's image and every replica's, by id."""
    images = {} if tagged is None else {tagged.id: tagged}
    for replica in replicas:
        image = maps.image(service, replica.image_id)
        if image is not None:
            images[image.id] = image
    return images


def filled_images(
    maps: ServiceMaps,
    service: str,
    tagged: ImageFacts | None,
    observed: Observed,
    targets: Collection[str],
) -> dict[str, ImageFacts]:
    """The images in question with what they hold of ``targets``."""
    replicas = [observation.replica for observation in observed.observations]
    return {
        image_id: maps.filled(image, targets, observed.inherited.get(image_id))
        for image_id, image in images_of(maps, service, tagged, replicas).items()
    }


def leftovers(
    maps: ServiceMaps,
    mapped: MapResult,
    images: Iterable[ImageFacts],
    replicas: Collection[Replica],
) -> set[str]:
    """Targets in ``images`` that nothing maps, and that came from the tree."""
    return {path for image in images for path in maps.leftovers(mapped, image, replicas)}


def attributed(
    maps: ServiceMaps,
    mapping: ServiceMap,
    images: Mapping[str, ImageFacts],
    extra: Collection[str],
    tree: Mapping[str, Entry],
) -> dict[str, ImageFacts]:
    """Say who wrote what, for images that hold files which nothing maps and the tree lacks."""
    result = dict(images)
    for image_id, image in images.items():
        left = [p for p in extra if p in image.files and not _is_file(tree, mapping, p)]
        if left:
            targets = [pair.target for pair in mapping.pairs]
            writers = maps.writers(mapping, image, [*targets, *left])
            result[image_id] = replace(image, writers=writers)
    return result


def _is_file(tree: Mapping[str, Entry], mapping: ServiceMap, target: str) -> bool:
    """Whether the tree has something other than a directory where ``target`` would come from."""
    entry = tree.get(source_of(mapping, target) or "")
    return entry is not None and entry.kind is not Kind.DIR
