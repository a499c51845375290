"""COPY and ADD: from a context, another stage, an inline document or elsewhere onto a stage.

In: the replay, a stage's state, an instruction's words. Out: the state changed, notes taken.
"""

import posixpath
import re
from dataclasses import dataclass, replace

from freshd.mapping.dockerfile import record
from freshd.mapping.dockerfile.contexts import below, familiar
from freshd.mapping.dockerfile.record import ExpectedEntry
from freshd.mapping.dockerfile.replay.place import Placement, Placer, chmod, expand_sources
from freshd.mapping.dockerfile.replay.replay import BuildReplay, StageState
from freshd.mapping.dockerfile.replay.volume import Node, Volume, has_wildcard, join
from freshd.mapping.dockerfile.stages import SCRATCH
from freshd.mapping.dockerfile.syntax.parse import Heredoc, heredoc_mark
from freshd.mapping.dockerfile.syntax.words import Words
from freshd.model.errors import ConfigError
from freshd.model.files import Kind
from freshd.model.paths import absolute, is_below
from freshd.tree.dockerignore import DockerIgnore

URL = re.compile(r"https?://|git://|ssh://|git@[^/]+:")


@dataclass(slots=True)
class Copying:
    """One COPY or ADD being applied. ``origin`` is None where it comes from outside this build.

    ``verbatim`` stays true while only files of a context were copied. ``prefix`` is the origin's,
    where that is a named context.
    """

    replay: BuildReplay
    state: StageState
    words: Words
    order: Placement
    placer: Placer
    origin: Volume | None
    origin_state: StageState | None
    verbatim: bool
    prefix: str = ""

    @property
    def line(self) -> int:
        return self.words.instruction.line

    def place_source(self, name: str) -> None:
        """Place one source word."""
        instruction = self.words.instruction
        if instruction.name == "ADD" and URL.match(name):
            self._url(name)
        elif self.origin is None:
            self._made_elsewhere()
            self.placer.prepare(self.order)
        elif instruction.flag("parents") == "true":
            pivot, dot, pattern = name.partition("/./")
            if not dot:
                pivot, pattern = "/", name
            text = absolute(pattern).lstrip("/")
            self.placer.copy_tree(self.origin, absolute(pivot), pattern=text, order=self.order)
        else:
            for path in expand_sources(self.origin, (name,)):
                self._path(self.origin, path, named=not has_wildcard(name))

    def _path(self, origin: Volume, path: str, *, named: bool) -> None:
        node = origin.lookup(origin.resolve(path))
        if self._unpacks(node):
            assert node is not None
            self._made_elsewhere()
            self.replay.notes.used.add(node.source or "")
            slashed = replace(self.order, destination=self.order.destination.rstrip("/") + "/")
            self.placer.prepare(slashed)
            return
        if self.origin_state is not None:
            self._from_stage(self.origin_state, node, path=origin.resolve(path))
        if node is not None and node.kind is Kind.DIR:
            self._remember_directory(origin.resolve(path))
        self.placer.copy(origin, path, self.order, named=named)

    def _from_stage(self, origin: StageState, node: Node | None, *, path: str) -> None:
        """Its RUNs record what the stage made; what its base image had is not recorded."""
        if node is None or (node.given and node.kind is not Kind.DIR):
            self._made_elsewhere()
        whole = node is not None and not node.given and origin.sure_of_directories
        if whole and not any(inner.given for _, inner in origin.volume.below(path)):
            return
        if origin.stage.base != SCRATCH or origin.stage.context is not None:
            name = self.words.instruction.flag("from")
            what = f"what --from={name} brings of its base image"
            self.replay.notes.note_untraced(self.line, what)

    def _made_elsewhere(self) -> None:
        """What lands now is not known: it may be a directory, and may cover earlier files."""
        self.verbatim = False
        self.state.sure_of_directories = False
        self.state.changed_after_copy = self.state.changed_after_copy or self.state.copied

    def _unpacks(self, node: Node | None) -> bool:
        if self.words.instruction.name != "ADD" or node is None or node.kind is not Kind.FILE:
            return False
        asked = self.words.instruction.flag("unpack")
        return asked != "false" and self.replay.inputs.is_archive(node.source or "")

    def _remember_directory(self, source: str) -> None:
        target = self.state.volume.resolve(self.order.destination)
        if self.origin_state is None:
            self.state.directories[target] = below(self.prefix, source.strip("/"))
            return
        for made, origin in self.origin_state.directories.items():
            if is_below(made, source):
                inside = posixpath.relpath(made, source)
                self.state.directories[posixpath.normpath(join(target, inside))] = origin

    def _url(self, name: str) -> None:
        self.replay.notes.note_opaque(self.line, f"ADD of {name}: its content is not in the tree")
        base = posixpath.basename(name.partition("?")[0].rstrip("/"))
        if name.startswith("http") and base and not base.endswith(".git"):
            self.placer.put_other_file(base, self.order)
        else:
            self.placer.prepare(self.order)
        self._made_elsewhere()


