"""What the steps of one plan may touch, and where they note what they did: ``act.ports.World``.

In: what the pass has at hand, the plan and its replicas. Out: a ``World``; ``freshd.act`` knows no
project and no store, only this.
"""

from collections.abc import Iterable, Mapping, Set
from functools import partial

from freshd.act.ports import World
from freshd.decide.text import plan_text
from freshd.model.observed.container import Replica
from freshd.model.plan import Plan
from freshd.observe.container.members import find_running_followers, replicas_of
from freshd.reconcile.build_record import BuildRecorder
from freshd.reconcile.context import Context
from freshd.reconcile.renewal.check import RenewalCheck
from freshd.store.step_log import StepLog

_NOTHING: Set[str] = frozenset()


def make_world(
    context: Context, plan: Plan, replicas: Iterable[Replica] = (), given_up: Set[str] = _NOTHING
) -> World:
    """The world of ``plan``, which was made for ``replicas``.

    ``given_up`` are causes that the person who typed the verb gave up with it.
    """
    service, project, engine = plan.service, context.project, context.engine
    model = project.model.services.get(service) or project.service(service)
    build = BuildRecorder(context, service)
    return World(
        engine=engine,
        compose=context.compose,
        compose_files=project.compose_files_of(service),
        service=service,
        image_ref=model.image,
        built_by=model.built_by,
        followers=lambda: find_running_followers(engine, project, service),
        volumes_allowed=project.policy.service(service).volumes,
        directories=context.snapshots.directories(service),
        read=context.snapshots.manifest.copy,
        doubt_absence=partial(context.snapshots.doubt_absence, service),
        replicas=lambda: replicas_of(engine, project, service),
        inputs=build.inputs,
        mismatches=build.mismatches,
        labels=build.labels,
        conceal=build.conceal,
        record_build=build.record,
        written=_Written(context, replicas),
        journal=StepLog(
            *(context.store.journal, project.name),
            plan_text=plan_text(plan),
            clock=context.clock,
            asked=context.asked,
        ),
        on_line=context.on_line,
        clock=context.clock,
        check_renewal=RenewalCheck(context, service, given_up),
        wanted_binds=frozenset(mount.source for mount in model.mounts if mount.kind == "bind"),
        hooks={
            rule.name: rule.hook
            for rule in project.policy.watched(service)
            if rule.hook is not None
        },
    )


class _Written:
    """The record of writes for actions, which know a container by its id alone."""

    def __init__(self, context: Context, replicas: Iterable[Replica]) -> None:
        self._context = context
        self._known = {replica.id: replica for replica in replicas}

    def set_many(self, container_id: str, digests: Mapping[str, str], at: float) -> None:
        if container_id not in self._known:
            self._known[container_id] = self._context.engine.replica(container_id)
        self._context.store.injected_files.record(self._known[container_id], digests, at)
