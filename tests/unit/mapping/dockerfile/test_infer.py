"""What lands where: a Dockerfile and a listing in, pairs and inputs out.

The expectations were seen on a real builder; `tests/engine/test_map_oracle.py` has it judge more.
Those of --parents and --exclude were seen on Docker's labs frontend, which the builder of the
engine tests does not have: it refuses both flags.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from freshd.mapping.dockerfile.infer import CopyPair, Inference, demote, infer
from freshd.mapping.dockerfile.replay.volume import Node
from freshd.mapping.dockerfile.stages import BaseImage
from freshd.model.errors import ConfigError
from freshd.model.files import Kind

FILES = (
    "a.py", "b.py", "req.txt", "requirements.txt", "ball.tar", "fake.gz", "src/m.py", "src/n.py",
    "src/sub/deep.py", "src/.hidden", "conf/x.conf", "conf/y.conf", "my dir/f.txt", "odd/[x].txt",
)  # fmt: skip
LINKS = {"src/l.py": "m.py", "dir": "src", "way/up": "../a.py", "root": "/conf", "off": "nowhere"}


def listing() -> dict[str, Kind]:
    files = dict.fromkeys(FILES, Kind.FILE) | dict.fromkeys(LINKS, Kind.LINK)
    return files | {"empty": Kind.DIR, "socket": Kind.OTHER}


def image(*directories: str, links: Mapping[str, str] | None = None, **said: Any) -> BaseImage:
    """A base image that has these directories and links."""
    found = {path: Node(Kind.DIR) for path in directories}
    found |= {path: Node(Kind.LINK, link=text) for path, text in (links or {}).items()}
    return BaseImage(lookup=found.get, **said)


BASE = image("/etc", "/bin", "/usr", "/usr/bin", env={"PATH": "/bin"})


def run(text: str, **options: object) -> Inference:
    options.setdefault("image_config", lambda _ref: BASE)
    return infer(f"FROM base\n{text}\n", listing(), links=LINKS, **options)  # type: ignore[arg-type]


def landed(inference: Inference) -> Mapping[str, str]:
    return {pair.target: pair.source for pair in inference.pairs}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COPY a.py /x", {"/x": "a.py"}),
        ("COPY a.py /x/", {"/x/a.py": "a.py"}),
        ("COPY a.py /etc", {"/etc/a.py": "a.py"}),
        ("COPY a.py /x/.", {"/x/a.py": "a.py"}),
        ("COPY a.py .", {"/a.py": "a.py"}),
        ("COPY ./src/../a.py ../../x", {"/x": "a.py"}),
        ("COPY ../a.py /x", {"/x": "a.py"}),
        ("WORKDIR /w\nCOPY a.py .", {"/w/a.py": "a.py"}),
        ("WORKDIR /w\nWORKDIR v\nCOPY a.py b", {"/w/v/b": "a.py"}),
        ("WORKDIR /w\nCOPY a.py ..", {"/a.py": "a.py"}),
        ("WORKDIR /w\nCOPY a.py /w", {"/w/a.py": "a.py"}),
        ("COPY conf /c", {"/c/x.conf": "conf/x.conf", "/c/y.conf": "conf/y.conf"}),
        ("COPY conf/ src/sub /c", {
            "/c/x.conf": "conf/x.conf", "/c/y.conf": "conf/y.conf", "/c/deep.py": "src/sub/deep.py",
        }),
        ("COPY a.py b.py /d/", {"/d/a.py": "a.py", "/d/b.py": "b.py"}),
        ("COPY a.py b.py /d", {"/d": "b.py"}),
        ("COPY conf/x* /d", {"/d": "conf/x.conf"}),
        ("COPY ?.py /d/", {"/d/a.py": "a.py", "/d/b.py": "b.py"}),
        ("COPY [^b].py /d/", {"/d/a.py": "a.py"}),
        ("COPY */deep.py /d/", {}),
        ("COPY s*/sub/*.py /d/", {"/d/deep.py": "src/sub/deep.py"}),
        ("COPY src/su[a-c] /d/", {"/d/deep.py": "src/sub/deep.py"}),
        ("COPY none* /d/", {}),
        ('COPY ["my dir/f.txt", "/x y/"]', {"/x y/f.txt": "my dir/f.txt"}),
        ('COPY ["odd/[[]x].txt", "/d/"]', {"/d/[x].txt": "odd/[x].txt"}),
        ("COPY a.py /x\nCOPY b.py /x", {"/x": "b.py"}),
        ("COPY a.py /x\nCOPY <<EOF /x\nhi\nEOF", {}),
        ("COPY <<a.py <<b.py /d/\n1\na.py\n2\nb.py\nCOPY a.py /d/b.py", {"/d/b.py": "a.py"}),
        ("COPY src/l.py /d/", {"/d/l.py": "src/m.py"}),
        ("COPY way/up /d", {"/d": "a.py"}),
        ("COPY dir/n.py /d/", {"/d/n.py": "src/n.py"}),
        ("COPY root /d", {"/d/x.conf": "conf/x.conf", "/d/y.conf": "conf/y.conf"}),
        ("COPY dir/*.py /d/", {
            "/d/l.py": "src/m.py", "/d/m.py": "src/m.py", "/d/n.py": "src/n.py",
        }),
        ("COPY way /d", {"/d/up": "way/up"}),
        ("COPY src/sub /d\nCOPY a.py /d", {"/d/deep.py": "src/sub/deep.py", "/d/a.py": "a.py"}),
        ("ADD a.py fake.gz /d/", {"/d/a.py": "a.py", "/d/fake.gz": "fake.gz"}),
        ("ADD ball.tar /d", {}),
        ("COPY ball.tar /d/", {"/d/ball.tar": "ball.tar"}),
        ("ADD ball.tar /d\nCOPY a.py /d", {"/d/a.py": "a.py"}),
        ("ADD https://host/p/a.py?x=1 /d/\nCOPY b.py /d/", {"/d/b.py": "b.py"}),
        ("COPY a.py /d/a.py\nADD https://host/p/a.py?x=1 /d/", {}),
        ("ENV D=/d N=\nCOPY a.py ${D}/${N:-x}${N:+y}", {"/d/x": "a.py"}),
        ("ENV A=1 B=2\nENV A=3 B=$A\nCOPY a.py /x$B", {"/x1": "a.py"}),
        ("ENV V=1\nARG V=2\nCOPY a.py /x$V", {"/x2": "a.py"}),
        ("ARG V=1\nENV V=2\nCOPY a.py /x$V", {"/x2": "a.py"}),
        ("ARG TARGETARCH\nCOPY a.py /x-$TARGETARCH-$TARGETOS", {"/x-arm64-": "a.py"}),
        ("COPY --parents src/sub/*.py a.py /d/", {
            "/d/src/sub/deep.py": "src/sub/deep.py", "/d/a.py": "a.py",
        }),
        ("COPY --parents src/./sub /d", {"/d/sub/deep.py": "src/sub/deep.py"}),
        ("COPY --parents src/sub/../m.py /d/", {"/d/src/m.py": "src/m.py"}),
        ("COPY --parents /src/./**/deep.py /d", {"/d/sub/deep.py": "src/sub/deep.py"}),
        ("COPY --parents **/*.conf /d/", {
            "/d/conf/x.conf": "conf/x.conf", "/d/conf/y.conf": "conf/y.conf",
        }),
        ("COPY --parents dir way/up /d/", {"/d/dir": "dir", "/d/way/up": "way/up"}),
        ("COPY --parents dir/m.py d*/n.py /d/", {}),
        ("COPY --parents --exclude=*.py a.py conf /d/", {
            "/d/conf/x.conf": "conf/x.conf", "/d/conf/y.conf": "conf/y.conf",
        }),
        ("COPY --parents --exclude=sub src/./sub src/n.py /d/", {"/d/src/n.py": "src/n.py"}),
        ("COPY --exclude=*.py a.py conf /d/", {
            "/d/a.py": "a.py", "/d/x.conf": "conf/x.conf", "/d/y.conf": "conf/y.conf",
        }),
        ("COPY --exclude=x.conf conf/* /d/", {
            "/d/x.conf": "conf/x.conf", "/d/y.conf": "conf/y.conf",
        }),
        ("COPY --exclude=conf/x.conf conf /d/", {
            "/d/x.conf": "conf/x.conf", "/d/y.conf": "conf/y.conf",
        }),
        ("COPY --exclude=*.conf --exclude=!y.conf conf /d/", {"/d/y.conf": "conf/y.conf"}),
        ("COPY --exclude=!y.conf --exclude=*.conf conf /d/", {}),
        ("ADD --exclude=deep.py dir/sub conf/x.conf /d/", {"/d/x.conf": "conf/x.conf"}),
        ("COPY --exclude=sub --exclude=*.py --exclude=.h* src /d\n", {}),
        ("COPY --exclude=**/deep.py --exclude=n* --exclude=l* src /d\n", {
            "/d/m.py": "src/m.py", "/d/.hidden": "src/.hidden",
        }),
        ("RUN mkdir -p /made/deep && true\nCOPY a.py /made", {"/made/a.py": "a.py"}),
    ],
)  # fmt: skip
def test_what_lands(text: str, expected: Mapping[str, str]) -> None:
    assert landed(run(text, platform="linux/arm64")) == expected


def test_a_copy_onto_a_link_writes_through_it() -> None:
    """The link lands as a link; a later COPY to its path replaces what it points at."""
    found = landed(run("COPY src /d\nCOPY a.py /d/l.py"))
    assert found["/d/l.py"] == "src/l.py"
    assert found["/d/m.py"] == "a.py"


def test_a_destination_below_a_link_of_the_base_image_is_the_real_path() -> None:
    base = image("/usr", "/usr/bin", links={"/bin": "usr/bin"})
    assert landed(run("COPY a.py /bin/", image_config=lambda _: base)) == {"/usr/bin/a.py": "a.py"}


STAGES = """FROM base AS one
WORKDIR /w
COPY src/m.py a.py ./
FROM base AS two
COPY --from=one /w /v
{two}
FROM {base}
COPY --from={name} {path} /out/
"""


@pytest.mark.parametrize("name", ["two", "TWO", "1"])
def test_what_is_copied_into_a_stage_and_on_again_is_a_pair(name: str) -> None:
    text = STAGES.format(two="", base="scratch", name=name, path="/v")
    found = infer(text, listing(), image_config=lambda _: BASE)
    assert landed(found) == {"/out/a.py": "a.py", "/out/m.py": "src/m.py"}
    assert not any(pair.through_run for pair in found.pairs)
    assert found.untraced == ()
    assert {pair.line for pair in found.pairs} == {8}


@pytest.mark.parametrize(
    ("line", "verbatim"),
    [
        ("COPY . /out/", True),
        ("COPY --chmod=755 a.py src /out/", True),
        ("ADD a.py /out/", True),
        ("COPY --from=one /w /out", False),
        ("COPY --from=elsewhere /w /out", False),
        ("ADD a.py https://example.org/x /out/", False),
        ("ADD a.py x.tar /out/", False),
        ("COPY a.py <<EOF /out/\nmore\nEOF", False),
    ],
)
def test_a_copy_says_whether_it_brings_files_of_the_context_only(line: str, verbatim: bool) -> None:
    text = f"FROM base AS one\nCOPY . /w\nFROM scratch\n{line}\n"
    found = infer(text, {**listing(), "x.tar": Kind.FILE}, image_config=lambda _: BASE)
    assert [step.verbatim for step in found.final] == [verbatim]


def test_what_passed_a_run_of_an_earlier_stage_only_the_image_can_confirm() -> None:
    text = STAGES.format(two="RUN x", base="scratch", name="two", path="/v/a.py")
    found = infer(text, listing(), image_config=lambda _: BASE)
    assert [(p.target, p.through_run, p.free_mode) for p in found.pairs] == [
        ("/out/a.py", True, True)
    ]
    assert found.inputs == ("src/m.py",)
    assert found.untraced == ("line 6: RUN in stage two",)
    assert not found.run_after_copy


def test_a_stage_on_a_stage_goes_on_where_it_ended() -> None:
    text = STAGES.format(two="ENV X=y\nWORKDIR /q", base="two", name="one", path="/w/a.py")
    found = infer(text + "COPY b.py $X\n", listing(), image_config=lambda _: BASE)
    assert landed(found) == {
        "/out/a.py": "a.py", "/q/y": "b.py", "/v/a.py": "a.py", "/v/m.py": "src/m.py",
    }  # fmt: skip


def test_only_the_stages_of_the_target_count() -> None:
    text = "FROM base AS a\nCOPY a.py /x\nRUN y\nFROM base AS b\nCOPY b.py /x\nFROM a\nRUN z\n"
    found = infer(text, listing(), target="b", image_config=lambda _: BASE)
    assert landed(found) == {"/x": "b.py"}
    assert found.inputs == ()


def test_build_args_win_over_defaults_and_reach_from() -> None:
    text = "ARG B=one\nARG W=/w\nFROM base AS one\nCOPY a.py /x\nFROM base AS two\nARG W\nARG V=1\n"
    text += "COPY b.py $W/$V\nFROM $B\n"
    assert landed(infer(text, listing(), image_config=lambda _: BASE)) == {"/x": "a.py"}
    args = {"B": "two", "V": "2"}
    found = infer(text, listing(), build_args=args, image_config=lambda _: BASE)
    assert landed(found) == {"/w/2": "b.py"}


def test_onbuild_of_a_base_image_comes_first() -> None:
    base = BaseImage(workdir="/app", onbuild=("COPY a.py ./x", "RUN x"))
    found = run("COPY b.py ./y", image_config=lambda _: base)
    assert landed(found) == {"/app/x": "a.py", "/app/y": "b.py"}
    assert [step.name for step in found.final] == ["COPY", "RUN", "COPY"]


def test_onbuild_of_a_stage_applies_to_a_stage_on_it() -> None:
    text = "FROM base AS a\nONBUILD COPY a.py /x\nFROM a\nCOPY b.py /y\n"
    found = infer(text, listing(), image_config=lambda _: BASE)
    assert landed(found) == {"/x": "a.py", "/y": "b.py"}


def test_modes_come_from_chmod() -> None:
    found = run("COPY --chmod=0755 a.py /a\nCOPY b.py /b\nCOPY --chmod=u+x req.txt /c\n")
    modes = {pair.target: (pair.mode, pair.free_mode) for pair in found.pairs}
    assert modes == {"/a": (0o755, False), "/b": (None, False), "/c": (None, True)}
    assert found.opaque == ("line 4: --chmod=u+x: the modes it gives are not computed",)


PIP = "RUN pip install -r /r/requirements.txt"
BUILDER = f"COPY . /r/\n{PIP}\nFROM base"


@pytest.mark.parametrize(
    ("text", "source", "also_input"),
    [
        ("COPY requirements.txt /r/\nRUN pip install -r /r/*.txt", "requirements.txt", True),
        ("COPY requirements.txt /r/\nRUN cd /r && uv sync", "requirements.txt", True),
        ("COPY requirements.txt /r/\nRUN echo hi", "requirements.txt", False),
        ("RUN pip install x\nCOPY requirements.txt /r/", "requirements.txt", False),
        ("COPY a.py /x/\nRUN python3 /x/a.py", "a.py", True),
        ("COPY a.py /x/\nRUN <<EOF\n/x/a.py\nEOF", "a.py", True),
        ("COPY a.py /x/\nRUN echo aa.py", "a.py", False),
        ("COPY a.py /x/\nRUN --mount=source=a.py,target=/m cat /m", "a.py", True),
        (f"COPY requirements.txt /r/\n{PIP}\nCOPY . /r/", "requirements.txt", True),
        ("COPY requirements.txt /r/\nRUN echo hi\nCOPY . /r/", "requirements.txt", False),
        (f"{BUILDER}\nCOPY --from=0 /venv /v\nCOPY . /r/", "requirements.txt", True),
        (f"{BUILDER}\nCOPY --from=0 /venv /v\nCOPY . /r/", "a.py", False),
    ],
)  # fmt: skip
def test_a_pair_that_a_run_reads_too(text: str, source: str, *, also_input: bool) -> None:
    pairs = {pair.source: pair.also_input for pair in run(text).pairs}
    assert pairs[source] is also_input


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("ADD ball.tar /d", ("ball.tar",)),
        ("RUN --mount=type=bind,source=conf,target=/c x", ("conf/x.conf", "conf/y.conf")),
        ("RUN --mount=target=/c,source=a.py --mount=type=cache,target=/q x", ("a.py",)),
        ("COPY a.py /x\nCOPY b.py /x", ()),
        ("COPY a.py /x\nRUN y\nCOPY b.py /x", ("a.py",)),
        ("COPY a.py /x\nRUN y", ()),
    ],
)
def test_inputs_leave_no_verbatim_trace(text: str, inputs: tuple[str, ...]) -> None:
    assert run(text).inputs == inputs


def test_files_of_a_builder_that_do_not_land_are_inputs() -> None:
    text = "FROM base AS b\nCOPY src conf/x.conf /s/\nRUN make\nFROM base\n"
    text += "COPY --from=b /s/x.conf /etc/\nCOPY --from=b /made/bin /usr/bin\n"
    found = infer(text, listing(), links=LINKS, image_config=lambda _: BASE)
    assert landed(found) == {"/etc/x.conf": "conf/x.conf"}
    assert found.inputs == ("src/.hidden", "src/l.py", "src/m.py", "src/n.py", "src/sub/deep.py")


def test_the_build_files_themselves_are_no_inputs() -> None:
    files = dict.fromkeys(("Dockerfile", ".dockerignore", "x"), Kind.FILE)
    text = "FROM base AS b\nCOPY . /s\nRUN make\nFROM base\n"
    text += "COPY --from=b /out /out\n"
    assert infer(text, files, image_config=lambda _: BASE).inputs == ("x",)


@pytest.mark.parametrize(
    ("text", "opaque"),
    [
        ("ADD https://host/x /d", "line 2: ADD of https://host/x: its content is not in the tree"),
        ("ADD git@host:x.git /d", "line 2: ADD of git@host:x.git: its content is not in the tree"),
        ("COPY --from=ghcr.io/x/y /uv /bin/",
            "line 2: COPY --from=ghcr.io/x/y: what the image brings is not in the tree"),
        ("RUN x\nCOPY a.py /data",
            "line 3: /data is taken for a file: nothing says it is a directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_followed_is_said(text: str, opaque: str) -> None:
    assert run(text).opaque == (opaque,)


def test_the_built_image_settles_an_unclear_destination() -> None:
    def kinds(path: str, record: str) -> Kind | None:
        return Kind.DIR if (path, record) == ("/data", "COPY a.py /data # buildkit") else None

    found = run("RUN x\nCOPY a.py /data", kind_in_image=kinds)
    assert landed(found) == {"/data/a.py": "a.py"}
    assert found.opaque == ()


LINKED = {"/data": "/srv/1", "/app/now": "/app/1", "/srv/1/in": "/in"}


@pytest.mark.parametrize(
    ("body", "target"),
    [
        pytest.param("RUN x\nCOPY a.py /data/", "/srv/1/a.py", id="a directory"),
        pytest.param("RUN x\nCOPY a.py /data/in/f", "/in/f", id="a chain"),
        pytest.param("RUN x\nCOPY a.py /app/now", "/app/1", id="the destination itself"),
        pytest.param("RUN x\nWORKDIR /data/w\nCOPY a.py .", "/srv/1/w/a.py", id="by WORKDIR"),
        pytest.param("ADD ball.tar /\nCOPY a.py /data/", "/srv/1/a.py", id="of an archive"),
        pytest.param("COPY --from=x /m /\nCOPY a.py /data/", "/srv/1/a.py", id="of a stage"),
        pytest.param("COPY a.py /data/\nRUN x", "/data/a.py", id="no RUN came before it"),
    ],
)
def test_links_that_a_build_step_may_have_made_are_the_built_images(body: str, target: str) -> None:
    head = "FROM base AS x\nRUN mkdir /m\nFROM base\n"
    found = infer(
        f"{head}{body}\n",
        listing(),
        image_config=lambda _: BASE,
        link_in_image=lambda path: LINKED.get(path, ""),
    )
    assert landed(found) == {target: "a.py"}


def test_the_trees_own_link_goes_before_that_of_an_image_built_of_an_older_tree() -> None:
    files = {"t/now": Kind.LINK, "a.py": Kind.FILE}
    found = infer(
        "FROM base\nCOPY t /t\nRUN x\nCOPY a.py /t/now/\n",
        files,
        links={"t/now": "new"},
        image_config=lambda _: BASE,
        link_in_image=lambda path: "/t/old" if path == "/t/now" else "",
    )
    assert landed(found) == {"/t/now": "t/now", "/t/new/a.py": "a.py"}


def test_a_stage_that_is_no_part_of_the_image_has_none_of_its_links() -> None:
    found = infer(
        "FROM base AS x\nRUN y\nCOPY a.py /data/\nFROM base\nCOPY --from=x /data /d\n",
        listing(),
        image_config=lambda _: BASE,
        link_in_image=lambda path: LINKED.get(path, ""),
    )
    assert landed(found) == {"/d/a.py": "a.py"}


def test_an_unknown_base_image_is_said_and_has_the_usual_directories() -> None:
    found = infer("FROM py\nCOPY a.py /usr/local/bin\n", listing())
    assert landed(found) == {"/usr/local/bin/a.py": "a.py"}
    assert found.opaque == ("line 1: base image py is not here to be looked at",)


def test_a_run_after_a_copy_calls_for_attribution() -> None:
    assert run("COPY a.py /x\nRUN y").run_after_copy
    assert not run("RUN y\nCOPY a.py /x").run_after_copy
    assert run("COPY a.py /x/\nADD ball.tar /x/").run_after_copy


def test_copied_directories_are_remembered_with_where_they_came_from() -> None:
    text = "FROM base AS b\nCOPY src /s/app\nCOPY . /all\nFROM base\nCOPY --from=b /s /out\n"
    text += "COPY conf /etc/c\n"
    found = infer(text, listing(), links=LINKS, image_config=lambda _: BASE)
    assert found.directories == {"/out/app": "src", "/etc/c": "conf"}


def test_demotion_moves_a_rewritten_target_to_the_inputs() -> None:
    before = run("COPY a.py b.py /x/\nCOPY a.py /y\nRUN chmod +x /x/a.py /x/b.py")
    after = demote(before, {"/x/a.py": "RUN chmod", "/x/b.py": "RUN chmod", "/other": "RUN"})
    assert [(pair.target, pair.also_input) for pair in after.pairs] == [("/y", True)]
    assert after.inputs == ("b.py",)
    assert after.demoted == {"/x/a.py": "RUN chmod", "/x/b.py": "RUN chmod"}


def test_a_pair_names_the_line_and_the_history_text_of_its_copy() -> None:
    (pair,) = run("COPY --chown=1:1 \\\n a.py \\\n /x").pairs
    assert pair == CopyPair(
        "a.py", "/x", line=2, record="COPY --chown=1:1 a.py /x # buildkit", named=True
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("COPY a.py /x\nFROM base", "web:1: COPY before the first FROM"),
        ("ARG A=1", "web: no FROM"),
        ("FROM a b", "web:1: FROM takes one image"),
        ("FROM base\nCOPY a.py ${", "web:2: bad substitution"),
        ("FROM base\nCOPY a.py", "web:2: COPY needs a source and a destination"),
        ("FROM base AS a\nCOPY --from=b x /\nFROM base AS b\nCOPY --from=a y /", "needs itself"),
    ],
)
def test_a_mistake_names_file_and_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("{", r"\{")):
        infer(text, listing(), image_config=lambda _: BASE, name="web")


def test_an_unknown_target_lists_the_stages() -> None:
    with pytest.raises(ConfigError, match="no stage 'x'") as caught:
        infer("FROM base AS one\nRUN x\n", listing(), target="x")
    assert caught.value.hint == "stages: one"
