"""What should be done about which file: services in, a proposal with its reasons out. Pure.

The order is the policy's: the first rule that fits decides, so the narrow ones come first.
"""

from collections.abc import Iterator, Sequence

from freshd.catalog.causes.cause import InitRule
from freshd.catalog.causes.registry import CAUSES
from freshd.catalog.runtimes.languages import (
    ASSETS,
    LOCKS,
    PAPERS,
    TESTS,
    Language,
    count_languages,
)
from freshd.commands.init.reach import (
    acts,
    anchored,
    any_of,
    built_language,
    consumed,
    injectable,
    runs_word,
    scope,
)
from freshd.commands.init.services import propose_service
from freshd.model.mapping import Pair
from freshd.model.patterns import matcher
from freshd.model.policy import ProjectSettings
from freshd.model.remedy import Remedy
from freshd.model.verbs.proposal import DetectedService, Proposal, ProposedNever, ProposedRule

_MANY = 12
_MIGRATIONS = (
    "**/migrations/**", "**/migrate/**", "**/alembic/versions/**", "**/db/schema.rb",
)  # fmt: skip


def propose(
    project: str,
    services: Sequence[DetectedService],
    *,
    settings: ProjectSettings | None = None,
    unseen: Sequence[str] = (),
) -> Proposal:
    """The policy for these services."""
    made = (_consumed, _compiled, _quiet, _injected, _left_over, _remounted, _rebuilt, _recreated)
    rules = (rule for make in made for rule in make(services))
    return Proposal(
        project=project,
        settings=settings or ProjectSettings(),
        services=tuple(propose_service(service) for service in services),
        rules=tuple(rules),
        never=_never(services),
        unseen=tuple(unseen),
    )


def _causes(*rules: InitRule) -> tuple[str, ...]:
    """The causes that these rules are for, in their order."""
    return tuple(
        cause.slug for rule in rules for cause in CAUSES.values() if cause.init_rule is rule
    )


def _consumed(services: Sequence[DetectedService]) -> Iterator[ProposedRule]:
    """Files that land as they are and that a RUN reads as well: lock files above all."""
    ours = {
        service.name: [p for p in service.copied if consumed(service, p)] for service in services
    }
    sources = {pair.source for pairs in ours.values() for pair in pairs}
    if not sources:
        return
    exact = tuple(filter(None, (anchored(source) for source in sorted(sources))))
    if len(exact) > _MANY or len(exact) < len(sources):
        named = tuple(lock for lock in LOCKS if any(map(matcher((lock,)), sources)))
        rest = [source for source in sorted(sources) if not matcher(named)(source)]
        exact = (*named, *filter(None, (anchored(source) for source in rest[:_MANY])))
    yield ProposedRule(
        name="what the build reads",
        why="A RUN of the Dockerfile reads these files, so writing them into the container would "
        "not install or generate anything: the image is built again.",
        when=_causes(InitRule.CONTENT, InitRule.LEFT_OVER),
        paths=exact,
        services=scope(services, [name for name, pairs in ours.items() if pairs]),
        do=(Remedy.REBUILD,),
    )


def _compiled(services: Sequence[DetectedService]) -> Iterator[ProposedRule]:
    """Sources that a compiler or bundler reads: per set of services that share the languages."""
    groups: dict[tuple[Language, ...], list[str]] = {}
    for service in services:
        compiled = tuple(
            language
            for language in count_languages(pair.source for pair in service.copied)
            if any(built_language(service, p.source) is language for p in service.copied)
        )
        if compiled:
            groups.setdefault(compiled, []).append(service.name)
    for languages, names in groups.items():
        words = " and ".join(language.name for language in languages)
        yield ProposedRule(
            name=f"built from {words}",
            why=f"What runs is made from these sources when the image is built: an injected "
            f"{words} file would lie beside it and change nothing.",
            when=_causes(InitRule.CONTENT, InitRule.LEFT_OVER),
            paths=tuple(pattern for language in languages for pattern in language.patterns),
            services=scope(services, names),
            do=(Remedy.REBUILD,),
        )
    for asked, paths, why in ASSETS:
        named = [
            service for service in services if runs_word(asked, service) and any_of(service, paths)
        ]
        if named:
            yield ProposedRule(
                name="assets are built",
                why=f"These files are not served from where they land: {why}.",
                when=_causes(InitRule.CONTENT),
                paths=paths,
                services=scope(services, [service.name for service in named]),
                do=(Remedy.REBUILD,),
            )


