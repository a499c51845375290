"""One service's map: COPY, declared and bound files together, as the process will see them."""

import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from freshd.config.compose.model import ComposeBuild, ComposeMount, ComposeService
from freshd.mapping.archives import is_archive
from freshd.mapping.corrections import Corrections
from freshd.mapping.service_map import MapResult, build_map
from freshd.model.errors import ConfigError
from freshd.model.files import Kind
from freshd.model.mapping import Via
from freshd.model.observed.container import Mount
from freshd.model.policy import MapEntry, ServicePolicy
from freshd.tree.dockerignore import DockerIgnore
from freshd.tree.listing import list_context, stamp_again


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(files: dict[str, str], *, under: str = "shop") -> Path:
        root = tmp_path / under
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return root

    return make


def built(root: Path, **more: object) -> ComposeService:
    return ComposeService("web", "shop-web", ComposeBuild(str(root), **more))  # type: ignore[arg-type]


def shown(result: MapResult) -> dict[str, str]:
    """target -> source of what counts."""
    return {pair.target: pair.source for pair in result.map.pairs if pair.effective}


PLAIN = {
    "Dockerfile": "FROM x\nWORKDIR /app\nCOPY src/ ./src/\nCOPY run.sh /usr/bin/run\n",
    "src/a.py": "",
    "src/b/c.py": "",
    "run.sh": "",
    "unused": "",
}


def test_what_a_dockerfile_copies_is_mapped(write: Callable[..., Path]) -> None:
    root = write(PLAIN)
    result = build_map(built(root), project_dir=str(root))
    assert shown(result) == {
        "/app/src/a.py": "src/a.py",
        "/app/src/b/c.py": "src/b/c.py",
        "/usr/bin/run": "run.sh",
    }
    assert result.map.inputs == ("Dockerfile",)
    assert result.map.traceless == ()
    assert result.map.origins["/app/src"] == "src"
    assert set(result.map.copied_into) == set(result.map.origins)
    assert result.dockerfile == "Dockerfile"
    assert set(result.copies) == set(shown(result))
    assert "Dockerfile line 3" in result.map.pairs[0].why


def test_a_context_above_the_project_has_one_name_for_each_file(
    write: Callable[..., Path],
) -> None:
    root = write(
        {
            "Dockerfile": "FROM x\nCOPY . /all/\nCOPY deploy/site.conf /etc/\nCOPY deploy /d\n",
            "app/a.py": "",
            "deploy/site.conf": "",
            "deployed/x": "",
        }
    )
    result = build_map(built(root), project_dir=str(root / "deploy"))
    assert shown(result) == {
        "/all/Dockerfile": "../Dockerfile",
        "/all/app/a.py": "../app/a.py",
        "/all/deploy/site.conf": "site.conf",
        "/all/deployed/x": "../deployed/x",
        "/d/site.conf": "site.conf",
        "/etc/site.conf": "site.conf",
    }
    assert result.map.origins == {"/all": "..", "/all/deploy": ".", "/d": "."}
    deep = build_map(built(root), project_dir=str(root / "app/deep"))
    assert shown(deep)["/all/app/a.py"] == "../../app/a.py"


def test_what_is_nobodys_code_is_not_mapped_though_it_is_copied(
    write: Callable[..., Path],
) -> None:
    litter = (".git/HEAD", ".a.py.swp", "a.py~", "__pycache__/a.cpython-311.pyc", "sub/.DS_Store")
    root = write({"Dockerfile": "FROM x\nCOPY src /src/\n", "src/a.py": "", "src/b.pyc": ""})
    write({f"src/{name}": "" for name in litter})
    result = build_map(built(root), project_dir=str(root))
    assert shown(result) == {"/src/a.py": "src/a.py", "/src/b.pyc": "src/b.pyc"}
    assert result.map.inputs == ("Dockerfile",)


def test_the_ignore_file_of_the_dockerfile_wins_and_both_forms_are_inputs(
    write: Callable[..., Path],
) -> None:
    root = write({"Dockerfile": "FROM x\nCOPY . /app/\n", "a": "", "b": "", ".dockerignore": "a"})
    first = build_map(built(root), project_dir=str(root))
    assert "/app/a" not in shown(first)
    assert "/app/b" in shown(first)
    assert first.map.inputs == (".dockerignore", "Dockerfile")
    write({"Dockerfile.dockerignore": "b"})
    second = build_map(built(root), project_dir=str(root))
    assert "/app/a" in shown(second)
    assert "/app/b" not in shown(second)
    assert "Dockerfile.dockerignore" in second.map.inputs
    assert ".dockerignore" not in second.map.inputs


