"""Run in one container what ``sync+exec`` rules ask for, one command after the other.

In: a step whose ``commands`` name their rules. Out: DONE when every one of them ended with 0; what
the last ones printed is in the output. A command that ran is not run again, whatever its result.
"""

import shlex

from freshd.act.inject import read_target
from freshd.act.ports import World
from freshd.engine.container.exec import run
from freshd.engine.transport.stream import Setting
from freshd.model.errors import OutcomeUnknown, StepRefused
from freshd.model.observed.container import Replica
from freshd.model.plan import Command, Outcome, Step, StepStatus
from freshd.model.text import printable

_KEPT_LINES = 20
_LIMIT = 4 * 1024 * 1024


def apply(step: Step, world: World) -> Outcome:
    """Raises TargetGone, StepRefused (not running), EngineFailed (a flood of output)."""
    replica = read_target(step, world)
    if not replica.running:
        raise StepRefused(f"{replica.name} is {replica.state}: no command is run in it")
    problems: list[str] = []
    output: list[str] = []
    for command in step.commands:
        problem, lines = _run(command, world, replica)
        output += lines
        if problem:
            problems.append(f"`{printable(shlex.join(command.argv))}` {problem}")
    kept = tuple(output[-_KEPT_LINES:])
    if problems:
        return Outcome(step, StepStatus.FAILED, "; ".join(problems), output=kept)
    count = len(step.commands)
    words = "the command" if count == 1 else f"{count} commands"
    return Outcome(step, StepStatus.DONE, f"{words} ended with 0 in {replica.name}", output=kept)


def _run(command: Command, world: World, replica: Replica) -> tuple[str, list[str]]:
    """("" or what went wrong, the lines it printed)."""
    hook = world.hooks.get(command.name)
    if hook is None or hook.argv != command.argv:
        return f"is not run: {command.name} asks for it no more", []
    world.journal.phase("exec", {"rule": command.name})
    # A variable without a value is the container's own.
    environment = {name: text for name, text in hook.environment.items() if text is not None}
    try:
        done = run(
            world.engine,
            replica.id,
            hook.argv,
            timeout=world.timeouts.command,
            user=hook.user,
            setting=Setting(hook.privileged, hook.workdir, environment),
            limit=_LIMIT,
        )
    except OutcomeUnknown:
        return f"did not end within {world.timeouts.command:.0f} s and may still run", []
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if done.ok:
        return "", lines
    last = f": {printable(lines[-1])}" if lines else ""
    return f"ended with {done.exit_code}{last}", lines
