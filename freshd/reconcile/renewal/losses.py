"""What new containers would cost now: asked of the engine, and told as findings.

In: a context and a service. Out: findings of its containers, in whatever state, and of those that
go with them. They stop a plan (``decide``) and a step (``check``) alike.
"""

from collections.abc import Iterator

from freshd.compare.renewal import judge_files, judge_mounts
from freshd.model.observed.container import Replica
from freshd.model.observed.creation import ConfigSeen
from freshd.model.report import Finding
from freshd.observe.config.creation import with_mounts
from freshd.observe.config.made_from import find_other_files
from freshd.observe.container.members import find_running_followers, replicas_of
from freshd.reconcile.context import Context


def find_losses(context: Context, service: str) -> tuple[Finding, ...]:
    """What would be lost with the containers of ``service``. Raises what the engine raises."""
    old = {service: replicas_of(context.engine, context.project, service)}
    old |= find_running_followers(context.engine, context.project, service)
    return tuple(
        finding
        for name, replicas in old.items()
        for replica in replicas
        for finding in _of_replica(context, name, replica)
    )


def _of_replica(context: Context, service: str, replica: Replica) -> Iterator[Finding]:
    project, engine = context.project, context.engine
    wanted = project.model.wanted.get(service)
    if wanted is None:
        return
    files = find_other_files(engine, context.compose, project, service, replica)
    if files is not None:
        yield judge_files(service, replica, files)
    image = engine.image(project.service(service).image)
    config = with_mounts(
        engine,
        ConfigSeen(wanted, engine.creation(replica.id)),
        replica,
        tag="" if image is None else image.id,
        directory=project.dir,
    )
    other = judge_mounts(service, replica, config)
    if other is not None:
        yield other
