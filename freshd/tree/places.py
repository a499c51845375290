"""Where a path really is, and what keeps it from being read.

In: a path, a relative one from the process's directory. Out: its place, the links that were
followed to it, or words for what is in the way. Links are read and never opened.
"""

import errno
import os
import stat
from typing import Final, NamedTuple

_MOST_LINKS: Final = 40  # as many as the kernel follows


class Place(NamedTuple):
    """``path`` is absolute and holds no link, unless links lead in a circle.

    ``links`` are those on the way, each named by the real place of the directory it is in.
    """

    path: str
    links: tuple[str, ...] = ()


def find_place(path: str) -> Place:
    """Follow every link of a path; what is not there is taken by name."""
    links: list[str] = []
    whole = path if path.startswith("/") else os.path.join(os.getcwd(), path)
    here, waiting = "/", whole.split("/")[::-1]
    while waiting:
        name = waiting.pop()
        if name in ("", "."):
            continue
        if name == "..":
            here = os.path.dirname(here)
            continue
        there = os.path.join(here, name)
        try:
            text = os.readlink(there)
        except OSError:  # no link, or nothing that can be looked at: who opens it is told
            here = there
            continue
        links.append(there)
        if len(links) > _MOST_LINKS:
            return Place(os.path.join(there, *reversed(waiting)), tuple(dict.fromkeys(links)))
        here = "/" if text.startswith("/") else here
        waiting.extend(text.split("/")[::-1])
    return Place(here, tuple(dict.fromkeys(links)))


def settle_parent(path: str) -> str:
    """The same file by the real place of its directory: a link in the last place stays one."""
    parent, name = os.path.split(os.path.normpath(path))
    return os.path.join(find_place(parent).path, name) if name else parent


def find_trouble(path: str) -> str:
    """Why nothing can be known of what ``path`` leads to, in words; "" where it is there.

    And "" where nothing of that name is there: that is known, unless a link leads to it.
    """
    try:
        os.stat(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            return error.strerror or str(error)
        links = find_place(path).links
        return f"the link {links[-1]} leads to nothing" if links else ""
    return ""


def find_obstacle(root: str, path: str, error: OSError) -> str:
    """Why the directory ``path`` beneath ``root`` was not opened, in words; "": it is not there.

    A link on the way hides what is behind it, and so does what cannot be read. Only a directory
    that was read without that name, or a file in a directory's place, says that nothing is there.
    """
    if error.errno == errno.ENOENT:
        return ""
    if error.errno not in (errno.ENOTDIR, errno.ELOOP):
        return error.strerror or str(error)
    here = root
    for name in path.split("/"):
        here = os.path.join(here, name)
        try:
            mode = os.lstat(here).st_mode
        except OSError as again:
            return "" if again.errno == errno.ENOENT else again.strerror or str(again)
        if stat.S_ISLNK(mode):
            return f"{os.path.relpath(here, root)} is a symbolic link, and is not followed"
        if not stat.S_ISDIR(mode):
            return ""
    return "it changes while it is read"
