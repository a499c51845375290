"""What a Dockerfile says beside its files: what a container runs, its settings, its RUNs. Pure.

In: the text, the target, build args. Out: an ``Outline`` of the stages that the target needs. What
the base image adds the caller asks for; ``base`` names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshd.mapping.dockerfile.stages import Stage, split_stages
from freshd.mapping.dockerfile.syntax.expand import ExpansionError, expand_word
from freshd.mapping.dockerfile.syntax.parse import Instruction, name_values, parse

_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Outline:
    """``entrypoint`` and ``command`` are None where the base image's hold.

    ``line`` is that of the last of the two. ``runs`` are the texts of the RUNs of every stage that
    is needed. ``base`` is the image at the bottom of the target's chain.
    """

    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    line: int = 0
    workdir: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    base: str = ""


def read_outline(
    text: str,
    *,
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    platform: str = "linux/amd64",
    name: str = "Dockerfile",
) -> Outline:
    """Read the Dockerfile; ConfigError names ``name`` and the line that is wrong."""
    parsed = parse(text, name=name)
    stages = split_stages(
        parsed,
        build_args=build_args or {},
        platform=platform,
        build_platform=platform,
        target=target,
        contexts={},
        name=name,
    )
    sketch = _Sketch(stages.escape)
    chain = stages.chain(stages.target)
    for stage in chain:
        sketch.read(stage)
    return Outline(
        entrypoint=sketch.entrypoint,
        command=sketch.command,
        line=sketch.line,
        workdir=sketch.workdir,
        env=sketch.env,
        runs=tuple(
            instruction.script
            for stage in stages.needed(chain)
            for instruction in stage.instructions
            if instruction.name == "RUN"
        ),
        base=chain[0].base,
    )


@dataclass(slots=True)
class _Sketch:
    """What the instructions read so far amount to."""

    escape: str
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    line: int = 0
    workdir: str = ""
    env: dict[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = _SHELL

    def read(self, stage: Stage) -> None:
        own_command = False
        for instruction in stage.instructions:
            if instruction.name == "CMD":
                self.command, self.line, own_command = (
                    self._argv(instruction),
                    instruction.line,
                    True,
                )
            elif instruction.name == "ENTRYPOINT":
                self.entrypoint, self.line = self._argv(instruction), instruction.line
                if not own_command:  # an inherited CMD was meant for another program
                    self.command = ()
            elif instruction.name == "WORKDIR":
                self.workdir = _below(self.workdir, self._word(instruction.args))
            elif instruction.name == "ENV":
                for key, value in name_values(instruction, self.escape):
                    self.env[key] = self._word(value)
            elif instruction.name == "SHELL" and instruction.array:
                self.shell = instruction.array

    def _argv(self, instruction: Instruction) -> tuple[str, ...]:
        return (
            instruction.array if instruction.array is not None else (*self.shell, instruction.args)
        )

    def _word(self, text: str) -> str:
        try:
            return expand_word(text, self.env, escape=self.escape)[0]
        except ExpansionError:
            return text


def _below(directory: str, path: str) -> str:
    return path if path.startswith("/") else f"{directory.rstrip('/')}/{path}"
