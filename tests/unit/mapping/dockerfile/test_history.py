"""An image's history against the Dockerfile. The histories were written by a real BuildKit."""

import pytest

from freshd.mapping.dockerfile.history import (
    HistoryVerdict,
    canonical,
    compare_history,
    find_changed_arguments,
)
from freshd.mapping.dockerfile.infer import infer
from freshd.mapping.dockerfile.record import quote
from freshd.mapping.dockerfile.stages import BaseImage
from freshd.model.files import Kind
from freshd.model.observed.image import HistoryEntry, Trace

MARK = " # buildkit"
# (instructions, what the builder recorded for them)
RECORDED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ARG X=5", ("ARG X=5",)),
    ('ENV A=1 B="two words" C=${X}', ("ENV A=1 B=two words C=5",)),
    ("WORKDIR /app\nWORKDIR sub", ("WORKDIR /app", "WORKDIR /app/sub")),
    ("COPY a .", ("COPY a . # buildkit",)),
    ('COPY ["a", "b", "/l/"]', ("COPY a b /l/ # buildkit",)),
    ("COPY --chmod=600 --chown=1:1 a /l/", ("COPY --chown=1:1 --chmod=600 a /l/ # buildkit",)),
    ("COPY --link a /l/", ("COPY a /l/ # buildkit",)),
    ("COPY --chown=$X:1 a b* /z/", ("COPY --chown=5:1 a b* /z/ # buildkit",)),
    ("ADD a b /l17/", ("ADD a b /l17/ # buildkit",)),
    (
        "RUN echo $C && \\\n    # why\n    echo 2",
        ("RUN |1 X=5 /bin/sh -c echo $C &&     echo 2 # buildkit",),
    ),
    (
        "RUN <<EOF\necho hi\necho there\nEOF",
        ("RUN |1 X=5 /bin/sh -c echo hi\necho there\n # buildkit",),
    ),
    (
        "RUN cat <<A > /tmp/x <<B\nin $X\nA\nbb\nB",
        ("RUN |1 X=5 /bin/sh -c cat <<A > /tmp/x <<B\nin $X\nA\nbb\nB # buildkit",),
    ),
    ('RUN ["echo","json"]', ("RUN |1 X=5 echo json # buildkit",)),
    (
        "RUN --mount=type=bind,source=a,target=/tmp/r cat /tmp/r",
        ("RUN |1 X=5 /bin/sh -c cat /tmp/r # buildkit",),
    ),
    ('CMD ["x", "y"]', ('CMD ["x" "y"]',)),
    ("CMD foo bar", ('CMD ["/bin/sh" "-c" "foo bar"]',)),
    (
        'CMD ["é\\t","a\\"b", "x\\\\y", "☃", "\\u0001", "<>&"]',
        ('CMD ["é\\t" "a\\"b" "x\\\\y" "☃" "\\x01" "<>&"]',),
    ),
    (
        'CMD echo  "two  spaces" \\\n   next \\\n   # no\n   last',
        ('CMD ["/bin/sh" "-c" "echo  \\"two  spaces\\"    next    last"]',),
    ),
    ("ENTRYPOINT e f", ('ENTRYPOINT ["/bin/sh" "-c" "e f"]',)),
    ("EXPOSE 80 90/udp", ("EXPOSE map[80/tcp:{} 90/udp:{}]",)),
    ("EXPOSE 7 8080/tcp 10-11", ("EXPOSE map[10/tcp:{} 11/tcp:{} 7/tcp:{} 8080/tcp:{}]",)),
    ('LABEL a=b c="d e"', ("LABEL a=b c=d e",)),
    ('LABEL "k k"="v v" m=\'x\'', ("LABEL k k=v v m=x",)),
    ("STOPSIGNAL SIGTERM", ("STOPSIGNAL SIGTERM",)),
    (
        "HEALTHCHECK --interval=5s CMD echo x",
        ('HEALTHCHECK &{["CMD-SHELL" "echo x"] "5s" "0s" "0s" "0s" \'\\x00\'}',),
    ),
    (
        'HEALTHCHECK --interval=5s --timeout=1m --retries=3 --start-period=2s CMD ["a","b"]',
        ('HEALTHCHECK &{["CMD" "a" "b"] "5s" "1m0s" "2s" "0s" \'\\x03\'}',),
    ),
    ("HEALTHCHECK NONE", ('HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" \'\\x00\'}',)),
    ('SHELL ["/bin/sh","-c"]', ("SHELL [/bin/sh -c]",)),
    ("MAINTAINER me", ("MAINTAINER me",)),
    ("ENV old style value", ("ENV old=style value",)),
    (
        'ENV Q=\'single $X\' R="dq $X \\"q\\"" S=a\\ b',
        ('ENV Q=single $X R=dq 5 "q" S=a b',),
    ),
    ("WORKDIR /\nWORKDIR .\nWORKDIR ../a/./b/", ("WORKDIR /", "WORKDIR /", "WORKDIR /a/b")),
    ("WORKDIR /a/b/\nWORKDIR x/", ("WORKDIR /a/b/", "WORKDIR /a/b/x")),
    ("WORKDIR /a/../b//c/.", ("WORKDIR /a/../b//c/.",)),
    (
        "ARG Y\nARG Z=${X}1\nENV X=fromenv\nARG X=8\nRUN echo $X\nUSER ${X}",
        (
            "ARG Y",
            "ARG Z=51",
            "ENV X=fromenv",
            "ARG X=8",
            "RUN |4 X=8 Y= Z=51 X=8 /bin/sh -c echo $X # buildkit",
            "USER 8",
        ),
    ),
    ("VOLUME /v /w\nUSER 1:1", ("VOLUME [/v /w]", "USER 1:1")),
    ("ONBUILD RUN echo z\nCMD z", ('CMD ["/bin/sh" "-c" "z"]',)),
)
NEWER: tuple[tuple[str, str], ...] = (
    ("EXPOSE 80 90/udp", "EXPOSE [80/tcp 90/udp]"),
    ("EXPOSE ${UNSET}", "EXPOSE []"),
    ("EXPOSE 80 ${UNSET} 90/udp", "EXPOSE [80/tcp 90/udp]"),
    (
        "HEALTHCHECK --interval=90s --retries=3 CMD echo x",
        (
            "HEALTHCHECK {Test:[CMD-SHELL echo x] Interval:1m30s Timeout:0s StartPeriod:0s "
            "StartInterval:0s Retries:3}"
        ),
    ),
)
BASE = BaseImage(env={"PATH": "/bin"}, lookup=lambda _path: None, history=("base",))
FILES = dict.fromkeys(("a", "b"), Kind.FILE)


