"""What a Dockerfile says of what runs: the last CMD counts, and an ENTRYPOINT forgets an older."""

import pytest

from freshd.mapping.dockerfile.syntax.outline import read_outline
from freshd.model.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "entrypoint", "command", "line"),
    [
        ("FROM a\n", None, None, 0),
        ('FROM a\nCMD ["x", "y"]\n', None, ("x", "y"), 2),
        ("FROM a\nCMD x y\nCMD z\n", None, ("/bin/sh", "-c", "z"), 3),
        ('FROM a\nENTRYPOINT ["e"]\nCMD ["c"]\n', ("e",), ("c",), 3),
        ('FROM a\nCMD ["c"]\nENTRYPOINT ["e"]\n', ("e",), ("c",), 3),
        ('FROM a AS b\nCMD ["c"]\nFROM b\nENTRYPOINT ["e"]\n', ("e",), (), 4),
        ('FROM a AS b\nCMD ["c"]\nFROM b\nRUN x\n', None, ("c",), 2),
        ('FROM a AS b\nCMD ["c"]\nFROM d\n', None, None, 0),
        ('FROM a\nSHELL ["bash", "-c"]\nCMD x\n', None, ("bash", "-c", "x"), 3),
    ],
)
def test_what_a_container_runs(
    text: str, entrypoint: tuple[str, ...] | None, command: tuple[str, ...] | None, line: int
) -> None:
    found = read_outline(text)
    assert (found.entrypoint, found.command, found.line) == (entrypoint, command, line)


STAGES = """\
ARG V=1
FROM base:$V AS deps
WORKDIR /deps
RUN install
FROM other AS unused
RUN never
FROM scratch AS mounted
RUN mounted
FROM deps AS tools
RUN --mount=from=mounted,target=/m use
FROM base:$V AS final
ENV A=1
ENV B=$A-2 C="x y"
WORKDIR /srv
WORKDIR $A
COPY --from=tools /x /y
RUN <<END
one
two
END
"""


def test_only_the_stages_that_are_needed_count() -> None:
    found = read_outline(STAGES)
    assert [run.split()[-1] for run in found.runs] == ["install", "mounted", "use", "two"]
    assert found.base == "base:1"
    assert found.workdir == "/srv/1"
    assert found.env == {"A": "1", "B": "1-2", "C": "x y"}
    assert read_outline(STAGES, target="unused").runs == ("never",)


def test_a_mistake_names_the_line() -> None:
    with pytest.raises(ConfigError, match="mine"):
        read_outline("FROM a\nFROM b c d e\n", name="mine")
