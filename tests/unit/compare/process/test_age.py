"""The process link: who runs the code, and whether that started before it landed."""

import pytest

from freshd.catalog.runtimes.processes import is_code, judge, read_php_server, select_own_tree
from freshd.compare.process.age import running_findings
from freshd.model.observed.processes import Landed, Process, RunningSeen
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName
from tests.unit.compare.stack import replica, serving

UVICORN = "/usr/bin/python3 /usr/local/bin/uvicorn app:app"
SPAWN = "/usr/bin/python3 -c from multiprocessing.spawn import spawn_main; spawn_main(7)"
TRACKER = "/usr/bin/python3 -c from multiprocessing.resource_tracker import main;main(6)"


def process(pid: int, parent: int, words: str, start: float = 0.0, last: float = -1.0) -> Process:
    return Process(pid, parent, tuple(words.split()), start, start if last < 0 else last)


def table(*lines: str) -> tuple[Process, ...]:
    """``PID PARENT WORDS``; process 1 is the container's first."""
    rows = (line.split(" ", 2) for line in lines)
    return tuple(process(int(pid), int(parent), words) for pid, parent, words in rows)


@pytest.mark.parametrize(
    ("lines", "mode", "serving"),
    [
        (["1 0 python3 app.py"], "restart", [1]),
        (["1 0 /sbin/docker-init -- python3 app.py", "7 1 python3 app.py"], "restart", [7]),
        (["1 0 sh -c x; python3 app.py", "7 1 /usr/bin/python3.12 app.py"], "restart", [7]),
        (["1 0 sleep 1000000"], "restart", []),
        (["1 0 postgres", "7 1 postgres: writer"], "restart", []),
        (["1 0 sh", "9 5 sh -c python3", "10 9 python3 -c pass"], "restart", []),
        (["1 0 python3 app.py", "7 1 ffmpeg -i x", "8 1 python3 other.py"], "restart", [1]),
        (["1 0 python3 /bin/gunicorn a:b", "7 1 python3 /bin/gunicorn a:b",
          "8 1 python3 /bin/gunicorn a:b"], "restart", [7, 8]),
        (["1 0 gunicorn: master [a:b]", "7 1 gunicorn: worker [a:b]"], "restart", [7]),
        ([f"1 0 {UVICORN} --reload", f"7 1 {TRACKER}", f"8 1 {SPAWN}"], "self", [8]),
        # PYTHONDONTWRITEBYTECODE and the like come back as flags of what Python itself starts
        ([f"1 0 {UVICORN} --reload", f"7 1 {TRACKER.replace('-c', '-B -X dev -c')}",
          f"8 1 {SPAWN.replace('-c', '-B -X dev -c')}"], "self", [8]),
        ([f"1 0 {UVICORN} --workers 2", f"7 1 {SPAWN}", f"8 1 {SPAWN}"], "restart", [7, 8]),
        (["1 0 python3 -m flask run --debug", "7 1 python3 -m flask run --debug"], "self", [7]),
        (["1 0 python3 manage.py runserver", "7 1 python3 manage.py runserver"], "self", [7]),
        (["1 0 python3 /bin/celery -A x worker", "7 1 python3 /bin/celery -A x worker"],
         "restart", [1]),
        (["1 0 node /x/nodemon a.js", "7 1 sh -c node a.js", "8 7 node a.js"], "self", [8]),
        (["1 0 node --watch a.js", "8 1 node a.js"], "self", [8]),
        (["1 0 npm run dev", "8 1 sh -c node a.js", "9 8 node a.js"], "restart", [9]),
        (["1 0 /usr/bin/python3 /usr/bin/supervisord -n", "8 1 python3 a.py", "9 1 node b.js"],
         "restart", [8, 9]),
        (["1 0 nginx: master process nginx", "7 1 nginx: worker process"], "signal:HUP", [7]),
        (["1 0 puma 6.4.2 (tcp://0.0.0.0:3000) [app]"], "restart", [1]),
        # its workers are forked from what it loaded, as far as can be seen from here
        (["1 0 puma 6.4.2 (tcp://0.0.0.0:3000) [app]", "7 1 puma: cluster worker 0: 1 [app]"],
         "restart", [1]),
        (["1 0 sidekiq 7.2.0 app [0 of 10 busy]"], "restart", [1]),
        (["1 0 unicorn master -c u.rb", "7 1 unicorn worker[0] -c u.rb"], "restart", [1]),
        (["1 0 resque-2.6.0: Waiting for high"], "restart", [1]),
        (["1 0 solid-queue-supervisor(1.0.0): supervising 7", "7 1 solid-queue-worker(1.0.0): x"],
         "restart", [1]),
        (["1 0 [celeryd: celery@a:MainProcess] -active-", "7 1 [celeryd: celery@a:ForkPool-1]"],
         "restart", [1]),
        (["1 0 gunicorn: master [a]", "7 1 [ready] gunicorn: worker [a]"], "restart", [7]),
        (["1 0 PM2 v5.3.0: God Daemon (/root/.pm2)", "8 1 node /app/a.js"], "restart", [8]),
        (["1 0 npm start", "8 1 next-server (v14.1.0)"], "restart", [8]),
        (["1 0 resque-pool-master[a]: managing [7]", "7 1 resque-2.6.0: Waiting for high"],
         "restart", [7]),
        (["1 0 /usr/bin/process-compose up", "7 1 sh -c x", "8 7 python3 app.py"], "restart", [8]),
        (["1 0 nginx: master process nginx", "7 1 nginx: worker process", "8 1 python3 app.py"],
         "restart", [7, 8]),
        (["7 0 python3 app.py"], "restart", []),
    ],
)  # fmt: skip
def test_who_is_asked_for_its_age(lines: list[str], mode: str, serving: list[int]) -> None:
    found = judge(table(*lines), 1, mode=mode)
    assert [one.process.pid for one in found.serving] == serving
    assert found.preloading == ()