def verdict(text: str, *recorded: str, base: BaseImage | None = BASE) -> HistoryVerdict:
    found = infer(f"FROM base\n{text}\n", FILES, image_config=lambda _: base)
    history = [HistoryEntry(line) for line in ("base", *recorded)]
    return compare_history(found.final, history, base_history=found.base_history)


@pytest.mark.parametrize(("text", "recorded"), RECORDED)
def test_what_buildkit_recorded_is_equal(text: str, recorded: tuple[str, ...]) -> None:
    if text == RECORDED[0][0]:
        assert verdict(text, *recorded) == HistoryVerdict(Trace.EQUAL)
        return
    assert verdict(f"ARG X=5\n{text}", "ARG X=5", *recorded) == HistoryVerdict(Trace.EQUAL)


@pytest.mark.parametrize(("text", "recorded"), NEWER)
def test_what_newer_versions_record_is_equal(text: str, recorded: str) -> None:
    assert verdict(text, recorded) == HistoryVerdict(Trace.EQUAL)


WHOLE = "ARG V=1\nENV E=x\nWORKDIR /w\nCOPY a .\nRUN make $V\nCMD c\n"
WHOLE_RECORDED = (
    "ARG V=1", "ENV E=x", "WORKDIR /w", "COPY a . # buildkit",
    "RUN |1 V=1 /bin/sh -c make $V # buildkit", 'CMD ["/bin/sh" "-c" "c"]',
)  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("V=1", "V=2", 6),
        ("E=x", "E=y", 3),
        ("/w", "/v", 4),
        ("COPY a .", "COPY a b .", 5),
        ("COPY a .", "COPY --chmod=700 a .", 5),
        ("make $V", "make  $V", 6),
        ("CMD c", "CMD d", 7),
        ("CMD c", "CMD c\nUSER x", 8),
        ("ENV E=x\n", "", 2),
        ("RUN make $V\n", "", 5),
        ("WORKDIR /w", "WORKDIR /w\nRUN more", 5),
    ],
)
def test_a_changed_line_differs_and_is_named(old: str, new: str, line: int) -> None:
    assert verdict(WHOLE, *WHOLE_RECORDED).trace is Trace.EQUAL
    found = verdict(WHOLE.replace(old, new), *WHOLE_RECORDED)
    assert (found.trace, found.line) == (Trace.DIFFERS, line)
    assert found.evidence.startswith(f"line {line}: ")


def test_other_build_args_differ() -> None:
    found = infer(
        "FROM base\nARG V\nRUN x\n", {}, build_args={"V": "2"}, image_config=lambda _: BASE
    )
    built = [HistoryEntry(f"RUN |1 V={n} /bin/sh -c x{MARK}") for n in (1, 2)]
    traces = [compare_history(found.final, [HistoryEntry("ARG V"), one]).trace for one in built]
    assert traces == [Trace.DIFFERS, Trace.EQUAL]


