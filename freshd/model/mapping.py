"""Where the files of a tree land in the containers of a service."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Via(StrEnum):
    """How a tree file gets to its place in the container."""

    COPY = "copy"
    BIND = "bind"
    DECLARED = "declared"


class Pair(NamedTuple):
    """One tree file and where it lands; a tuple, since a large tree has a hundred thousand.

    ``source`` is relative to the project directory (``../x`` for a context outside it), ``target``
    absolute in the container. ``effective`` is false where a mount hides it; ``hidden_by`` then
    names that mount's destination. ``mode`` is the COPY's ``--chmod``. ``also_input`` marks a file
    that the build also consumes, so that injecting it is not enough. With ``free_mode`` the build
    sets a mode that the tree does not tell: modes are not to be compared. With ``on_change`` the
    file belongs there once it changed after the container was made; before that the image decides.
    """

    source: str
    target: str
    via: Via
    effective: bool = True
    hidden_by: str | None = None
    mode: int | None = None
    also_input: bool = False
    free_mode: bool = False
    on_change: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """Where the tree's files land in one service, and what else its build reads.

    ``pairs`` are sorted by (target, via); ``inputs`` are project-relative and include the
    Dockerfile and its ignore file; ``traceless`` is the part of the inputs of which the image
    keeps no verbatim trace. ``opaque`` says in words what could not be followed, ``lasting`` the
    part of it that no record of a build settles either.
    ``copied_into`` are the container directories COPY lands in, where leftovers are looked for.
    ``origins`` inverts a leftover: container directory -> project-relative source directory; and
    the target of a rule for one file -> that file. ``unread`` are the places that the build, a
    mount or a rule names and that cannot be read -> why: nothing is known of what they hold.
    ``copy_lines`` are the history lines of the Dockerfile's COPYs -> whether the line brings files
    of the tree and nothing else, so that what it wrote and the tree lacks has left the tree.
    ``data`` are files of the tree that a COPY takes and that are the data of a service -> whose, in
    words: they are compared nowhere, and brought nowhere.
    """

    service: str
    pairs: tuple[Pair, ...] = ()
    inputs: tuple[str, ...] = ()
    traceless: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()
    run_after_copy: bool = False
    copied_into: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    copy_lines: Mapping[str, bool] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
