"""A job that has ended is not run again because its code changed: requests in, fewer out. Pure.

Where all containers of a service have ended, new ones would run the job once more: a migration, a
seed. So the image is built, which runs nothing of it, and the containers stay. A rule that names
what says that it does not run asks for more, and so does who types the verb.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from freshd.catalog.causes.registry import slugs_where
from freshd.decide.request import Request
from freshd.model.observed.container import Replica
from freshd.model.policy import Rule
from freshd.model.remedy import Remedy

_WAKES: Final = slugs_where(lambda cause: cause.wakes_jobs)


def leave_ended(requests: Sequence[Request], replicas: Sequence[Replica]) -> Iterator[Request]:
    """Without what would run the ``replicas`` of a service again, if all of them have ended.

    What differs in the image alone is still built; what differs in a container that has ended
    would be, again and again, and never go.
    """
    if not replicas or not all(replica.has_ended for replica in replicas):
        yield from requests
        return
    names = ", ".join(replica.name for replica in replicas)
    for request in requests:
        yield request if names_ended(request.rule) else _left(request, names)


def _left(request: Request, names: str) -> Request:
    service = request.finding.service
    left = request.without(Remedy.RECREATE, _reason(Remedy.RECREATE, service, names))
    if request.finding.container_id is None:
        return left
    return left.without(Remedy.REBUILD, _reason(Remedy.REBUILD, service, names))


def names_ended(rule: Rule | None) -> bool:
    """Whether the rule is about containers that do not run, so that they are to run again."""
    return rule is not None and not set(_WAKES).isdisjoint(rule.when)


def _reason(remedy: Remedy, service: str, names: str) -> str:
    return (
        f"{names} has ended, and a {remedy} would run it again: only a rule that names "
        f"{' or '.join(_WAKES)} does, or `freshd {remedy} {service}` by hand"
    )
