"""How a service loads new code: its command line in, a reload mode and the reason out. Pure.

In doubt it is ``restart``: that is slower, and never leaves old code running.
"""

import re
from collections.abc import Callable, Mapping

from freshd.catalog.runtimes.command_line import Program, Read, unwrap
from freshd.catalog.runtimes.servers import PLAIN, RELOADERS, REQUEST, RESTART, SELF
from freshd.model.observed.processes import ReloadMode

_MIGRATES = re.compile(
    r"\b(?:alembic\s+upgrade|manage\.py\s+migrate|flask\s+db\s+upgrade|db:migrate|db:prepare"
    r"|prisma\s+(?:migrate\s+deploy|db\s+push)|knex\s+migrate|sequelize\S*\s+db:migrate"
    r"|typeorm\s+migration:run|artisan\s+migrate|doctrine:migrations:migrate|ecto\.migrate"
    r"|goose\b.*\bup|dbmate\s+(?:up|migrate)|flyway\s+migrate|aerich\s+upgrade)\b"
)
_COMPILERS = frozenset({"go", "cargo", "mvn", "mvnw", "gradle", "gradlew", "dotnet", "sbt"})
_RUNS = frozenset({"run", "bootRun", "spring-boot:run"})
_TRUE = frozenset({"1", "true", "yes", "on"})
_PRODUCTION = frozenset({"production", "prod", "staging"})


def find_reload(argv: tuple[str, ...], *, settings: Mapping[str, str], read: Read) -> ReloadMode:
    """How the program that ``argv`` runs loads new code.

    ``settings`` are environment variables, ``read`` gives the text of a file in the container.
    """
    program = unwrap(argv, read)
    if program is None:
        return ReloadMode(RESTART, "its command line is not known")
    mode, why = _mode(program, settings, read)
    if mode.startswith("signal:") and not program.first:
        why = f"{why}, but a shell or runner stands before it and keeps the signal: write `exec`"
        mode = RESTART
    compiles = program.name in _COMPILERS and bool(_RUNS & set(program.args))
    return ReloadMode(mode, why, program.name, _migration(argv, program), compiles)


def _mode(program: Program, settings: Mapping[str, str], read: Read) -> tuple[str, str]:
    special = _SPECIAL.get(program.name)
    if special is not None:
        return special(program, settings, read)
    if re.fullmatch(r"python[\d.]*", program.name):
        return _python(program, settings, read)
    flags, called = RELOADERS.get(program.name, ((), ""))
    if flags and program.has(*flags):
        flag = next(word for word in program.args if word.split("=", 1)[0] in flags)
        return SELF, f"{called} {flag.split('=', 1)[0]} starts again when a file changes"
    known = PLAIN.get((program.name, program.verb)) or PLAIN.get((program.name, ""))
    if known is not None:
        return known
    if flags:
        return RESTART, f"{called} without {flags[0]} loads its code once, when it starts"
    return RESTART, f"nothing says that {program.name} takes up new code by itself"


def _migration(argv: tuple[str, ...], program: Program) -> str:
    texts = [" ".join(words) for words in (*program.before, program.words, argv)]
    matches = (match[0] for text in texts if (match := _MIGRATES.search(text)))
    return next(matches, "")


def _on(value: str | None) -> bool:
    return (value or "").strip().lower() in _TRUE


def _uvicorn(program: Program, settings: Mapping[str, str], _read: Read) -> tuple[str, str]:
    if program.has("--reload"):
        return SELF, "uvicorn --reload starts again when a file changes"
    if _on(settings.get("UVICORN_RELOAD")):
        return SELF, "UVICORN_RELOAD is set: uvicorn starts again when a file changes"
    return RESTART, "uvicorn without --reload loads its code once, when it starts"


def _gunicorn(program: Program, settings: Mapping[str, str], read: Read) -> tuple[str, str]:
    more = tuple(settings.get("GUNICORN_CMD_ARGS", "").split())
    asked = Program("gunicorn", (*program.args, *more))
    named = _value(asked, "-c", "--config") or "gunicorn.conf.py"
    if named.startswith("python:"):
        named = f"{named.removeprefix('python:').replace('.', '/')}.py"
    text = read(named.removeprefix("file:"))
    config = text or ""
    if re.search(r"^\s*(?:reload|preload_app)\s*=\s*+(?!True|False)", config, re.MULTILINE):
        return RESTART, f"{named} decides about reloading when gunicorn starts: not known here"
    if asked.has("--reload") or re.search(r"^\s*reload\s*=\s*True", config, re.MULTILINE):
        return SELF, "gunicorn --reload starts its workers again when a file changes"
    if asked.has("--preload") or re.search(r"^\s*preload_app\s*=\s*True", config, re.MULTILINE):
        return RESTART, "gunicorn --preload keeps the code it loaded first: HUP would not change it"
    if text is None and asked.has("-c", "--config"):
        return RESTART, f"gunicorn reads {named}, which may preload the code: that file is not seen"
    return "signal:HUP", "gunicorn starts new workers with the new code on HUP, without a gap"


