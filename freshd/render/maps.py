"""A service's map as lines: per COPY, bind or rule how many files land where, then each of them.

In: ``ServiceMap`` values. Out: ``Line`` tuples.
"""

from collections.abc import Iterable, Iterator

from freshd.model.mapping import Pair, ServiceMap
from freshd.model.text import printable
from freshd.render.words import Line, count, shown


def map_lines(maps: Iterable[ServiceMap], *, summary: bool = False) -> Iterator[Line]:
    """Every service, every group, every file; ``summary`` leaves the files out."""
    for index, service_map in enumerate(maps):
        if index:
            yield ()
        yield from _service(service_map, summary=summary)


def _service(value: ServiceMap, *, summary: bool) -> Iterator[Line]:
    yield ((shown(value.service), "strong"), (f"   {_totals(value)}", "dim"))
    for (via, why), pairs in _groups(value.pairs).items():
        title = f"{via}  {printable(why)}" if why else via
        yield ((f"  {title}", "code"), (f"   {count(len(pairs), 'file')}", "dim"))
        if not summary:
            yield from (_pair(pair) for pair in pairs)
    if value.inputs:
        yield (("  input", "code"), (f"   {_input_words(value)}", "dim"))
        if not summary:
            yield from (((f"    {shown(path)}", ""),) for path in value.inputs)
    if value.data:
        words = (
            f"{count(len(value.data), 'file')} that services write: not compared, brought nowhere"
        )
        yield (("  data", "code"), (f"   {words}", "dim"))
        if not summary:
            yield from (((f"    {shown(path)}", ""),) for path in value.data)
    for words in value.opaque:
        yield (("  could not follow  ", "doubt"), (printable(words), ""))


def _totals(value: ServiceMap) -> str:
    if not value.pairs and not value.inputs:
        return "nothing of the tree is in it"
    hidden = sum(not pair.effective for pair in value.pairs)
    words = [count(len(value.pairs), "file")]
    if hidden:
        words.append(f"{hidden:,} hidden by a mount")
    if value.inputs:
        words.append(count(len(value.inputs), "build input"))
    return ", ".join(words)


def _input_words(value: ServiceMap) -> str:
    return f"{count(len(value.inputs), 'file')} the build reads and that do not land as they are"


def _groups(pairs: Iterable[Pair]) -> dict[tuple[str, str], list[Pair]]:
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((pair.via.value, pair.why), []).append(pair)
    return groups


def _pair(pair: Pair) -> Line:
    words = f"    {shown(pair.source)} → {shown(pair.target)}"
    notes = []
    if not pair.effective:
        notes.append(
            f"hidden by the mount at {shown(pair.hidden_by)}" if pair.hidden_by else "hidden"
        )
    if pair.also_input:
        notes.append("also a build input")
    return (
        (words, "" if pair.effective else "dim"),
        (f"   {', '.join(notes)}" if notes else "", "dim"),
    )
