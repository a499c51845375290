"""One service's table: how it takes up new code, which caches keep old code, remarks. Pure."""

from freshd.catalog.runtimes.languages import find_caches
from freshd.model.mapping import Pair, Via
from freshd.model.text import count_files
from freshd.model.verbs.proposal import DetectedService, ProposedService, confidence_words


def propose_service(service: DetectedService) -> ProposedService:
    """The table, with what a reader should know of the map."""
    caches = find_caches(pair.source for pair in service.copied)
    return ProposedService(
        name=service.name,
        reload=service.way.mode,
        why=_why(service),
        purge=tuple(pattern for cache in caches for pattern in cache.patterns),
        purge_why="; ".join(cache.why for cache in caches),
        notes=tuple(_notes(service)),
        table=bool(service.copied or service.bound) and not service.store,
    )


def _why(service: DetectedService) -> str:
    return f"{service.way.why} ({service.origin})" if service.origin else service.way.why


def _notes(service: DetectedService) -> list[str]:
    notes = [confidence_words(service)]
    notes += [f"not followed: {words}" for words in service.map.opaque[:4]]
    if service.store and service.bound:
        notes.append(
            f"{service.image} keeps data, so it is never restarted for an edit: see [never]."
        )
    elif service.bound:
        notes.append("An edit of a mounted file is there at once: nothing is injected.")
        if service.way.mode not in ("self", "per-request"):
            notes.append(
                "The process does not notice what changed in a mount: restart it by hand "
                f"(freshd restart {service.name}), or give it a reloader."
            )
    hidden = [pair for pair in service.hidden if pair.via is Via.COPY]
    if hidden:
        notes.append(
            f"{count_files(len(hidden))} of the image hidden by a mount at {_places(hidden)}: what "
            "is seen there is the mount's."
        )
    return notes


def _places(pairs: list[Pair]) -> str:
    return ", ".join(sorted({pair.hidden_by or "?" for pair in pairs})[:3])
