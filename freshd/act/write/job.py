"""What is to be written, once it is decided where and with whose rights: files, directories."""

from dataclasses import dataclass

from freshd.engine.container.shell_output import FileFacts
from freshd.engine.container.spool import Spooled
from freshd.model.files import Entry


@dataclass(frozen=True, slots=True)
class Job:
    """One file to write: ``path`` is ``target`` with the image's own links resolved, ``above``
    the nearest directory that exists, ``replaces`` whether something is at ``path`` already.
    """

    target: str
    path: str
    want: Entry
    content: Spooled
    uid: int
    gid: int
    mode: int
    mtime: int
    above: FileFacts | None = None
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory that is missing on the way: owner, mode and setgid are those of its nearest
    existing ancestor.
    """

    path: str
    uid: int
    gid: int
    mode: int
    mtime: int = 0
