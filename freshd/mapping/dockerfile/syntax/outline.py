"""What a Dockerfile says beside its files: what a container runs, its settings, its RUNs. Pure.

In: the text, the target, build args. Out: an ``Outline`` of the stages that the target needs. What
the base image adds is the caller's to ask; ``base`` names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from freshd.mapping.dockerfile.stages import Stage, plan
from freshd.mapping.dockerfile.syntax.expand import ExpansionError, expand_word
from freshd.mapping.dockerfile.syntax.parse import Instruction, name_values, parse

_SHELL = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Outline:
    """``entrypoint`` and ``command`` are None where the base image's hold.

    ``line`` is where the one that decides stands. ``runs`` are the texts of the RUNs of every stage
    that is needed. ``base`` is the image at the bottom of the target's chain.
    """

    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    line: int = 0
    workdir: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    base: str = ""


def outline(
    text: str,
    *,
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    platform: str = "linux/amd64",
    name: str = "Dockerfile",
) -> Outline:
    """Read the Dockerfile; ConfigError names ``name`` and the line that is wrong."""
    parsed = parse(text, name=name)
    stages = plan(
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
            one.script
            for stage in stages.needed(chain)
            for one in stage.instructions
            if one.name == "RUN"
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
        for one in stage.instructions:
            if one.name == "CMD":
                self.command, self.line, own_command = self._argv(one), one.line, True
            elif one.name == "ENTRYPOINT":
                self.entrypoint, self.line = self._argv(one), one.line
                if not own_command:  # an inherited CMD was meant for another program
                    self.command = ()
            elif one.name == "WORKDIR":
                self.workdir = _below(self.workdir, self._word(one.args))
            elif one.name == "ENV":
                for key, value in name_values(one, self.escape):
                    self.env[key] = self._word(value)
            elif one.name == "SHELL" and one.array:
                self.shell = one.array

    def _argv(self, one: Instruction) -> tuple[str, ...]:
        return one.array if one.array is not None else (*self.shell, one.args)

    def _word(self, text: str) -> str:
        try:
            return expand_word(text, self.env, escape=self.escape)[0]
        except ExpansionError:
            return text


def _below(directory: str, path: str) -> str:
    return path if path.startswith("/") else f"{directory.rstrip('/')}/{path}"
