"""The judge: are the bytes in a container those of the tree?

Uses the docker command and hashlib only, so that freshd is never judged by itself.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from tests.harness.docker import Docker

# One line per name read from stdin: its hash, and x where it is executable. The name is not
# repeated, so no name can disturb the answer.
SCRIPT = """xargs -0 -n 200 sh -c '
for name; do
  if [ -d "$name" ]; then echo directory; continue; fi
  if [ ! -e "$name" ] && [ ! -L "$name" ]; then echo missing; continue; fi
  sum=$(sha256sum <"$name" 2>/dev/null) || { echo unreadable; continue; }
  if [ -x "$name" ]; then echo "${sum%% *} x"; else echo "${sum%% *} -"; fi
done' judge"""

# The same with one sha256sum for many files: first a word for each name, then the hashes, each with
# its name, which must hold no newline and no backslash.
PLAIN_SCRIPT = """xargs -0 -n 500 sh -c '
for name; do
  shift
  if [ -d "$name" ]; then echo directory; continue; fi
  if [ ! -e "$name" ] && [ ! -L "$name" ]; then echo missing; continue; fi
  set -- "$@" "$name"
  if [ -x "$name" ]; then echo x; else echo -; fi
done
[ $# = 0 ] || sha256sum -- "$@"' judge"""
BATCH = 500

MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Seen:
    """``digest`` is lower hex sha256, or ``missing``, ``directory``, ``unreadable``."""

    digest: str
    executable: bool = False


def in_tree(path: str) -> Seen:
    """What the host file says; links are not followed."""
    if not os.path.lexists(path):
        return Seen(MISSING)
    if os.path.isdir(path):
        return Seen("directory")
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Seen(digest, bool(os.stat(path).st_mode & 0o111))


def in_container(docker: Docker, container: str, paths: tuple[str, ...]) -> dict[str, Seen]:
    """What a container's files say: by its own sha256sum, or by ``docker cp`` where it has none."""
    if not paths:
        return {}
    raw = [os.fsencode(path) for path in paths]
    if not any(b"\n" in name or b"\\" in name for name in raw):
        found = _many(_answer(docker, container, PLAIN_SCRIPT, raw), paths)
        if found is not None:
            return found
    lines = _answer(docker, container, SCRIPT, raw)
    if len(lines) != len(paths):
        return {path: _copied_out(docker, container, path) for path in paths}
    return {path: _parse(line.decode()) for path, line in zip(paths, lines, strict=True)}


def _answer(docker: Docker, container: str, script: str, names: list[bytes]) -> list[bytes]:
    """The lines that a script printed; none where it failed."""
    stdin = b"".join(name + b"\0" for name in names)
    done = docker("exec", "-i", "-u", "0", container, "sh", "-c", script, stdin=stdin, check=False)
    return done.stdout.split(b"\n")[:-1] if done.returncode == 0 else []


def _many(lines: list[bytes], paths: tuple[str, ...]) -> dict[str, Seen] | None:
    """What PLAIN_SCRIPT said of ``paths``; None where that is not all of it."""
    found: dict[str, Seen] = {}
    at = 0
    for start in range(0, len(paths), BATCH):
        batch = paths[start : start + BATCH]
        words = [line.decode() for line in lines[at : at + len(batch)]]
        files = [path for path, word in zip(batch, words, strict=False) if word in ("x", "-")]
        at += len(batch)
        hashes = lines[at : at + len(files)]
        at += len(files)
        if len(words) != len(batch) or len(hashes) != len(files):
            return None
        found |= {path: Seen(word) for path, word in zip(batch, words, strict=True)}
        for path, line in zip(files, hashes, strict=True):
            if line[64:] != b"  " + os.fsencode(path):
                return None
            found[path] = Seen(line[:64].decode(), found[path].digest == "x")
    return found if at == len(lines) else None


def read(docker: Docker, container: str, path: str) -> bytes | None:
    """A file's bytes in a container, running or not; None where there is no such file."""
    member = _member(docker, container, path)
    return member[1] if member else None


def differences(
    docker: Docker,
    containers: Mapping[str, str],
    root: str,
    pairs: Mapping[str, str],
    *,
    modes: bool,
) -> list[str]:
    """Every place where a container (id -> name) is not the tree; empty means level.

    ``pairs`` is source (relative to ``root``) -> target. A source that is not in the tree must not
    be in the container either. ``modes`` compares the executable bit too.
    """
    expected = {target: in_tree(os.path.join(root, source)) for source, target in pairs.items()}
    found = []
    for identity, name in containers.items():
        seen = in_container(docker, identity, tuple(expected))
        for target, tree in expected.items():
            there = seen[target]
            if there.digest != tree.digest:
                found.append(f"{name}:{target!r}: {there.digest[:12]}, tree {tree.digest[:12]}")
            elif modes and there.executable != tree.executable:
                found.append(f"{name}:{target!r}: executable {there.executable}")
    return found


def _parse(line: str) -> Seen:
    digest, _, mode = line.partition(" ")
    return Seen(digest, mode == "x")


def _copied_out(docker: Docker, container: str, path: str) -> Seen:
    member = _member(docker, container, path)
    if member is None:
        return Seen(MISSING)
    info, content = member
    if info.isdir():
        return Seen("directory")
    return Seen(hashlib.sha256(content).hexdigest(), bool(info.mode & 0o111))


_ABSENT = (b"could not find the file", b"no such file", b"no such container:path")


def _member(docker: Docker, container: str, path: str) -> tuple[tarfile.TarInfo, bytes] | None:
    done = docker("cp", f"{container}:{path}", "-", check=False)
    if done.returncode != 0:
        if any(words in done.stderr.lower() for words in _ABSENT):
            return None
        raise AssertionError(
            f"docker cp {container}:{path}: {done.stderr.decode(errors='replace')}"
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        info = archive.next()
        assert info is not None
        file = archive.extractfile(info) if info.isreg() else None
        return info, file.read() if file else b""
