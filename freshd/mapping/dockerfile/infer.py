"""The public function: a Dockerfile and a context listing in, which file lands where out. Pure.

BuildKit has the last word: `tests/engine/test_map_oracle.py` builds what is inferred here. What a
RUN does to copied files cannot be read off a Dockerfile: `demote` takes that from the built image.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import NamedTuple

from freshd.mapping.dockerfile.contexts import NamedContext, context_volume, familiar
from freshd.mapping.dockerfile.fetching import find_fetching
from freshd.mapping.dockerfile.record import ExpectedEntry
from freshd.mapping.dockerfile.replay.apply import apply
from freshd.mapping.dockerfile.replay.replay import BuildInputs, BuildReplay, StageState
from freshd.mapping.dockerfile.stages import BaseImage, split_stages
from freshd.mapping.dockerfile.syntax.parse import parse, read_frontend, speaks_dockerfile
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
    followed, so only the image shows whether it still is the tree's; then, and when
    ``free_mode``, its mode is not to be compared with the tree's. ``named``: the COPY names this
    very file, so an image built from it has the file there. ``guessed``: where depends on a base
    image that is not known. A source in a named context leads there from the main one.
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
    build and are not in the image as they are. ``opaque`` says in words what could not be
    followed, ``lasting`` which of it no record of a build settles, ``untraced`` what of the
    Dockerfile itself is not recorded in the image. ``final`` are the instructions of the final
    chain as the history should show them, ``base_history`` what is before them (None: not known).
    ``directories`` maps a container directory to the context directory that was copied into it.
    ``unknown_base`` is the final chain's base image where that is not here ("": it is), and
    ``base_unseen`` which of the ``opaque`` says so;
    ``top_names`` are those at the context's top. ``fetching`` maps lines of the final chain whose
    result depends on a network to the command that uses it.
    """

    pairs: tuple[CopyPair, ...] = ()
    inputs: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    untraced: tuple[str, ...] = ()
    run_after_copy: bool = False
    final: tuple[ExpectedEntry, ...] = ()
    base_history: tuple[str, ...] | None = None
    directories: Mapping[str, str] = field(default_factory=dict)
    demoted: Mapping[str, str] = field(default_factory=dict)
    unknown_base: str = ""
    base_unseen: str = ""
    top_names: frozenset[str] = frozenset()
    fetching: Mapping[int, str] = field(default_factory=dict)


def no_image(_ref: str) -> BaseImage | None:
    """No base image is known."""
    return None


def unknown_kind(_path: str, _record: str) -> Kind | None:
    """Nothing is known of the built image."""
    return None


def unknown_link(_path: str) -> str:
    """Nothing is known of the built image."""
    return ""


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
    contexts: Mapping[str, NamedContext] | None = None,
    image_config: Callable[[str], BaseImage | None] = no_image,
    is_archive: Callable[[str], bool] = named_like_archive,
    kind_in_image: Callable[[str, str], Kind | None] = unknown_kind,
    link_in_image: Callable[[str], str] = unknown_link,
    not_inputs: Collection[str] = BUILD_FILES,
    name: str = "Dockerfile",
) -> Inference:
    """Infer what lands where.

    ``files`` is the context after the ignore file, ``links`` the text of its symbolic links,
    ``platform`` os/architecture of what is built, ``build_platform`` of what builds it.
    ``contexts`` are the named contexts. ``kind_in_image`` returns what a path is in an image that
    has a COPY's history line, for a destination that depends on what a RUN made; ``link_in_image``
    where a link leads that it has at a path. ``not_inputs``
    are left out of ``inputs`` (the caller handles the Dockerfile itself). ConfigError names
    ``name`` and line.
    """
    if not speaks_dockerfile(read_frontend(dockerfile)):
        return _unread(read_frontend(dockerfile), files)
    args = build_args or {}
    named = {familiar(key): value for key, value in (contexts or {}).items()}
    stages = split_stages(
        parse(dockerfile, name=name),
        build_args=args,
        platform=platform,
        build_platform=build_platform or platform,
        target=target,
        contexts=named,
        name=name,
    )
    context = context_volume(files, links or {})
    inputs = BuildInputs(
        *(stages, context, args, image_config, is_archive, kind_in_image, link_in_image, named),
        name,
    )
    replay = BuildReplay(inputs, apply)
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
        base_unseen=state.base_unseen,
        top_names=frozenset(context.children("/")),
        fetching=find_fetching(stages),
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
    moved = tuple(pair for pair in inference.pairs if pair.target in rewritten)
    sources = {pair.source for pair in moved}
    # a file that lands elsewhere too is a pair there, and an input here
    return replace(
        inference,
        pairs=tuple(
            pair._replace(also_input=True) if pair.source in sources else pair for pair in kept
        ),
        inputs=tuple(sorted({*inference.inputs, *sources} - {pair.source for pair in kept})),
        demoted={**inference.demoted, **{pair.target: rewritten[pair.target] for pair in moved}},
    )


def with_modes(inference: Inference, modes: Mapping[str, int]) -> Inference:
    """Pairs by the mode that a RUN gave their file in the image: ``modes`` maps targets to it."""
    if not modes:
        return inference
    pairs = tuple(
        pair._replace(mode=modes[pair.target], free_mode=False) if pair.target in modes else pair
        for pair in inference.pairs
    )
    return replace(inference, pairs=pairs)


def _pairs(state: StageState, read: Collection[str]) -> tuple[CopyPair, ...]:
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


def _untraced(replay: BuildReplay, final: StageState) -> tuple[str, ...]:
    """What a history comparison cannot see."""
    chain = {stage.index for stage in replay.inputs.stages.chain(final.stage)}
    untraced = [
        f"line {entry.line}: {entry.traceless}" for entry in final.applied if entry.traceless
    ]
    untraced += replay.notes.untraced
    for index in sorted(set(replay.done) - chain):
        state = replay.done[index]
        where = f"stage {state.stage.name or index}"
        untraced += [f"line {run.line}: RUN in {where}" for run in state.runs]
    return tuple(dict.fromkeys(untraced))


def list_copy_lines(inference: Inference | None, refuted: Collection[str]) -> Mapping[str, bool]:
    """The history line of each COPY of the final chain -> whether it brings the tree's only.

    One that did not go where it was expected proves nothing of what it wrote.
    """
    steps = inference.final if inference is not None else ()
    copies = [step for step in steps if step.name in ("COPY", "ADD")]
    return {step.records[0]: step.verbatim and step.records[0] not in refuted for step in copies}
