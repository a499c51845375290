"""Which pairs an image contradicts. Pure.

In: inferred pairs and what the image holds. Out: target -> why. An edit of the tree explains other
content, and a new file explains a missing one. What is left is a COPY that went elsewhere than was
inferred: its pairs are not to be believed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from freshd.mapping.dockerfile.infer import CopyPair
from freshd.mapping.dockerfile.record import MARK
from freshd.model.files import Entry, Kind
from freshd.model.observed.image import HistoryEntry


def find_contradicted(
    pairs: Iterable[CopyPair], files: Mapping[str, Entry], history: Sequence[HistoryEntry]
) -> dict[str, str]:
    """Target -> why, for pairs whose COPY the image has run and whose file is not there.

    A file that the COPY names was there when it ran. Files of a directory may all be new, so they
    are only doubted as a whole, and where the destination itself was a guess.
    """
    ran = {entry.created_by for entry in history}
    by_copy: dict[str, list[CopyPair]] = defaultdict(list)
    for pair in pairs:
        if pair.record in ran:
            by_copy[pair.record].append(pair)
    reasons: dict[str, str] = {}
    for copied in by_copy.values():
        absent = [pair for pair in copied if not _lies_there(files.get(pair.target))]
        guessed = len(absent) == len(copied) and all(pair.guessed for pair in copied)
        for pair in absent:
            if pair.named or guessed:
                reasons[pair.target] = _explain(pair, f"the image has no file {pair.target}")
    return reasons


def find_overwritten(
    pairs: Iterable[CopyPair], writers: Mapping[str, str], history: Sequence[HistoryEntry]
) -> dict[str, str]:
    """Target -> why, for pairs whose place another COPY or ADD of the image wrote last."""
    ran = {entry.created_by for entry in history}
    reasons: dict[str, str] = {}
    for pair in pairs:
        writer = writers.get(pair.target, "")
        ours = writer in (pair.record, *pair.before) or pair.record not in ran
        if writer.startswith(("COPY ", "ADD ")) and writer.endswith(MARK) and not ours:
            written = f"'{writer.removesuffix(MARK)}' wrote {pair.target} in the image"
            reasons[pair.target] = _explain(pair, written)
    return reasons


def _lies_there(entry: Entry | None) -> bool:
    return entry is not None and entry.kind is not Kind.DIR


def _explain(pair: CopyPair, why: str) -> str:
    copy = pair.record.removesuffix(MARK)
    return f"line {pair.line}: '{copy}' did not go where it was expected: {why}"
