"""Inputs that changed since an image was first seen, where nobody recorded what it was built of.

In: a service's facts, and when files of the tree changed. Out: the inputs that are not what they
were at first sight. That they are the same proves nothing: the image may be older than both.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from freshd.model.files import Kind
from freshd.model.observed.image import ImageFacts, Trace
from freshd.model.observed.snapshot import Snapshot
from freshd.store.records.first_sights import FirstSight, FirstSights

_UNKNOWN = frozenset({Kind.UNREADABLE, Kind.OTHER})


@dataclass(frozen=True, slots=True)
class FirstLook:
    """Of one project. ``changed_at`` gives a file's time of change, ``is_gone`` says that it is
    proved to have left the tree.
    """

    sights: FirstSights
    project: str
    changed_at: Callable[[str], float]
    is_gone: Callable[[str], bool]
    clock: Callable[[], float]

    def find_edited(
        self, facts: Snapshot, image: ImageFacts, *, dockerfile: str | None, keep: bool
    ) -> tuple[str, ...]:
        """The inputs without a trace in ``image`` that changed since it was first seen, sorted.

        What was seen before the image got its name again is of no use: a build may have come
        between. The first sight is kept only with ``keep``.
        """
        watched = set(facts.mapping.traceless)
        if dockerfile is not None and facts.trace is Trace.UNKNOWN:
            watched.add(dockerfile)
        here = {
            path: facts.tree[path].digest
            for path in watched & facts.tree.keys()
            if facts.tree[path].kind not in _UNKNOWN
        }
        seen = self.sights.get(self.project, facts.service)
        if seen is None or seen.image_id != image.id or seen.at < image.tagged_at:
            if keep and watched:
                sight = FirstSight(image.id, here, self.clock())
                self.sights.record(self.project, facts.service, sight)
            return ()
        gone = (seen.inputs.keys() - facts.tree.keys()) if keep else ()
        return tuple(sorted([*self._edited(seen, here), *filter(self.is_gone, gone)]))

    def _edited(self, seen: FirstSight, here: dict[str, str]) -> Iterator[str]:
        """One that is only now known for an input has not changed."""
        for path, digest in here.items():
            before = seen.inputs.get(path)
            if before != digest and (before is not None or self.changed_at(path) > seen.at):
                yield path