def _quiet(services: Sequence[DetectedService]) -> Iterator[ProposedRule]:
    """Only where a restart would come of it."""
    loud = [service for service in services if acts(service) and service.copied]
    for name, every, why in (
        ("tests", TESTS, ("No running service imports its tests: they are kept level without a "
         "restart.")),
        ("papers", PAPERS, ("`COPY` takes these along, and nothing that runs reads them: they are "
         "kept level without a restart. A .dockerignore would keep them out.")),
    ):  # fmt: skip
        matching = tuple(p for p in every if any(any_of(service, (p,)) for service in loud))
        if matching:
            yield ProposedRule(
                name=name,
                why=why,
                when=_causes(InitRule.CONTENT),
                paths=matching,
                services=scope(
                    services, [service.name for service in loud if any_of(service, matching)]
                ),
                do=(Remedy.INJECT,),
            )


def _injected(services: Sequence[DetectedService]) -> Iterator[ProposedRule]:
    names = [service.name for service in services if injectable(service)]
    if not names:
        return
    yield ProposedRule(
        name="sources",
        why="Everything else that lands in the image as it is: written into the containers, the "
        "bytecode of what was written is purged, and the service takes it up as its `reload` "
        "says. Files that look like secrets are never written.",
        when=_causes(InitRule.CONTENT),
        services=scope(services, names),
        do=(Remedy.INJECT, Remedy.PURGE, Remedy.RELOAD),
    )


def _left_over(services: Sequence[DetectedService]) -> Iterator[ProposedRule]:
    names = [service.name for service in services if injectable(service)]
    if not names:
        return
    yield ProposedRule(
        name="files that left the tree",
        why="What was deleted or renamed in the tree can still be imported in the container. Only "
        "files that a COPY brought, or freshd wrote, are deleted, and only in the container.",
        when=_causes(InitRule.LEFT_OVER),
        services=scope(services, names),
        do=(Remedy.INJECT, Remedy.PURGE, Remedy.RELOAD),
    )


def _remounted(services: Sequence[DetectedService]) -> Iterator[ProposedRule]:
    """A file mounted by itself stays at what it was when an editor replaces it.

    Only these files: what a program writes into a mounted directory is no reason to restart it.
    A file that no pattern names is left to the causes that only such a mount can have.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for service in services:
        patterns = {anchored(pair.source) for pair in service.bound if _single(pair)}
        named = tuple(sorted(filter(None, patterns)))
        if named and not service.store:
            groups.setdefault(named, []).append(service.name)
        if None in patterns and not service.store:
            groups.setdefault((), []).append(service.name)
    for paths, names in groups.items():
        yield ProposedRule(
            name="a mounted file that was replaced",
            why="Editors save by replacing a file, and a mount of that one file goes on showing "
            "the one before: only a restart mounts it anew.",
            when=_causes(InitRule.REMOUNTED, *([InitRule.CONTENT] if paths else [])),
            paths=paths,
            services=tuple(names),
            do=(Remedy.RESTART,),
        )


def _single(pair: Pair) -> bool:
    return pair.why == f"bind mount at {pair.target}"


def _rebuilt(services: Sequence[DetectedService]) -> Iterator[ProposedRule]:
    building = [service for service in services if service.builds and not service.problem]
    if not building:
        return
    yield ProposedRule(
        name="the build",
        why="The Dockerfile, a lock file or a file of an earlier stage changed: no injection can "
        "replay what the build makes of it.",
        when=_causes(InitRule.BUILD),
        services=scope([*services], [service.name for service in building], every=building),
        do=(Remedy.REBUILD,),
    )


def _recreated(services: Sequence[DetectedService]) -> Iterator[ProposedRule]:
    if services:
        yield ProposedRule(
            name="a newer image",
            why="The image was built or pulled by somebody else, and the container still runs the "
            "one before.",
            when=_causes(InitRule.NEWER_IMAGE),
            do=(Remedy.RECREATE,),
        )


def _never(services: Sequence[DetectedService]) -> ProposedNever:
    lists: dict[str, tuple[tuple[str, ...], str]] = {}
    migrating = [
        service for service in services if service.way.migrates and service.way.mode == "restart"
    ]
    migrations = tuple(
        p for p in _MIGRATIONS if any(any_of(service, (p,)) for service in migrating)
    )
    if migrations:
        first = migrating[0]
        lists["inject"] = (
            migrations,
            (
                f"{first.name} runs `{first.way.migrates}` whenever it starts: a migration that "
                "you are still writing would be applied at the next save. When it is done, bring "
                f"it in with `freshd rebuild {first.name}`."
            ),
        )
    stores = tuple(service.name for service in services if service.store)
    if stores:
        why = "They keep data: restarting them is for a person to decide."
        lists["restart"] = (stores, why)
        lists["recreate"] = (stores, "")
    return ProposedNever(lists)
