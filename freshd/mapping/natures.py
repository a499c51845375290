"""What a file most likely is, by its name alone: a path in, a ``Nature`` out. Pure.

A table for files of which git says nothing: whether a person or a program made them.
"""

import re
from enum import Enum, auto
from typing import Final

from freshd.catalog.runtimes.languages import LANGUAGES
from freshd.catalog.runtimes.processes import CONFIGURATION, EVERY


class Nature(Enum):
    """``RECORD``: what only programs write, such as logs and databases. ``WORK``: what people
    write, and what is built of it. ``SETTINGS``: people write it, and many programs as well.
    """

    RECORD = auto()
    WORK = auto()
    SETTINGS = auto()
    OTHER = auto()


def find_nature(path: str) -> Nature:
    """By the last component of ``path``."""
    name = path.rpartition("/")[2]
    lower = name.lower()
    if lower.endswith(_WORK) or _NAMED.fullmatch(name):
        return Nature.WORK
    if _RECORD.search(name):
        return Nature.RECORD
    if lower.endswith(_SETTINGS) or lower.startswith(".env"):
        return Nature.SETTINGS
    return Nature.OTHER


_SOURCES: Final = tuple(
    {end for language in LANGUAGES for end in language.endings}.union(EVERY).difference(
        CONFIGURATION
    )
)
_PAGES: Final = (
    ".css", ".scss", ".sass", ".less", ".styl", ".html", ".htm", ".xhtml", ".xsl", ".xslt", ".svg",
    ".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".template", ".ejs", ".hbs", ".pug", ".haml",
    ".slim", ".liquid", ".twig", ".mustache", ".njk", ".gohtml", ".mdx", ".vcl", ".graphql", ".gql",
    ".proto", ".prisma", ".sql", ".po", ".mo", ".ttf", ".otf", ".woff", ".woff2", ".dockerfile",
    ".mk", ".cmake", ".gradle", ".sbt", ".cabal", ".csproj", ".fsproj", ".sln", ".gemspec", ".ru",
    ".tf", ".dart", ".clj", ".cljs", ".erl", ".hrl", ".elm", ".ml", ".mli", ".nim", ".r", ".jl",
    ".ps1", ".bat", ".cmd", ".fish", ".zsh", ".awk", ".ipynb", ".hs", ".sol", ".asm", ".s",
)  # fmt: skip
_BUILT: Final = (
    ".jar", ".war", ".ear", ".class", ".so", ".dll", ".dylib", ".exe", ".wasm", ".whl", ".map",
    ".beam", ".pyc", ".pyd",
)  # fmt: skip
_WORK: Final = (*_SOURCES, *_PAGES, *_BUILT)
_SETTINGS: Final = (
    ".json", ".jsonc", ".json5", ".yaml", ".yml", ".toml", ".ini", ".conf", ".cfg", ".cnf", ".env",
    ".xml", ".properties", ".config", ".txt", ".md", ".rst", ".pem", ".crt", ".key", ".lock",
)  # fmt: skip
_NAMED: Final = re.compile(
    r"(?:Docker|Container|Make|Gem|Rake|Proc|Pip|Caddy|Jenkins|Vagrant|Brew|Just)file(?:\..*)?"
    r"|\.dockerignore|.*\.dockerignore|\.git(?:ignore|attributes|modules)|gradlew|mvnw|go\.(?:mod|sum)"
)
_RECORD: Final = re.compile(
    r"\.(?:log|pid|rdb|aof|ibd|frm|myd|myi|wal|ldb|mdb|dbf)(?:[.-][\w.-]*)?$"
    r"|\.(?:sqlite3?|db3?)(?:-(?:wal|shm|journal))?$|^nohup\.out$|^celerybeat-schedule",
    re.IGNORECASE,
)
