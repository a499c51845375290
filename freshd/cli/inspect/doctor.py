"""``freshd doctor``: can freshd work here, and what to do where it cannot."""

import click

from freshd.cli.app import App
from freshd.cli.options import examples, json_option, project_options


@click.command(
    short_help="Can it work here, and the fix for what is in the way",
    epilog=examples("freshd doctor", "freshd --project ~/src/shop doctor", "freshd doctor --json"),
)
@json_option
@project_options
def doctor(app: App, *, as_json: bool) -> int:
    """Look at Docker, this machine, freshd's own files and the project, and say what is in the way.

    Works outside a project too, and changes nothing. Exit status: 0 freshd can work here, 1 a
    problem stops it, 4 only the engine is missing.
    """
    from freshd.commands.doctor.checkup import diagnose_all
    from freshd.model.verbs.diagnosis import exit_status
    from freshd.render.doctor import diagnosis_document, diagnosis_lines

    with app.screen.progress():
        diagnoses = tuple(diagnose_all(app.invocation))
    status = exit_status(diagnoses)
    if as_json:
        app.screen.json(diagnosis_document(diagnoses, status=status))
    else:
        app.screen.lines(diagnosis_lines(diagnoses))
    return status
