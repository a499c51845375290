"""What a build made below a directory of its image, where a mount may hide it.

In: an image and a directory. Out: the paths there that go by the names which build tools use. Only
these are asked for: a name costs little, and a listing of installed packages much.
"""

import posixpath
from collections.abc import Collection
from typing import Final

from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.images import probe_container
from freshd.model.files import Entry, Kind
from freshd.model.observed.image import ImageFacts
from freshd.observe.caches import ImageCache

NAMES: Final = (
    *("node_modules", "bower_components", "dist", "build", "out", ".next", ".nuxt", ".output"),
    *(".venv", "venv", "vendor", "target", "_build", "public/build"),
)


def built_below(
    engine: Engine, image: ImageFacts, directories: Collection[str], *, cache: ImageCache
) -> frozenset[str]:
    """Those directories of the image that are called as a build's products are, absolute.

    A directory that was asked for is one itself where its own name says so. Raises TargetGone.
    """
    asked = {posixpath.join(top, name) for top in directories for name in NAMES}
    asked |= {top for top in directories if posixpath.basename(top) in NAMES}
    answers = dict(cache.get_files(image.chain_id, asked))
    unknown = sorted(asked - answers.keys())
    if unknown:
        fresh: dict[str, Entry | None] = {}
        with probe_container(engine, image.id) as container_id:
            for path in unknown:
                known = archive.stat(engine, container_id, path)
                if known is None or known.kind is Kind.DIR:
                    fresh[path] = None if known is None else Entry(Kind.DIR, mode=known.mode)
        cache.put_files(image.chain_id, fresh)
        answers |= fresh
    return frozenset(path for path, entry in answers.items() if entry is not None)
