"""One method per kind of instruction: each adds lines to a stage and keeps track of what exists."""

from tests.engine.dockerfiles.case import ARCHIVES, BASE, LINKS, Stage
from tests.engine.dockerfiles.drawing import Drawing


class Instructions(Drawing):
    """Writes instructions that BuildKit accepts."""

    def copy_file(self, stage: Stage, verb: str = "COPY") -> None:
        source = self.one(self.plain_files())
        written, absolute = self.destination(stage, into=self.chance())
        base = source.rpartition("/")[2]
        landing = f"{absolute}/{base}" if written.endswith("/") else absolute
        if not written.endswith("/"):
            self.features.add("rename")
        if verb == "ADD":
            self.features.add("add")
        stage.made_files[landing] = source
        words = [
            *self.flags(add=verb == "ADD").split(),
            self.variable_source(stage, source),
            written,
        ]
        self.emit(stage, verb, words)

    def variable_source(self, stage: Stage, source: str) -> str:
        for key, value in stage.variables.items():
            if value and source.startswith(f"{value}/") and self.chance():
                return f"${{{key}}}{source[len(value) :]}"
        return self.one([source, f"./{source}", f"/{source}"])

    def copy_directory(self, stage: Stage, verb: str = "COPY") -> None:
        found = self.directories()
        if not found:
            return
        source = self.one([*found, "."])
        written, absolute = self.destination(stage, into=self.chance())
        stage.made_dirs.append(absolute)
        self.features.add("directory")
        self.emit(stage, verb, [*self.flags(add=verb == "ADD").split(), source, written])

    def copy_several(self, stage: Stage) -> None:
        sources = self.some(self.plain_files(), 2, 4)
        if self.chance() and self.directories():
            sources.insert(0, self.one(self.directories()))
        written, absolute = self.destination(stage, into=True)
        stage.made_dirs.append(absolute)
        self.features.add("several-sources")
        self.emit(stage, "COPY", [*self.flags().split(), *sources, written])

    def copy_glob(self, stage: Stage) -> None:
        patterns = ["*.py", "*/*.conf", "s*", "**/*.md", "[a-c]*.py", "*/pkg", "nothing-*"]
        # a wildcard below a directory that is not there is an error, a mere empty match is not
        below = {
            "src": ["*.py", "p?g"],
            "conf/d": ["[12]*", "*-?.conf"],
            "docs": ["*"],
            "odd": ["[^x]*"],
        }
        for directory, names in below.items():
            if any(path.startswith(f"{directory}/") for path in self.visible):
                patterns += [f"{directory}/{name}" for name in names]
        written, _ = self.destination(stage, into=True)
        self.features.add("glob")
        self.emit(stage, "COPY", [*self.flags().split(), self.one(patterns), written])

    def copy_json(self, stage: Stage) -> None:
        spaced = [p for p in self.visible if " " in p or "[" in p or "ü" in p]
        sources = self.some([*spaced, *self.plain_files()], 1, 3)
        escaped = [p.replace("[", "[[]") for p in sources]
        written, absolute = self.destination(stage, into=True)
        if self.chance():
            written, absolute = written.rstrip("/") + " x/", absolute + " x"
        texts = ", ".join(f'"{text}"' for text in [*escaped, written])
        stage.made_dirs.append(absolute)
        self.features.add("json")
        self.emit(stage, "COPY", [*self.flags().split(), f"[{texts}]"])

    def copy_heredoc(self, stage: Stage) -> None:
        self.features.add("heredoc-copy")
        over = self.one(stage.made_files) if stage.made_files and self.chance() else None
        if over is not None:
            self.features.add("last-wins")
            stage.made_files.pop(over)
        written = over or self.destination(stage, into=self.chance())[0]
        mark = self.one(["<<EOF", "<<-EOF", '<<"EOF"', "<<'EOF'"])
        stage.lines += [
            f"COPY {mark} {written}",
            "path=a.py",
            "# not a comment",
            "RUN nothing",
            "EOF",
        ]

    def copy_over(self, stage: Stage) -> None:
        if not stage.made_files:
            self.copy_file(stage)
        over = self.one(stage.made_files)
        source = self.one(self.plain_files())
        stage.made_files[over] = source
        self.features.add("last-wins")
        self.emit(stage, "COPY", [source, over])

    def copy_links(self, stage: Stage) -> None:
        links = [path for path in self.visible if path in LINKS and path != "conf/loose"]
        reachable = {"src/near": "src/main.py", "docs/up": "src/util.py"}
        links = [p for p in links if reachable.get(p, p) in self.visible]
        links = [p for p in links if p != "way" or "conf" in self.directories()]
        self.features.add("symlinks")
        sources = [
            *links,
            *(["way/app.conf"] if {"way", "conf/app.conf"} <= {*self.visible} else []),
        ]
        sources += [d for d in ("src", "conf") if d in self.directories()]
        if not sources:
            return
        written, absolute = self.destination(stage, into=True)
        stage.made_dirs.append(absolute)
        self.emit(stage, "COPY", [self.one(sources), written])

    def add_archive(self, stage: Stage) -> None:
        if not (balls := [path for path in ARCHIVES if path in self.visible]):
            return
        self.features.add("add-archive")
        verb = self.one(["ADD", "ADD", "COPY"])
        written, absolute = self.destination(stage, into=self.chance())
        if verb == "ADD" or written.endswith("/"):
            stage.made_dirs.append(absolute)
        self.emit(stage, verb, [self.one(balls), written])

    def copy_from(self, stage: Stage) -> None:
        earlier = [s for s in self.stages if s is not stage and (s.made_files or s.made_dirs)]
        if not earlier:
            return
        origin = self.one(earlier)
        name = origin.name or str(origin.index + self.first_stage)
        if "from-index" in self.want:
            name = str(origin.index + self.first_stage)
        self.features.add("from-index" if name.isdigit() else "from-name")
        if any("--from=" in line for line in origin.lines):
            self.features.add("from-chain")
        if any("run-" in line or "guard" in line for line in origin.lines):
            self.features.add("through-run")
        sources = [*origin.made_files, *origin.made_dirs]
        source = self.one(sources)
        written, absolute = self.destination(stage, into=self.chance())
        if source in origin.made_dirs:
            stage.made_dirs.append(absolute)
        else:
            base = source.rpartition("/")[2]
            landing = f"{absolute}/{base}" if written.endswith("/") else absolute
            stage.made_files[landing] = origin.made_files[source]
        words = [f"--from={name}"]
        if " " in source:
            words.append(f'["{source}", "{written}"]')
        else:
            words += [*self.flags().split(), source, written]
        self.emit(stage, "COPY", words)

    def copy_context(self, stage: Stage) -> None:
        self.contexts["ext"] = ""
        self.features.add("named-context")
        self._copy_ext(stage, "ext")

    def copy_replaced(self, stage: Stage) -> None:
        """A stage of this file, in whose place the further context is."""
        self.features.add("context-over-stage")
        self._copy_ext(stage, "over")

    def _copy_ext(self, stage: Stage, name: str) -> None:
        source = self.one(["lib.py", "/pkg/mod.py", "pkg", ".", "*.py", "./pkg/deep"])
        written, _ = self.destination(stage, into=True)
        self.emit(stage, "COPY", [f"--from={name}", *self.flags().split(), source, written])

    def copy_image(self, stage: Stage) -> None:
        self.features.add("from-image")
        written, _ = self.destination(stage, into=self.chance())
        self.emit(stage, "COPY", [f"--from={BASE}", "/bin/busybox", written])

    def copy_dots(self, stage: Stage) -> None:
        sources = [".", "./", "./.", "/", *(f"{d}/." for d in self.directories())]
        written = self.one([".", "./", "..", "./.", "here/."])
        self.features.add("dot-sources")
        self.emit(stage, "COPY", [self.one(sources), written])

    def run_plain(self, stage: Stage) -> None:
        if "heredoc-run" in self.want:
            self.features.add("heredoc-run")
            stage.lines += ["RUN <<EOF", "mkdir -p /made", "echo $HOME > /made/run-home", "EOF"]
        else:
            self.emit(stage, "RUN", ["mkdir", "-p", "/made", "&&", "date", ">", "/made/run-date"])

    def run_mount(self, stage: Stage) -> None:
        # flags are read byte by byte: a name that is not ASCII is not found
        source = self.one(path for path in self.plain_files() if path.isascii())
        self.features.add("mount")
        mount = f"--mount=type=bind,source={source},target=/mnt/in"
        stage.lines.append(f"RUN {mount} cat /mnt/in > /run-{self.counter}")

    def run_touch(self, stage: Stage) -> None:
        candidates = list(stage.made_files)
        for directory in stage.made_dirs:
            candidates += [f"{directory}/{p.rpartition('/')[2]}" for p in self.plain_files()]
        if not candidates:
            self.copy_file(stage)
            candidates = list(stage.made_files)
        path = self.one(candidates)
        # what is copied on from here must still exist there
        stage.made_files.pop(path, None)
        self.touched.add(path.rpartition("/")[2])
        self.features.add("run-touch")
        act = self.one(
            [
                'chmod 711 "{0}"', 'sed -i s/path/PATH/ "{0}"', 'echo more >> "{0}"', 'rm "{0}"',
                'mv "{0}" "/run-{1}"', 'cp "{0}" "/run-{1}" && mv "/run-{1}" "{0}"', 'touch "{0}"',
            ]
        ).format(path, self.fresh("n"))  # fmt: skip
        stage.lines.append(f'RUN [ ! -f "{path}" ] || {{ : guard; {act}; }}')

    def set_variables(self, stage: Stage) -> None:
        for kind in ("ENV", "ARG"):
            if kind.lower() not in self.want and not (kind == "ARG" and "build-args" in self.want):
                continue
            key = self.fresh(f"{kind[0]}V")
            value = self.one(["/app/v", "/srv/v", "src", "conf", ""])
            self.features.add(kind.lower())
            quoted = self.one([value, f'"{value}"', f"'{value}'"])
            stage.lines.append(f"{kind} {key}={quoted}")
            if kind == "ARG" and "build-args" in self.want:
                self.features.add("build-args")
                value = self.one(["/app/ba", "src", "/opt/ba"])
                self.build_args[key] = value
            stage.variables[key] = value

    def set_workdir(self, stage: Stage) -> None:
        absolutes = ["/app/wd", "/srv/wd", *(v for v in stage.variables.values() if v[:1] == "/")]
        if "workdir-relative" in self.want and self.chance():
            self.features.add("workdir-relative")
            text = self.one(["sub", "./sub/deep", "../up"])
            parts = f"{stage.workdir}/{text}".split("/")
            clean: list[str] = []
            for part in parts:
                if part == "..":
                    clean = clean[:-1]
                elif part not in ("", "."):
                    clean.append(part)
            stage.workdir = "/" + "/".join(clean)
            stage.lines.append(f"WORKDIR {text}")
            return
        self.features.add("workdir")
        stage.workdir = self.one(absolutes)
        stage.lines.append(f"WORKDIR {stage.workdir}")