def test_ignored_directories_are_not_entered_unless_something_comes_back(
    write: Callable[..., Path],
) -> None:
    root = write({"node_modules/x/y": "", "build/a": "", "build/keep/b": "", "build/no/c": ""})
    ignore = DockerIgnore.from_text("node_modules\nbuild\n!build/keep\n")
    listing = list_context(str(root), ignore)
    assert listing.files == {
        "build": Kind.DIR,
        "build/keep": Kind.DIR,
        "build/keep/b": Kind.FILE,
    }
    assert str(root / "node_modules") not in listing.stamps
    assert str(root / "build/keep") in listing.stamps


def test_a_context_beside_the_project_and_a_dockerfile_outside_the_context(
    write: Callable[..., Path],
) -> None:
    root = write({"docker/web": "FROM x\nCOPY lib.py /l.py\n", "docker/web.dockerignore": "no"})
    lib = write({"lib.py": "", "no": ""}, under="lib")
    service = built(lib, dockerfile=str(root / "docker/web"))
    result = build_map(service, project_dir=str(root))
    assert shown(result) == {"/l.py": "../lib/lib.py"}
    assert result.map.inputs == ("docker/web", "docker/web.dockerignore")
    relative = built(lib, dockerfile="../shop/docker/web")
    assert build_map(relative, project_dir=str(root)).map == result.map


def test_an_inline_dockerfile_has_no_file_among_its_inputs(write: Callable[..., Path]) -> None:
    root = write({"a": "", "b": "", ".dockerignore": "b"})
    service = built(root, dockerfile_inline="FROM x\nCOPY a b* /d/\n")
    result = build_map(service, project_dir=str(root))
    assert shown(result) == {"/d/a": "a"}
    assert result.map.inputs == (".dockerignore",)
    assert result.dockerfile is None


def test_a_missing_dockerfile_is_named(write: Callable[..., Path]) -> None:
    root = write({"a": ""})
    with pytest.raises(ConfigError, match="service web: there is no Dockerfile docker/none"):
        build_map(built(root, dockerfile="docker/none"), project_dir=str(root))


def test_a_dockerfile_and_an_ignore_file_may_be_links_inside_their_directory(
    write: Callable[..., Path],
) -> None:
    """As the builder has it: followed below the directory they lie in, and not out of it."""
    root = write({"docker/web": "FROM x\nCOPY . /app/\n", "docker/ign": "a\n", "a": "", "b": ""})
    (root / "Dockerfile").symlink_to("docker/web")
    (root / ".dockerignore").symlink_to("/docker/ign")
    result = build_map(built(root), project_dir=str(root))
    assert {"/app/b", "/app/docker/web"} <= set(shown(result))
    assert "/app/a" not in shown(result)
    assert set(result.map.inputs) == {".dockerignore", "Dockerfile", "docker/ign", "docker/web"}
    (root / ".dockerignore").unlink()
    (root / ".dockerignore").symlink_to("../ignore")
    write({"../ignore": "b\n"})
    assert "/app/b" in shown(build_map(built(root), project_dir=str(root)))


def test_a_dockerfile_that_is_a_fifo_is_refused_and_one_that_leads_out_is_not_there(
    write: Callable[..., Path],
) -> None:
    root = write({"../elsewhere": "FROM x"})
    (root / "Dockerfile").symlink_to("../elsewhere")
    with pytest.raises(ConfigError, match="there is no Dockerfile"):
        build_map(built(root), project_dir=str(root))
    (root / "Dockerfile").unlink()
    os.mkfifo(root / "Dockerfile")
    with pytest.raises(ConfigError, match="not a regular file"):
        build_map(built(root), project_dir=str(root))


def test_a_remote_context_is_said_and_not_guessed(tmp_path: Path) -> None:
    service = ComposeService("web", "x", ComposeBuild("https://host/a.git"))
    result = build_map(service, project_dir=str(tmp_path))
    assert result.map.pairs == ()
    assert result.map.inputs == ()
    assert "https://host/a.git" in result.map.opaque[0]


