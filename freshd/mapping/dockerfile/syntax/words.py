"""One instruction's words, expanded in the environment its stage has at that point."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from freshd.mapping.dockerfile.replay.replay import Replay, State
from freshd.mapping.dockerfile.syntax.expand import ExpansionError, expand_word
from freshd.mapping.dockerfile.syntax.parse import Instruction
from freshd.model.errors import ConfigError


@dataclass(slots=True)
class Words:
    """``certain`` turns false when a word hangs on the environment of an unknown base image."""

    replay: Replay
    state: State
    instruction: Instruction
    certain: bool = True

    def one(self, text: str, *, env: Mapping[str, str] | None = None) -> str:
        """Expand one word; ConfigError names file and line."""
        world = self.replay.world
        try:
            result, missing = expand_word(
                text, self.state.env if env is None else env, escape=world.plan.escape
            )
        except ExpansionError as error:
            raise ConfigError(
                f"{world.name}:{self.instruction.line}: {error}",
                hint="`docker build` refuses this word too: mend it",
            ) from None
        if (missing or "PATH" in text) and not self.state.base_known:
            self.certain = False
        return result

    def all(self, texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(self.one(text) for text in texts)
