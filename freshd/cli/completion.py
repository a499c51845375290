"""``freshd completion``: the script that teaches a shell to complete freshd's command lines."""

from typing import TYPE_CHECKING

import click

from freshd.cli.completing import VARIABLE
from freshd.cli.options import examples

if TYPE_CHECKING:
    from freshd.cli.app import App

SHELLS = ("bash", "zsh", "fish")


@click.command(
    short_help="The script for completion in bash, zsh or fish",
    epilog=examples("freshd completion bash", "freshd completion fish"),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> int:
    """Print the script that completes verbs, options, services and causes.

    \b
    bash:  freshd completion bash > ~/.local/share/bash-completion/completions/freshd
    zsh:   freshd completion zsh > _freshd, in a directory of your $fpath
    fish:  freshd completion fish > ~/.config/fish/completions/freshd.fish

    Services are those that were seen last; neither Docker nor the engine is asked.
    """
    from click.shell_completion import get_completion_class

    app: App = ctx.obj
    kind = get_completion_class(shell)
    assert kind is not None, "click knows every shell of SHELLS"
    group = ctx.find_root().command
    app.screen.raw(kind(group, {}, "freshd", VARIABLE).source().encode())
    return 0