def test_a_context_that_is_gone_is_said(write: Callable[..., Path]) -> None:
    root = write({"Dockerfile": "FROM x\nCOPY a /a\n"})
    service = built(root / "none", dockerfile=str(root / "Dockerfile"))
    result = build_map(service, project_dir=str(root))
    assert result.map.unread == {"none": "No such file or directory"}
    assert result.map.pairs == ()


def test_what_an_earlier_stage_uses_is_a_traceless_input(write: Callable[..., Path]) -> None:
    root = write(
        {
            "Dockerfile": "FROM x AS b\nCOPY main.c /src/\nRUN cc /src/main.c -o /out\n"
            "FROM x\nCOPY --from=b /out /bin/out\nCOPY conf /etc/conf\n",
            "main.c": "",
            "conf": "",
        }
    )
    result = build_map(built(root), project_dir=str(root))
    assert shown(result)["/etc/conf"] == "conf"
    assert result.map.inputs == ("Dockerfile", "main.c")
    assert result.map.traceless == ("main.c",)


def test_what_a_later_step_rewrote_becomes_an_input(write: Callable[..., Path]) -> None:
    root = write({**PLAIN, "Dockerfile": PLAIN["Dockerfile"] + "RUN sed -i s/a/b/ src/a.py\n"})
    service = built(root)
    before = build_map(service, project_dir=str(root))
    assert before.map.run_after_copy
    after = build_map(
        service,
        project_dir=str(root),
        corrections=Corrections(rewritten={"/app/src/a.py": "RUN sed"}),
    )
    assert "/app/src/a.py" not in shown(after)
    assert "src/a.py" in after.map.inputs
    assert "src/a.py" in after.map.traceless
    assert after.inference is not None
    assert after.inference.demoted == {"/app/src/a.py": "RUN sed"}


def test_gits_own_files_are_neither_pairs_nor_inputs(write: Callable[..., Path]) -> None:
    copied = {"Dockerfile": "FROM x\nCOPY . /app/\n", ".git/HEAD": "", "sub/.git": "", "a": ""}
    root = write(copied)
    assert "/app/a" in shown(build_map(built(root), project_dir=str(root)))
    assert not any(".git" in path for path in shown(build_map(built(root), project_dir=str(root))))
    write({"Dockerfile": "FROM x AS b\nCOPY . /s\nRUN make\nFROM x\nCOPY --from=b /out /out\n"})
    result = build_map(built(root), project_dir=str(root))
    assert "a" in result.map.traceless
    assert not any(".git" in path.split("/") for path in result.map.inputs)


def test_a_further_context_is_followed_by_names_from_the_project(
    write: Callable[..., Path],
) -> None:
    root = write(
        {"Dockerfile": "FROM x\nCOPY --from=lib . /lib/\nCOPY --from=own c /c\n", "own/c": ""}
    )
    write({"l.py": "", "skip": "", ".dockerignore": "skip"}, under="lib")
    beside = str(root.parent / "lib")
    contexts = {"lib": beside, "own": str(root / "own"), "img": "docker-image://y"}
    result = build_map(built(root, additional_contexts=contexts), project_dir=str(root))
    assert shown(result) == {
        "/c": "own/c",
        "/lib/.dockerignore": "../lib/.dockerignore",
        "/lib/l.py": "../lib/l.py",
    }
    assert result.map.origins == {"/lib": "../lib"}
    assert result.map.inputs == ("../lib/.dockerignore", "Dockerfile")
    assert result.map.opaque == ("line 1: base image x is not here to be looked at",)


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        (
            "COPY --from=lib a /a",
            "https://host/lib.git",
            "is https://host/lib.git: not a directory",
        ),
        ("COPY --from=lib a /a", "service:other", "is service:other: not a directory"),
        ("COPY --from=lib a /a", "/no/such/place", "is not there: /no/such/place"),
        ("FROM lib", "https://host/lib.git", "is https://host/lib.git: not a directory"),
    ],
)
def test_a_further_context_that_is_no_directory_stays_without_proof(
    write: Callable[..., Path], line: str, place: str, words: str
) -> None:
    root = write({"Dockerfile": f"FROM scratch\n{line}\n"})
    service = built(root, additional_contexts={"lib": place})
    result = build_map(service, project_dir=str(root))
    assert [text for text in result.map.opaque if text.endswith(words)]
    assert result.map.lasting == result.map.opaque


