"""The tree's side of one rebuild: what went in, whether the image holds it, the record of it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from freshd.model.observed.build_label import LABEL, identity
from freshd.model.observed.image import BuildRecord
from freshd.reconcile.context import Context

if TYPE_CHECKING:
    from freshd.model.files import Entry

_CONCEALED: Final = "***"
_TELLING: Final = 6
"""Characters: what is shorter is no secret, and may be part of any word."""


class BuildRecorder:
    """One service, for the time of a plan."""

    def __init__(self, context: Context, service: str) -> None:
        self._context = context
        self._service = service
        self._tree: Mapping[str, Entry] = {}

    def inputs(self) -> Mapping[str, str]:
        """Digests of all that the build may read, as it is now: called before the build."""
        self._tree = self._context.proof.read(self._service)
        return {path: entry.digest for path, entry in self._tree.items()}

    def mismatches(self) -> tuple[str, ...]:
        """Files the image does not hold as the tree had them; what was edited since is left out."""
        return self._context.proof.mismatches(self._service, self._tree)

    def labels(self, inputs: Mapping[str, str]) -> Mapping[str, str]:
        """What shows, by the image alone, that it was made of ``inputs``."""
        return {LABEL: identity(inputs, self._args())}

    def record(self, image_id: str, inputs: Mapping[str, str]) -> None:
        """Remember what a proven build was made of."""
        self._context.store.build_records.record(
            BuildRecord(
                image_id=image_id,
                service=self._service,
                inputs=inputs,
                args=self._args(),
                recorded_at=self._context.clock(),
            )
        )

    def conceal(self, line: str) -> str:
        """A line of the build's output without the values of its arguments: BuildKit writes them
        into the commands that use them.
        """
        values = {value for value in self._args().values() if len(value) >= _TELLING}
        for value in sorted(values, key=len, reverse=True):
            line = line.replace(value, _CONCEALED)
        return line

    def _args(self) -> Mapping[str, str]:
        build = self._context.project.service(self._service).build
        return {} if build is None else {name: value or "" for name, value in build.args.items()}
