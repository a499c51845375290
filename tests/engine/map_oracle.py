"""Build one case for real, read the image back, and set beside it what freshd infers."""

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.models.images import Image

from freshd.mapping.dockerfile.contexts import NamedContext
from freshd.mapping.dockerfile.history import HistoryVerdict, compare_history
from freshd.mapping.dockerfile.infer import CopyPair, Inference, demote, infer
from freshd.mapping.dockerfile.replay.volume import Node
from freshd.mapping.dockerfile.stages import BaseImage
from freshd.model.files import Kind
from freshd.model.observed.image import HistoryEntry
from freshd.tree.dockerignore import DockerIgnore
from tests.engine.dockerfiles import ARCHIVES, BASE, Case
from tests.engine.dockerfiles.case import ARCH, EXT_FILES, EXT_IGNORE, RICH, RICH_DOCKERFILE
from tests.engine.images import ReadImage, read_image

PREFIX = "freshd-oracle"
EXT = "../ext"
PACKED = b"packed\n"


@dataclass(frozen=True)
class Built:
    """One case, what BuildKit made of it (None: it refused, with its words), and the context."""

    case: Case
    image: ReadImage | None
    refusal: str
    inference: Inference | None
    verdict: HistoryVerdict | None
    edited: tuple[HistoryVerdict, ...]


def write_further(root: Path) -> None:
    """The further context that a case may name."""
    for path in EXT_FILES:
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(f"path={EXT}/{path}\n")
    (root / ".dockerignore").write_text(EXT_IGNORE)


def write_context(case: Case, root: Path) -> None:
    for path in case.files:
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        if path not in ARCHIVES:
            full.write_text(f"path={path}\n")
    for path in ARCHIVES:
        with tarfile.open(root / path, "w:gz" if path.endswith("gz") else "w") as ball:
            packed = tarfile.TarInfo("inner/packed.conf")
            packed.size = len(PACKED)
            ball.addfile(packed, io.BytesIO(PACKED))
    for path, text in case.links:
        (root / path).symlink_to(text)
    (root / "Dockerfile").write_text(case.dockerfile, newline="")
    if case.ignore is not None:
        (root / case.ignore_name).write_text(case.ignore)


def listing(text: str, root: Path) -> dict[str, Kind]:
    """A context as freshd lists it: what the ignore file leaves."""
    ignore = DockerIgnore.from_text(text)
    found: dict[str, Kind] = {}
    for full in sorted(root.rglob("*")):
        path = str(full.relative_to(root))
        if ignore.excludes(path):
            continue
        if full.is_symlink():
            found[path] = Kind.LINK
        else:
            found[path] = Kind.DIR if full.is_dir() else Kind.FILE
    return found


def base_image(client: docker.DockerClient, ref: str) -> BaseImage:
    """What a caller of freshd would tell of a base image."""
    image = client.images.get(ref)
    config = image.attrs["Config"]
    read = read_image(client, ref)
    inside = dict.fromkeys(read.directories, Node(Kind.DIR))
    inside |= {path: Node(Kind.LINK, link=text) for path, text in read.links.items()}
    return BaseImage(
        workdir=config.get("WorkingDir") or "/",
        env=dict(item.partition("=")[::2] for item in config.get("Env") or ()),
        onbuild=tuple(config.get("OnBuild") or ()),
        lookup=inside.get,
        history=tuple(entry.created_by for entry in history_of(image)),
    )


def prepare_bases(client: docker.DockerClient) -> dict[str, BaseImage]:
    """The plain base image, and one that has ONBUILD, ENV, WORKDIR and links, built here."""
    argv = ["docker", "build", "-q", "-t", RICH, "-"]
    subprocess.run(argv, input=RICH_DOCKERFILE, text=True, check=True, capture_output=True)
    return {ref: base_image(client, ref) for ref in (BASE, RICH)}


def history_of(image: Image) -> tuple[HistoryEntry, ...]:
    lines = reversed(image.history())
    return tuple(HistoryEntry(line["CreatedBy"], line["Size"] == 0) for line in lines)