def _flask(program: Program, settings: Mapping[str, str], _read: Read) -> tuple[str, str]:
    if program.has("--no-reload", "--no-debug"):
        return RESTART, "flask runs without its reloader"
    if program.has("--debug", "--reload"):
        return SELF, "flask --debug starts again when a file changes"
    if _on(settings.get("FLASK_DEBUG")) or settings.get("FLASK_ENV") == "development":
        return SELF, "FLASK_DEBUG is set: flask starts again when a file changes"
    return RESTART, "flask without --debug loads its code once, when it starts"


def _manage(program: Program, _settings: Mapping[str, str], _read: Read) -> tuple[str, str]:
    if program.verb in ("runserver", "runserver_plus") and not program.has("--noreload"):
        return SELF, f"Django's {program.verb} starts again when a file changes"
    return RESTART, "it loads its code once, when it starts"


def _python(program: Program, settings: Mapping[str, str], read: Read) -> tuple[str, str]:
    script = program.verb.rpartition("/")[2]
    if script == "manage.py":
        at = program.args.index(program.verb)
        return _manage(Program("manage.py", program.args[at + 1 :]), settings, read)
    text = read(program.verb) if program.verb else None
    serves = re.search(r"\b(?:uvicorn\.run|run_simple|app\.run)\b", text or "")
    if serves and re.search(r"\b(?:reload|use_reloader|debug)\s*=\s*True", text or ""):
        return SELF, f"{script} starts its server with the reloader on"
    return RESTART, f"Python loads {script or 'its code'} once, when it starts"


def _node(program: Program, _settings: Mapping[str, str], _read: Read) -> tuple[str, str]:
    if program.has("--watch", "--watch-path"):
        return SELF, "node --watch starts again when a file changes"
    script = program.verb.rpartition("/")[2]
    if script in ("next", "vite", "nodemon", "nuxt", "ng"):  # node node_modules/.bin/next dev
        at = program.args.index(program.verb)
        inner = Program(script, program.args[at + 1 :])
        known = PLAIN.get((script, inner.verb)) or PLAIN.get((script, ""))
        if known is not None:
            return known
    return RESTART, "node loads its code once, when it starts"


def _rails(program: Program, settings: Mapping[str, str], read: Read) -> tuple[str, str]:
    """Rails' development mode reads changed files on the next request; any other does not."""
    mode = settings.get("RAILS_ENV") or settings.get("RACK_ENV") or ""
    flagged = _value(program, "-e", "--environment")
    mode = flagged or mode
    if program.name != "rails" and read("config/environment.rb") is None:
        return RESTART, f"{program.name} loads the application once, when it starts"
    if program.name == "rails" and program.verb not in ("server", "s"):
        return RESTART, "it loads its code once, when it starts"
    if mode in ("", "development"):
        return REQUEST, "Rails in development reads what changed on the next request"
    return RESTART, f"Rails in {mode} loads its code once, when it starts"


def _php(program: Program, _settings: Mapping[str, str], _read: Read) -> tuple[str, str]:
    if program.has("-S"):
        return REQUEST, "PHP's own server reads each script for each request"
    script = program.verb.rpartition("/")[2]
    rest = program.args[program.args.index(program.verb) + 1 :] if program.verb else ()
    verb = next((word for word in rest if not word.startswith("-")), "")
    if script == "artisan" and verb == "serve":
        return REQUEST, "artisan serve reads each script for each request"
    if script == "artisan" and verb == "queue:listen":
        return SELF, "queue:listen starts a process for each job"
    if script == "artisan" and verb.startswith("octane:") and "--watch" in rest:
        return SELF, "octane --watch starts again when a file changes"
    return RESTART, f"PHP keeps the code of {script or 'its script'} while it runs"


def _mix(_program: Program, settings: Mapping[str, str], _read: Read) -> tuple[str, str]:
    if settings.get("MIX_ENV", "dev") in _PRODUCTION:
        return RESTART, "Elixir in production loads its code once, when it starts"
    return REQUEST, "Phoenix in development compiles what changed on the next request"


def _maven(program: Program, _settings: Mapping[str, str], _read: Read) -> tuple[str, str]:
    if any(word.startswith("quarkus:dev") for word in program.args):
        return SELF, "quarkus:dev compiles what changed on the next request"
    return RESTART, "maven compiles when it starts"


def _value(program: Program, *flags: str) -> str:
    for at, word in enumerate(program.args):
        flag, equals, value = word.partition("=")
        if flag in flags:
            return value if equals else next(iter(program.args[at + 1 : at + 2]), "")
    return ""


_SPECIAL: Mapping[str, Callable[[Program, Mapping[str, str], Read], tuple[str, str]]] = {
    "uvicorn": _uvicorn,
    "gunicorn": _gunicorn,
    "flask": _flask,
    "manage.py": _manage,
    "django-admin": _manage,
    "node": _node,
    "rails": _rails,
    "puma": _rails,
    "rackup": _rails,
    "php": _php,
    "artisan": lambda program, settings, read: _php(
        Program("php", ("artisan", *program.args)), settings, read
    ),
    "mix": _mix,
    "iex": _mix,
    "mvn": _maven,
    "mvnw": _maven,
}
