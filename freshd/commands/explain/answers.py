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
from freshd.model.verbs.whereabouts import Answer

# What an edit of a file, or of an input of the build, can lead to; deletions are told last.
_FILE = sorted(
    slugs_where(lambda cause: bool(cause.if_it and cause.injection)),
    key=lambda slug: get_cause(slug).named_only,
)
(_INPUT,) = slugs_where(lambda cause: bool(cause.if_it and cause.link is LinkName.IMAGE))
_ORDER = tuple(Remedy)


def answers_for(pair: Pair, policy: Policy, replica: Replica) -> tuple[Answer, ...]:
    """One answer for each cause that a file can have; causes with the same answer share it."""
    found: dict[Answer, list[str]] = {}
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
        found.setdefault(_answer(finding, policy, replica), []).append(cause)
    return tuple(
        Answer(tuple(causes), answer.does, answer.rule, answer.reason)
        for answer, causes in found.items()
    )


def input_answer(policy: Policy, service: str) -> Answer:
    """What would be done if a build input changed."""
    finding = Finding(_INPUT, Level.STALE, LinkName.IMAGE, service, "")
    answer = _answer(finding, policy, None)
    return Answer((_INPUT,), answer.does, answer.rule, answer.reason)


def _answer(finding: Finding, policy: Policy, replica: Replica | None) -> Answer:
    gates = service_gates(
        finding.service, policy, recent_rebuilds=(), now=0.0, consent_problem=None
    )
    known = {} if replica is None else {replica.id: replica}
    request = make_request(finding, policy, replicas=known, gates=gates)
    return Answer(
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
    return tuple(_word(each, request, policy) for each in remedies)


def _word(remedy: Remedy, request: Request, policy: Policy) -> str:
    if remedy is Remedy.RELOAD:
        return f"signal {policy.service(request.finding.service).reload.signal}"
    if remedy is Remedy.INJECT and get_cause(request.finding.cause).injection is Injection.DELETES:
        return "delete it there"
    return remedy.value
