"""How a replica is: whether it runs, is healthy, and has the image that its tag names."""

from collections.abc import Iterator

from freshd.compare.comparison import Comparison, ServingReplica
from freshd.compare.finding import make_finding
from freshd.model.observed.container import Replica
from freshd.model.report import Finding
from freshd.model.text import Json


def state_findings(serving: ServingReplica) -> Iterator[Finding]:
    """At most one on how it runs, and one on its image."""
    replica = serving.replica
    if not replica.running:
        yield _not_running(serving)
    elif replica.health == "unhealthy":
        words = f"{replica.name} runs, and its health check fails"
        yield make_finding(
            "unhealthy", serving.service, words, replica=replica, evidence=state_evidence(replica)
        )
    tag = serving.facts.tag_image
    if tag is None or replica.oneoff or not replica.image_id or replica.image_id == tag.id:
        return
    yield make_finding(
        "old-image",
        serving.service,
        f"{replica.name} runs another image than its tag names now",
        replica=replica,
        evidence={"container_image": replica.image_id, "tag_image": tag.id},
    )


def _not_running(serving: ServingReplica) -> Finding:
    replica = serving.replica
    cause, words = "not-running", f"is not running: {_words(replica)}"
    if replica.state == "restarting":
        cause, words = "restart-looping", "restarts again and again"
    return make_finding(
        cause,
        serving.service,
        f"{replica.name} {words}",
        replica=replica,
        evidence=state_evidence(replica),
    )


def _words(replica: Replica) -> str:
    if replica.state == "exited":
        return f"exited with code {replica.exit_code}"
    return "it was never started" if replica.state == "created" else replica.state


def not_observed(serving: ServingReplica, problem: str) -> Finding:
    """Its files could not be read."""
    replica = serving.replica
    return make_finding(
        "not-observed",
        serving.service,
        f"the files of {replica.name} could not be looked at: {problem}",
        replica=replica,
        evidence=state_evidence(replica),
    )


def state_evidence(replica: Replica) -> dict[str, Json]:
    return {"state": replica.state, "exit_code": replica.exit_code}


def mismatched(comparison: Comparison) -> Iterator[Finding]:
    """Replicas of other images than the newest; where the tag is there, ``old-image`` says it."""
    replicas = [serving.replica for serving in comparison.replicas]
    running = [replica for replica in replicas if replica.running and not replica.oneoff]
    running = [replica for replica in running if replica.image_id]
    if comparison.facts.tag_image is not None or len({r.image_id for r in running}) < 2:
        return
    newest = max(running, key=lambda replica: replica.created_at)
    for replica in running:
        if replica.image_id != newest.image_id:
            yield make_finding(
                "replica-mismatch",
                comparison.service,
                f"{replica.name} runs another image than {newest.name}, which is newer",
                replica=replica,
                evidence={"container_image": replica.image_id, "newest_image": newest.image_id},
            )


FINDERS = (mismatched,)
