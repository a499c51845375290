"""What Python would take in place of a source: mapped sources in, what lies about them out.

That is bytecode compiled from other bytes, and a copy that was installed from the sources and is
not theirs any more. The image's own interpreter looks, as only it knows its magic number, hashes
and compiler. It reads 16 bytes of each file and compiles only where header and inode leave a doubt;
nothing is imported and nothing is written.
"""

import hashlib
import json
import posixpath
from collections.abc import Collection, Iterator
from dataclasses import replace

from freshd.engine.client import Engine
from freshd.engine.container import exec as execs
from freshd.model.errors import EngineFailed, OutcomeUnknown
from freshd.model.observed.container import Replica
from freshd.model.observed.processes import Bytecode
from freshd.model.observed.runtime import ReplicaRuntime
from freshd.observe.observers import ReplicaView

_SECONDS = 60.0
_KINDS = frozenset({"stale", "unchecked", "orphan", "installed"})

_SCRIPT = r"""
import importlib.util, json, marshal, os, sys, sysconfig

def same(one, other):
    if type(one) is not type(other):
        return False
    if not hasattr(one, "co_code"):
        if isinstance(one, (tuple, frozenset)):
            return repr(one) == repr(other) or (
                len(one) == len(other) and isinstance(one, tuple) and all(map(same, one, other)))
        return one == other
    for name in ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_name",
                 "co_flags", "co_argcount", "co_firstlineno"):
        if getattr(one, name) != getattr(other, name):
            return False
    return len(one.co_consts) == len(other.co_consts) and all(
        map(same, one.co_consts, other.co_consts))

def number(data):
    return int.from_bytes(data, "little")

def origin(code, source):
    name = code.co_filename
    return "" if not os.path.isabs(name) or name == source or os.path.exists(name) else name

def judge(source, status, cached):
    try:
        with open(cached, "rb") as file:
            header, written = file.read(16), os.fstat(file.fileno())
            if len(header) < 16 or header[:4] != importlib.util.MAGIC_NUMBER:
                return None
            flags = number(header[4:8])
            if flags & 1:
                if flags & 2:
                    return None
                with open(source, "rb") as text:
                    right = importlib.util.source_hash(text.read()) == header[8:]
                return None if right else ("unchecked", origin(marshal.loads(file.read()), source))
            if number(header[8:12]) != int(status.st_mtime) & 0xFFFFFFFF:
                return None
            if number(header[12:]) != status.st_size & 0xFFFFFFFF:
                return None
            if status.st_ctime_ns < written.st_mtime_ns:
                return None
            with open(source, "rb") as text:
                wanted = compile(text.read(), source, "exec", dont_inherit=True)
            code = marshal.loads(file.read())
            return None if same(wanted, code) else ("stale", origin(code, source))
    except (OSError, SyntaxError, ValueError, EOFError, TypeError):
        return None

def orphans(directory, sources):
    for name in os.listdir(directory):
        stem, dot, ending = name.rpartition(".")
        path = os.path.join(directory, stem)
        if ending != "pyc" or not stem or os.path.exists(path + ".py") or os.path.isdir(path):
            continue
        try:
            with open(os.path.join(directory, name), "rb") as file:
                if file.read(16)[:4] == importlib.util.MAGIC_NUMBER:
                    if marshal.loads(file.read()).co_filename == path + ".py":
                        yield path + ".py", os.path.join(directory, name)
        except (OSError, ValueError, EOFError, TypeError):
            pass

def local(site, package):
    for name in os.listdir(site):
        if not name.endswith(".dist-info"):
            continue
        try:
            with open(os.path.join(site, name, "direct_url.json")) as file:
                folder = json.load(file).get("dir_info")
            if folder is None or folder.get("editable"):
                continue
            with open(os.path.join(site, name, "RECORD")) as file:
                if any(line.startswith(package + "/") for line in file):
                    return True
        except (OSError, ValueError):
            pass
    return False

def installed(sources):
    tops = {os.path.dirname(one) for one in sources if one.endswith("/__init__.py")}
    for top in sorted(tops):
        parent, package = os.path.split(top)
        if parent in tops:
            continue
        for site in sorted({sysconfig.get_paths()[one] for one in ("purelib", "platlib")}):
            other = os.path.join(site, package)
            if not os.path.isfile(os.path.join(other, "__init__.py")):
                continue
            if os.path.samefile(top, other) or not local(site, package):
                continue
            for source in sources:
                copy = other + source[len(top):]
                if source.startswith(top + "/") and os.path.isfile(copy):
                    with open(source, "rb") as one, open(copy, "rb") as two:
                        if one.read() != two.read():
                            yield source, copy, parent

found = []
sources = json.load(sys.stdin)
for source in sources:
    try:
        status = os.lstat(source)
    except OSError:
        continue
    for cached in (importlib.util.cache_from_source(source),):
        said = judge(source, status, cached)
        if said:
            found.append([said[0], source, cached, said[1]])
for directory in sorted(set(map(os.path.dirname, sources))):
    try:
        found.extend(
            ["orphan", source, cached, ""] for source, cached in orphans(directory, sources))
    except OSError:
        pass
try:
    found.extend(["installed", *one] for one in installed(sources))
except OSError:
    pass
json.dump(found, sys.stdout)
"""


