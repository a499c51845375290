"""A parsed Dockerfile into stages: names, bases, global ARGs, and which stages a target needs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from freshd.mapping.dockerfile.contexts import NamedContext, familiar
from freshd.mapping.dockerfile.replay.volume import Node
from freshd.mapping.dockerfile.syntax.expand import ExpansionError, expand_word
from freshd.mapping.dockerfile.syntax.parse import Dockerfile, Instruction, split_quoted
from freshd.model.errors import ConfigError

SCRATCH = "scratch"


@dataclass(frozen=True, slots=True)
class BaseImage:
    """What a base image says of itself.

    ``lookup`` returns what it has at a path that a destination leads through (None: nothing);
    without it the usual directories are assumed. ``history`` are its created_by texts, oldest
    first; None: not known.
    """

    workdir: str = "/"
    env: Mapping[str, str] = field(default_factory=dict)
    onbuild: tuple[str, ...] = ()
    shell: tuple[str, ...] = ()
    lookup: Callable[[str], Node | None] | None = None
    history: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it. ``parent`` is an earlier stage's index; None: an image.

    ``context`` is the named build context that takes the base's place, or, where ``replaced``,
    the place of the whole stage.
    """

    index: int
    name: str
    base: str
    parent: int | None
    line: int
    instructions: tuple[Instruction, ...]
    context: NamedContext | None = None
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Stages:
    """All stages, the values of ARGs before the first FROM, and the stage that is built."""

    ordered: tuple[Stage, ...]
    global_args: Mapping[str, str]
    target: Stage
    escape: str

    def find(self, name: str) -> Stage | None:
        """The stage ``--from=name`` means: an index, or the last stage of that name."""
        if name.isdigit():
            return self.ordered[int(name)] if int(name) < len(self.ordered) else None
        return _find_named(self.ordered, name)

    def chain(self, stage: Stage) -> list[Stage]:
        """The stage and those it is built on, the lowest first."""
        chain = [stage]
        while (parent := chain[0].parent) is not None:
            chain.insert(0, self.ordered[parent])
        return chain

    def needed(self, chain: Iterable[Stage]) -> list[Stage]:
        """The chain and every stage that it, in the end, copies or mounts from; in their order."""
        waiting, needed = list(chain), {}
        while waiting:
            stage = waiting.pop()
            if stage.index in needed:
                continue
            needed[stage.index] = stage
            for source in (
                name for instruction in stage.instructions for name in instruction.sources
            ):
                origin = self.find(source)
                if origin is not None:
                    waiting += self.chain(origin)
        return [needed[index] for index in sorted(needed)]


def split_stages(
    dockerfile: Dockerfile,
    *,
    build_args: Mapping[str, str],
    platform: str,
    build_platform: str,
    target: str | None,
    contexts: Mapping[str, NamedContext],
    name: str,
) -> Stages:
    """Split into stages; ConfigError when there is no FROM, or no such target."""
    instructions = dockerfile.instructions
    starts = [at for at, instruction in enumerate(instructions) if instruction.name == "FROM"]
    if not starts:
        raise ConfigError(f"{name}: no FROM", hint="a Dockerfile starts a stage with FROM")
    args = _global_args(
        instructions[: starts[0]],
        platform_args(platform, build_platform, target),
        build_args=build_args,
        escape=dockerfile.escape,
        name=name,
    )
    stages: list[Stage] = []
    for start, end in zip(starts, [*starts[1:], len(instructions)], strict=True):
        body = instructions[start + 1 : end]
        stage = _stage(instructions[start], body, stages, args, dockerfile.escape, name)
        stages.append(_in_context(stage, contexts))
    result = Stages(tuple(stages), args, stages[-1], dockerfile.escape)
    if not target:
        return result
    chosen = result.find(target)
    if chosen is None:
        names = ", ".join(stage.name for stage in stages if stage.name) or "none has a name"
        raise ConfigError(f"{name}: no stage {target!r}", hint=f"stages: {names}")
    return replace(result, target=chosen)


def platform_args(platform: str, build_platform: str, target: str | None) -> dict[str, str]:
    """The ARGs every build has; a platform is os/architecture[/variant]."""
    args = {"TARGETSTAGE": target or "default"}
    for side, whole in (("TARGET", platform), ("BUILD", build_platform)):
        system, _, rest = whole.partition("/")
        architecture, _, variant = rest.partition("/")
        values = {"PLATFORM": whole, "OS": system, "ARCH": architecture, "VARIANT": variant}
        args |= {f"{side}{key}": text for key, text in values.items()}
    return args


def arg_definitions(instruction: Instruction, escape: str) -> list[tuple[str, str | None]]:
    """``ARG name[=default] …`` as (name, raw default)."""
    words = split_quoted(instruction.args, escape)
    parts = (word.partition("=") for word in words)
    return [(key, value if equals else None) for key, equals, value in parts]


def _global_args(
    instructions: Sequence[Instruction],
    args: dict[str, str],
    *,
    build_args: Mapping[str, str],
    escape: str,
    name: str,
) -> dict[str, str]:
    args |= {key: build_args[key] for key in args if key in build_args}
    for instruction in instructions:
        if instruction.name != "ARG":
            why = f"{name}:{instruction.line}: {instruction.name} before the first FROM"
            raise ConfigError(why, hint="only ARG may stand there")
        for key, default in arg_definitions(instruction, escape):
            if key in build_args:
                args[key] = build_args[key]
            elif default is not None:
                line = instruction.line
                args[key] = expand_text(default, args, escape=escape, name=name, line=line)[0]
    return args


def expand_text(
    text: str, env: Mapping[str, str], *, escape: str, name: str, line: int
) -> tuple[str, set[str]]:
    """One word expanded, and its variables without a value. ConfigError names file and line."""
    try:
        return expand_word(text, env, escape=escape)
    except ExpansionError as error:
        raise ConfigError(
            f"{name}:{line}: {error}", hint="`docker build` refuses this word too: mend it"
        ) from None


def _stage(
    head: Instruction,
    body: tuple[Instruction, ...],
    before: Sequence[Stage],
    args: Mapping[str, str],
    escape: str,
    name: str,
) -> Stage:
    words = head.words
    named = len(words) == 3 and words[1].lower() == "as"
    if len(words) != 1 and not named:
        raise ConfigError(
            f"{name}:{head.line}: FROM takes one image, or IMAGE AS NAME", hint="mend the line"
        )
    base, _ = expand_text(words[0], args, escape=escape, name=name, line=head.line)
    parent = _find_named(before, base)
    stage_name = words[2].lower() if named else ""
    parent_index = None if parent is None else parent.index
    return Stage(len(before), stage_name, base, parent_index, head.line, body)


def _find_named(stages: Sequence[Stage], name: str) -> Stage | None:
    """The last stage of that name; case does not count."""
    named = (stage for stage in reversed(stages) if stage.name and stage.name == name.lower())
    return next(named, None)


def _in_context(stage: Stage, contexts: Mapping[str, NamedContext]) -> Stage:
    """A named context of the stage's own name replaces it, one of its base's name the base."""
    own = contexts.get(familiar(stage.name)) if stage.name else None
    if own is not None:
        return replace(stage, context=own, replaced=True, parent=None)
    if stage.parent is None and stage.base != SCRATCH:
        return replace(stage, context=contexts.get(familiar(stage.base)))
    return stage
