"""One generated build, and what contexts and ignore files are made of."""

import platform
from dataclasses import dataclass, field

BASE = "freshd-busybox:1"
RICH = "freshd-oracle-rich:1"
RICH_DOCKERFILE = f"""FROM {BASE}
RUN mkdir -p /real/deep && ln -s real /lnk && ln -s /real/deep /abs
ENV GIVEN=/opt/given
WORKDIR /opt/given
ONBUILD COPY a.py ./onbuilt/
"""
BEYOND = "beyond/base:2"
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
EXT_FILES = ("lib.py", "pkg/mod.py", "pkg/deep/x.conf", "skipped.md")
EXT_IGNORE = "*.md\n"
FILES = (
    "a.py", "b.py", "notes.md", "requirements.txt", ".env", "src/main.py", "src/util.py",
    "src/pkg/__init__.py", "src/pkg/deep/mod.py", "src/data.json", "conf/app.conf",
    "conf/d/10-x.conf", "conf/d/20-y.conf", "docs/guide.md", "docs/img/logo.txt",
    "my dir/with space.txt", "my dir/plain.txt", "odd/[x].txt", "odd/x.txt", "odd/ünï.txt",
    "vendor/lib.js", "vendor/package.json",
)  # fmt: skip
LINKS = {
    "src/near": "./main.py",
    "docs/up": "../src/./util.py",
    "way": "./conf",
    "conf/loose": "no",
}
ARCHIVES = ("ball.tar", "ball.tgz")
IGNORE_LINES = (
    "docs", "*.md", "**/*.json", "src/pkg", "conf/d/", "/b.py", "vendor/*", "**/deep", "odd/?.txt",
    "# a comment", "", "  notes.md  ", "src/*.py", "**/*.conf", "my dir", "./a.py", "[ab].py",
)  # fmt: skip
NEGATIONS = (
    "!src/main.py", "!docs/guide.md", "!**/*.json", "!conf/d/20-y.conf", "!src/pkg/deep/mod.py",
    "!vendor/package.json", "!a.py", "!docs/img",
)  # fmt: skip
FEATURES = (
    "from-name", "from-index", "from-chain", "stage-base", "through-run", "target", "arg", "env",
    "arg-default", "global-arg", "build-args", "workdir", "workdir-relative", "several-sources",
    "glob", "json", "heredoc-copy", "heredoc-run", "comment", "continuation", "chown", "chmod",
    "last-wins", "directory", "rename", "link-flag", "symlinks", "add", "add-archive", "mount",
    "ignore", "negation", "own-ignore-file", "onbuild", "escape-directive", "run-touch",
    "named-context", "context-over-stage", "context-over-base", "from-image", "base-onbuild",
    "base-links", "variable-forms", "platform-args", "windows-lines", "check-directive",
    "dot-sources",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One build. ``files`` are all of the context; ``touched`` are base names that RUNs changed.

    ``contexts`` are further ones: a name, and the image that takes its place; "" is the directory
    of EXT_FILES beside the context.
    """

    dockerfile: str
    files: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    ignore: str | None
    ignore_name: str
    build_args: tuple[tuple[str, str], ...]
    target: str | None
    features: frozenset[str]
    touched: frozenset[str]
    contexts: tuple[tuple[str, str], ...] = ()


@dataclass
class Stage:
    """A stage being written: its lines, and the destinations that are sure to exist in it."""

    name: str
    index: int
    lines: list[str] = field(default_factory=list)
    made_files: dict[str, str] = field(default_factory=dict)
    made_dirs: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    rich: bool = False
