"""Replay the stages that a target needs: what lands, what RUNs could read, what is opaque.

In: ``Stages``, the context as a Volume, what base images say. Out: a state per stage, and Notes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from freshd.mapping.dockerfile.consumed import Run, consumes
from freshd.mapping.dockerfile.contexts import NamedContext
from freshd.mapping.dockerfile.record import ExpectedEntry
from freshd.mapping.dockerfile.replay.volume import GIVEN, Node, Volume
from freshd.mapping.dockerfile.stages import SCRATCH, BaseImage, Stage, Stages
from freshd.mapping.dockerfile.syntax.parse import Instruction, parse
from freshd.model.errors import ConfigError
from freshd.model.files import Kind

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USUAL_DIRECTORIES = tuple(
    f"/{path}"
    for path in (
        *("bin", "boot", "dev", "etc", "home", "lib", "media", "mnt", "opt", "proc", "root", "run"),
        *("sbin", "srv", "sys", "tmp", "usr", "var"),
        *(f"usr/{name}" for name in ("bin", "lib", "local", "sbin", "share", "src")),
        *(f"usr/local/{name}" for name in ("bin", "etc", "lib", "sbin", "share")),
        *(f"var/{name}" for name in ("cache", "lib", "log", "tmp")),
    )
)


@dataclass(frozen=True, slots=True)
class BuildInputs:
    """Everything the replay reads.

    ``kind_in_image`` takes a path and the history line of the COPY that goes there, and returns
    what the image's RUNs made of it; ``link_in_image`` takes a path and returns where a symbolic
    link there leads in the built image ("": none is there). ``contexts`` are the named ones, by
    their familiar names.
    """

    stages: Stages
    context: Volume
    build_args: Mapping[str, str]
    image_config: Callable[[str], BaseImage | None]
    is_archive: Callable[[str], bool]
    kind_in_image: Callable[[str, str], Kind | None]
    link_in_image: Callable[[str], str]
    contexts: Mapping[str, NamedContext]
    name: str


@dataclass(slots=True)
class StageState:
    """One stage while and after it is replayed. ``directories``: a COPY's target to its source."""

    stage: Stage
    volume: Volume
    env: dict[str, str]
    workdir: str = "/"
    shell: tuple[str, ...] = ()
    args: list[tuple[str, str | None]] = field(default_factory=list)
    inherited_args: int = 0
    runs: list[Run] = field(default_factory=list)
    applied: list[ExpectedEntry] = field(default_factory=list)
    onbuild: list[str] = field(default_factory=list)
    directories: dict[str, str] = field(default_factory=dict)
    base: str = ""
    base_known: bool = True
    base_unseen: str = ""
    sure_of_directories: bool = True
    base_history: tuple[str, ...] | None = None
    copied: bool = False
    changed_after_copy: bool = False

    def ran_since(self, node: Node) -> bool:
        """Whether some RUN of this stage came after the file did."""
        return bool(self.runs) and self.runs[-1].at > node.at

    def may_have_changed(self, node: Node) -> bool:
        """Whether a RUN of this stage came after the file did, and can write a file's content."""
        return any(run.at > node.at and not run.leaves_contents for run in self.runs)

    def consumed(self, node: Node) -> bool:
        """Whether a RUN, here or in the stage it came from, is known to have read the file."""
        if node.consumed or node.source is None or not self.runs:
            return node.consumed
        source = node.source
        return any(run.at > node.at and consumes(run, source) for run in self.runs)


@dataclass(slots=True)
class Notes:
    """What a replay yields beside the files.

    ``used`` are the context paths that RUNs could read, ``read`` those that one is known to
    read, by a mount or by its text, wherever they land afterwards.
    """

    opaque: list[str] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)
    untraced: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    def note_opaque(self, line: int, what: str, *, lasting: bool = False) -> str:
        """``lasting``: what it brings may change unseen, whoever built the image."""
        self.opaque.append(f"line {line}: {what}")
        if lasting:
            self.lasting.append(self.opaque[-1])
        return self.opaque[-1]

    def note_untraced(self, line: int, what: str) -> None:
        self.untraced.append(f"line {line}: {what}")

    def note_use(self, state: StageState) -> None:
        """Remember what the RUNs of a finished stage could read."""
        if state.runs:
            for node in state.volume.nodes.values():
                self.note_use_of(state, node)

    def note_use_of(self, state: StageState, node: Node) -> None:
        if node.source is not None and state.ran_since(node):
            self.used.add(node.source)
            if state.consumed(node):
                self.read.add(node.source)