@pytest.mark.parametrize(
    "recorded",
    [
        ("/bin/sh -c #(nop) COPY file:abc in /x ", "/bin/sh -c make"),
        ("COPY a /x", "make"),
        ("imported",),
    ],
)
def test_an_image_of_another_builder_is_unknown(recorded: tuple[str, ...]) -> None:
    assert verdict("COPY a /x\nRUN make", *recorded).trace is Trace.UNKNOWN


@pytest.mark.parametrize(
    ("text", "recorded"),
    [
        ("COPY <<EOF /x\nhi\nEOF", "COPY <<EOF /x # buildkit"),
        ("RUN <<EOF\n#!/bin/sh\nhi\nEOF", "RUN /dev/pipes/EOF # buildkit"),
    ],
)
def test_a_text_the_history_does_not_show_is_unknown(text: str, recorded: str) -> None:
    found = verdict(text, recorded)
    assert (found.trace, found.line) == (Trace.UNKNOWN, 2)


def test_a_difference_counts_even_where_something_else_does_not_show() -> None:
    found = verdict("COPY <<EOF /x\nhi\nEOF\nRUN y", "COPY <<EOF /x # buildkit", f"RUN z{MARK}")
    assert found.trace is Trace.DIFFERS


def test_a_base_image_other_than_the_one_of_from_is_unknown() -> None:
    other = BaseImage(env={"PATH": "/bin"}, lookup=lambda _path: None, history=("newer base",))
    found = verdict("RUN x", f"RUN /bin/sh -c x{MARK}", base=other)
    assert found.trace is Trace.UNKNOWN
    assert "another base image" in found.evidence


def test_what_hangs_on_an_unknown_base_image_is_unknown_never_different() -> None:
    assert verdict("ENV PATH=/x:$PATH", "ENV PATH=/x:/opt:/bin", base=None).trace is Trace.UNKNOWN
    assert verdict("ENV A=b", "ENV A=b", base=None).trace is Trace.EQUAL


def test_equal_ports_and_checks_have_one_form() -> None:
    assert canonical("EXPOSE map[80/tcp:{}]") == canonical("EXPOSE [80]")
    assert canonical("EXPOSE 80") != canonical("EXPOSE 80/udp")
    assert canonical("HEALTHCHECK something new") == "HEALTHCHECK something new"


def test_a_quoted_text_is_as_go_prints_it() -> None:
    assert quote('a"\\\x07\x7f\u200b\udcff🐋') == '"a\\"\\\\\\a\\x7f\\u200b\\xff🐋"'


def test_flags_that_an_old_builder_leaves_out_are_nobodys_difference() -> None:
    """Docker 20.10 writes `COPY a /x # buildkit` for a COPY with --chown."""
    text = "FROM base\nCOPY --chown=1:1 --chmod=0755 a /x\nADD b /b\n"
    found = infer(text, FILES, image_config=lambda _: BASE)

    def told(copied: str, *, flags_shown: bool) -> HistoryVerdict:
        lines = ("base", f"COPY {copied} # buildkit", "ADD b /b # buildkit")
        history = [HistoryEntry(line) for line in lines]
        return compare_history(found.final, history, flags_shown=flags_shown)

    unknown = told("a /x", flags_shown=False)
    assert unknown.trace is Trace.UNKNOWN
    assert "line 2" in unknown.evidence
    assert told("a /x", flags_shown=True).trace is Trace.DIFFERS
    assert told("a /y", flags_shown=False).trace is Trace.DIFFERS
    shown = told("--chown=1:1 --chmod=0755 a /x", flags_shown=False)
    assert shown.trace is Trace.EQUAL, "a newer frontend may have been asked for by syntax="


@pytest.mark.parametrize(
    ("expected", "built", "names"),
    [
        ("RUN |2 A=1 B=2 /bin/sh -c x", "RUN |2 A=1 B=3 /bin/sh -c x", ("B",)),
        ("RUN |2 A=1 B=2 /bin/sh -c x", "RUN |2 A=0 B=3 /bin/sh -c x", ("A", "B")),
        ("RUN |1 A=1 /bin/sh -c x", "RUN |1 A=2 /bin/sh -c y", ()),
        ("RUN |1 A=1 /bin/sh -c x", "RUN |1 B=2 /bin/sh -c x", ()),
        ("RUN |1 A=1 /bin/sh -c x", "RUN |2 A=1 B=1 /bin/sh -c x", ()),
        ("RUN |1 A=one two /bin/sh -c x", "RUN |1 A=one /bin/sh -c x", ()),
        ("RUN /bin/sh -c x", "RUN /bin/sh -c y", ()),
        ("COPY a /a", "RUN", ()),
    ],
)
def test_lines_that_differ_in_arguments_only(
    expected: str, built: str, names: tuple[str, ...]
) -> None:
    assert find_changed_arguments(f"{expected}{MARK}", f"{built}{MARK}") == names
