"""Files that were written while they were compared: nothing is known of them yet.

In: one replica and what was observed of it. Out: at most one finding.
"""

from collections.abc import Iterator

from freshd.catalog.runtimes.processes import is_code
from freshd.compare import evidence
from freshd.compare.comparison import ServingReplica
from freshd.compare.finding import make_finding
from freshd.model.observed.container import Observation
from freshd.model.observed.questions import visible_pairs
from freshd.model.report import Finding, Level
from freshd.model.text import count_files


def unsettled_findings(serving: ServingReplica, observation: Observation) -> Iterator[Finding]:
    """A note; of code it is not known whether it is old, and that is said."""
    if not observation.unsettled:
        return
    visible = visible_pairs(serving.facts.mapping.pairs, serving.replica)
    paths = sorted({visible[t].source for t in observation.unsettled if t in visible})
    if not paths:
        return
    code = any(is_code(target) for target in observation.unsettled)
    words = f"{count_files(len(paths))} of {serving.replica.name} changed while compared"
    yield make_finding(
        "unsettled",
        serving.service,
        words,
        replica=serving.replica,
        level=Level.UNVERIFIABLE if code else None,
        paths=paths,
        evidence=evidence.paths(paths),
    )
