"""One image against the tree, without any container: is this image made of these files?

In: a context and what was typed. Out: the service whose build it is, and a report of its image
link. It works with an empty state directory: freshd's own builds carry what they were made of.
"""

from collections.abc import Sequence

from freshd.compare import compare_image
from freshd.engine.inspect import PROJECT, SERVICE
from freshd.model.errors import ConfigError
from freshd.model.observed.image import ImageFacts
from freshd.model.report import ServiceReport
from freshd.reconcile.context import Context


def check_image(context: Context, ref: str, services: Sequence[str]) -> ServiceReport:
    """``services``: as typed, none or one. Raises ConfigError for what cannot be judged."""
    image = context.engine.image(ref)
    if image is None:
        raise ConfigError(
            f"this engine has no image {ref}",
            hint=f"`docker image ls` shows what there is; `docker pull {ref}` may bring it",
        )
    name = _service(context, ref, image, services)
    if context.project.service(name).build is None:
        raise ConfigError(
            f"{name} of {context.project.name} is not built from this tree, so no image is its",
            hint="--image is for services that have a `build` in the Compose file",
        )
    return compare_image(context.snapshots.collect_image(name, image.id))


def _service(context: Context, ref: str, image: ImageFacts, services: Sequence[str]) -> str:
    """The one that was typed, else the one that Compose built the image for or tags so."""
    if len(services) > 1:
        raise ConfigError(
            f"--image judges one image by one service, and {len(services)} were named",
            hint=f"freshd check --image {ref} {services[0]}",
        )
    if services:
        return services[0]
    project = context.project
    built_for = image.labels.get(SERVICE, "")
    if image.labels.get(PROJECT) == project.name and built_for in project.services:
        return built_for
    tagged = [name for name, model in sorted(project.services.items()) if model.image == ref]
    built = [name for name in tagged if project.service(name).build is not None]
    if built:
        return built[0]
    raise ConfigError(
        f"no service of {project.name} is known to build {ref}",
        hint=f"name the service: freshd check --image {ref} SERVICE",
    )
