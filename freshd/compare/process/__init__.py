"""The process link: what runs in a container, and what it loads, against the files in it."""

from freshd.compare.comparison import Finder
from freshd.compare.process import age, bytecode, log_signatures, probes, upstreams

FINDERS: tuple[Finder, ...] = (
    *age.FINDERS,
    *upstreams.FINDERS,
    *bytecode.FINDERS,
    *probes.FINDERS,
    *log_signatures.FINDERS,
)
