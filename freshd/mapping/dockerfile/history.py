"""Was an image built from these instructions? Expected and real history in, a verdict out. Pure.

Conservative on both sides: ``differs`` only when BuildKit wrote the history and an instruction has
another text than the file gives it; ``unknown`` where no text would show a change.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from freshd.mapping.dockerfile.record import MARK, ExpectedEntry
from freshd.model.observed.image import HistoryEntry, Trace

PORTS = re.compile(r"(\d+)(?:-(\d+))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
DURATION = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)")
SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
CHAR_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "\\": 92, "'": 39}
FLAGS = re.compile(r"^(COPY|ADD)(?: --\S+)+")
CHECK_FIELDS = ("Interval", "Timeout", "StartPeriod", "StartInterval")


@dataclass(frozen=True, slots=True)
class HistoryVerdict:
    """``evidence`` says what differs, or why that is not known; ``line`` is the Dockerfile's.

    ``arguments`` are the build arguments whose values differ, where nothing else on that line does.
    """

    trace: Trace
    evidence: str = ""
    line: int | None = None
    arguments: tuple[str, ...] = ()


def compare_history(
    final: Sequence[ExpectedEntry],
    history: Sequence[HistoryEntry],
    *,
    base_history: Sequence[str] | None = None,
    flags_shown: bool = True,
) -> HistoryVerdict:
    """Compare the final chain with an image's history, oldest first, the base image's included.

    ``base_history`` are the created_by texts of the base image FROM names now (None: not known).
    Without ``flags_shown`` the builder may have left out the flags of COPY and ADD, as that of
    Docker 20.10 does: then the verdict is ``unknown``.
    """
    tail = history[len(history) - len(final) :] if len(final) <= len(history) else history
    if any("#(nop)" in entry.created_by for entry in tail):
        return HistoryVerdict(Trace.UNKNOWN, "the image was not built by BuildKit")
    mismatch = _last_mismatch(final, tail, flags_shown=flags_shown)
    if mismatch is not None:
        if not any(entry.created_by.endswith(MARK) for entry in tail):
            return HistoryVerdict(Trace.UNKNOWN, "the image was not built by BuildKit")
        return mismatch
    before = [entry.created_by for entry in history[: len(history) - len(final)]]
    return _unproved(final, tail, before, base_history) or HistoryVerdict(Trace.EQUAL)


def _last_mismatch(
    final: Sequence[ExpectedEntry], tail: Sequence[HistoryEntry], *, flags_shown: bool
) -> HistoryVerdict | None:
    """Aligned at the end: the mismatch next to it is where the file and the image part."""
    for back in range(1, len(final) + 1):
        step = final[-back]
        if back > len(tail):
            return HistoryVerdict(
                Trace.DIFFERS, f"line {step.line}: {step.name} is not in the image", step.line
            )
        built = tail[-back].created_by
        if step.certain and not (matches(step, built) or (not flags_shown and _bare(step, built))):
            evidence = (
                f"line {step.line}: the Dockerfile has {_short(step.records[0])}, "
                f"the image {_short(built)}"
            )
            arguments = find_changed_arguments(step.records[0], built)
            return HistoryVerdict(Trace.DIFFERS, evidence, step.line, arguments)
    return None


def find_changed_arguments(expected: str, built: str) -> tuple[str, ...]:
    """The arguments that differ between two lines of a RUN (``RUN |1 A=x /bin/sh -c …``).

    () where anything else does, or values hold blanks, so that one cannot say where they end.
    """
    words, built_words = canonical(expected).split(), canonical(built).split()
    head = re.fullmatch(r"\|(\d+)", words[1]) if len(words) > 1 else None
    if words[:1] != ["RUN"] or head is None or words[:2] != built_words[:2]:
        return ()
    end = 2 + int(head[1])
    pairs = list(zip(words[2:end], built_words[2:end], strict=False))
    names = [word.partition("=")[0] for word, _ in pairs]
    if words[end:] != built_words[end:] or names != [word.partition("=")[0] for _, word in pairs]:
        return ()
    changed = (name for name, (word, built) in zip(names, pairs, strict=True) if word != built)
    return tuple(dict.fromkeys(changed))


def _unproved(
    final: Sequence[ExpectedEntry],
    tail: Sequence[HistoryEntry],
    before: Sequence[str],
    base_history: Sequence[str] | None,
) -> HistoryVerdict | None:
    for step, entry in zip(final, tail, strict=True):
        if not step.certain and not matches(step, entry.created_by):
            why = f"line {step.line}: {step.name} depends on a base image that is not known here"
            return HistoryVerdict(Trace.UNKNOWN, why, step.line)
        if step.certain and not matches(step, entry.created_by):
            why = (
                f"line {step.line}: this builder leaves the flags of {step.name} out of the history"
            )
            return HistoryVerdict(Trace.UNKNOWN, why, step.line)
        if step.traceless:
            why = f"line {step.line}: {step.traceless} does not show in the image's history"
            return HistoryVerdict(Trace.UNKNOWN, why, step.line)
    if base_history is not None and list(base_history) != list(before):
        return HistoryVerdict(
            Trace.UNKNOWN, "the image stands on another base image than FROM names now"
        )
    return None


def matches(step: ExpectedEntry, built: str) -> bool:
    """Whether BuildKit may have written ``built`` for this instruction."""
    return any(canonical(text) == canonical(built) for text in step.records)


def _bare(step: ExpectedEntry, built: str) -> bool:
    """Whether ``built`` is the instruction without its flags."""
    return any(canonical(FLAGS.sub(r"\1", text)) == canonical(built) for text in step.records)


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """One form for what BuildKit versions write differently: ports, health checks, the mark."""
    text = text.removesuffix(MARK).rstrip()
    if text == "EXPOSE" or text.startswith("EXPOSE "):  # bare: of a variable that is not set
        return f"EXPOSE {sorted(_ports(text))}"
    if text.startswith("HEALTHCHECK "):
        return _canonical_check(text)
    return text


def _ports(text: str) -> set[tuple[int, str]]:
    ports = set()
    for first, last, protocol in PORTS.findall(text):
        for port in range(int(first), int(last or first) + 1):
            ports.add((port, (protocol or "tcp").lower()))
    return ports


def _canonical_check(text: str) -> str:
    """Both forms, ``&{["CMD" "x"] "5s" …}`` and ``{Test:[CMD x] Interval:5s …}``."""
    named = re.search(r"\{Test:\[(.*)\] Interval:", text, re.DOTALL)
    if named:
        words = named[1]
        rest = text[named.end(1) :]
        times = [_field(rest, name) for name in CHECK_FIELDS]
        retries = _field(rest, "Retries")
        return f"HEALTHCHECK {words} {[_seconds(time) for time in times]} {int(retries or 0)}"
    listed = re.search(r"&\{\[(.*)\] ((?:\"[^\"]*\" )+)(.*)\}", text, re.DOTALL)
    if not listed:
        return text
    words = " ".join(_unquoted(word) for word in STRING.findall(listed[1]))
    times = STRING.findall(listed[2])
    if len(times) == 3:
        times.append("0s")
    seconds = [_seconds(time) for time in times]
    return f"HEALTHCHECK {words} {seconds} {_retries(listed[3])}"


def _field(text: str, name: str) -> str:
    match = re.search(rf"\b{name}:([^ }}]*)", text)
    return match[1] if match else ""


def _seconds(duration: str) -> float:
    parts = DURATION.findall(duration)
    return round(sum(float(number) * SECONDS[unit] for number, unit in parts), 9)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _retries(text: str) -> int:
    """A number, or the character BuildKit prints in its place: ``'\\x03'``."""
    if text.isdigit():
        return int(text)
    inner = text.strip("'") if text != "'\\''" else "\\'"
    if inner.startswith("\\"):
        code = re.fullmatch(r"\\[xuU]([0-9a-f]+)", inner)
        return int(code[1], 16) if code else CHAR_ESCAPES.get(inner[1:2], -1)
    return ord(inner) if len(inner) == 1 else -1


def _short(text: str) -> str:
    line = " ".join(text.removesuffix(MARK).split())
    return f"'{line}'" if len(line) <= 120 else f"'{line[:117]}…'"
