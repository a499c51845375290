"""Which of a container's processes run the tree's code: a process table in, a ``Judgement`` out.

Inits, shells, supervisors and reloaders only start others, and a master that loads no code itself
only keeps workers: what counts is the age of what they started. Pure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from freshd.model.observed.processes import Process

_STARTERS: Final = frozenset(
    {
        *("tini", "docker-init", "dumb-init", "catatonit", "sh", "bash", "ash", "dash", "zsh"),
        *("su", "sudo", "gosu", "su-exec", "timeout", "nice", "env", "make", "npm", "npx", "yarn"),
        *("pnpm", "poetry", "pipenv", "uv", "pdm", "supervisord", "s6-svscan", "s6-supervise"),
        *("runsv", "runsvdir", "circusd", "honcho", "foreman", "pm2", "PM2", "entr", "reflex"),
    }
)
_RELOADERS: Final = frozenset({"nodemon", "watchmedo", "watchfiles", "ts-node-dev", "tsx"})
_HELPERS: Final = ("multiprocessing.resource_tracker", "multiprocessing.semaphore_tracker")
_FLASKS: Final = frozenset({"flask", "manage.py", "werkzeug"})

LANGUAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "python": (".py",),
    "node": (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"),
    "bun": (".js", ".mjs", ".cjs", ".ts", ".mts", ".jsx", ".tsx"),
    "deno": (".js", ".mjs", ".ts", ".mts", ".jsx", ".tsx"),
    "ruby": (".rb",),
    "perl": (".pl", ".pm"),
    "php": (".php",),
    "nginx": (".conf",),
}
"""What the processes of each interpreter load once, when they start."""

_NAMED: Final = (
    *((re.compile(rf"{language}[\d.]*"), language) for language in LANGUAGES),
    (re.compile(r"gunicorn|celeryd?|uwsgi"), "python"),
    (re.compile(r"puma|sidekiq|unicorn(?:_rails)?|resque-[\d.]+|Passenger"), "ruby"),
    (re.compile(r"solid-queue-.+"), "ruby"),
    (re.compile(r"next-server"), "node"),
)
"""The names of interpreters, and of programs that write a title over their command line: of those
``ps`` shows no interpreter.
"""

CONFIGURATION: Final = (".conf", ".cfg", ".template", ".vcl")
"""The files in which proxies are told where to forward to."""

EVERY: Final = tuple(sorted({ending for endings in LANGUAGES.values() for ending in endings}))

_TESTS: Final = re.compile(
    r"(?:^|/)(?:tests?|__tests__|spec|e2e)/|(?:^|/)(?:test_[^/]*|conftest)\.py$"
    r"|[^/]_test\.(?:py|rb)$|[._](?:test|spec)\.[cm]?[jt]sx?$"
)
_TOOLS: Final = re.compile(
    r"/(?:__pycache__|coverage|htmlcov|\.(?:cache|parcel-cache|vite|turbo|angular|nyc_output|git"
    r"|idea|vscode|tox|nox|eggs|hypothesis|ipynb_checkpoints|(?:pytest|mypy|ruff|sass)[-_]cache))/"
)
"""Where tools keep what they made for themselves."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A process that runs code. ``through`` is "reloader" or "master" where one started it."""

    process: Process
    language: str
    program: str
    through: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The age of ``serving`` counts; ``preloading`` hand to them the code they loaded."""

    serving: tuple[Judged, ...] = ()
    preloading: tuple[Judged, ...] = ()


_PHP_SERVERS: Final = {
    "php-fpm": "fpm",
    "php-cgi": "cgi",
    "apache2": "apache2",
    "httpd": "apache2",
    "frankenphp": "frankenphp",
}
_PHP_VERSION: Final = re.compile(r"(?:php(?:-fpm|-cgi)?|/etc/php/)(\d\.\d+)")


@dataclass(frozen=True, slots=True)
class Served:
    """A PHP that reads a script for each request, or may have kept it.

    ``kind`` is what Debian calls it: fpm, cgi, cli, apache2. ``version`` is as in "8.2", or "".
    """

    kind: str
    version: str = ""
    words: tuple[str, ...] = field(default=(), repr=False)


def read_php_server(words: tuple[str, ...]) -> Served | None:
    """What a command line is as a server of PHP scripts; None for anything else."""
    name = words[0].rpartition("/")[2].removesuffix(":") if words else ""
    program = re.sub(r"[\d.]+$", "", name) if name.startswith("php") else name
    kind = _PHP_SERVERS.get(program, "cli" if program == "php" and "-S" in words else "")
    version = _PHP_VERSION.search(" ".join(words)) if kind else None
    return Served(kind, version[1] if version else "", words) if kind else None


def find_php_servers(processes: Iterable[Process]) -> tuple[tuple[Process, Served], ...]:
    """The servers of PHP scripts that no other one of them started: they keep what is compiled."""
    servers = {
        process.pid: (process, served)
        for process in processes
        if (served := read_php_server(process.words)) is not None
    }
    return tuple(pair for pair in servers.values() if pair[0].parent not in servers)


def is_code(path: str) -> bool:
    """Whether a program may load it when it starts; no server loads tests, nor a tool's cache."""
    return path.endswith(EVERY) and not _TESTS.search(path) and not _TOOLS.search(path)


