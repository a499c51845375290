"""``freshd apply``: do once what the policy says, and prove it."""

from typing import TYPE_CHECKING

import click

from freshd.cli import completing
from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options

if TYPE_CHECKING:
    from freshd.cli.progress import Progress
    from freshd.cli.screen import Screen
    from freshd.commands.session import Applied
    from freshd.model.plan import Outcome, Step
    from freshd.reconcile.reconcile import OnStep


@click.command(
    short_help="Do what the policy says, once, verified",
    epilog=examples("freshd apply", "freshd apply web", "freshd apply --json"),
)
@click.argument("services", metavar="[SERVICE]...", nargs=-1, shell_complete=completing.services)
@json_option
@project_options
def apply(app: App, *, services: tuple[str, ...], as_json: bool) -> int:
    """Do what the policy says about every difference, once, and look again.

    Typing this is consent to the policy, the Compose files and the Dockerfiles as they are now.
    Exit status: 0 done or nothing to do, 1 a step failed or something is still stale.
    """
    with app.open() as session, app.screen.progress() as progress:
        done = session.apply(services, on_line=progress.line, on_step=announcing(progress))
    return show(app.screen, done, as_json=as_json)


def announcing(progress: "Progress") -> "OnStep":
    """Says on stderr when a step begins, so that a slow one is not a silent one."""
    from freshd.decide.text import step_text

    def on_step(step: "Step", outcome: "Outcome | None" = None) -> None:
        if outcome is None:
            progress.line(f"{step_text(step)} …")

    return on_step


def show(screen: "Screen", done: "Applied", *, as_json: bool) -> int:
    """Print what was done and what was seen after it; returns the exit status."""
    from freshd.model.report import Verdict
    from freshd.render import documents, report
    from freshd.render.outcomes import FAILED, outcome_lines

    if as_json:
        screen.json(documents.applied(done.plans, done.outcomes, done.report))
    else:
        screen.lines(outcome_lines(done.outcomes))
        if not done.outcomes:
            screen.lines([(("nothing to do", "dim"),)])
        screen.lines([(), *report.report_lines(done.report)])
    failed = any(outcome.status in FAILED for outcome in done.outcomes)
    return 1 if failed or done.report.verdict is Verdict.STALE else 0
