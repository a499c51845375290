"""Generated build contexts and Dockerfiles that BuildKit accepts. Nothing of freshd is used here.

Every file's content names its own path, so what landed where can be read off an image. What a RUN
makes has a name that starts with ``run-``, so that it is never taken for a file that was copied.
"""

from collections.abc import Callable

from hypothesis import strategies as st

from tests.engine.dockerfiles.case import (
    ARCHIVES,
    BASE,
    BEYOND,
    FEATURES,
    FILES,
    LINKS,
    RICH,
    Case,
    Stage,
)
from tests.engine.dockerfiles.instructions import Instructions

__all__ = ["ARCHIVES", "BASE", "FEATURES", "Case", "cases"]


class Writer(Instructions):
    """Writes one whole Dockerfile."""

    def write(self) -> Case:
        if self.escape == "`":
            self.header.append("# escape=`")
            self.features.add("escape-directive")
        if "check-directive" in self.want:
            self.header.append("# check=skip=all;error=false")
            self.features.add("check-directive")
        base = self._base()
        if "global-arg" in self.want:
            self.header.append(f"ARG BASE={base}")
            self.header.append("ARG WHERE=/global")
            self.features.add("global-arg")
            base = "${BASE}"
        if "context-over-stage" in self.want:
            self.contexts["over"], self.first_stage = "", 1
            self.header += ["FROM scratch AS over", "COPY a.py /never/"]
        count = 1
        if self.want & {
            "from-name",
            "from-index",
            "stage-base",
            "target",
            "onbuild",
            "through-run",
        }:
            count = 2
        if "from-chain" in self.want:
            count = 3
        for index in range(count):
            self._stage(index, base, last=index == count - 1)
        target = None
        if "target" in self.want and count > 1:
            named = [s for s in self.stages if s.name]
            target = self.one(named).name
            self.features.add("target")
        text = "\n".join([*self.header, *(line for s in self.stages for line in s.lines)]) + "\n"
        if "windows-lines" in self.want and "<<" not in text:
            self.features.add("windows-lines")
            text = "\ufeff" + text.replace("\n", "\r\n")
        return Case(
            dockerfile=text,
            files=FILES + ARCHIVES,
            links=tuple(LINKS.items()) if "symlinks" in self.want else (),
            ignore="\n".join(self.ignored) + "\n" if self.ignored else None,
            ignore_name=self.ignore_name,
            build_args=tuple(self.build_args.items()),
            target=target,
            features=frozenset(self.features),
            touched=frozenset(self.touched),
            contexts=tuple(self.contexts.items()),
        )

    def _base(self) -> str:
        base = BASE
        if self.want & {"base-onbuild", "base-links"} and "a.py" in self.visible:
            self.features.add("base-onbuild")
            self.rich, base = True, RICH
        if "context-over-base" not in self.want:
            return base
        self.features.add("context-over-base")
        self.contexts[BEYOND] = base
        return BEYOND

    def _stage(self, index: int, base: str, *, last: bool) -> None:
        name = "" if last and "target" not in self.want else f"s{index}"
        if "from-index" in self.want and not last and "target" not in self.want and self.chance():
            name = ""
        stage = Stage(name, index, rich=self.rich)
        if self.rich:
            stage.workdir, stage.variables["GIVEN"] = "/opt/given", "/opt/given"
        parent = next((s for s in self.stages if s.name), None)
        if parent is not None and "stage-base" in self.want:
            base = parent.name
            self.features.add("stage-base")
            stage.made_files = dict(parent.made_files)
            stage.made_dirs = list(parent.made_dirs)
            stage.variables = dict(parent.variables)
            stage.workdir = parent.workdir
        stage.lines.append(f"FROM {base}" + (f" {self.one(['AS', 'as'])} {name}" if name else ""))
        self.stages.append(stage)
        self._body(stage, last=last)

    def _body(self, stage: Stage, *, last: bool) -> None:
        if "comment" in self.want:
            self.features.add("comment")
            stage.lines += ["", "# COPY a.py /commented-out", "   # indented"]
        self._declare(stage)
        self.set_variables(stage)
        if self.want & {"workdir", "workdir-relative"}:
            self.set_workdir(stage)
        steps = self._steps(stage, last=last)
        for step in self.draw(st.permutations(steps)):
            step(stage)
        if "last-wins" in self.want:
            self.copy_over(stage)
        if "heredoc-copy" in self.want and self.chance():
            self.copy_heredoc(stage)
        if "run-touch" in self.want and (last or "through-run" in self.want):
            for _ in range(self.draw(st.integers(1, 3))):
                self.run_touch(stage)
        if "onbuild" in self.want and not last and not stage.index:
            self.features.add("onbuild")
            source = self.one(self.plain_files())
            stage.lines.append(f"ONBUILD COPY {source} /onbuild/{self.fresh('t')}")
        if stage.index and self.want & {"from-name", "from-index", "from-chain", "through-run"}:
            for _ in range(self.draw(st.integers(1, 2))):
                self.copy_from(stage)

    def _declare(self, stage: Stage) -> None:
        if "global-arg" in self.want:
            stage.lines.append("ARG WHERE")
            stage.variables["WHERE"] = "/global"
        if "platform-args" in self.want:
            stage.lines.append("ARG TARGETARCH TARGETPLATFORM")
        if "variable-forms" in self.want:
            stage.lines.append("ENV VF=/srv/vf.tar.gz")

    def _steps(self, stage: Stage, *, last: bool) -> list[Callable[[Stage], None]]:
        by_feature: dict[str, Callable[[Stage], None]] = {
            "several-sources": self.copy_several, "glob": self.copy_glob, "json": self.copy_json,
            "heredoc-copy": self.copy_heredoc, "directory": self.copy_directory,
            "symlinks": self.copy_links, "add-archive": self.add_archive, "mount": self.run_mount,
            "heredoc-run": self.run_plain, "rename": self.copy_file, "workdir": self.set_workdir,
            "add": lambda s: self.copy_file(s, "ADD"), "link-flag": self.copy_file,
            "named-context": self.copy_context, "context-over-stage": self.copy_replaced,
            "from-image": self.copy_image, "dot-sources": self.copy_dots,
            "variable-forms": self.copy_file, "platform-args": self.copy_file,
            "base-links": self.copy_file,
        }  # fmt: skip
        wanted = [step for feature, step in by_feature.items() if feature in self.want]
        extra = [self.copy_file, self.copy_directory, self.run_plain]
        steps = [self.copy_file, *wanted, *self.some(extra, 0, 2)]
        return steps if last else self.draw(st.permutations(steps))[: max(2, len(steps) // 2)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A Dockerfile with its context; most use several features at once."""
    want = draw(st.sets(st.sampled_from(FEATURES), min_size=1, max_size=8))
    if draw(st.booleans()):
        want.add("run-touch")
    return Writer(draw, frozenset(want)).write()
