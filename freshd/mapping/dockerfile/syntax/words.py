"""One instruction's words in, expanded in the environment its stage has at that point, out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from freshd.mapping.dockerfile.replay.replay import BuildReplay, StageState
from freshd.mapping.dockerfile.stages import expand_text
from freshd.mapping.dockerfile.syntax.parse import Instruction


@dataclass(slots=True)
class Words:
    """``certain`` turns false when a word depends on the environment of an unknown base image."""

    replay: BuildReplay
    state: StageState
    instruction: Instruction
    certain: bool = True

    def expand(self, text: str, *, env: Mapping[str, str] | None = None) -> str:
        """Expand one word; ConfigError names file and line."""
        inputs = self.replay.inputs
        result, missing = expand_text(
            text,
            self.state.env if env is None else env,
            escape=inputs.stages.escape,
            name=inputs.name,
            line=self.instruction.line,
        )
        if (missing or "PATH" in text) and not self.state.base_known:
            self.certain = False
        return result

    def expand_all(self, texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.expand(text) for text in texts)
