"""Replay the stages that a target needs: what lands, what RUNs could read, what is opaque.

In: a Plan, the context as a Volume, what base images say. Out: a State per stage, and Notes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from freshd.mapping.dockerfile.consumed import Run, consumes
from freshd.mapping.dockerfile.contexts import Context
from freshd.mapping.dockerfile.record import Applied
from freshd.mapping.dockerfile.replay.volume import GIVEN, Node, Volume
from freshd.mapping.dockerfile.stages import SCRATCH, BaseImage, Plan, Stage
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
class World:
    """Everything the replay may ask.

    ``kind_in_image`` settles what an image's RUNs made: a path, and the history line of the COPY
    that goes there. ``contexts`` are further build contexts, by their familiar names.
    """

    plan: Plan
    context: Volume
    build_args: Mapping[str, str]
    image_config: Callable[[str], BaseImage | None]
    is_archive: Callable[[str], bool]
    kind_in_image: Callable[[str, str], Kind | None]
    contexts: Mapping[str, Context]
    name: str


@dataclass(slots=True)
class State:
    """One stage while and after it is replayed. ``directories``: a COPY's target to its source."""

    stage: Stage
    volume: Volume
    env: dict[str, str]
    workdir: str = "/"
    shell: tuple[str, ...] = ()
    args: list[tuple[str, str | None]] = field(default_factory=list)
    inherited_args: int = 0
    runs: list[Run] = field(default_factory=list)
    applied: list[Applied] = field(default_factory=list)
    onbuild: list[str] = field(default_factory=list)
    directories: dict[str, str] = field(default_factory=dict)
    base: str = ""
    base_known: bool = True
    sure_of_directories: bool = True
    base_history: tuple[str, ...] | None = None
    copied: bool = False
    changed_after_copy: bool = False

    def ran_since(self, node: Node) -> bool:
        """Whether some RUN of this stage came after the file did."""
        return bool(self.runs) and self.runs[-1].at > node.at

    def consumed(self, node: Node) -> bool:
        """Whether a RUN, here or in the stage it came from, is known to have read the file."""
        if node.consumed or node.source is None or not self.runs:
            return node.consumed
        source = node.source
        return any(run.at > node.at and consumes(run, source) for run in self.runs)


@dataclass(slots=True)
class Notes:
    """What was found beside the files.

    ``used`` are the context paths that RUNs could read, ``read`` those that one is known to
    read, by a mount or by its text, wherever they land afterwards.
    """

    opaque: list[str] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)
    untraced: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    def unclear(self, line: int, what: str, *, lasting: bool = False) -> None:
        """``lasting``: what it brings may change unseen, whoever built the image."""
        self.opaque.append(f"line {line}: {what}")
        if lasting:
            self.lasting.append(self.opaque[-1])

    def without_trace(self, line: int, what: str) -> None:
        self.untraced.append(f"line {line}: {what}")

    def use(self, state: State) -> None:
        """Remember what the RUNs of a finished stage could read."""
        if state.runs:
            for node in state.volume.nodes.values():
                self.use_node(state, node)

    def use_node(self, state: State, node: Node) -> None:
        if node.source is not None and state.ran_since(node):
            self.used.add(node.source)
            if state.consumed(node):
                self.read.add(node.source)


def start(world: World, stage: Stage, parent: State | None, notes: Notes) -> State:
    """The state a stage begins with: its parent's, or its base image's."""
    if parent is not None:
        return _inherited(stage, parent)
    if stage.base == SCRATCH and not stage.replaced:
        return State(stage, Volume(), {"PATH": DEFAULT_PATH}, base_history=())
    context = stage.context
    if context is not None and context.local:
        return State(stage, context.volume(), {"PATH": DEFAULT_PATH})
    ref = stage.base if context is None else context.image
    base = world.image_config(ref) if ref else None
    if context is not None and context.unfollowed:
        notes.unclear(stage.line, context.unfollowed, lasting=True)
    elif base is None:
        notes.unclear(stage.line, f"base image {ref} is not here to be looked at")
    image = base or BaseImage()
    state = State(
        stage,
        Volume.of_image(image.look),
        {"PATH": DEFAULT_PATH} | dict(image.env),
        workdir=image.workdir or "/",
        shell=image.shell,
        onbuild=list(image.onbuild),
        base=ref or stage.base,
        base_known=base is not None,
        sure_of_directories=image.look is not None,
        base_history=image.history if base else None,
    )
    for path in USUAL_DIRECTORIES if image.look is None else ():
        state.volume.put(path, GIVEN)
    return state


def _inherited(stage: Stage, parent: State) -> State:
    return State(
        stage,
        parent.volume.clone(),
        dict(parent.env),
        workdir=parent.workdir,
        shell=parent.shell,
        args=list(parent.args),
        inherited_args=len(parent.args),
        runs=list(parent.runs),
        applied=list(parent.applied),
        onbuild=_onbuild_of(parent.stage),
        directories=dict(parent.directories),
        base=parent.base,
        base_known=parent.base_known,
        sure_of_directories=parent.sure_of_directories,
        base_history=parent.base_history,
        copied=parent.copied,
        changed_after_copy=parent.changed_after_copy,
    )


def _onbuild_of(stage: Stage) -> list[str]:
    return [one.args for one in stage.instructions if one.name == "ONBUILD"]


def instructions_of(world: World, state: State) -> list[Instruction]:
    """ONBUILD triggers first, at the line of the FROM; then the stage's own."""
    triggers: list[Instruction] = []
    for text in state.onbuild:
        parsed = parse(text, name=f"{world.name}:{state.stage.line} ONBUILD")
        triggers += [replace(one, line=state.stage.line) for one in parsed.instructions]
    return [*triggers, *state.stage.instructions]


@dataclass(slots=True)
class Replay:
    """Replays on demand, so only the stages a target reaches are ever looked at."""

    world: World
    apply: Callable[["Replay", State, Instruction], None]
    notes: Notes = field(default_factory=Notes)
    done: dict[int, State] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    clock: int = 0

    def tick(self) -> int:
        """The next place in the order of events."""
        self.clock += 1
        return self.clock

    def state(self, stage: Stage) -> State:
        """The stage's state at its end."""
        if stage.index in self.done:
            return self.done[stage.index]
        if stage.index in self.open:
            raise ConfigError(
                f"{self.world.name}:{stage.line}: this stage needs itself",
                hint="COPY --from can only name an earlier stage",
            )
        self.open.add(stage.index)
        parent = None if stage.parent is None else self.world.plan.stages[stage.parent]
        state = start(self.world, stage, self.state(parent) if parent else None, self.notes)
        for instruction in () if stage.replaced else instructions_of(self.world, state):
            self.apply(self, state, instruction)
        self.open.discard(stage.index)
        self.done[stage.index] = state
        self.notes.use(state)
        return state
