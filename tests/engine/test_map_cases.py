"""The corners of COPY and ADD that generated Dockerfiles rarely reach, each built and read back."""

from collections.abc import Mapping
from pathlib import Path

import docker
import pytest

from freshd.mapping.dockerfile.stages import BaseImage
from freshd.model.observed.image import Trace
from tests.engine.dockerfiles import ARCHIVES, BASE, Case
from tests.engine.map_oracle import base_image, examine, landed, mismatch

FILES = ("a.py", "b.py", "src/m.py", "src/sub/n.py", "conf/x.conf", "conf/x[1].conf", *ARCHIVES)
LINKS = (
    ("src/near", "./m.py"), ("dir", "src/."), ("far", "/conf"), ("conf/gone", "nowhere/x"),
    ("chain", "dir/near"), ("up", "../../a.py"),
)  # fmt: skip
# What the BuildKit inside Docker 20.10 refuses, or does otherwise.
NEWER = pytest.mark.needs_engine(
    23,
    "its BuildKit refuses `COPY --link`, here-documents and `${x#y}`, lets a pattern match no "
    "directory, and takes `COPY a /d/.` and a setuid `--chmod` otherwise: those are no pairs",
)
BODIES = (
    "COPY src/near /d/",
    "COPY chain /d",
    "COPY up /d/",
    "COPY dir /d",
    "COPY dir/sub /d",
    "COPY dir/*.py dir/s* /d/",
    "COPY far /d",
    "COPY d?r /d",
    "COPY */n.py src/*/n.py /d/",
    "COPY src /d\nCOPY a.py /d/near",
    "COPY src /d\nCOPY a.py /d/near\nCOPY b.py /d/m.py",
    "COPY dir src/near /d/\nCOPY conf /d/sub",
    "COPY . /s/\nCOPY a.py /s/dir/",
    "COPY . /s/\nCOPY a.py /s/far/",
    "COPY . /s/\nCOPY --link a.py /s/dir/b.py",
    "COPY . /s/\nWORKDIR /s/dir\nCOPY b.py .",
    "WORKDIR /w/x/\nCOPY a.py .\nWORKDIR y//z/\nCOPY b.py .\nWORKDIR //v/../u\nCOPY src ./",
    "COPY [\"a.py\", \"./\"]\nCOPY . .\nCOPY src/. /\nCOPY src/./ conf ..",
    "COPY **/*.py /d/\nCOPY **/n.py src/**/n.py /e/\nCOPY *[!a].py /f/",
    "COPY \"b.py\" '/d'x/\nCOPY 'src/'m.py \"/e\"/",
    "COPY a.py b.py /d",
    "COPY a.py /d/.",
    "COPY a.py /bin",
    "COPY a.py //d//e/../f",
    "COPY src/../a.py ./src/./m.py /d/",
    "COPY src/ /d/\nCOPY src/sub/ /d",
    "COPY conf/x[[]1].conf /d/",
    "ADD ball.tar ball.tgz a.py /d/\nCOPY b.py /d",
    "ADD ball.tar /d/inner\nCOPY a.py /d/inner/inner/packed.conf",
    "ADD src/near /d/",
    "COPY <<m.py <<x /d/\ninline\nm.py\nx y\nx\nCOPY src /d",
    "COPY src /d\nCOPY <<m.py /d/\ninline\nm.py",
    "RUN mkdir -p /made/it && ln -s it /made/ln\nCOPY a.py /made/it",
    "RUN mkdir /opt\nENV W=/opt\nCOPY a.py ${W}",
    "COPY a.py /d/\nRUN rm -r /d && mkdir /d && cp /bin/busybox /d/a.py\nCOPY b.py /d/",
    "COPY src /d\nRUN rm -r /d/sub && echo x > /d/run-x",
    "COPY --chmod=4755 src /d\nCOPY --chmod=0600 --chown=7:7 a.py /d/sub/",
    "ARG A=x B=y\nENV A=z\nCOPY a.py /$A$B\nARG A\nCOPY b.py /q$A",
    "ENV P=/p/q.tar.gz\nCOPY a.py ${P%.gz}\nCOPY b.py ${P##*/}",
    "ENV E=\nCOPY a.py /z${E-a}${E:-b}${E+c}${E:+d}${F:-\"$E\"x}\\$E",
)  # fmt: skip

NEW_BODIES = ("COPY a.py /d/.", BODIES[8], BODIES[18], BODIES[36])


@pytest.fixture(scope="module")
def bases(engine_env: Mapping[str, str]) -> Mapping[str, BaseImage]:
    client = docker.from_env(environment=dict(engine_env))
    try:
        return {BASE: base_image(client, BASE)}
    finally:
        client.close()


def is_newer(body: str) -> bool:
    return body in NEW_BODIES or any(words in body for words in ("--link", "<<", "${P%", "${E-"))


@pytest.mark.parametrize(
    "body", [pytest.param(body, marks=NEWER) if is_newer(body) else body for body in BODIES]
)
def test_a_corner_lands_as_inferred(
    body: str, bases: Mapping[str, BaseImage], tmp_path: Path
) -> None:
    text = f"FROM {BASE}\n{body}\n"
    case = Case(text, FILES, LINKS, None, "", (), None, frozenset(), frozenset())
    built = examine(case, bases, directory=tmp_path / "case", number=BODIES.index(body))
    assert mismatch(built) == ""
    assert built.image is not None
    assert landed(case, built.image) or "ADD" in body
    assert built.verdict is not None
    assert built.verdict.trace is not Trace.DIFFERS
