"""What an image says of the map that was inferred for it: layers and files in, corrections out.

Layers are only asked where something differs, as they cost a stream of the whole image.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from freshd.mapping.corrections import Corrections, add_all
from freshd.mapping.dockerfile.contradicted import find_contradicted, find_overwritten
from freshd.mapping.dockerfile.infer import CopyPair
from freshd.model.observed.image import ImageFacts
from freshd.observe.caches import ImageCache
from freshd.observe.image import layers
from freshd.observe.image.layers import Writer

_VERBATIM = "\0verbatim"  # beside the listings; no directory is called so


def doubt_earlier_stages(
    known: Corrections, copies: Mapping[str, CopyPair], odd: Collection[str]
) -> bool:
    """Pairs that a RUN of an earlier stage may have changed: of that the image has no layer."""
    doubted = {
        target: "a RUN of an earlier stage may have changed it"
        for target in odd
        if target in copies and copies[target].through_run and target not in known.verbatim
    }
    return add_all(known.rewritten, doubted)


def learn_writers(known: Corrections, writers: Mapping[str, Writer]) -> bool:
    """Pairs that a RUN wrote last, or left as they were and gave another mode."""
    lines = layers.rewritten(writers, {path: writer.line for path, writer in writers.items()})
    modes = {path: writer.mode for path, writer in writers.items() if writer.mode is not None}
    new_lines, new_modes = add_all(known.rewritten, lines), add_all(known.modes, modes)
    return new_lines or new_modes


def learn_places(
    known: Corrections,
    copies: Mapping[str, CopyPair],
    odd: Collection[str],
    writers: Mapping[str, Writer],
    image: ImageFacts,
) -> bool:
    """Pairs among ``odd`` that neither an edit of the tree nor a RUN explains."""
    left = {target for target in odd if target not in known.rewritten}
    lines = find_contradicted(copies.values(), image.files, image.history)
    lines = {target: why for target, why in lines.items() if target in left}
    pairs = [copies[target] for target in left if target in copies]
    said = {path: writer.line for path, writer in writers.items()}
    return add_all(known.refuted, lines | find_overwritten(pairs, said, image.history))


def learn_verbatim(
    known: Corrections,
    copies: Mapping[str, CopyPair],
    equal: Callable[[], Iterable[str]],
    image: ImageFacts,
    cache: ImageCache,
) -> None:
    """Remember for ever that files came through the RUNs of an earlier stage as they were.

    No layer shows that: what shows it is an image that has them as the tree does.
    """
    passed = {target for target, copy in copies.items() if copy.through_run}
    if passed and not known.verbatim:
        known.verbatim.update(cache.get_listing(image.chain_id, _VERBATIM) or ())
    if passed <= known.verbatim:
        return
    new = passed.intersection(equal()) - known.verbatim
    if new:
        known.verbatim |= new
        cache.put_listing(image.chain_id, _VERBATIM, sorted(known.verbatim))
