"""A proposal as the text of a ``freshd.toml`` that says why each line is there. Pure.

The words of comments are made safe: a name from a Compose file or a Dockerfile can end no comment.
"""

import json
import re
import textwrap
from collections.abc import Iterator, Sequence

from freshd.model.text import printable
from freshd.model.verbs.proposal import Proposal, ProposedRule, ProposedService

_WIDTH = 98
_HEAD = (
    (
        "The policy of this project: what freshd may do when the code that runs in a container is "
        "not the code in this tree. It is yours: read it, change it, commit it."
    ),
    (
        "The first rule that fits a finding decides; what no rule fits is only told. `freshd plan` "
        "shows what would be done now, `freshd explain CAUSE` what a word in `when` means."
    ),
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def policy_text(proposal: Proposal) -> str:
    """The whole file, with a line feed at its end."""
    blocks = [_comment(*_HEAD, gap=True), "version = 1"]
    blocks += _project(proposal)
    blocks += [_service(service) for service in proposal.services if service.table]
    blocks += list(_remarks(proposal))
    blocks += [_rule(rule) for rule in proposal.rules]
    blocks.append(
        _comment(
            "Left out on purpose. `changed-in-container`: somebody's hot patch is told and left "
            "alone. `image-behind`: after an injection the image lacks the edit, and naming it "
            "here would rebuild at every save; rebuild when it suits you.",
        )
    )
    blocks += list(_never(proposal))
    blocks.append(
        _comment("Once a week every file is read again and nothing remembered is believed.")
        + '\n[schedule]\nvalidate = "Sun 03:30"'
    )
    return "\n\n".join(blocks) + "\n"


def _project(proposal: Proposal) -> Iterator[str]:
    settings = proposal.settings
    lines = [f"name = {quoted(settings.name)}"] if settings.name else []
    if settings.files:
        lines.append(f"files = {array(settings.files)}")
    if settings.profiles:
        lines.append(f"profiles = {array(settings.profiles)}")
    if lines:
        yield "\n".join(["[project]", *lines])


def _service(service: ProposedService) -> str:
    lines = [_comment(f"{service.name}: {service.notes[0]}", *service.notes[1:])]
    lines.append(f"[service.{_key(service.name)}]")
    lines.append(_comment(service.why))
    lines.append(f"reload = {quoted(service.reload)}")
    if service.purge:
        lines.append(_comment(f"{service.purge_why}."))
        lines.append(f"purge = {array(service.purge)}")
    return "\n".join(lines)


def _remarks(proposal: Proposal) -> Iterator[str]:
    """Services that get no table, and what could not be seen."""
    alone = [service for service in proposal.services if not service.table]
    if alone:
        yield "\n".join(_comment(f"{service.name}: {' '.join(service.notes)}") for service in alone)
    if proposal.unseen:
        yield _comment(*(f"Not seen: {words}." for words in proposal.unseen))


def _rule(rule: ProposedRule) -> str:
    lines = [_comment(rule.why), "[[rule]]", f"name = {quoted(rule.name)}"]
    if rule.services:
        lines.append(f"services = {array(rule.services)}")
    lines.append(f"when = {array(rule.when)}")
    if rule.paths:
        lines.append(f"paths = {array(rule.paths)}")
    lines.append(f"do = {array([remedy.value for remedy in rule.do])}")
    if rule.rebuild is not None:
        lines.append(f"rebuild = {quoted(rule.rebuild.value)}")
    return "\n".join(lines)


def _never(proposal: Proposal) -> Iterator[str]:
    if not proposal.never.lists:
        return
    lines = ["[never]"]
    for key, (values, why) in proposal.never.lists.items():
        if why:
            lines.append(_comment(why))
        lines.append(f"{key} = {array(values)}")
    yield "\n".join(lines)


def _comment(*sentences: str, gap: bool = False) -> str:
    """Each sentence wrapped behind ``# ``."""
    blocks = []
    for sentence in sentences:
        text = sentence[:1].upper() + sentence[1:] if gap else sentence
        wrapped = textwrap.wrap(
            printable(text), _WIDTH - 2, break_long_words=False, break_on_hyphens=False
        )
        blocks.append("\n".join(f"# {line}" for line in wrapped))
    return ("\n#\n" if gap else "\n").join(blocks)


def array(values: Sequence[str]) -> str:
    """A TOML array, over several lines where one would be too long."""
    every = [quoted(value) for value in values]
    line = f"[{', '.join(every)}]"
    if len(line) <= _WIDTH - 12:
        return line
    return "[\n" + "".join(f"    {value},\n" for value in every) + "]"


def quoted(text: str) -> str:
    """A TOML basic string; what cannot be printed is escaped."""
    return "".join(map(_escaped, json.dumps(text, ensure_ascii=False)))


def _escaped(char: str) -> str:
    return char if char.isprintable() else f"\\U{ord(char):08x}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else quoted(name)