def build(case: Case, root: Path, tag: str) -> str:
    """'' or what BuildKit said against it."""
    write_context(case, root)
    write_further(root / EXT)
    argv = ["docker", "build", "-q", "-t", tag, *(["--target", case.target] if case.target else [])]
    for key, value in case.build_args:
        argv += ["--build-arg", f"{key}={value}"]
    for name, image in case.contexts:
        place = f"docker-image://{image}" if image else str(root / EXT)
        argv += ["--build-context", f"{name}={place}"]
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    done = subprocess.run(
        [*argv, str(root)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment,
    )
    return "" if done.returncode == 0 else done.stderr[-600:]


def contexts(case: Case, root: Path) -> dict[str, NamedContext]:
    files = listing(EXT_IGNORE, root / EXT)
    return {
        name: NamedContext(image=image) if image else NamedContext(files, prefix=EXT)
        for name, image in case.contexts
    }


def examine(case: Case, bases: Mapping[str, BaseImage], *, directory: Path, number: int) -> Built:
    """``directory`` is made, and removed once the build has gone well."""
    root = directory / "context"
    root.mkdir(parents=True)
    client = docker.from_env()
    tag = f"{PREFIX}-{os.getpid()}:{number}"
    try:
        refusal = build(case, root, tag)
        if refusal:
            return Built(case, None, refusal, None, None, ())
        image = read_image(client, tag)
        history = history_of(client.images.get(tag))
        client.images.remove(tag, force=True)
    finally:
        client.close()
    inference = infer(
        case.dockerfile,
        listing(case.ignore or "", root),
        links=dict(case.links),
        build_args=dict(case.build_args),
        target=case.target,
        platform=f"linux/{ARCH}",
        contexts=contexts(case, root),
        image_config=bases.get,
        is_archive=lambda path: path in ARCHIVES,
    )
    verdict = compare_history(inference.final, history, base_history=inference.base_history)
    edited = edits(inference, history)
    shutil.rmtree(directory)
    return Built(case, image, "", inference, verdict, edited)


def edits(inference: Inference, history: tuple[HistoryEntry, ...]) -> tuple[HistoryVerdict, ...]:
    """Verdicts against images that were built from a Dockerfile with one line changed."""
    found = []
    first = len(history) - len(inference.final)
    for at, step in enumerate(inference.final):
        if step.name not in ("RUN", "ENV", "COPY", "ADD", "WORKDIR"):
            continue
        text = history[first + at].created_by.removesuffix(" # buildkit") + "-edited # buildkit"
        changed = (*history[: first + at], HistoryEntry(text), *history[first + at + 1 :])
        verdict = compare_history(inference.final, changed, base_history=inference.base_history)
        found.append(verdict)
    return tuple(found)


def landed(case: Case, image: ReadImage) -> set[tuple[str, str]]:
    """What the image holds verbatim and no RUN of the final chain wrote, by content alone."""
    names = [*case.files, *(f"{EXT}/{path}" for path in EXT_FILES)]
    contents = {f"path={path}\n".encode(): path for path in names if path not in ARCHIVES}
    texts = {text: path for path, text in case.links}
    found = set()
    for target, data in image.files.items():
        source = contents.get(data)
        if source is not None and "run-" not in target and not image.by_run(target):
            found.add((source, target))
    for target, text in image.links.items():
        if text in texts and "run-" not in target and not image.by_run(target):
            found.add((texts[text], target))
    return found


def rewritten(case: Case, inference: Inference, image: ReadImage) -> dict[str, str]:
    """Targets whose last writer is not the pair's COPY, or that an earlier stage's RUN changed.

    Only a RUN writes a file so that it is as it was: where another layer carries it along, or the
    layers as the engine saves them do not name it, what the image holds counts.
    """
    reasons = {}
    for pair in inference.pairs:
        writer = image.writers.get(pair.target) or ""
        kept = not writer.startswith("RUN ") and carried(case, pair, image)
        if writer not in (pair.record, *pair.before) and not kept:
            reasons[pair.target] = f"written by {writer}"
        elif pair.through_run and touched_before(case, pair) and not holds(pair, image):
            reasons[pair.target] = "changed in an earlier stage"
    return reasons


def touched_before(case: Case, pair: CopyPair) -> bool:
    names = {pair.source.rpartition("/")[2], pair.target.rpartition("/")[2]}
    return bool(names & case.touched) or any(
        re.search(re.escape(name) + r"$", pair.record.split(" ")[-3]) for name in case.touched
    )


def carried(case: Case, pair: CopyPair, image: ReadImage) -> bool:
    """Whether a file or link is there as the pair has it."""
    link = dict(case.links).get(pair.source)
    return holds(pair, image) if link is None else image.links.get(pair.target) == link


def holds(pair: CopyPair, image: ReadImage) -> bool:
    return image.files.get(pair.target) == f"path={pair.source}\n".encode()


def archives_apart(pairs: tuple[CopyPair, ...]) -> tuple[CopyPair, ...]:
    """A copied archive has no content that names its path; its place is checked by its presence."""
    return tuple(pair for pair in pairs if pair.source not in ARCHIVES)


def own_files(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without the Dockerfile and the ignore file, which ``COPY .`` takes along."""
    return {(s, t) for s, t in pairs if "Dockerfile" not in s and ".dockerignore" not in s}


def mode_mismatches(pairs: tuple[CopyPair, ...], image: ReadImage) -> list[str]:
    return [
        f"{pair.target}: {oct(image.modes[pair.target])}, inferred {oct(pair.mode or 0o644)}"
        for pair in pairs
        if pair.target in image.files
        and not pair.free_mode
        and image.modes[pair.target] != (0o644 if pair.mode is None else pair.mode)
    ]


def explain(
    case: Case, inferred: set[tuple[str, str]], seen: set[tuple[str, str]], modes: list[str]
) -> str:
    return (
        f"{case.dockerfile}\n# ignore: {case.ignore!r}, args {case.build_args}, {case.target}\n"
        f"# wrong: {sorted(inferred - seen)}\n# missing: {sorted(seen - inferred)}\n"
        f"# modes: {modes}"
    )


def mismatch(one: Built) -> str:
    """'' when the pairs are exactly what landed, with the modes they claim."""
    if one.image is None or one.inference is None:
        return f"{one.case.dockerfile}\n{one.refusal}"
    after = demote(one.inference, rewritten(one.case, one.inference, one.image))
    inferred = own_files({(pair.source, pair.target) for pair in archives_apart(after.pairs)})
    seen = landed(one.case, one.image)
    modes = mode_mismatches(after.pairs, one.image)
    return "" if inferred == seen and not modes else explain(one.case, inferred, seen, modes)