def is_read(path: str) -> bool:
    """Whether a program may read it when it starts: code, or the configuration of a proxy."""
    return is_code(path) or path.endswith(CONFIGURATION)


def select_own_tree(processes: Iterable[Process], root: int) -> tuple[Process, ...]:
    """The container's first process and those below it; what an exec or a health check started
    beside them is left out.
    """
    every = tuple(processes)
    below, count = {root}, 0
    while len(below) > count:
        count = len(below)
        below |= {process.pid for process in every if process.parent in below}
    return tuple(process for process in every if process.pid in below)


def judge(processes: Iterable[Process], root: int, *, mode: str) -> Judgement:
    """Which processes of the container's own tree serve; others are left out."""
    children: dict[int, list[Process]] = {}
    top = None
    for process in processes:
        children.setdefault(process.parent, []).append(process)
        top = process if process.pid == root else top
    if top is None:
        return Judgement()
    serving: list[Judged] = []
    preloading: list[Judged] = []
    waiting = [(top, "")]
    while waiting:
        process, through = waiting.pop()
        below = [child for child in children.get(process.pid, ()) if not _is_helper(child)]
        judged = _recognize(process, through)
        part = _part(process, below, mode)
        if judged is not None and part == "preloads":
            preloading.append(judged)
        if judged is not None and part == "serves":
            serving.append(judged)
        elif part != "serves" or judged is None:  # an unknown supervisor is passed through
            through = part if part in ("reloader", "master") else through
            waiting += [(child, through) for child in below]
    serving.sort(key=lambda judged: judged.process.pid)
    return Judgement(tuple(serving), tuple(preloading))


def _part(process: Process, below: list[Process], mode: str) -> str:
    """What a process is to those below it: starts, reloader, master, preloads; else it serves."""
    names = set(_names(process.words))
    words = set(process.words)
    if names & _RELOADERS or ("node" in names and words & {"--watch", "--watch-path"}):
        return "reloader"
    if names & _STARTERS:
        return "starts"
    if not below:
        return "serves"
    if "gunicorn" in names:
        if "--preload" in words:
            return "preloads"
        return "reloader" if "--reload" in words else "master"
    if names & {"uvicorn", "hypercorn", "granian"}:
        return "reloader" if mode == "self" else "master"
    if "nginx" in names:
        return "master"
    twin = any(_script(child.words) == _script(process.words) for child in below)
    return "reloader" if mode == "self" and (twin or names & _FLASKS) else "serves"


def _recognize(process: Process, through: str) -> Judged | None:
    """None for a program that loads nothing of what can be mapped, or reads it for each request."""
    if read_php_server(process.words) is not None:
        return None
    for name in _names(process.words):
        for pattern, language in _NAMED:
            if pattern.fullmatch(name):
                return Judged(process, language, _program(process.words), through)
    return None


def _names(words: tuple[str, ...]) -> Iterator[str]:
    """The names a process goes by: its program, and the script or module it runs."""
    if not words:
        return
    if len(words) > 1 and re.fullmatch(r"\[\w+\]", words[0]):
        words = words[1:]  # as in "[ready] gunicorn: worker"
    first = words[0].rpartition("/")[2].removesuffix(":").removeprefix("[").removeprefix("-")
    yield first
    if re.fullmatch(r"(?:python|node|ruby|perl|bun|deno|php)[\d.]*", first):
        script = _script(words)
        if script:
            yield script


def _script(words: tuple[str, ...]) -> str:
    """The script or module, without its directories: ``python -m flask run`` runs ``flask``."""
    rest = iter(words[1:])
    for word in rest:
        if word == "-m":
            return next(rest, "").partition(".")[0]
        if word == "-c":
            return ""
        if word in ("-W", "-X"):
            next(rest, "")
        elif not word.startswith("-"):
            return word.rpartition("/")[2]
    return ""


def _program(words: tuple[str, ...]) -> str:
    """A name to show: arguments may hold what nobody should see."""
    return " ".join(_names(words))


def _is_helper(process: Process) -> bool:
    """What Python's multiprocessing keeps beside workers; the interpreter's flags come first."""
    words = iter(process.words)
    return "-c" in words and next(words, "") == "from" and next(words, "") in _HELPERS
