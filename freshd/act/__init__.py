"""Steps in, outcomes out: the registry of remedies, and the one place that runs them.

An outcome says what was observed, never what was intended. Only EngineUnavailable leaves this room.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType

from freshd.act import inject, purge, rebuild, recreate, reload, restart, run_commands
from freshd.act.ports import Action, Timeouts, World
from freshd.model.errors import (
    EngineUnavailable,
    FreshdError,
    HostPathGone,
    OutcomeUnknown,
    StepRefused,
    TargetGone,
)
from freshd.model.plan import Outcome, Step, StepStatus
from freshd.model.remedy import Remedy

ACTIONS: Mapping[Remedy, Action] = MappingProxyType(
    {
        Remedy.REBUILD: rebuild,
        Remedy.RECREATE: recreate,
        Remedy.INJECT: inject,
        Remedy.PURGE: purge,
        Remedy.RELOAD: reload,
        Remedy.RESTART: restart,
        Remedy.EXEC: run_commands,
    }
)


def run(step: Step, world: World) -> Outcome:
    """Carry out one step, with a journal entry from before its first change.

    Raises EngineUnavailable; the step's journal entry then stays open, as after a kill.
    """
    began = time.monotonic()
    world.journal.begin(step)
    try:
        outcome = ACTIONS[step.remedy].apply(step, world)
    except EngineUnavailable:
        # Perhaps in the middle of a change: the entry stays open, and `recovery` settles it.
        raise
    except FreshdError as error:
        outcome = _outcome(step, _status(error, step, world), error, began)
    else:
        outcome = Outcome(
            step, outcome.status, outcome.detail, time.monotonic() - began, outcome.output
        )
    world.journal.finish(outcome)
    return outcome


def _outcome(step: Step, status: StepStatus, error: FreshdError, began: float) -> Outcome:
    detail = f"{error.message} ({error.hint})" if error.hint else error.message
    return Outcome(step, status, detail, time.monotonic() - began)


def _status(error: FreshdError, step: Step, world: World) -> StepStatus:
    match error:
        case TargetGone():
            return StepStatus.GONE
        case OutcomeUnknown():
            return StepStatus.GONE if _is_gone(step, world) else StepStatus.UNKNOWN
        case StepRefused() | HostPathGone():
            return StepStatus.REFUSED
    return StepStatus.FAILED


def _is_gone(step: Step, world: World) -> bool:
    """Rule 7: what broke off because the container went away is gone, not unknown."""
    if step.container_id is not None:
        try:
            world.engine.replica(step.container_id)
        except TargetGone:
            return True
        except EngineUnavailable:
            raise  # `recovery` finds out once it is back
        except FreshdError:
            pass  # then nothing is known
    return False


__all__ = ["ACTIONS", "Timeouts", "World", "run"]