def test_what_the_image_refutes_is_no_pair_and_said(write: Callable[..., Path]) -> None:
    root = write({**PLAIN, "Dockerfile": "FROM x\nCOPY src/a.py /data\nCOPY src /app/\n"})
    why = "line 2: 'COPY src/a.py /data' did not go where it was expected: …"
    result = build_map(
        built(root), project_dir=str(root), corrections=Corrections(refuted={"/data": why})
    )
    assert "/data" not in shown(result)
    also_input = {pair.target: pair.also_input for pair in result.map.pairs}
    assert also_input["/app/a.py"]
    assert why in result.map.opaque
    assert dict(result.map.copy_lines) == {
        "COPY src/a.py /data # buildkit": False,
        "COPY src /app/ # buildkit": True,
    }


def bound(source: Path, target: str) -> ComposeMount:
    return ComposeMount("bind", target, str(source))


def test_a_bound_directory_shows_its_files_and_hides_copies_below_it(
    write: Callable[..., Path],
) -> None:
    root = write({**PLAIN, ".gitignore": "*.log\n", "src/x.log": "", "src/.git/HEAD": ""})
    service = ComposeService(
        "web",
        "x",
        ComposeBuild(str(root)),
        (bound(root / "src", "/app/src"), ComposeMount("volume", "/app/src/b")),
    )
    result = build_map(service, project_dir=str(root))
    told = {(pair.target, pair.via): pair.hidden_by for pair in result.map.pairs}
    assert told == {
        ("/app/src/a.py", Via.BIND): None,
        ("/app/src/a.py", Via.COPY): "/app/src",
        ("/app/src/b/c.py", Via.BIND): "/app/src/b",
        ("/app/src/b/c.py", Via.COPY): "/app/src/b",
        ("/app/src/x.log", Via.COPY): "/app/src",  # git ignores it, the image has it
        ("/usr/bin/run", Via.COPY): None,
    }
    assert result.hidden_below == ("/app/src", "/app/src/b")
    assert "/app/src" not in result.map.origins
    order = [(pair.target, pair.via) for pair in result.map.pairs]
    assert order == sorted(order)


def test_a_bound_file_is_one_pair_and_sockets_and_foreign_places_are_none(
    write: Callable[..., Path],
) -> None:
    root = write({"conf.ini": "", "real/a": ""})
    (root / "link").symlink_to("real")
    os.mkfifo(root / "fifo")
    service = ComposeService(
        "web",
        "x",
        mounts=(
            bound(root / "conf.ini", "/etc/conf.ini"),
            bound(root / "link", "/l"),
            bound(root / "fifo", "/f"),
            bound(root / "none", "/n"),
            bound(Path("/etc"), "/host-etc"),
        ),
    )
    result = build_map(service, project_dir=str(root))
    assert shown(result) == {"/etc/conf.ini": "conf.ini", "/l/a": "real/a"}
    assert (result.map.opaque, result.map.unread) == ((), {})


def test_a_bind_of_a_sibling_directory_is_named_from_the_project(
    write: Callable[..., Path],
) -> None:
    root = write({"compose.yaml": ""})
    lib = write({"m/a.py": "", ".gitignore": "*.pyc", "m/a.pyc": ""}, under="lib")
    service = ComposeService("web", "x", mounts=(bound(lib / "m", "/lib"),))
    result = build_map(service, project_dir=str(root))
    assert shown(result) == {"/lib/a.py": "../lib/m/a.py", "/lib/a.pyc": "../lib/m/a.pyc"}
    whole = ComposeService("web", "x", mounts=(bound(lib, "/lib"),))
    assert "/lib/m/a.pyc" not in shown(build_map(whole, project_dir=str(root)))


def test_a_bind_inside_a_bind_shows_its_own_file(write: Callable[..., Path]) -> None:
    root = write({"src/conf": "", "prod.conf": ""})
    service = ComposeService(
        "web", "x", mounts=(bound(root / "prod.conf", "/app/conf"), bound(root / "src", "/app"))
    )
    assert shown(build_map(service, project_dir=str(root))) == {"/app/conf": "prod.conf"}


