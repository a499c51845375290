"""The container link: what each replica holds, against tree, image and freshd's own record."""

from freshd.compare.comparison import Finder
from freshd.compare.container import shadows, state, strays

FINDERS: tuple[Finder, ...] = (*state.FINDERS, *shadows.FINDERS)
BESIDE: tuple[Finder, ...] = (*shadows.BESIDE, *strays.BESIDE)
