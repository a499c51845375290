"""Signal a container's first process to load new code, and check that it survived.

In: a step with a container id and a signal's name. Out: DONE when the process still runs, the same
one as before: most signals end a process that does not handle them.
"""

import time

from freshd.act.ports import World
from freshd.model.errors import StepRefused
from freshd.model.plan import Outcome, Step, StepStatus


def apply(step: Step, world: World) -> Outcome:
    """Raises TargetGone, StepRefused (not running, no signal), EngineFailed, OutcomeUnknown."""
    assert step.container_id is not None, "a reload names its container"
    before = world.engine.replica(step.container_id)
    name = (step.signal or "").removeprefix("signal:").upper()
    if not name:
        raise StepRefused(f"no signal is set for {step.service}", hint='reload = "signal:HUP"')
    if not before.running:
        raise StepRefused(f"{before.name} is {before.state}: it takes no signal")
    world.journal.phase("reload", {"signal": name})
    world.engine.signal(before.id, name)
    deadline = time.monotonic() + world.timeouts.settle
    while True:
        after = world.engine.replica(before.id)
        if not after.running or after.started_at != before.started_at:
            detail = f"{name} ended the process in {after.name} (now {after.state})"
            return Outcome(step, StepStatus.FAILED, detail)
        if time.monotonic() >= deadline:
            return Outcome(step, StepStatus.DONE, f"{name} sent to {after.name}, still up")
        time.sleep(world.timeouts.poll)