def test_what_was_started_beside_the_first_process_is_not_its_own() -> None:
    """An exec's parent is no process of the container; rows come in any order."""
    rows = table("9 7 worker", "1 0 master", "5 3 sh", "6 5 sleep 9", "7 1 worker")
    assert [one.pid for one in select_own_tree(rows, 1)] == [9, 1, 7]
    assert select_own_tree((), 1) == ()


def test_a_master_that_preloads_is_asked_beside_its_workers() -> None:
    line = "python3 /bin/gunicorn --preload a:b"
    found = judge(table(f"1 0 {line}", f"7 1 {line}"), 1, mode="restart")
    assert [one.process.pid for one in found.preloading] == [1]
    assert [one.process.pid for one in found.serving] == [7]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/app/main.py", True),
        ("/app/src/index.ts", True),
        ("/etc/nginx/conf.d/site.conf", True),
        ("/app/README.md", False),
        ("/app/templates/page.html", False),
        ("/app/tests/test_main.py", False),
        ("/app/test_main.py", False),
        ("/app/conftest.py", False),
        ("/app/button.test.tsx", False),
        ("/app/latest/main.py", True),
        ("/app/contest.py", True),
    ],
)
def test_what_a_program_may_load_when_it_starts(path: str, code: bool) -> None:
    assert is_code(path) is code


def seen(
    *processes: Process, mode: str = "restart", landed: float = 100.0, **more: object
) -> RunningSeen:
    files = (Landed("app/a.py", "/app/a.py", "d" * 64, landed, landed),)
    values: dict[str, object] = {"root": 1, "started_at": 50.0, "now": 1000.0, "landed": files}
    return RunningSeen(mode, processes=processes, **{**values, **more})  # type: ignore[arg-type]


def found(what: RunningSeen) -> list[Finding]:
    return list(running_findings(serving(replica(1, command=("python3", "app.py")), running=what)))


def told(what: RunningSeen) -> list[str]:
    return [f"{one.level} {one.cause}" for one in found(what)]


MASTER = process(1, 0, "python3 /bin/gunicorn a:b", 50)
PRELOAD = process(1, 0, "python3 /bin/gunicorn --preload a:b", 50)
RELOADER = process(1, 0, f"{UVICORN} --reload", 50)
OLD, NEW = process(7, 1, "python3 /bin/gunicorn a:b", 51), process(8, 1, "python3 x", 101, 103)
SAME_SECOND = process(9, 1, "python3 x", 99, 101)


@pytest.mark.parametrize(
    ("what", "causes"),
    [
        (seen(process(1, 0, "python3 app.py", 50)), ["stale process-older-than-code"]),
        (seen(), ["stale process-older-than-code"]),
        (seen(process(1, 0, "python3 app.py", 101)), []),
        (seen(process(1, 0, "node app.js", 50)), []),
        (seen(process(1, 0, "python3 app.py", 50), mode="per-request"), []),
        (seen(process(1, 0, "python3 app.py", 50), mode="self"), []),
        (seen(process(1, 0, "python3 app.py", 50), landed=2000.0), []),
        (seen(process(1, 0, "python3 app.py", 50), reloaded_at=101.0, mode="signal:HUP"), []),
        (seen(process(1, 0, "python3 app.py", 50), reloaded_at=99.0, mode="signal:HUP"),
         ["stale process-older-than-code"]),
        (seen(MASTER, OLD), ["stale process-older-than-code"]),
        (seen(MASTER, NEW), []),
        (seen(MASTER, OLD, NEW), ["stale partial-reload"]),
        (seen(MASTER, NEW, SAME_SECOND), ["unverifiable process-older-than-code"]),
        (seen(PRELOAD, NEW), ["stale preloaded-master"]),
        (seen(PRELOAD, OLD), ["stale process-older-than-code"]),
        (seen(RELOADER, OLD, mode="self"), ["stale reloader-deaf"]),
        (seen(RELOADER, OLD, mode="self", now=105.0), []),
        (seen(RELOADER, NEW, mode="self"), []),
    ],
)  # fmt: skip
def test_what_started_before_the_code_landed(what: RunningSeen, causes: list[str]) -> None:
    assert told(what) == causes


