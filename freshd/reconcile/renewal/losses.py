"""What new containers would cost now: asked of the engine, and told as findings.

In: a context and a service. Out: findings of its containers, in whatever state, and of those that
go with them. They stop a plan (``decide``) and a step (``check``) alike.
"""

from collections.abc import Iterator
from functools import partial

from freshd.compare.renewal import judge_files, judge_mounts, judge_patch
from freshd.model.files import Entry
from freshd.model.observed.container import Replica
from freshd.model.observed.creation import ConfigSeen
from freshd.model.observed.questions import source_of
from freshd.model.report import Finding
from freshd.observe.config.creation import with_mounts
from freshd.observe.config.made_from import find_other_files
from freshd.observe.container.changes.look import Known, find_hot_patches
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
        for finding in (
            *_of_replica(context, name, replica),
            *_hot_patches(context, name, replica),
        )
    )


def _hot_patches(context: Context, service: str, replica: Replica) -> Iterator[Finding]:
    snapshots, store = context.snapshots, context.store
    mapping = snapshots.mapping(service)
    sources = {pair.target: pair.source for pair in mapping.pairs}

    def in_tree(target: str, entry: Entry) -> bool:
        source = sources.get(target)
        known = {} if source is None else snapshots.manifest.entries({source})
        return entry.same_content(known.get(source or ""))

    known = Known(
        image=partial(snapshots.image_entries, service, replica.image_id),
        written=store.injected_files.read_all(replica),
        in_tree=in_tree,
        copied_into=mapping.copied_into,
    )
    for patch in find_hot_patches(
        context.engine, replica, known, cache=store.container_hashes, now=context.clock()
    ):
        source = sources.get(patch.target) or source_of(mapping, patch.target)
        yield judge_patch(service, replica, patch.target, source, removed=patch.seen is None)


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