def test_a_replicas_own_mounts_decide_what_is_hidden(write: Callable[..., Path]) -> None:
    root = write(PLAIN)
    service = built(root)
    mounts = [Mount("volume", "/app/src", name="anonymous")]
    result = build_map(service, project_dir=str(root), mounts=mounts)
    assert shown(result) == {"/usr/bin/run": "run.sh"}


def test_declared_directories_and_files_are_mapped_over_inference(
    write: Callable[..., Path],
) -> None:
    root = write({**PLAIN, "gen/a.py": "", "gen/skip.tmp": "", "one.txt": ""})
    policy = ServicePolicy(
        map=(
            MapEntry("gen", "/app/src"),
            MapEntry("one.txt", "/etc/"),
            MapEntry("run.sh", "/usr/bin/run"),
            MapEntry("none", "/none"),
        ),
        ignore=("*.tmp",),
    )
    result = build_map(built(root), project_dir=str(root), policy=policy)
    told = {pair.target: (pair.source, pair.via) for pair in result.map.pairs}
    assert told == {
        "/app/src/a.py": ("gen/a.py", Via.DECLARED),
        "/app/src/b/c.py": ("src/b/c.py", Via.COPY),
        "/etc/one.txt": ("one.txt", Via.DECLARED),
        "/usr/bin/run": ("run.sh", Via.COPY),
    }
    assert "src/a.py" in result.map.inputs
    assert result.map.origins["/app/src"] == "gen"


def test_a_container_without_a_build_has_its_declared_pairs(write: Callable[..., Path]) -> None:
    root = write({"src/a": ""})
    service = ComposeService("box", "", container_name="box")
    policy = ServicePolicy(map=(MapEntry("src", "/srv"),), container="box", volumes=True)
    mounts = [Mount("volume", "/srv", name="v")]
    result = build_map(service, project_dir=str(root), policy=policy, mounts=mounts)
    assert shown(result) == {"/srv/a": "src/a"}
    assert result.inference is None


def test_the_key_changes_with_names_and_build_files_and_not_with_content(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns() + 3600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: now)  # the clock tick of every change is over
    root = write({**PLAIN, ".dockerignore": "unused", ".gitignore": ""})
    service = ComposeService(
        "web", "x", ComposeBuild(str(root)), (bound(root / "src", "/app/src"),)
    )

    def settled() -> MapResult:
        return build_map(service, project_dir=str(root))

    known = settled()
    (root / "src/a.py").write_text("changed")
    assert stamp_again(known.stamps) == known.stamps
    changes: list[Callable[[], object]] = [
        lambda: (root / "src/new.py").write_text(""),
        lambda: (root / "src/new.py").unlink(),
        lambda: (root / "src/a.py").rename(root / "src/z.py"),
        lambda: (root / "src/b/deep").mkdir(),
        lambda: (root / "Dockerfile").write_text("FROM x\nCOPY . /a\n"),
        lambda: (root / ".dockerignore").write_text("other"),
        lambda: (root / "Dockerfile.dockerignore").write_text("x"),
        lambda: (root / ".gitignore").write_text("*.log"),
    ]
    for change in changes:
        change()
        assert stamp_again(known.stamps) != known.stamps
        known = settled()


def test_a_change_in_the_same_tick_as_the_look_is_not_missed(write: Callable[..., Path]) -> None:
    root = write(PLAIN)
    result = build_map(built(root), project_dir=str(root))
    assert stamp_again(result.stamps) != result.stamps, "just written: nothing is believed yet"


def test_archives_are_told_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "plain.tar").write_text("no archive")
    with tarfile.open(tmp_path / "real", "w:gz") as archive:
        archive.add(tmp_path / "plain.tar", "inner")
    (tmp_path / "zstd").write_bytes(b"\x28\xb5\x2f\xfd\0\0")
    (tmp_path / "empty").write_text("")
    (tmp_path / "link").symlink_to("real")
    told = {name: is_archive(str(tmp_path), name) for name in os.listdir(tmp_path)}
    assert told == {"plain.tar": False, "real": True, "zstd": True, "empty": False, "link": False}
