"""How one replica was made, beside how the model would make it now: ``ConfigSeen``.

What Compose left on a container is a hash that is wrong in known ways, so freshd keeps a record of
its own: taken where no file of the model changed after the container was made, or where that hash
fits. Without a record only the values that inspect reports are compared.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from freshd.config.compose.model import normalize_tag
from freshd.engine.client import Engine
from freshd.engine.container import archive
from freshd.engine.container.host_paths import gone_sources
from freshd.model.errors import EngineFailed
from freshd.model.files import Kind
from freshd.model.observed.config_drift import sealed
from freshd.model.observed.container import Mount, Replica
from freshd.model.observed.creation import ConfigSeen, ContentSeen, Wanted, WantedContent
from freshd.store.records.creation_records import CreationRecord, CreationRecords
from freshd.tree.places import find_trouble

_MAX_CONTENT = 4 << 20


@dataclass(frozen=True, slots=True)
class Model:
    """The model of one service as it is now. ``inputs`` are its files (absolute).

    ``directory`` is the project's real place, ``named`` the path that Compose was called with.
    ``mapped`` are targets that the container link speaks of. ``stamp`` names the Compose that
    resolved it, ``tag`` is the id of the image that a new container would run, "" for none.
    ``label_fits`` asks Compose for its hash, and says whether it is the replica's:
    None where the comparison means nothing.
    """

    wanted: Wanted
    inputs: Sequence[str]
    directory: str
    named: str
    stamp: str
    tag: str
    mapped: Set[str]
    label_fits: Callable[[Replica, str], bool | None]


def observe_config(
    engine: Engine, replica: Replica, model: Model, records: CreationRecords
) -> ConfigSeen:
    """Compare nothing yet but contents and the record. Raises what the engine raises."""
    creation = engine.creation(replica.id)
    wanted, key = model.wanted, records.key()
    config = ConfigSeen(
        wanted=replace(wanted, image=normalize_tag(wanted.image)),
        creation=replace(creation, image=normalize_tag(creation.image)),
        image=engine.image_defaults(replica.image_id),
        inputs=tuple(sorted(_newer(model, replica))),
        key=key,
    )
    config = with_mounts(engine, config, replica, tag=model.tag, directory=model.directory)
    expected, unread = _expected_contents(model)
    contents = tuple(_contents(engine, replica, expected, key))
    changed, hinted = _against_record(replica, model, config, records)
    return replace(config, contents=contents, unread=unread, changed=changed, hinted=hinted)


def with_mounts(
    engine: Engine, config: ConfigSeen, replica: Replica, *, tag: str, directory: str
) -> ConfigSeen:
    """What tells which data a new container, of the image ``tag``, shows in place of this one's.

    A bind whose source somebody removed, and whose mount too, has nothing left to be lost.
    """
    image = engine.image_defaults(tag or replica.image_id)
    named = {want.source for want in config.wanted.mounts if want.options is not None}
    made = {name: engine.volume_options(name) for name in sorted(named)}
    gone, wants = gone_sources(engine, replica.id), {want.target for want in config.wanted.mounts}
    return replace(
        config,
        mounts=tuple(
            mount
            for mount in _spelled_alike(replica.mounts, config.wanted)
            if mount.source not in gone or mount.target in wants
        ),
        inherited=config.creation.anonymous if image is None else image.volumes,
        volumes={name: options for name, options in made.items() if options is not None},
        directory=directory,
    )


def _newer(model: Model, replica: Replica) -> Iterator[str]:
    """Files of the model that changed after the container was made, relative to the project."""
    for path in model.inputs:
        try:
            changed_at = os.stat(path).st_ctime
        except OSError:
            continue
        if changed_at >= replica.created_at:
            yield os.path.relpath(path, model.directory)


def _spelled_alike(mounts: Sequence[Mount], wanted: Wanted) -> Iterator[Mount]:
    """A bind whose source is the same directory by another name gets the model's name for it."""
    sources = {bind.target: bind.source for bind in wanted.mounts if bind.kind == "bind"}
    for mount in (replace(each, target=each.asked_for, named="") for each in mounts):
        want = sources.get(mount.target)
        same = want is not None and os.path.realpath(want) == os.path.realpath(mount.source)
        yield replace(mount, source=want or "") if same and mount.kind == "bind" else mount


def _against_record(
    replica: Replica, model: Model, config: ConfigSeen, records: CreationRecords
) -> tuple[tuple[str, ...], bool]:
    """Keys that differ from the record; and whether there is only Compose's hash to go by."""
    parts = model.wanted.parts.items()
    now = {name: str(sealed(config.key, _by_real_place(text, model))) for name, text in parts}
    record = records.get(replica.id)
    if record is not None and record.stamp == model.stamp:
        names = now.keys() | record.parts.keys()
        return tuple(sorted(n for n in names if now.get(n) != record.parts.get(n))), False
    fits: bool | None = True
    if config.inputs:
        fits = model.label_fits(replica, config.creation.compose_version)
    if fits:
        records.record(replica.id, CreationRecord(model.stamp, now))
    return (), fits is False


def _by_real_place(part: str, model: Model) -> str:
    """A part of the model (JSON) that says the same by whatever path the project was reached."""
    named, real = json.dumps(model.named)[:-1], json.dumps(os.path.realpath(model.named))[:-1]
    return part.replace(f"{named}/", f"{real}/").replace(f'{named}"', f'{real}"')


def _contents(
    engine: Engine, replica: Replica, expected: Sequence[tuple[WantedContent, str]], key: bytes
) -> Iterator[ContentSeen]:
    for content, digest in expected:
        try:
            seen = _digest_inside(engine, replica.id, content.target)
        except EngineFailed:
            continue  # the container's files are reported where they are observed
        if seen != digest:
            yield ContentSeen(content, str(sealed(key, digest)), sealed(key, seen))


def _expected_contents(
    model: Model,
) -> tuple[list[tuple[WantedContent, str]], tuple[tuple[WantedContent, str], ...]]:
    """The digests of what the model says, and the contents that cannot be read, with why."""
    expected, unread = [], []
    for content in model.wanted.contents:
        if content.target in model.mapped:
            continue
        trouble = "" if content.file is None else find_trouble(content.file)
        try:
            digest = None if trouble else _expected(content)
        except OSError as error:
            digest, trouble = None, error.strerror or str(error)
        if digest is not None:
            expected.append((content, digest))
        elif trouble:
            unread.append((content, trouble))
    return expected, tuple(unread)


def _expected(wanted: WantedContent) -> str | None:
    """The digest of what the model says; None where that is not known. Raises OSError."""
    if wanted.content is not None:
        return hashlib.sha256(wanted.content.encode(errors="surrogateescape")).hexdigest()
    if wanted.file is None or not os.path.isfile(wanted.file):
        return None
    if os.path.getsize(wanted.file) > _MAX_CONTENT:
        return None
    with open(wanted.file, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _digest_inside(engine: Engine, container_id: str, target: str) -> str | None:
    """Of a regular file in the container; None where there is none."""
    status = archive.stat(engine, container_id, target)
    if status is None or status.kind is not Kind.FILE or status.size > _MAX_CONTENT:
        return None
    for member, reader in archive.get(engine, container_id, target):
        if member.isfile() and reader is not None:
            return hashlib.sha256(reader.read()).hexdigest()
    return None
