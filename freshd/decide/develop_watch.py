"""The rule that ``develop.watch`` makes of one finding: the finding and a service's rules in. Pure.

Compose does what every rule asks that a changed path fits, so the rules that fit are put together:
one ``Rule`` comes out, or None where no rule asks for anything that helps against the finding.
"""

from collections.abc import Iterable, Sequence

from freshd.catalog.causes.registry import get_cause
from freshd.model.plan import Command
from freshd.model.policy import Rule, WatchRule
from freshd.model.remedy import Remedy
from freshd.model.report import Finding

_ORDER = {remedy: index for index, remedy in enumerate(Remedy)}


def watch_rule(finding: Finding, rules: Iterable[WatchRule]) -> Rule | None:
    """What ``rules`` together ask for; only those of the finding's own service count."""
    ours = [rule for rule in rules if rule.service == finding.service]
    fitting = [rule for rule in ours if _fits(finding, rule)]
    does = {remedy for rule in fitting for remedy in _does(finding, rule)}
    if _answer(finding) is Remedy.INJECT and not does & {Remedy.INJECT, Remedy.REBUILD}:
        return None  # a restart brings no file
    if not does:
        return None
    return Rule(
        when=(finding.cause,),
        do=tuple(sorted(does, key=_ORDER.__getitem__)),
        services=(finding.service,),
        name=_name(fitting),
        commands=_commands(fitting) if Remedy.EXEC in does else (),
    )


def _fits(finding: Finding, rule: WatchRule) -> bool:
    answer = _answer(finding)
    if answer is Remedy.INJECT:
        path = finding.path
        if path is None or not rule.selects(path):
            return False
        return Remedy.INJECT not in rule.does or rule.lands(path) == finding.target
    if answer is Remedy.REBUILD:
        return Remedy.REBUILD in rule.does and _speaks_of_build(finding, rule)
    if answer is Remedy.RESTART:
        return Remedy.RESTART in rule.does and any(map(rule.selects, finding.paths))
    return False


def _does(finding: Finding, rule: WatchRule) -> frozenset[Remedy]:
    answer = _answer(finding)
    return rule.does if answer is None or answer is Remedy.INJECT else frozenset({answer})


def _answer(finding: Finding) -> Remedy | None:
    return get_cause(finding.cause).watch_remedy


def _speaks_of_build(finding: Finding, rule: WatchRule) -> bool:
    if finding.evidence.get("trace") and rule.dockerfile:
        return True
    return any(map(rule.selects, finding.paths))


def _name(rules: Sequence[WatchRule]) -> str:
    numbers = "+".join(str(rule.number) for rule in rules)
    return f"develop.watch {rules[0].service} {numbers}"


def _commands(rules: Iterable[WatchRule]) -> tuple[Command, ...]:
    return tuple(Command(rule.name, rule.hook.argv) for rule in rules if rule.hook is not None)
