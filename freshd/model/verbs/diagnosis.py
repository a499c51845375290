"""What a check of the surroundings found: one line, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``name`` is what was checked. ``fix`` is empty where nothing is wrong.

    ``engine`` marks the problem that there is no engine: all else may be well.
    """

    name: str
    state: State
    message: str
    fix: str = ""
    engine: bool = False


def ok(name: str, message: str) -> Diagnosis:
    return Diagnosis(name, State.OK, message)


def warning(name: str, message: str, fix: str) -> Diagnosis:
    return Diagnosis(name, State.WARNING, message, fix)


def problem(name: str, message: str, fix: str, *, engine: bool = False) -> Diagnosis:
    return Diagnosis(name, State.PROBLEM, message, fix, engine)


def exit_status(diagnoses: Iterable[Diagnosis]) -> int:
    """0 when freshd can work, 4 when nothing but the engine is missing, else 1."""
    problems = [diagnosis for diagnosis in diagnoses if diagnosis.state is State.PROBLEM]
    if not problems:
        return 0
    return 4 if all(problem.engine for problem in problems) else 1
