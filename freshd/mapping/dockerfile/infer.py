"""The public function: a Dockerfile and a context listing in, which file lands where out. Pure.

BuildKit is the measure: `tests/engine/test_map_oracle.py` builds what it infers. What a RUN does to
copied files cannot be read off a Dockerfile: `demote` takes that from the built image.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import NamedTuple

from freshd.mapping.dockerfile.contexts import Context, context_volume, familiar
from freshd.mapping.dockerfile.fetching import fetching
from freshd.mapping.dockerfile.record import Applied
from freshd.mapping.dockerfile.replay.apply import apply
from freshd.mapping.dockerfile.replay.replay import Replay, State, World
from freshd.mapping.dockerfile.stages import BaseImage, plan
from freshd.mapping.dockerfile.syntax.parse import frontend, parse, speaks_dockerfile
from freshd.model.files import Kind

ARCHIVE_ENDINGS = (
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz", ".tar.zst",
)  # fmt: skip
BUILD_FILES = frozenset({"Dockerfile", ".dockerignore", "Dockerfile.dockerignore"})


class CopyPair(NamedTuple):
    """One file (or link) of the context that lands verbatim; a tuple, as ``Node`` is.

    ``source`` is relative to the context, ``target`` absolute in the image. ``mode`` is the
    ``--chmod`` (None: the file's own). ``line`` is the COPY's, ``record`` its text in the image's
    history: another last writer of ``target`` means that the pair does not hold (`demote`), but
    for those in ``before``, which had put the same file there: containerd's image store leaves out
    of a layer what the ones below it have.
    ``also_input``: a RUN is known to read it too. ``through_run``: it passed a stage where a RUN
    followed, so only the image can tell whether it still is the tree's; then, and when
    ``free_mode``, its mode is not to be compared with the tree's. ``named``: the COPY names this
    very file, so an image built from it has the file there. ``guessed``: where hangs on a base
    image that is not known. A source in a further context leads there from the main one.
    """

    source: str
    target: str
    mode: int | None = None
    line: int = 0
    also_input: bool = False
    through_run: bool = False
    free_mode: bool = False
    record: str = ""
    before: tuple[str, ...] = ()
    named: bool = False
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Inference:
    """What a build of this Dockerfile does with its context.

    ``pairs`` are sorted by target, the last COPY has won. ``inputs`` (sorted) are used by the
    build and leave no verbatim trace. ``opaque`` says in words what could not be followed,
    ``lasting`` which of it no record of a build settles, ``untraced`` what of the Dockerfile
    itself leaves no trace in the image. ``final`` are the instructions of the final chain as the
    history should show them, ``base_history`` what stands before them (None: not known).
    ``directories`` maps a container directory to the context directory that was copied into it.
    ``unknown_base`` is the final chain's base image where that is not here ("": it is);
    ``top_names`` are those at the context's top. ``fetching`` are lines of the final chain whose
    outcome hangs on a network, each with the command that asks it.
    """

    pairs: tuple[CopyPair, ...] = ()
    inputs: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    untraced: tuple[str, ...] = ()
    run_after_copy: bool = False
    final: tuple[Applied, ...] = ()
    base_history: tuple[str, ...] | None = None
    directories: Mapping[str, str] = field(default_factory=dict)
    demoted: Mapping[str, str] = field(default_factory=dict)
    unknown_base: str = ""
    top_names: frozenset[str] = frozenset()
    fetching: Mapping[int, str] = field(default_factory=dict)


def no_image(_ref: str) -> BaseImage | None:
    """No base image is known."""
    return None


def unknown_kind(_path: str, _record: str) -> Kind | None:
    """Nothing is known of the built image."""
    return None


def named_like_archive(path: str) -> bool:
    """A guess by name, for callers that cannot open the file."""
    return path.lower().endswith(ARCHIVE_ENDINGS)


def infer(
    dockerfile: str,
    files: Mapping[str, Kind],
    *,
    links: Mapping[str, str] | None = None,
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    platform: str = "linux/amd64",
    build_platform: str = "",
    contexts: Mapping[str, Context] | None = None,
    image_config: Callable[[str], BaseImage | None] = no_image,
    is_archive: Callable[[str], bool] = named_like_archive,
    kind_in_image: Callable[[str, str], Kind | None] = unknown_kind,
    not_inputs: Collection[str] = BUILD_FILES,
    name: str = "Dockerfile",
) -> Inference:
    """Infer what lands where.

    ``files`` is the context after the ignore file, ``links`` the text of its symbolic links,
    ``platform`` os/architecture of what is built, ``build_platform`` of what builds it.
    ``contexts`` are further contexts by name. ``kind_in_image`` tells what a path is in an image
    that has a COPY's history line, where its destination hangs on what a RUN made. ``not_inputs``
    are left out of ``inputs`` (the caller handles the Dockerfile itself). ConfigError names
    ``name`` and line.
    """
    if not speaks_dockerfile(frontend(dockerfile)):
        return _unread(frontend(dockerfile), files)
    args = build_args or {}
    named = {familiar(key): value for key, value in (contexts or {}).items()}
    stages = plan(
        parse(dockerfile, name=name),
        build_args=args,
        platform=platform,
        build_platform=build_platform or platform,
        target=target,
        contexts=named,
        name=name,
    )
    context = context_volume(files, links or {})
    world = World(stages, context, args, image_config, is_archive, kind_in_image, named, name)
    replay = Replay(world, apply)
    state = replay.state(stages.target)
    replay.notes.used |= replay.notes.read
    pairs = _pairs(state, replay.notes.read)
    landed = {pair.source for pair in pairs}
    return Inference(
        pairs=pairs,
        inputs=tuple(sorted(replay.notes.used - landed - {*not_inputs, ""})),
        opaque=tuple(dict.fromkeys(replay.notes.opaque)),
        lasting=tuple(dict.fromkeys(replay.notes.lasting)),
        untraced=_untraced(replay, state),
        run_after_copy=state.changed_after_copy,
        final=tuple(state.applied),
        base_history=state.base_history,
        directories=state.directories,
        unknown_base="" if state.base_known else state.base,
        top_names=frozenset(context.children("/")),
        fetching=fetching(stages),
    )


def _unread(language: str, files: Mapping[str, Kind]) -> Inference:
    """A file in another language may use all of the context."""
    used = sorted(path for path, kind in files.items() if kind is not Kind.DIR)
    why = f"line 1: the frontend {language} reads this file its own way"
    return Inference(inputs=tuple(used), opaque=(why,))


def demote(inference: Inference, rewritten: Mapping[str, str]) -> Inference:
    """Move pairs whose target something later wrote or removed to the inputs.

    ``rewritten`` maps targets to the reason; targets that are no pairs are ignored.
    """
    if not rewritten:
        return inference
    kept = tuple(pair for pair in inference.pairs if pair.target not in rewritten)
    gone = tuple(pair for pair in inference.pairs if pair.target in rewritten)
    landed = {pair.source for pair in kept}
    inputs = {*inference.inputs, *(pair.source for pair in gone)} - landed
    # a file that lands elsewhere too is a pair there, and an input here
    both = {pair.source for pair in gone}
    return replace(
        inference,
        pairs=tuple(
            pair._replace(also_input=True) if pair.source in both else pair for pair in kept
        ),
        inputs=tuple(sorted(inputs)),
        demoted={**inference.demoted, **{pair.target: rewritten[pair.target] for pair in gone}},
    )


def _pairs(state: State, read: Collection[str]) -> tuple[CopyPair, ...]:
    landed = [(path, node) for path, node in state.volume.nodes.items() if node.source is not None]
    landed.sort(key=itemgetter(0))
    return tuple(
        CopyPair(
            node.source,
            path,
            node.mode,
            node.line,
            node.source in read or state.consumed(node),
            node.through_run,
            node.free_mode or node.through_run,
            node.record,
            node.before,
            node.named,
            node.guessed,
        )
        for path, node in landed
        if node.source is not None
    )


def _untraced(replay: Replay, final: State) -> tuple[str, ...]:
    """What a history comparison cannot see."""
    chain = {stage.index for stage in replay.world.plan.chain(final.stage)}
    found = [f"line {one.line}: {one.traceless}" for one in final.applied if one.traceless]
    found += replay.notes.untraced
    for index in sorted(set(replay.done) - chain):
        state = replay.done[index]
        where = f"stage {state.stage.name or index}"
        found += [f"line {run.line}: RUN in {where}" for run in state.runs]
    return tuple(dict.fromkeys(found))
