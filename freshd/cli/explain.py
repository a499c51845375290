"""``freshd explain``: what a cause means and what helps."""

import difflib

import click

from freshd.cli.app import App, examples, json_option, project_options
from freshd.errors import ConfigError

_LEVELS = {
    "stale": "stale: the code that runs is not the tree's",
    "unverifiable": "unverifiable: nothing is known, and that is said",
    "note": "note: worth knowing; it changes a verdict only under --strict",
}


@click.command(
    short_help="What a cause means, and what helps",
    epilog=examples("freshd explain content-differs", "freshd explain old-image --json"),
)
@click.argument("cause")
@json_option
@project_options
def explain(app: App, *, cause: str, as_json: bool) -> int:
    """Say what a CAUSE means, how it is known, what puts it right and what keeps it away."""
    from freshd.causes.registry import CAUSES
    from freshd.model import printable
    from freshd.report.json import SCHEMA

    found = CAUSES.get(cause)
    if found is None:
        close = difflib.get_close_matches(cause, CAUSES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"one of: {', '.join(CAUSES)}"
        raise ConfigError(f"there is no cause named {printable(cause)}", hint=hint)
    rows = (
        ("where", f"the {found.link.value} link"),
        ("level", _LEVELS[found.level.value]),
        ("known by", found.how_known),
        ("remedy", found.remedy.value),
        ("prevent", found.prevention),
    )
    if as_json:
        app.screen.json(
            {
                "schema": SCHEMA,
                "cause": found.slug,
                "link": found.link.value,
                "level": found.level.value,
                "title": found.title,
                "meaning": found.meaning,
                "how_known": found.how_known,
                "remedy": found.remedy.value,
                "prevention": found.prevention,
            }
        )
        return 0
    app.screen.lines([((found.slug, "strong"), (f"   {found.title}", ""))])
    app.screen.lines([(), *_wrapped("", found.meaning), ()])
    for label, words in rows:
        app.screen.lines(_wrapped(label, words))
    return 0


def _wrapped(label: str, words: str) -> list[tuple[tuple[str, str], ...]]:
    """Prose at a readable width, with its label at the left of the first line."""
    import textwrap

    margin = 11 if label else 2
    lines = textwrap.wrap(words, 92 - margin) or [""]
    first = ((f"  {label}".ljust(margin), "dim"), (lines[0], ""))
    return [first, *(((" " * margin, ""), (line, "")) for line in lines[1:])]
