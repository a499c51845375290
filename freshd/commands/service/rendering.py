"""The unit and the agent, made of their templates. Pure: text and values come in, text goes out."""

import plistlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from freshd.commands.service.marking import mark
from freshd.model.errors import ConfigError
from freshd.model.text import printable

_ENVIRONMENT: Final = re.compile(r'^Environment="([A-Z_]+)=(.*)"$', re.MULTILINE)
_VERB: Final = ("run", "--all")


def unit(
    template: str, program: Iterable[str], environment: Mapping[str, str], *, version: str
) -> str:
    """The systemd unit: the template with this program and environment."""
    command = " ".join(_word(word) for word in (*program, *_VERB))
    lines = [f"ExecStart={command}"]
    lines += [f'Environment="{name}={_escaped(value)}"' for name, value in environment.items()]
    text, count = re.subn(
        r"^ExecStart=.*$", lambda _: "\n".join(lines), template, count=1, flags=re.MULTILINE
    )
    assert count == 1
    return mark(text, version=version, comment="# {}")


def unit_environment(text: str) -> dict[str, str]:
    """The environment that ``unit`` put there."""
    return {name: _unescaped(value) for name, value in _ENVIRONMENT.findall(text)}


def agent(
    template: bytes,
    program: Iterable[str],
    environment: Mapping[str, str],
    *,
    version: str,
    log: str,
) -> str:
    """The launchd agent: the template with this program, environment and log file."""
    plist = plistlib.loads(template)
    plist["ProgramArguments"] = [*program, *_VERB]
    plist["EnvironmentVariables"] = dict(environment)
    plist["StandardOutPath"] = plist["StandardErrorPath"] = log
    text = plistlib.dumps(plist, sort_keys=False).decode()
    return mark(text, version=version, comment="<!-- {} -->", at=1)


def agent_environment(text: str) -> dict[str, str]:
    """The environment that ``agent`` put there; of a file that is no agent, none."""
    try:
        return dict(plistlib.loads(text.encode())["EnvironmentVariables"])
    except Exception:  # noqa: BLE001 - the parser raises what its own parser raises
        return {}


def _word(word: str) -> str:
    """One word of a command line of systemd's, which takes no quotes in a program's name."""
    if not word.isprintable() or set(word) & set("\"'\\"):
        raise ConfigError(
            f"systemd cannot start {printable(word)}: there are quotes or the like in its path",
            hint="install freshd elsewhere, or start `freshd run --all` by other means",
        )
    plain = re.fullmatch(r"[\w@:,./+=-]+", word) is not None
    return word if plain else f'"{_escaped(word)}"'


def _escaped(text: str) -> str:
    """For double quotes, with systemd's specifiers meant as they are."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text.replace("%%", "%"))