def start(inputs: BuildInputs, stage: Stage, parent: StageState | None, notes: Notes) -> StageState:
    """The state a stage begins with: its parent's, or its base image's."""
    if parent is not None:
        return _inherited(stage, parent)
    if stage.base == SCRATCH and not stage.replaced:
        return StageState(stage, Volume(), {"PATH": DEFAULT_PATH}, base_history=())
    context, unseen = stage.context, ""
    if context is not None and context.local:
        return StageState(stage, context.volume(), {"PATH": DEFAULT_PATH})
    ref = stage.base if context is None else context.image
    base = inputs.image_config(ref) if ref else None
    if context is not None and context.unfollowed:
        notes.note_opaque(stage.line, context.unfollowed, lasting=True)
    elif base is None:
        unseen = notes.note_opaque(stage.line, f"base image {ref} is not here to be looked at")
    image = base or BaseImage()
    state = StageState(
        stage,
        Volume.from_image(image.lookup),
        {"PATH": DEFAULT_PATH} | dict(image.env),
        workdir=image.workdir or "/",
        shell=image.shell,
        onbuild=list(image.onbuild),
        base=ref or stage.base,
        base_known=base is not None,
        base_unseen=unseen,
        sure_of_directories=image.lookup is not None,
        base_history=image.history if base else None,
    )
    for path in USUAL_DIRECTORIES if image.lookup is None else ():
        state.volume.put(path, GIVEN)
    return state


def _inherited(stage: Stage, parent: StageState) -> StageState:
    return replace(
        parent,
        stage=stage,
        volume=replace(parent.volume.clone(), built=None),
        env=dict(parent.env),
        args=list(parent.args),
        inherited_args=len(parent.args),
        runs=list(parent.runs),
        applied=list(parent.applied),
        onbuild=[line.args for line in parent.stage.instructions if line.name == "ONBUILD"],
        directories=dict(parent.directories),
    )


def list_instructions(inputs: BuildInputs, state: StageState) -> list[Instruction]:
    """ONBUILD triggers first, at the line of the FROM; then the stage's own."""
    triggers: list[Instruction] = []
    for text in state.onbuild:
        parsed = parse(text, name=f"{inputs.name}:{state.stage.line} ONBUILD")
        triggers += [replace(trigger, line=state.stage.line) for trigger in parsed.instructions]
    return [*triggers, *state.stage.instructions]


@dataclass(slots=True)
class BuildReplay:
    """Replays on demand, so only the stages that a target reaches are read."""

    inputs: BuildInputs
    apply: Callable[["BuildReplay", StageState, Instruction], None]
    notes: Notes = field(default_factory=Notes)
    done: dict[int, StageState] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    clock: int = 0
    chain: Sequence[Stage] = ()

    def __post_init__(self) -> None:
        self.chain = self.inputs.stages.chain(self.inputs.stages.target)

    def tick(self) -> int:
        """The next place in the order of events."""
        self.clock += 1
        return self.clock

    def ends_in_image(self, stage: Stage) -> bool:
        """Whether the built image stands on what this stage makes."""
        return any(one.index == stage.index for one in self.chain)

    def may_have_made_links(self, state: StageState) -> None:
        """From here on the built image is asked for links that nothing of the Dockerfile tells."""
        if self.ends_in_image(state.stage):
            state.volume.built = self.inputs.link_in_image

    def state(self, stage: Stage) -> StageState:
        """The stage's state at its end."""
        if stage.index in self.done:
            return self.done[stage.index]
        if stage.index in self.open:
            raise ConfigError(
                f"{self.inputs.name}:{stage.line}: this stage needs itself",
                hint="COPY --from can only name an earlier stage",
            )
        self.open.add(stage.index)
        parent = None if stage.parent is None else self.inputs.stages.ordered[stage.parent]
        state = start(self.inputs, stage, self.state(parent) if parent else None, self.notes)
        if not state.base_known or (parent and self.state(parent).volume.built is not None):
            self.may_have_made_links(state)
        for instruction in () if stage.replaced else list_instructions(self.inputs, state):
            self.apply(self, state, instruction)
        self.open.discard(stage.index)
        self.done[stage.index] = state
        self.notes.note_use(state)
        return state