def copy(replay: BuildReplay, state: StageState, words: Words) -> None:
    """Apply one COPY or ADD. ConfigError where it names no destination."""
    instruction = words.instruction
    raw = instruction.words
    if len(raw) < 2:
        raise ConfigError(
            f"{replay.inputs.name}:{instruction.line}: {instruction.name} needs a source and a "
            "destination",
            hint="name both",
        )
    inline = {document.name: document for document in instruction.heredocs}
    names = [word if heredoc_mark(word) else words.expand(word) for word in raw[:-1]]
    destination = words.expand(raw[-1])
    owner, mode = (words.expand(instruction.flag(flag) or "") for flag in ("chown", "chmod"))
    text = record.format_copy(instruction, [*names, destination], chown=owner, chmod=mode)
    copying = _begin(replay, state, words, destination=destination, mode=mode, text=text)
    for name in names:
        if heredoc_mark(name) is None:
            copying.place_source(name)
    for document in _documents(names, inline):
        copying.placer.put_other_file(document.name, copying.order)
    for node in copying.placer.lost:
        replay.notes.note_use_of(state, node)
    if instruction.name == "ADD" or instruction.flag("from") is not None:
        replay.may_have_made_links(state)  # out of an archive, or by a RUN of the other stage
    state.copied = True
    traceless = "the content of a heredoc" if inline else ""
    if instruction.flag("exclude") is not None:
        traceless = "its --exclude"
    state.applied.append(
        ExpectedEntry(
            instruction.name,
            instruction.line,
            (text,),
            words.certain,
            traceless,
            verbatim=copying.verbatim and not inline,
        )
    )


def _documents(names: list[str], inline: dict[str, Heredoc]) -> list[Heredoc]:
    marks = (heredoc_mark(name) for name in names)
    return [inline[mark.name] for mark in marks if mark is not None and mark.name in inline]


def _begin(
    replay: BuildReplay, state: StageState, words: Words, *, destination: str, mode: str, text: str
) -> Copying:
    instruction = words.instruction
    origin, origin_state, prefix = _origin(replay, state, words)
    octal = int(mode, 8) if re.fullmatch("0*[0-7]{1,4}", mode) else None
    now, line = replay.tick(), instruction.line
    guessed = not (state.base_known and words.certain)
    if mode and octal is None:
        replay.notes.note_opaque(line, f"--chmod={mode}: the modes it gives are not computed")

    free = bool(mode) and octal is None

    def stamp(node: Node) -> Node:
        consumed, through_run, any_mode = node.consumed, node.through_run, node.free_mode
        if origin_state is not None and origin_state.runs:
            consumed = origin_state.consumed(node)
            through_run = through_run or origin_state.may_have_changed(node)
            any_mode = any_mode or origin_state.ran_since(node)
        landed = Node(
            *(node.kind, node.source, node.link, node.mode, any_mode, line, text, (), now),
            *(consumed, through_run, node.named, guessed),
        )
        return chmod(landed, mode=octal, free=free) if mode else landed

    def is_directory(path: str) -> bool:
        return _unknown_is_directory(replay, state, words, path, text=text)

    exclude = DockerIgnore.from_text("\n".join(words.expand_all(instruction.all_flags("exclude"))))
    order = Placement(_absolute(state, destination), stamp, is_directory, exclude)
    placer = Placer(state.volume)
    verbatim = origin is not None and origin_state is None
    return Copying(replay, state, words, order, placer, origin, origin_state, verbatim, prefix)


def _origin(
    replay: BuildReplay, state: StageState, words: Words
) -> tuple[Volume | None, StageState | None, str]:
    """(its files, the stage they are of, the prefix of a named context)."""
    inputs, instruction = replay.inputs, words.instruction
    name = instruction.flag("from")
    if name is None:
        return inputs.context, None, ""
    stage = inputs.stages.find(name)
    if stage is not None and stage.index != state.stage.index:
        origin = replay.state(stage)
        return origin.volume, origin, ""
    context = inputs.contexts.get(familiar(name))
    if context is not None and context.local:
        return context.volume(), None, context.prefix
    unfollowed = context.unfollowed if context is not None else ""
    why = unfollowed or "what the image brings is not in the tree"
    text = f"{instruction.name} --from={name}: {why}"
    replay.notes.note_opaque(instruction.line, text, lasting=bool(unfollowed))
    return None, None, ""


def _absolute(state: StageState, destination: str) -> str:
    """The destination with its meaningful end kept: '' and '.' are the working directory."""
    if destination in ("", "."):
        destination = "./"
    path = absolute(posixpath.join(state.workdir, destination))
    if destination.endswith(("/", "/.")) and path != "/":
        path += "/"
    return path


def _unknown_is_directory(
    replay: BuildReplay, state: StageState, words: Words, path: str, *, text: str
) -> bool:
    """A destination nothing in the file made: the base image or a RUN may have."""
    if state.sure_of_directories and not state.runs:
        return False
    if state.stage.index == replay.inputs.stages.target.index:
        kind = replay.inputs.kind_in_image(path, text)
        if kind is not None:
            return kind is Kind.DIR
    names = [name for name in words.instruction.words[:-1] if not has_wildcard(name)]
    bases = {posixpath.basename(name.rstrip("/")) for name in names}
    if posixpath.basename(path) not in bases and "." not in posixpath.basename(path):
        replay.notes.note_opaque(
            words.instruction.line, f"{path} is taken for a file: nothing says it is a directory"
        )
    return False