def observe_bytecode(view: ReplicaView, record: ReplicaRuntime) -> ReplicaRuntime:
    """Only looked for when sources changed since it last was right: that is when it can lie."""
    files, made, replica = view.observation.files, view.tools.store.creation_records, view.replica
    sources = [path for path in view.visible if path.endswith(".py") and path in files]
    if not sources:
        return record
    known = "\0".join(f"{path}\0{files[path].digest}" for path in sorted(sources))
    fingerprint = hashlib.sha256(known.encode(errors="surrogateescape")).hexdigest()
    if not view.full and made.read_clean(replica.id) == fingerprint:
        return record
    engine = view.tools.engine
    bytecode = _imported(engine, replica, bytecode_of(engine, replica.id, sources))
    if not bytecode:
        made.record_clean(replica.id, fingerprint)
    return replace(record, bytecode=bytecode)


def bytecode_of(
    engine: Engine, container_id: str, sources: Collection[str]
) -> tuple[Bytecode, ...]:
    """What lies about ``sources`` (absolute, in the container); () where no Python is there.

    The container's own user looks, as its programs do: what is closed to root may be open to it.
    Raises TargetGone.
    """
    text = json.dumps(sorted(sources)).encode()
    argv = ("python3", "-S", "-B", "-c", _SCRIPT)
    try:
        done = execs.run(engine, container_id, argv, stdin=text, timeout=_SECONDS)
        return tuple(_read(done.stdout, sources)) if done.ok else ()
    except (EngineFailed, OutcomeUnknown):
        return ()  # it cannot run commands now: the snapshot of its files says so


def _imported(
    engine: Engine, replica: Replica, bytecode: tuple[Bytecode, ...]
) -> tuple[Bytecode, ...]:
    """Without installed copies that the program may not import at all."""
    if not any(copy.kind == "installed" for copy in bytecode):
        return bytecode
    made = engine.creation(replica.id)
    directory, path = made.working_dir or "/", made.environment.get("PYTHONPATH") or ""
    return tuple(
        copy
        for copy in bytecode
        if copy.kind != "installed"
        or not importable(copy.origin, working_dir=directory, path=path, argv=replica.command)
    )


def _read(output: bytes, sources: Collection[str]) -> Iterator[Bytecode]:
    """The container's word is not trusted: only what could have been asked for is taken."""
    try:
        rows = json.loads(output)
    except ValueError:
        return
    directories = {posixpath.dirname(source) for source in sources}
    for row in rows if isinstance(rows, list) else ():
        if not (isinstance(row, list) and len(row) == 4 and all(isinstance(p, str) for p in row)):
            continue
        kind, source, compiled, origin = row
        if kind in _KINDS and posixpath.dirname(source) in directories:
            yield Bytecode(kind, source, compiled, origin)


def importable(directory: str, *, working_dir: str, path: str, argv: Collection[str]) -> bool:
    """Whether a program may import from ``directory`` before it looks among what is installed.

    Its working directory, ``PYTHONPATH`` and every directory that its command line names count, as
    does where the script lies that it runs: a doubt is no finding.
    """
    words = [*path.split(":"), *(part for word in argv for part in word.split("="))]
    named = {posixpath.normpath(posixpath.join(working_dir, word)) for word in words if word}
    above = {posixpath.dirname(name) for name in named}
    return directory in {posixpath.normpath(working_dir), *named, *above}
