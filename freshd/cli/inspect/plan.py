"""``freshd plan``: what the policy would do now, with the cause of each step."""

import click

from freshd.cli import completing
from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options


@click.command(
    short_help="What the policy would do now, and why",
    epilog=examples("freshd plan", "freshd plan web", "freshd plan --json"),
)
@click.argument("services", metavar="[SERVICE]...", nargs=-1, shell_complete=completing.services)
@json_option
@project_options
def plan(app: App, *, services: tuple[str, ...], as_json: bool) -> int:
    """Show what 'freshd apply' would do now, step by step, and why. Changes nothing.

    Exit status: 0 nothing to do, 1 there is something stale, 3 something cannot be proved and
    nothing is stale.
    """
    from freshd.decide.text import plan_text
    from freshd.render import documents
    from freshd.render.verdicts import plans_exit_code

    with app.open() as session:
        plans = session.plan(services)
        name = session.project.name
    busy = [plan for plan in plans if plan.steps or plan.notices]
    if as_json:
        app.screen.json(documents.plans(name, plans))
    elif busy:
        for plan in busy:
            app.screen.text(plan_text(plan))
    else:
        app.screen.lines([(("nothing to do", "dim"),)])
    return plans_exit_code(plans)
