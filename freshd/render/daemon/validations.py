"""The result of a validation in words and as JSON.

In: ``Validation`` values of the store. Out: text, ``Line`` tuples or documents.
"""

from freshd.model.report import Verdict
from freshd.model.text import printable
from freshd.render.documents import Document
from freshd.render.report import MARKS, STYLES
from freshd.render.words import Line, ago, count, iso, lasted, listed
from freshd.store.validations import Validation


def summary(done: Validation) -> str:
    """``3 services, 412 files compared``, and what is left, for a notice and the log."""
    words = [count(len(done.services), "service"), f"{count(done.compared, 'file')} compared"]
    if done.steps:
        words.append(f"{count(done.steps, 'step')} {'was' if done.steps == 1 else 'were'} needed")
    text = ", ".join(words)
    if done.verdict is Verdict.FRESH:
        return text
    parted = [name for name, verdict in done.services.items() if verdict is done.verdict]
    causes = f": {', '.join(map(printable, done.causes))}" if done.causes else ""
    return f"{listed(parted)}{causes}\n{text}"


def status_line(done: Validation, *, now: float) -> Line:
    """The line of ``freshd status``."""
    return (
        (f"validated {ago(now - done.finished_at)}: ", "dim"),
        (done.verdict.value, "dim" if done.verdict is Verdict.FRESH else STYLES[done.verdict]),
    )


def history_row(done: Validation) -> Line:
    """The row of ``freshd history``, in its columns."""
    return (
        (iso(done.began_at), "dim"),
        (f"{MARKS[done.verdict]} validation: {done.verdict.value}", STYLES[done.verdict]),
        (lasted(done.finished_at - done.began_at), "dim"),
        ("by hand" if done.by_hand else "weekly", "dim"),
    )


def validation_document(done: Validation) -> Document:
    """As ``status --json`` and ``history --json`` show it."""
    return {
        "began_at": iso(done.began_at),
        "finished_at": iso(done.finished_at),
        "verdict": done.verdict.value,
        "services": {name: verdict.value for name, verdict in done.services.items()},
        "causes": list(done.causes),
        "compared": done.compared,
        "steps": done.steps,
        "by_hand": done.by_hand,
    }
