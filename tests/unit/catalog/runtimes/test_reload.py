"""A command line tells how a service takes up new code; where nothing is sure, it restarts."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freshd.catalog.runtimes.command_line import Program, split_commands, unwrap
from freshd.catalog.runtimes.reload import find_reload
from freshd.config.policy_values import parse_reload
from freshd.model.observed.processes import ReloadMode

NEXT = '{"scripts": {"dev": "cross-env A=b next dev -p 3000", "start": "node server.js"}}'
ENTRY = '#!/bin/sh\nset -e\nif [ "$X" ]; then\n  python manage.py migrate\nfi\nexec "$@"\n'


def way(
    line: str, files: Mapping[str, str] | None = None, settings: Mapping[str, str] | None = None
) -> ReloadMode:
    """``|`` before a word with blanks: ``sh -c|a && b``."""
    head, *rest = line.split("|")
    texts = {"/app/" + name: text for name, text in (files or {}).items()}
    return find_reload(
        (*head.split(), *rest),
        settings=settings or {},
        read=lambda path: texts.get("/app/" + path.removeprefix("./").removeprefix("/app/")),
    )


@pytest.mark.parametrize(
    ("line", "mode"),
    [
        ("uvicorn app:app --reload", "self"),
        ("uvicorn app:app", "restart"),
        ("/usr/local/bin/python3.12 -m uvicorn app:app --reload", "self"),
        ("python -X dev -m debugpy --listen 0:5678 -m uvicorn a:b --reload", "self"),
        ("hypercorn --reload a:b", "self"),
        ("hypercorn a:b", "restart"),
        ("gunicorn -w 4 app:app", "signal:HUP"),
        ("gunicorn --reload app:app", "self"),
        ("gunicorn --preload app:app", "restart"),
        ("gunicorn -c /etc/gunicorn.py app:app", "restart"),
        ("python -m flask --app x run --debug", "self"),
        ("flask run", "restart"),
        ("flask run --debug --no-reload", "restart"),
        ("python manage.py runserver 0:8000", "self"),
        ("./manage.py runserver --noreload", "restart"),
        ("celery -A shop worker", "restart"),
        ("rq worker", "restart"),
        ("watchmedo auto-restart -d . -- celery -A shop worker", "self"),
        ("nodemon src/index.js", "self"),
        ("node --watch server.js", "self"),
        ("node server.js", "restart"),
        ("node node_modules/.bin/next dev", "self"),
        ("npx --yes vite --host", "self"),
        ("vite preview", "restart"),
        ("next start", "restart"),
        ("php-fpm", "per-request"),
        ("docker-php-entrypoint apache2-foreground", "per-request"),
        ("php -S 0:80 -t public", "per-request"),
        ("php artisan serve", "per-request"),
        ("php artisan queue:work", "restart"),
        ("php artisan queue:listen", "self"),
        ("/docker-entrypoint.sh nginx -g|daemon off;", "signal:HUP"),
        ("bundle exec rails server -b 0.0.0.0", "per-request"),
        ("rails s -e production", "restart"),
        ("bundle exec puma -C config/puma.rb", "restart"),
        ("air -c .air.toml", "self"),
        ("cargo watch -x run", "self"),
        ("cargo run", "restart"),
        ("mix phx.server", "per-request"),
        ("dotnet watch run", "self"),
        ("dotnet Shop.dll", "restart"),
        ("mvn quarkus:dev", "self"),
        ("tini -- gunicorn app:app", "signal:HUP"),
        ("gosu app gunicorn app:app", "signal:HUP"),
        ("uv run --frozen gunicorn app:app", "restart"),
        ("sh -c|gunicorn app:app", "restart"),
        ("sh -c|alembic upgrade head && exec gunicorn app:app", "signal:HUP"),
        ("./wait-for-it.sh db:5432 -t 30 -- uvicorn a:b --reload", "self"),
        ("sleep infinity", "per-request"),
        ("tail -f /dev/null", "per-request"),
        ("/app/server", "restart"),
        ("", "restart"),
    ],
)
def test_the_mode_of_a_command_line(line: str, mode: str) -> None:
    found = way(line)
    assert found.mode == mode
    assert found.why


@pytest.mark.parametrize(
    ("line", "files", "settings", "mode"),
    [
        ("npm run dev", {"package.json": NEXT}, {}, "self"),
        ("npm start", {"package.json": NEXT}, {}, "restart"),
        ("yarn dev", {"package.json": NEXT}, {}, "self"),
        ("npm run dev", {"package.json": "not json"}, {}, "restart"),
        ("gunicorn a:b", {"gunicorn.conf.py": "preload_app = True\n"}, {}, "restart"),
        ("gunicorn a:b", {"gunicorn.conf.py": "reload = True\n"}, {}, "self"),
        ("gunicorn -c python:c.g a:b", {"c/g.py": "reload = flag()\n"}, {}, "restart"),
        ("gunicorn -c python:c.g a:b", {"c/g.py": "workers = 2\n"}, {}, "signal:HUP"),
        ("gunicorn -c g.py a:b", {"g.py": "workers = 2\n"}, {}, "signal:HUP"),
        ("gunicorn a:b", {}, {"GUNICORN_CMD_ARGS": "--preload"}, "restart"),
        ("flask run", {}, {"FLASK_DEBUG": "1"}, "self"),
        ("flask run", {}, {"FLASK_DEBUG": "0"}, "restart"),
        ("rails s", {}, {"RAILS_ENV": "production"}, "restart"),
        ("puma", {"config/environment.rb": ""}, {}, "per-request"),
        ("puma", {"config/environment.rb": ""}, {"RACK_ENV": "production"}, "restart"),
        ("mix phx.server", {}, {"MIX_ENV": "prod"}, "restart"),
        ("python app.py", {"app.py": "app.run(host='0', debug=True)"}, {}, "self"),
        ("python app.py", {"app.py": "app.run(host='0')"}, {}, "restart"),
        ("./entry.sh gunicorn a:b", {"entry.sh": ENTRY}, {}, "signal:HUP"),
        ("./start.sh", {"start.sh": "#!/bin/sh\nexec uvicorn a:b --reload\n"}, {}, "self"),
        ("bash start.sh", {"start.sh": "celery worker &\nuvicorn a:b\n"}, {}, "restart"),
    ],
)
def test_files_and_settings_decide_with_it(
    line: str, files: Mapping[str, str], settings: Mapping[str, str], mode: str
) -> None:
    assert way(line, files, settings).mode == mode


@pytest.mark.parametrize(
    ("line", "files", "migrates"),
    [
        ("./entry.sh gunicorn a:b", {"entry.sh": ENTRY}, "manage.py migrate"),
        ("sh -c|alembic upgrade head && uvicorn a:b", {}, "alembic upgrade"),
        ("uvicorn a:b", {}, ""),
    ],
)
def test_a_migration_at_the_start_is_noticed(
    line: str, files: Mapping[str, str], migrates: str
) -> None:
    assert way(line, files).migrates == migrates


@pytest.mark.parametrize(
    ("line", "compiles"),
    [
        ("go run ./cmd/api", True),
        ("cargo run --release", True),
        ("./mvnw spring-boot:run", True),
        ("dotnet Shop.dll", False),
        ("/server run", False),
    ],
)
def test_a_program_that_compiles_when_it_starts_needs_no_build(line: str, compiles: bool) -> None:
    assert way(line).compiles is compiles


def test_a_signal_that_would_not_arrive_says_how_to_mend_it() -> None:
    assert "write `exec`" in way("sh -c|gunicorn a:b").why


def test_a_script_that_calls_itself_ends() -> None:
    assert unwrap(("./a.sh",), lambda _path: "exec ./a.sh\n") is not None


def test_a_shell_text_is_cut_into_its_commands() -> None:
    text = 'set -e\nA=1 b "c d" && \\\n  e | f; # g\nexec h\n'
    assert split_commands(text) == [["b", "c d"], ["e"], ["f"], ["exec", "h"]]


WORDS = st.sampled_from(
    ["sh", "-c", "exec", "npm", "run", "python", "-m", "--", "./x.sh", "a && b", '"', "="]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=8), st.text(max_size=30))
def test_any_command_line_has_a_mode_that_a_policy_may_have(argv: list[str], text: str) -> None:
    found = find_reload(tuple(argv), settings={}, read=lambda _path: text)
    parse_reload(found.mode)
    assert found.why


def test_flags_are_found_with_and_without_a_value() -> None:
    program = Program("x", ("--reload=true", "run", "-w"))
    assert program.has("--reload")
    assert program.has("-w")
    assert not program.has("--re")
    assert program.verb == "run"
