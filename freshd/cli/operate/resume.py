"""``freshd resume``: lift the halts of a project, after a person has looked into them."""

import click

from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options


@click.command(short_help="Lift the halts of this project", epilog=examples("freshd resume"))
@json_option
@project_options
def resume(app: App, *, as_json: bool) -> int:
    """Lift every halt of this project.

    freshd halts where it suspects an accident, such as a tree that lost most of its files, and
    then does nothing to the containers until a person says so.
    """
    from freshd.cli.saved import load_status, open_writable
    from freshd.model.text import printable
    from freshd.render.documents import SCHEMA
    from freshd.render.words import ago, iso, shown

    with open_writable(app.invocation.environ, now=app.now()) as store:
        saved = load_status(app.invocation, store)
        lifted = store.halts.resume(saved.project) if saved else ()
    if as_json:
        halts = [
            {"service": halt.service, "reason": halt.reason, "at": iso(halt.at)} for halt in lifted
        ]
        app.screen.json({"schema": SCHEMA, "lifted": halts})
        return 0
    for halt in lifted:
        whom = f"{shown(halt.service)}: " if halt.service else ""
        words = f"{whom}{printable(halt.reason)}"
        app.screen.lines(
            [(("resumed  ", "good"), (words, ""), (f"   halted {ago(app.now() - halt.at)}", "dim"))]
        )
    if not lifted:
        app.screen.lines([(("nothing is halted", "dim"),)])
    return 0
