"""One service's table: how it takes up new code, which caches keep old code, remarks. Pure."""

from freshd.catalog.runtimes.languages import caches_of
from freshd.model.mapping import Pair, Via
from freshd.model.text import count_files
from freshd.model.verbs.proposal import ProposedService, ServiceLook, confidence_words


def propose_service(look: ServiceLook) -> ProposedService:
    """The table, with what a reader should know of the map."""
    caches = caches_of(pair.source for pair in look.copied)
    return ProposedService(
        name=look.name,
        reload=look.way.mode,
        why=_why(look),
        purge=tuple(each for cache in caches for each in cache.patterns),
        purge_why="; ".join(cache.why for cache in caches),
        notes=tuple(_notes(look)),
        table=bool(look.copied or look.bound) and not look.store,
    )


def _why(look: ServiceLook) -> str:
    return f"{look.way.why} ({look.origin})" if look.origin else look.way.why


def _notes(look: ServiceLook) -> list[str]:
    notes = [confidence_words(look)]
    notes += [f"not followed: {words}" for words in look.map.opaque[:4]]
    if look.store and look.bound:
        notes.append(f"{look.image} keeps data, so it is never restarted for an edit: see [never].")
    elif look.bound:
        notes.append("An edit of a mounted file is there at once: nothing is injected.")
        if look.way.mode not in ("self", "per-request"):
            notes.append(
                "The process does not notice what changed in a mount: restart it by hand "
                f"(freshd restart {look.name}), or give it a reloader."
            )
    hidden = [pair for pair in look.hidden if pair.via is Via.COPY]
    if hidden:
        notes.append(
            f"{count_files(len(hidden))} of the image hidden by a mount at {_places(hidden)}: what "
            "is seen there is the mount's."
        )
    return notes


def _places(pairs: list[Pair]) -> str:
    return ", ".join(sorted({pair.hidden_by or "?" for pair in pairs})[:3])
