"""Add a ``[[project]]`` to ``config.toml``: a project in, its table at the end of the file out.

It is added as text, so that what a person wrote stays.
"""

import json
import os

from freshd.config.atomic_write import replace_file
from freshd.config.load import ConfiguredProject, parse_user_config
from freshd.config.toml import read_text
from freshd.model.errors import ConfigError
from freshd.model.text import printable


def add_project(path: str, project: ConfiguredProject) -> bool:
    """Append it to the file at ``path``, made if need be; False when it is there already.

    Two projects are one if their directories are, links followed. Raises ``ConfigError`` where the
    file is invalid or cannot be written; it then stays as it was.
    """
    text = read_text(path) if os.path.lexists(path) else ""
    name = os.path.basename(path)
    configured = parse_user_config(text, name).projects
    if any(os.path.realpath(other.dir) == os.path.realpath(project.dir) for other in configured):
        return False
    longer = append_project(text, project)
    try:
        parse_user_config(longer, name)
    except ConfigError as error:
        raise ConfigError(
            f"cannot add {printable(project.dir)} to {printable(path)}",
            problems=error.problems or (error.message,),
            hint="add the [[project]] table by hand",
        ) from error
    _write(path, longer)
    return True


def append_project(text: str, project: ConfiguredProject) -> str:
    """``text`` with the table of ``project`` at its end."""
    lines = ["[[project]]", f"dir = {_quoted(_with_tilde(project.dir))}"]
    if project.files:
        lines.append(f"files = [{', '.join(map(_quoted, project.files))}]")
    if project.name is not None:
        lines.append(f"name = {_quoted(project.name)}")
    if project.profiles:
        lines.append(f"profiles = [{', '.join(map(_quoted, project.profiles))}]")
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return text + gap + "\n".join(lines) + "\n"


def _with_tilde(directory: str) -> str:
    home = os.path.expanduser("~")
    below = directory.removeprefix(home.rstrip("/") + "/")
    return directory if below == directory or home == "/" else f"~/{below}"


def _quoted(text: str) -> str:
    """A TOML basic string. ``ConfigError`` for bytes that are not UTF-8, which TOML cannot hold.

    JSON's escapes are TOML's, but for the one character that JSON leaves as it is.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"{printable(text)} is not UTF-8, which config.toml cannot hold",
            hint="run it by itself: freshd run",
        ) from error
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _write(path: str, text: str) -> None:
    """A link stays a link, and the mode what it was."""
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o600
        replace_file(target, text, mode=mode)
    except OSError as error:
        raise ConfigError(
            f"{printable(path)} cannot be written: {error.strerror}",
            hint="add the [[project]] table by hand, or set FRESHD_CONFIG_DIR",
        ) from error
