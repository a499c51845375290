"""What a built image says of the map that was inferred for it. Pure.

In: what was learnt, by target. Out: the inference as the image bears it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from freshd.mapping.dockerfile.infer import Inference, demote, with_modes

Value = TypeVar("Value")


@dataclass(slots=True)
class Corrections:
    """All by target, of one image. ``rewritten`` (-> why) are places that a later build step wrote
    or removed, ``refuted`` (-> why) those where the image has something else than a COPY was
    expected to put there: no pairs, inputs. ``modes`` are those that a RUN gave to files that it
    left as they are. ``verbatim`` passed a stage whose RUNs did not change them.
    """

    rewritten: dict[str, str] = field(default_factory=dict)
    refuted: dict[str, str] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    verbatim: set[str] = field(default_factory=set)

    def apply(self, inference: Inference) -> Inference:
        """The inference without the pairs that do not hold, the others as they are."""
        kept = demote(demote(inference, self.rewritten), self.refuted)
        return with_modes(kept, self.modes)

    def state(self) -> object:
        """Equal while a map that was made with it stays right."""
        return tuple(sorted(self.rewritten)), tuple(sorted(self.refuted)), tuple(sorted(self.modes))


def add_all(known: dict[str, Value], found: Mapping[str, Value]) -> bool:
    """Add what was found; whether something was not known."""
    learned = bool(found.keys() - known.keys())
    known.update(found)
    return learned
