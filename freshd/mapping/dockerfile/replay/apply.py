"""What each instruction does to a stage's state, and how the image's history will show it.

In: the replay, a stage's state, an instruction. Out: the state changed, one entry more expected.
"""

import posixpath

from freshd.mapping.dockerfile import record
from freshd.mapping.dockerfile.consumed import Run, split_words
from freshd.mapping.dockerfile.contexts import familiar
from freshd.mapping.dockerfile.record import ExpectedEntry
from freshd.mapping.dockerfile.replay.copying import copy
from freshd.mapping.dockerfile.replay.replay import BuildReplay, StageState
from freshd.mapping.dockerfile.stages import arg_definitions
from freshd.mapping.dockerfile.syntax.expand import expand_word
from freshd.mapping.dockerfile.syntax.parse import Instruction, name_values
from freshd.mapping.dockerfile.syntax.words import Words
from freshd.model.paths import absolute


def apply(replay: BuildReplay, state: StageState, instruction: Instruction) -> None:
    """Change ``state`` as this instruction does. ConfigError names file and line."""
    name = instruction.name
    words = Words(replay, state, instruction)
    if name in ("COPY", "ADD"):
        copy(replay, state, words)
    elif name == "RUN":
        _run(replay, state, words)
    elif name in ("ENV", "LABEL"):
        _name_values(replay, state, words)
    elif name == "ARG":
        _arg(replay, state, words)
    elif name == "WORKDIR":
        _workdir(state, words)
    elif name == "SHELL":
        state.shell = instruction.array or ()
        _expect(state, words, record.format_bracketed(instruction, instruction.words))
    elif name != "ONBUILD":
        _expect(state, words, _format_plain(state, words))


def _expect(state: StageState, words: Words, *records: str, traceless: str = "") -> None:
    instruction = words.instruction
    state.applied.append(
        ExpectedEntry(instruction.name, instruction.line, records, words.certain, traceless)
    )


def _format_plain(state: StageState, words: Words) -> str:
    instruction = words.instruction
    if instruction.name in ("CMD", "ENTRYPOINT"):
        return record.format_command(instruction, state.shell)
    if instruction.name == "HEALTHCHECK":
        return record.format_healthcheck(instruction)
    if instruction.name == "MAINTAINER":
        return f"MAINTAINER {instruction.args}"
    if instruction.name == "VOLUME":
        return record.format_bracketed(instruction, words.expand_all(instruction.words))
    if instruction.name == "EXPOSE":
        return f"EXPOSE {' '.join(words.expand_all(instruction.words))}"
    return f"{instruction.name} {words.expand(instruction.args)}"


def _name_values(replay: BuildReplay, state: StageState, words: Words) -> None:
    instruction = words.instruction
    before = dict(state.env)
    texts = []
    for key, raw in name_values(instruction, replay.inputs.stages.escape):
        # every value of one line sees the environment from before that line
        name, value = words.expand(key, env=before), words.expand(raw, env=before)
        texts.append(f"{name}={value}")
        if instruction.name == "ENV":
            state.env[name] = value
    _expect(state, words, f"{instruction.name} {' '.join(texts)}")


def _arg(replay: BuildReplay, state: StageState, words: Words) -> None:
    declared, effective = [], []
    inputs = replay.inputs
    before = dict(state.env)
    for key, raw in arg_definitions(words.instruction, inputs.stages.escape):
        default = None
        if raw is not None:
            # BuildKit versions differ in whether a default sees the ARGs before it on its line
            default = words.expand(raw, env=before)
            words.certain = words.certain and default == words.expand(raw)
        value = inputs.build_args.get(key, default)
        if value is None:
            value = inputs.stages.global_args.get(key)
        if value is not None:
            state.env[key] = value
        state.args.append((key, value))
        declared.append(key if default is None else f"{key}={default}")
        effective.append(key if value is None else f"{key}={value}")
    # and in which of the two they show; the values in force show in every RUN
    _expect(state, words, f"ARG {' '.join(declared)}", f"ARG {' '.join(effective)}")


def _workdir(state: StageState, words: Words) -> None:
    path = words.expand(words.instruction.args)
    state.workdir = absolute(posixpath.join(state.workdir, path))
    state.volume.make_directories(state.volume.resolve(state.workdir))
    # an absolute path shows as it was written, a relative one joined and clean
    shown = [path, state.workdir] if path.startswith("/") else [state.workdir]
    _expect(state, words, *(f"WORKDIR {text}" for text in dict.fromkeys(shown)))


def _run(replay: BuildReplay, state: StageState, words: Words) -> None:
    instruction = words.instruction
    mounts = [
        _use_mount(replay, state, words.expand(mount)) for mount in instruction.all_flags("mount")
    ]
    text = "\n".join(
        [" ".join(instruction.array or ()) or instruction.args]
        + [document.content for document in instruction.heredocs]
    )
    _make_directories(state, text)
    run = Run(replay.tick(), instruction.line, split_words(text))
    state.runs.append(run)
    replay.may_have_made_links(state)
    state.changed_after_copy = state.changed_after_copy or state.copied
    traceless = "a script in a heredoc" if record.runs_script(instruction) else ""
    if not all(mounts):
        traceless = "what its --mount brings"
    records = record.format_run(
        instruction,
        shell=state.shell,
        args=state.args,
        inherited=state.inherited_args,
        env=state.env,
    )
    _expect(state, words, *records, traceless=traceless)


def _use_mount(replay: BuildReplay, state: StageState, text: str) -> bool:
    """A bind mount reads a context or another stage; whether all it can read is the tree's."""
    options = dict(part.partition("=")[::2] for part in text.split(","))
    if options.get("type", "bind") != "bind":
        return True
    source = options.get("source", options.get("src", "/"))
    inputs, name = replay.inputs, options.get("from")
    stage = inputs.stages.find(name) if name is not None else None
    context = inputs.contexts.get(familiar(name)) if name is not None else None
    volume = inputs.context if name is None else None
    if stage is not None and stage.index != state.stage.index:
        volume = replay.state(stage).volume  # its RUNs count, though none of its files need to land
    elif context is not None and context.local:
        volume = context.volume()
    if volume is None:
        return False
    root = volume.resolve(source)
    nodes = [volume.get(root), *(node for _, node in volume.below(root))]
    replay.notes.read |= {node.source for node in nodes if node and node.source is not None}
    return stage is None


def _make_directories(state: StageState, text: str) -> None:
    """``mkdir`` in a RUN shows what a later COPY's destination is."""
    for part in text.replace("\n", ";").replace("&&", ";").split(";"):
        command, *names = part.split() or [""]
        if command.rpartition("/")[2] != "mkdir":
            continue
        for raw in names:
            if raw.startswith("-") or set(raw) & set("*?{}()`"):
                continue
            path = expand_word(raw, state.env, escape="\\")[0] if _expandable(raw) else raw
            state.volume.make_directories(
                state.volume.resolve(absolute(posixpath.join(state.workdir, path)))
            )


def _expandable(word: str) -> bool:
    return word.count('"') % 2 == 0 and word.count("'") % 2 == 0 and not word.endswith("$")
