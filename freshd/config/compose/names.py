"""How Compose joins the parts of a name: ``shop-web-1``, or ``shop_web_1`` as Compose v1 did. Pure.

Compose v2 still does the latter with ``--compatibility``, for containers and images alike. In: a
project's containers. Out: which services have the old names.
"""

import os
import re
from collections.abc import Iterable
from typing import Final

from freshd.model.observed.container import Replica

SETTING: Final = "COMPOSE_COMPATIBILITY"
_TRUE: Final = frozenset({"1", "t", "true", "y", "yes", "on"})


def is_true(value: str | None) -> bool:
    """Whether Compose takes the value of ``COMPOSE_COMPATIBILITY`` as true."""
    return (value or "").strip().lower() in _TRUE


def find_underscored(
    project: str, replicas: Iterable[Replica], before: frozenset[str]
) -> frozenset[str]:
    """The services of ``project`` whose containers are joined by underscores.

    One with containers of both kinds is being moved to the new names. Those without containers, or
    whose containers have a name of their own, stay as in ``before``.
    """
    by_service: dict[str, bool] = {}
    for replica in replicas:
        if replica.project == project and replica.is_replica:
            sign = joint(replica)
            if sign:
                by_service[replica.service] = by_service.get(replica.service, True) and sign == "_"
    new = {service for service, old in by_service.items() if old}
    return frozenset(new | (before - set(by_service)))


def default_image(project: str, service: str, *, underscores: bool) -> str:
    """The tag that a build without ``image`` gets."""
    return f"{project}{'_' if underscores else '-'}{service}"


def joint(replica: Replica) -> str:
    """What joins the parts of its name; "" where that is not the name Compose gives a replica."""
    parts = re.escape(replica.project), re.escape(replica.service)
    match = re.fullmatch(rf"{parts[0]}([-_]){parts[1]}\1\d+", replica.name)
    return match[1] if match else ""


def derive_project_name(directory: str) -> str:
    """The name Compose gives a directory: lower case, only what may stand in a name."""
    name = re.sub(r"[^a-z0-9_-]", "", os.path.basename(directory).lower())
    return name.lstrip("_-") or "project"
