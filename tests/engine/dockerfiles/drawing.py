"""Words, destinations and ignore files, drawn from Hypothesis."""

from collections.abc import Iterable
from typing import TypeVar

from docker.utils.build import PatternMatcher
from hypothesis import strategies as st

from tests.engine.dockerfiles.case import (
    ARCH,
    ARCHIVES,
    FILES,
    IGNORE_LINES,
    LINKS,
    NEGATIONS,
    Stage,
)

T = TypeVar("T")


def left_out(lines: list[str], path: str) -> bool:
    """By docker-py's patterns, tried on every parent as BuildKit does."""
    parts = path.split("/")
    names = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    out = False
    for pattern in PatternMatcher(lines).patterns:
        if any(pattern.match(name) for name in names):
            out = not pattern.exclusion
    return out


class Drawing:
    """Draws from Hypothesis what one Dockerfile is made of; ``want`` are the features to use."""

    def __init__(self, draw: st.DrawFn, want: frozenset[str]) -> None:
        self.draw = draw
        self.want = want
        self.features: set[str] = set()
        self.touched: set[str] = set()
        self.build_args: dict[str, str] = {}
        self.contexts: dict[str, str] = {}
        self.rich = False
        self.first_stage = 0
        self.header: list[str] = []
        self.stages: list[Stage] = []
        self.counter = 0
        self.escape = "`" if "escape-directive" in want else "\\"
        self.ignored: list[str] = []
        self.ignore_name = ".dockerignore"
        self._ignore()
        present = [*FILES, *(LINKS if "symlinks" in want else ()), *ARCHIVES]
        self.visible = [path for path in present if not left_out(self.ignored, path)]

    # -- drawing -------------------------------------------------------------------------------

    def one(self, items: Iterable[T]) -> T:
        return self.draw(st.sampled_from(list(items)))

    def some(self, items: Iterable[T], low: int, high: int) -> list[T]:
        return self.draw(st.lists(st.sampled_from(list(items)), min_size=low, max_size=high))

    def chance(self) -> bool:
        return bool(self.draw(st.booleans()))

    def fresh(self, kind: str) -> str:
        self.counter += 1
        return f"{kind}{self.counter}"

    def _ignore(self) -> None:
        if not self.want & {"ignore", "negation", "own-ignore-file"}:
            return
        self.features.add("ignore")
        self.ignored = self.some(IGNORE_LINES, 1, 4)
        if "negation" in self.want:
            self.features.add("negation")
            for line in self.some(NEGATIONS, 1, 2):
                at = self.draw(st.integers(1, len(self.ignored)))
                self.ignored.insert(at, line)
        if "own-ignore-file" in self.want:
            self.features.add("own-ignore-file")
            self.ignore_name = "Dockerfile.dockerignore"
        self.ignored = [line for line in self.ignored if line.strip() or self.chance()]

    # -- words ---------------------------------------------------------------------------------

    def plain_files(self) -> list[str]:
        return [p for p in self.visible if p in FILES and " " not in p and "[" not in p]

    def directories(self) -> list[str]:
        return sorted({p.rpartition("/")[0] for p in self.plain_files() if "/" in p})

    def destination(self, stage: Stage, *, into: bool) -> tuple[str, str]:
        """(as written, absolute); ``into`` ends it with '/'."""
        name = self.fresh("to-")
        parents = {"/app": "/app", "/srv/x": "/srv/x", "": stage.workdir.rstrip("/")}
        for key, value in stage.variables.items():
            if value.startswith("/"):
                parents[f"${key}"] = value
                parents[f"${{{key}}}"] = value
                parents[f"${{{key}:-/none}}"] = value
        parents["${UNSET_HERE:-/dflt}"] = "/dflt"
        odd = {**self._forms(), **self._platforms(), **self._links(stage)}
        written = self.one(odd if odd and self.chance() else parents)
        parents |= odd
        if written in odd:
            self._count(written)
        if ":-" in written:
            self.features.add("arg-default")
        absolute = f"{parents[written]}/{name}"
        text = f"{written}/{name}" if written else name
        return (f"{text}/" if into else text), absolute

    def _forms(self) -> dict[str, str]:
        """Every form of a variable that has the value /srv/vf.tar.gz."""
        if "variable-forms" not in self.want:
            return {}
        return {
            "${VF%.gz}": "/srv/vf.tar", "${VF%%.*}": "/srv/vf", "${VF#/srv}": "/vf.tar.gz",
            "/q/${VF##*/}": "/q/vf.tar.gz", "${VF/tar/rat}": "/srv/vf.rat.gz",
            "${VF//r/l}": "/slv/vf.tal.gz", "${VF:?unset}": "/srv/vf.tar.gz",
            "${VF:+/plus}": "/plus", "${VF+/plus}": "/plus", "${NOVF-/minus}": "/minus",
            "/q${NOVF:+/never}": "/q", "'/lit$VF'": "/lit$VF", "/q/\"${VF#*.}\"": "/q/tar.gz",
        }  # fmt: skip

    def _platforms(self) -> dict[str, str]:
        """One that is declared, and one that is not and so has no value."""
        if "platform-args" not in self.want:
            return {}
        return {
            "/pf/${TARGETARCH}": f"/pf/{ARCH}",
            "/pf/$TARGETPLATFORM": f"/pf/linux/{ARCH}",
            "/pf${BUILDARCH}": "/pf",
        }

    def _links(self, stage: Stage) -> dict[str, str]:
        if not stage.rich:
            return {}
        return {"/lnk": "/real", "/abs": "/real/deep", "/lnk/deep": "/real/deep"}

    def _count(self, written: str) -> None:
        kinds = {"VF": "variable-forms", "/pf": "platform-args"}
        found = next((name for sign, name in kinds.items() if sign in written), "base-links")
        self.features.add(found)

    def flags(self, *, add: bool = False) -> str:
        flags = ""
        if "chown" in self.want:
            flags += f" --chown={self.one(['1:1', '0', '12:34'])}"
            self.features.add("chown")
        if "chmod" in self.want:
            flags += f" --chmod={self.one(['755', '0600', '640'])}"
            self.features.add("chmod")
        if "link-flag" in self.want and not add and self.chance():
            flags += " --link"
            self.features.add("link-flag")
        return flags

    def emit(self, stage: Stage, name: str, words: list[str]) -> None:
        """One instruction, sometimes broken over lines with a comment inside."""
        keyword = self.one([name, name.lower(), name.title()])
        if "continuation" not in self.want or len(words) < 2:
            stage.lines.append(" ".join([keyword, *words]))
            return
        self.features.add("continuation")
        at = self.draw(st.integers(1, len(words) - 1))
        stage.lines.append(" ".join([keyword, *words[:at]]) + f" {self.escape}")
        if "comment" in self.want:
            stage.lines.append(f"  # between the words {self.escape}")
            self.features.add("comment")
        stage.lines.append("    " + " ".join(words[at:]))
