"""One service's table: how it takes up new code, which caches keep old code, remarks. Pure."""

from dataclasses import replace

from freshd.model import Pair, Via
from freshd.proposal.facts import Confidence, ProposedService, ServiceLook
from freshd.proposal.languages import caches_of


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
            f"{_files(len(hidden))} of the image hidden by a mount at {_places(hidden)}: what is "
            "seen there is the mount's."
        )
    return notes


def confidence_words(look: ServiceLook) -> str:
    """One sentence on how sure it is which file of the tree is where."""
    copies = len(look.copied)
    if look.problem:
        return f"could not be told: {look.problem}"
    if look.built_by:
        own = confidence_words(replace(look, built_by=""))
        return f"it runs the image that {look.built_by} builds: {own}"
    if look.confidence is Confidence.NOTHING:
        return f"{look.image}: nothing of the tree is in it."
    if look.confidence is Confidence.UNTOLD:
        return "could not be told: nothing of its build could be followed."
    if look.bound:
        mounted = f"{_files(len(look.bound))} mounted from the tree"
        return f"{mounted}; {_copied(look)}" if copies else f"{mounted}."
    if not copies:
        inputs = _files(len(look.map.inputs))
        return f"nothing of the tree lands as it is; its build reads {inputs}."
    return _copied(look)


def _copied(look: ServiceLook) -> str:
    copies = len(look.copied)
    if look.held is None:
        return f"{_files(copies)} copied, read off the Dockerfile; no image to hold that against."
    if look.held == copies:
        return f"{_files(copies)} copied, proved: its image holds each of them byte for byte."
    return (
        f"{_files(copies)} copied; its image holds {look.held:,} of them as the tree has them now "
        f"(freshd check {look.name} names the others)."
    )


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"


def _places(pairs: list[Pair]) -> str:
    return ", ".join(sorted({pair.hidden_by or "?" for pair in pairs})[:3])
