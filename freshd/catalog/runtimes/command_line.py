"""Which program a command line starts, behind shells, init programs and package runners. Pure.

In: an argv and a way to read scripts. Out: a ``Program``. What cannot be followed is left as it is.
"""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

Read = Callable[[str], "str | None"]
"""The text of a file of the service's container, by its path there; None: not known."""

_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})
_PYTHON = re.compile(r"python(?:\d+(?:\.\d+)?)?")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_SCRIPT = re.compile(r".*\.(?:sh|bash)|.*entrypoint[^/]*")
# they replace themselves by the program, or hand its signals on: how many words go before it
_EXECS = {
    "exec": 0, "tini": 0, "dumb-init": 0, "docker-init": 0, "catatonit": 0, "nice": 0, "env": 0,
    "command": 0, "su-exec": 1, "gosu": 1, "ddtrace-run": 0, "opentelemetry-instrument": 0,
    "time": 0, "stdbuf": 0, "chroot": 1, "cross-env": 0, "cross-env-shell": 0,
}  # fmt: skip
# package runners stay, and are the process that gets the signals: the word that may follow them
_RUNNERS = {
    "poetry": ("run",), "pdm": ("run",), "hatch": ("run",), "rye": ("run",), "uv": ("run",),
    "pipenv": ("run",), "npx": (), "bunx": (), "pnpx": (), "bundle": ("exec",),
    "doppler": ("run",), "infisical": ("run",), "op": ("run",), "newrelic-admin": ("run-program",),
    "xvfb-run": (), "timeout": (), "dotenv": (), "dockerize": (), "docker-php-entrypoint": (),
}  # fmt: skip
_WAITERS = re.compile(r"wait-for(?:-it)?(?:\.sh)?|wait")
_PACKAGERS = frozenset({"npm", "yarn", "pnpm", "bun"})
_VALUED = frozenset(
    {"-e", "-f", "-c", "-u", "-g", "-n", "-p", "-s", "--env-file", "--package", "--project",
     "--directory", "--python", "--with", "--extra", "--group", "-wait", "-timeout"}
)  # fmt: skip
_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Program:
    """``name`` is without directories; ``first`` says that signals to the container reach it.

    ``before`` are the commands that the same line or script runs first, as words.
    """

    name: str
    args: tuple[str, ...] = ()
    first: bool = True
    before: tuple[tuple[str, ...], ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        return (self.name, *self.args)

    def has(self, *flags: str) -> bool:
        """Whether one of the flags is there, with a value or alone."""
        return any(word.split("=", 1)[0] in flags for word in self.args)

    @property
    def verb(self) -> str:
        """The first argument that is no flag, "" without one."""
        return next((word for word in self.args if not word.startswith("-")), "")


def unwrap(argv: tuple[str, ...], read: Read) -> Program | None:
    """The program that an argv starts in the end; None for an empty one."""
    words = list(argv)
    program = Program("")
    for _ in range(_DEPTH):
        while words and _ASSIGNMENT.match(words[0]):
            words.pop(0)
        if not words:
            return None
        program = replace(program, name=words[0].rpartition("/")[2], args=tuple(words[1:]))
        step = _unwrap_once(program, words[0], read)
        if step is None:
            return program
        words, program = step
    return program


def _unwrap_once(program: Program, path: str, read: Read) -> tuple[list[str], Program] | None:
    """What the program runs in its place or below it; None: it is the last one."""
    name, args = program.name, list(program.args)
    if name in _SHELLS:
        return _shell(program, args, read)
    if name in _EXECS:
        rest = _without_options(args)
        return _rest(rest[_EXECS[name] :], program)
    if name in _PACKAGERS:
        return _package_script(program, args, read)
    if name in _RUNNERS and (not _RUNNERS[name] or program.verb in _RUNNERS[name]):
        rest = _without_options(args)
        rest = rest[1:] if _RUNNERS[name] or name == "timeout" else rest
        return _rest(
            _without_options(rest), replace(program, first=name == "docker-php-entrypoint")
        )
    if _WAITERS.fullmatch(name) and "--" in args:
        return _rest(args[args.index("--") + 1 :], program)
    if _PYTHON.fullmatch(name):
        return _python(program, args)
    if _SCRIPT.fullmatch(name):
        return _script(program, path, args, read)
    return None


def _rest(words: list[str], program: Program) -> tuple[list[str], Program] | None:
    return (words, program) if words else None


def _without_options(args: list[str]) -> list[str]:
    rest = list(args)
    while rest and (rest[0].startswith("-") or _ASSIGNMENT.match(rest[0])):
        word = rest.pop(0)
        if word == "--":
            break
        if word in _VALUED and rest:
            rest.pop(0)
    return rest


def _shell(program: Program, args: list[str], read: Read) -> tuple[list[str], Program] | None:
    at = next((i for i, word in enumerate(args) if re.fullmatch(r"-[a-z]*c[a-z]*", word)), None)
    if at is not None and at + 1 < len(args):
        return _commands(args[at + 1], args[at + 3 :], program)
    rest = _without_options(args)
    return _script(program, rest[0], rest[1:], read) if rest else None


def _script(
    program: Program, path: str, args: list[str], read: Read
) -> tuple[list[str], Program] | None:
    """A script of the tree is read; one of the base image is taken to run its arguments."""
    text = read(path)
    if text is None:
        return _rest(args, program)
    return _commands(text, args, program) or _rest(args, program)


def _commands(text: str, args: list[str], program: Program) -> tuple[list[str], Program] | None:
    """The last command of a shell text, with what comes before it noted."""
    commands = split_commands(text)
    if not commands:
        return None
    *before, last = commands
    execs = last[0] == "exec"
    words = last[1:] if execs else last
    if words and words[0] in ("$@", "$*"):
        words = [*args]
    before_it = (*program.before, *map(tuple, before))
    # a shell that does not exec stays, and keeps the signals to itself
    return _rest(words, replace(program, before=before_it, first=program.first and execs))


def split_commands(text: str) -> list[list[str]]:
    """The simple commands of a shell text, in order; quoting is resolved, variables are not."""
    joined = re.sub(r"\\\r?\n", " ", text)
    commands: list[list[str]] = []
    for line in joined.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        command: list[str] = []
        try:
            for word in lexer:
                if set(word) <= set(";&|()"):
                    commands.append(command)
                    command = []
                else:
                    command.append(word)
        except ValueError:
            pass  # a quote that spans lines: what was read so far stands
        commands.append(command)
    return [words for command in commands if (words := _plain(command))]


_KEYWORDS = frozenset({"if", "then", "else", "elif", "fi", "do", "done", "while", "for", "case"})
_SILENT = frozenset(
    {
        *("esac", "set", "export", "echo", "[", "[[", "cd", "trap", "shift", "umask", "in", "{"),
        *("}", "ulimit", "wait", "sleep", "true", ":", "source", "."),
    }
)


def _plain(command: list[str]) -> list[str]:
    """Without shell keywords, and nothing of what only prepares the shell itself."""
    while command and (command[0] in _KEYWORDS or _ASSIGNMENT.match(command[0])):
        command = command[1:]
    if not command or (command[0] in _SILENT and not _sleeps(command)):
        return []
    return command


def _sleeps(command: list[str]) -> bool:
    return command[:1] == ["sleep"] and command[1:2] in (["infinity"], ["inf"])


def _python(program: Program, args: list[str]) -> tuple[list[str], Program] | None:
    rest = list(args)
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        option = rest.pop(0)
        if option in ("-W", "-X") and rest:
            rest.pop(0)
    if rest[:1] == ["-m"] and len(rest) > 1:
        if rest[1] in ("debugpy", "coverage", "cProfile", "memory_profiler"):
            more = rest[rest.index("-m", 2) :] if "-m" in rest[2:] else _without_options(rest[2:])
            return _rest(["python", *more], program)
        return [rest[1].split(".")[0], *rest[2:]], program
    if rest and not rest[0].endswith(".py") and "/bin/" in rest[0]:
        return rest, program  # python /usr/local/bin/gunicorn
    return None


def _package_script(
    program: Program, args: list[str], read: Read
) -> tuple[list[str], Program] | None:
    """``npm run dev``, ``yarn start``: what package.json says."""
    rest = _without_options(args)
    if rest and rest[0] in ("run", "run-script", "exec", "dlx", "x", "--"):
        verb, rest = rest[0], _without_options(rest[1:])
        if verb in ("exec", "dlx", "x"):
            return _rest(rest, replace(program, first=False))
    if program.name == "bun" and (program.has("--watch", "--hot") or not rest):
        return None
    name = rest[0] if rest else "start"
    script = read_scripts(read("package.json")).get(name)
    if script is None:
        return _rest(rest, replace(program, first=False)) if program.name == "yarn" else None
    return _commands(f"{script} {shlex.join(rest[1:])}", [], replace(program, first=False))


def read_scripts(package: str | None) -> dict[str, str]:
    """The ``scripts`` of a package.json; empty for what is none."""
    try:
        scripts = json.loads(package or "{}").get("scripts", {})
        return {str(key): str(value) for key, value in scripts.items()}
    except (ValueError, AttributeError):
        return {}
