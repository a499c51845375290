"""The command ``freshd`` and the verbs it has, in the order a person meets them."""

import click

from freshd import __version__
from freshd.cli.app import App
from freshd.cli.completion import completion
from freshd.cli.inspect.check import check
from freshd.cli.inspect.diff import diff
from freshd.cli.inspect.doctor import doctor
from freshd.cli.inspect.explain import explain
from freshd.cli.inspect.history import history
from freshd.cli.inspect.map import map_
from freshd.cli.inspect.plan import plan
from freshd.cli.inspect.status import status
from freshd.cli.inspect.validate import validate
from freshd.cli.operate.apply import apply
from freshd.cli.operate.init import init
from freshd.cli.operate.remedies import inject, purge, rebuild, recreate, restart
from freshd.cli.operate.resume import resume
from freshd.cli.operate.run import run
from freshd.cli.operate.service import service
from freshd.cli.options import examples, project_options

VERBS = (
    init,
    check,
    map_,
    diff,
    plan,
    apply,
    run,
    service,
    status,
    history,
    resume,
    validate,
    inject,
    purge,
    restart,
    recreate,
    rebuild,
    explain,
    doctor,
    completion,
)


_STATUSES = """

\b
Exit status:
  0    fresh, done, or nothing to do
  1    stale, a difference, or a step failed
  2    usage or configuration, or a second daemon
  3    something cannot be proved, and nothing is stale
  4    the engine cannot be reached
  70   a bug; its report is written to a file
  130  interrupted
"""


class InOrder(click.Group):
    """A group that lists its verbs as they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx  # the order does not depend on the invocation
        return list(self.commands)


@click.group(
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "freshd check", "freshd map web", "freshd --project ~/src/shop status", "freshd run"
    )
    + _STATUSES,
)
@click.version_option(__version__, prog_name="freshd", message="%(prog)s %(version)s")
@project_options
def freshd(app: App) -> None:
    """Know whether the code in your containers is the code in your tree, and make it so."""
    del app  # the options are kept in the context by project_options


for verb in VERBS:
    freshd.add_command(verb)
