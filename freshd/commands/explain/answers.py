"""What the policy would do about one path: the very questions that ``decide`` asks. Pure."""

from freshd.catalog.causes.cause import Injection
from freshd.catalog.causes.registry import get_cause, slugs_where
from freshd.decide.limits import service_gates
from freshd.decide.request import Request, make_request
from freshd.model.mapping import Pair
from freshd.model.observed.container import Replica
from freshd.model.policy import Policy
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from freshd.model.verbs.explanation import PolicyAnswer

# What an edit of a file, or of an input of the build, can lead to; deletions come last.
_FILE = sorted(
    slugs_where(lambda cause: bool(cause.if_it and cause.injection)),
    key=lambda slug: get_cause(slug).named_only,
)
(_INPUT,) = slugs_where(lambda cause: bool(cause.if_it and cause.link is LinkName.IMAGE))
_ORDER = tuple(Remedy)


def answers_for(pair: Pair, policy: Policy, replica: Replica) -> tuple[PolicyAnswer, ...]:
    """One answer for each cause that a file can have; causes with the same answer share it."""
    causes_by_answer: dict[PolicyAnswer, list[str]] = {}
    for cause in _FILE:
        finding = Finding(
            cause=cause,
            level=Level.STALE,
            link=LinkName.CONTAINER,
            service=replica.service,
            message="",
            container=replica.name,
            container_id=replica.id,
            path=pair.source,
            target=pair.target,
            via=pair.via,
        )
        causes_by_answer.setdefault(_answer(finding, policy, replica), []).append(cause)
    return tuple(
        PolicyAnswer(tuple(causes), answer.does, answer.rule, answer.reason)
        for answer, causes in causes_by_answer.items()
    )


def input_answer(policy: Policy, service: str) -> PolicyAnswer:
    """What would be done if a build input changed."""
    finding = Finding(_INPUT, Level.STALE, LinkName.IMAGE, service, "")
    answer = _answer(finding, policy, None)
    return PolicyAnswer((_INPUT,), answer.does, answer.rule, answer.reason)


def _answer(finding: Finding, policy: Policy, replica: Replica | None) -> PolicyAnswer:
    gates = service_gates(finding.service, policy, consent_problem=None)
    known = {} if replica is None else {replica.id: replica}
    request = make_request(finding, policy, replicas=known, gates=gates)
    return PolicyAnswer(
        causes=(),
        does=_words(request, policy),
        rule=request.rule.name if request.rule is not None else "",
        reason=request.lost or "",
    )


def _words(request: Request, policy: Policy) -> tuple[str, ...]:
    remedies = sorted(request.remedies, key=_ORDER.index)
    if Remedy.REBUILD in remedies:  # it swallows the rest
        return (f"rebuild ({request.mode.value})",)
    if Remedy.RECREATE in remedies:
        return ("recreate",)
    return tuple(_word(remedy, request, policy) for remedy in remedies)


def _word(remedy: Remedy, request: Request, policy: Policy) -> str:
    if remedy is Remedy.RELOAD:
        return f"signal {policy.service(request.finding.service).reload.signal}"
    if remedy is Remedy.INJECT and get_cause(request.finding.cause).injection is Injection.DELETES:
        return "delete it there"
    return remedy.value