def test_nothing_landed_or_only_tests() -> None:
    alone = process(1, 0, "python3 app.py", 50)
    tests = (Landed("tests/test_a.py", "/app/tests/test_a.py", "", 100.0, 100.0),)
    assert list(running_findings(serving(running=RunningSeen("restart", now=1e9)))) == []
    only = RunningSeen("restart", root=1, processes=(alone,), landed=tests, now=1e9)
    assert list(running_findings(serving(running=only))) == []


def test_a_finding_says_what_landed_and_who_is_old() -> None:
    (one,) = found(seen(process(1, 0, "python3 app.py --token hunter2", 50), mode="signal:HUP"))
    assert (one.link, one.level, one.remedy) == (LinkName.PROCESS, Level.STALE, Remedy.RELOAD)
    assert one.message == "web-1 started before app/a.py landed"
    assert one.paths == ("app/a.py",)
    assert one.evidence["processes"] == ["python3 app.py"]
    assert "hunter2" not in str(one.evidence) + one.message
    (one,) = found(seen(PRELOAD, NEW, mode="signal:HUP"))
    assert one.remedy is Remedy.RESTART


FPM_LINE = "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)"
FPM = process(1, 0, FPM_LINE, 50)
POOL = process(7, 1, "php-fpm: pool www", 110)
SCRIPT = Landed("a.php", "/app/a.php", "d" * 64, 100, 100)
FROZEN = ("opcache.validate_timestamps", "0", "/etc/php/8.2/fpm/php.ini")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", ("fpm", "8.2")),
        ("php-fpm: pool www", ("fpm", "")),
        ("/usr/sbin/php-fpm8.3 -F", ("fpm", "8.3")),
        ("php8.1 -S 0.0.0.0:80", ("cli", "8.1")),
        ("/usr/local/bin/php -d a=b -S host", ("cli", "")),
        ("php artisan queue:work", None),
        ("php-cgi -b 9000", ("cgi", "")),
        ("/usr/sbin/apache2 -DFOREGROUND", ("apache2", "")),
        ("httpd -D FOREGROUND", ("apache2", "")),
        ("frankenphp run", ("frankenphp", "")),
        ("phpunit -S", None),
        ("python3 php", None),
        ("", None),
    ],
)
def test_what_serves_scripts(words: str, expected: tuple[str, str] | None) -> None:
    served = read_php_server(tuple(words.split()))
    assert (None if served is None else (served.kind, served.version)) == expected


@pytest.mark.parametrize("mode", ["per-request", "restart"])
@pytest.mark.parametrize(
    ("processes", "frozen", "expected"),
    [
        pytest.param((FPM, POOL), FROZEN, ["stale"], id="its master is older"),
        pytest.param((FPM, POOL), None, [], id="it looks at its files"),
        pytest.param((process(1, 0, FPM_LINE, 101), POOL), FROZEN, [], id="started since"),
        pytest.param((process(1, 0, FPM_LINE, 99, 101),), FROZEN, ["unverifiable"], id="or not"),
        pytest.param((MASTER, OLD), FROZEN, [], id="no PHP"),
    ],
)
def test_php_that_never_looks_again_keeps_old_scripts(
    processes: tuple[Process, ...],
    frozen: tuple[str, str, str] | None,
    expected: list[str],
    mode: str,
) -> None:
    what = RunningSeen(
        mode, "w", 1, 50, processes=processes, landed=(SCRIPT,), now=200, frozen=frozen
    )
    findings = found(what)
    assert [(one.cause, str(one.level)) for one in findings] == [
        ("opcode-cache", level) for level in expected
    ]
    if expected == ["stale"]:
        (one,) = findings
        assert one.remedy is Remedy.RESTART
        assert one.evidence["setting"] == "opcache.validate_timestamps=0"
        assert one.message.endswith(
            "opcache.validate_timestamps is off in /etc/php/8.2/fpm/php.ini"
        )
