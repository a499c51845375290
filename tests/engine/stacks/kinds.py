"""The untouched stacks: how each is made, and what is true of it."""

import os
from collections.abc import Callable

from tests.engine.stacks.truth import SLEEP, Truth, below
from tests.harness.docker import builds_any_name
from tests.harness.stack import Stack, unique_name

BASE = "FROM freshd-busybox:1\n"
PYTHON = {"app/main.py": "print(1)\n", "app/lib/__init__.py": "", "app/lib/db.py": "import os\n"}
NAMES = ("main.py", "lib/__init__.py", "lib/db.py")


def bind_mounted_development(stack: Stack) -> Truth:
    """The tree is mounted over what was copied; what git ignores is no business of freshd's."""
    stack.write(PYTHON)
    stack.write(
        {
            ".gitignore": "node_modules/\n*.log\n.env\n",
            "app/debug.log": "noise\n",
            "node_modules/left-pad/index.js": "module.exports = 1\n",
            ".env": "SECRET=1\n",
            "Dockerfile": f"{BASE}WORKDIR /srv\nCOPY app app\n",
            "compose.yaml": f"""
services:
  web:
    build: .
    volumes: [".:/srv"]
    {SLEEP}
""",
        }
    )
    stack.up(build=True)
    stack.write({"app/debug.log": "more noise\n", "node_modules/new/index.js": "1\n"})
    own = below(".", "/srv", ".gitignore", "Dockerfile", "compose.yaml")
    return Truth({"web": {**own, **below("app", "/srv/app", *NAMES)}})


def anonymous_volume_over_a_bind(stack: Stack) -> Truth:
    """The usual Node set-up: sources from the host, node_modules from the image."""
    stack.write(
        {
            "package.json": '{"name": "x"}\n',
            "src/index.js": "require('dep')\n",
            "node_modules/dep/index.js": "the host's own build\n",
            ".dockerignore": "node_modules\n",
            ".gitignore": "node_modules\n",
            "Dockerfile": (
                f"{BASE}WORKDIR /app\nCOPY package.json .\n"
                "RUN mkdir -p node_modules/dep && echo image >node_modules/dep/index.js\n"
                "COPY . .\n"
            ),
            "compose.yaml": f"""
services:
  web:
    build: .
    volumes: [".:/app", "/app/node_modules"]
    {SLEEP}
""",
        }
    )
    stack.up(build=True)
    web = stack.container("web")
    stack.put(web, "/app/node_modules/dep/cache.js", b"written by the program\n")
    names = ("package.json", "src/index.js", ".dockerignore", ".gitignore", "Dockerfile")
    return Truth({"web": below(".", "/app", *names, "compose.yaml")})


def changed_by_the_build_after_the_copy(stack: Stack) -> Truth:
    """chmod, sed and rm after a COPY, and --chmod and --chown: the image is right as it is.

    What only chmod touched is a pair as any other.
    """
    stack.write(PYTHON)
    stack.write(
        {
            "app/run.sh": "#!/bin/sh\n",
            "app/version.py": "VERSION = '@VERSION@'\n",
            "app/tests/test_it.py": "assert True\n",
            "bin/tool": "#!/bin/sh\n",
            "etc/site.conf": "listen 80\n",
            "Dockerfile": (
                f"{BASE}WORKDIR /srv\nCOPY app app\n"
                "RUN chmod +x app/run.sh && sed -i s/@VERSION@/1.2/ app/version.py"
                " && rm -r app/tests\n"
                "COPY --chmod=755 bin/ bin/\nCOPY --chown=1000:1000 etc/ etc/\nUSER 1000\n"
            ),
            "compose.yaml": f"services:\n  web:\n    build: .\n    scale: 2\n    {SLEEP}\n",
        }
    )
    stack.up(build=True)
    return Truth(
        {
            "web": {
                **below("app", "/srv/app", *NAMES),
                "app/run.sh": "/srv/app/run.sh",
                "bin/tool": "/srv/bin/tool",
                "etc/site.conf": "/srv/etc/site.conf",
            }
        },
        # what went through sed and rm left no trace of what it was
        unrecorded=frozenset({"web"}),
    )


def built_in_stages(stack: Stack) -> Truth:
    """A compiler's stage, whose sources leave no trace, beside files that are copied as they are.

    ``whole`` takes all of such a stage along, with what was made in it. ``plain`` has stages too
    and no RUN in them, so everything of it can be proved.
    """
    stack.write(PYTHON)
    stack.write(
        {
            "src/main.c": "int main() { return 0; }\n",
            "src/util.h": "#define X 1\n",
            "static/index.html": "<p>hello</p>\n",
            "Dockerfile": (
                "FROM freshd-busybox:1 AS build\nWORKDIR /src\nCOPY src .\n"
                "RUN sha256sum main.c util.h >/src/program\n"
                "FROM freshd-busybox:1\nCOPY --from=build /src/program /bin/program\n"
                "COPY static /static\n"
            ),
            "plain.Dockerfile": (
                "FROM freshd-busybox:1 AS assets\nCOPY static /out\n"
                "FROM freshd-busybox:1 AS unused\nRUN false\n"
                "FROM freshd-busybox:1\nCOPY --from=assets /out /static\nCOPY app /app\n"
            ),
            "whole.Dockerfile": (
                "FROM freshd-busybox:1 AS build\nWORKDIR /srv\nCOPY app app\n"
                "RUN mkdir dist && cat app/main.py >dist/bundle && echo 1 >app/made-by-build\n"
                "FROM freshd-busybox:1\nCOPY --from=build /srv /srv\n"
            ),
            "compose.yaml": (
                f"services:\n  web:\n    build: .\n    {SLEEP}\n"
                f"  whole:\n    build: {{context: ., dockerfile: whole.Dockerfile}}\n    {SLEEP}\n"
                f"  plain:\n    build: {{context: ., dockerfile: plain.Dockerfile}}\n    {SLEEP}\n"
            ),
        }
    )
    stack.up(build=True)
    static = {"static/index.html": "/static/index.html"}
    return Truth(
        {
            "web": static,
            "whole": below("app", "/srv/app", *NAMES),
            "plain": {**static, **below("app", "/app", *NAMES)},
        },
        unrecorded=frozenset({"web", "whole"}),
    )


def jobs_that_are_done(stack: Stack) -> Truth:
    """A migration that exited 0, and one-off containers that failed or still run."""
    stack.write(PYTHON)
    stack.write(
        {
            "Dockerfile": f"{BASE}COPY app /app\n",
            "compose.yaml": f"""
services:
  migrate:
    build: .
    command: ["true"]
  web:
    build: .
    depends_on: {{migrate: {{condition: service_completed_successfully}}}}
    {SLEEP}
""",
        }
    )
    stack.up(build=True)
    stack.compose("run", "-T", "web", "sh", "-c", "echo 2 >/app/main.py; exit 3", check=False)
    stack.compose("run", "-T", "-d", "web", "sleep", "1000000")
    web = below("app", "/app", *NAMES)
    return Truth({"web": web, "migrate": web}, without=frozenset({"migrate"}))


def images_of_others(stack: Stack) -> Truth:
    """Services that nothing of the tree is in, and one that mounts its configuration."""
    stack.write(
        {
            "conf/db.conf": "port = 5432\n",
            "compose.yaml": f"""
services:
  cache:
    image: freshd-busybox:1
    {SLEEP}
  db:
    image: freshd-busybox:1
    volumes: ["data:/var/lib/db", "./conf/db.conf:/etc/db.conf:ro"]
    {SLEEP}
volumes: {{data: {{}}}}
""",
        }
    )
    stack.up()
    stack.put(stack.container("db"), "/var/lib/db/table", b"rows\n")
    return Truth({"cache": {}, "db": {"conf/db.conf": "/etc/db.conf"}})


def profiles(stack: Stack) -> Truth:
    """A service of a profile that was never asked for has no container, and that is right.

    Meanwhile the tests were run on the host, and an editor was closed and another one opened.
    """
    stack.write(PYTHON)
    stack.write({"app/.db.py.swp": "open while it was built", "app/__pycache__/a.pyc": "old"})
    stack.write(
        {
            "Dockerfile": f"{BASE}COPY app /app\n",
            "tools.Dockerfile": f"{BASE}COPY app/lib /lib-of-app\n",
            "compose.yaml": f"""
services:
  web:
    build: .
    {SLEEP}
  tools:
    build: {{context: ., dockerfile: tools.Dockerfile}}
    profiles: [tools]
    {SLEEP}
""",
        }
    )
    stack.up(build=True)
    os.unlink(stack.path("app/.db.py.swp"))
    stack.write({"app/.main.py.swp": "open now", "app/__pycache__/main.cpython-311.pyc": "new"})
    tools = below("app/lib", "/lib-of-app", "__init__.py", "db.py")
    return Truth(
        {"web": below("app", "/app", *NAMES), "tools": tools}, without=frozenset({"tools"})
    )


def ignored_with_exceptions(stack: Stack) -> Truth:
    """Everything is ignored but what an exception takes back in."""
    stack.write(PYTHON)
    stack.write(
        {
            ".dockerignore": "# all but the app\n*\n!app\n!README.md\n**/*.pyc\napp/lib/*\n"
            "!app/lib/db.py\n",
            "README.md": "read me\n",
            "secret.key": "key\n",
            "app/old.pyc": "\0\0",
            "app/lib/other.py": "other\n",
            "Dockerfile": f"{BASE}COPY . /app/\n",
            "compose.yaml": f"services:\n  web:\n    build: .\n    {SLEEP}\n",
        }
    )
    stack.up(build=True)
    return Truth({"web": below(".", "/app", "README.md", "app/main.py", "app/lib/db.py")})


def plain_docker_run(stack: Stack) -> Truth:
    """No Compose at all: the policy names the containers and what is where in them."""
    api, site = unique_name("ft-api-"), unique_name("ft-site-")
    stack.write(PYTHON)
    stack.write(
        {
            "site/index.html": "<p>hello</p>\n",
            "api.Dockerfile": f"{BASE}COPY app /srv/app\nCOPY site/index.html /srv/\n",
            "freshd.toml": f"""
version = 1
[service.api]
container = "{api}"
map = [{{ from = "app", to = "/srv/app" }}, {{ from = "site/index.html", to = "/srv/" }}]
[service.site]
container = "{site}"
""",
        }
    )
    image = f"{stack.project}-api"
    stack.docker("build", "-q", "-t", image, "-f", "api.Dockerfile", ".")
    stack.run(image, "sleep", "1000000", name=api, options=["--init"])
    mount = ["--init", "-v", f"{stack.path('site')}:/www:ro"]
    stack.run("freshd-busybox:1", "sleep", "1000000", name=site, options=mount)
    own = {**below("app", "/srv/app", *NAMES), "site/index.html": "/srv/index.html"}
    return Truth(
        {"api": own, "site": {"site/index.html": "/www/index.html"}},
        containers={"api": [api], "site": [site]},
    )


def nothing_but_the_program(stack: Stack) -> Truth:
    """FROM scratch: no shell, no stat, no sha256sum in the container."""
    stack.write(
        {
            "etc/app.conf": "a = 1\n",
            "etc/deep/er.conf": "b = 2\n",
            "Dockerfile": (
                "FROM freshd-busybox:1 AS tools\nFROM scratch\n"
                "COPY --from=tools /bin/busybox /sleep\nCOPY etc /etc/app\n"
                'CMD ["/sleep", "1000000"]\n'
            ),
            "compose.yaml": (
                "services:\n  web:\n    build: .\n    init: true\n    stop_grace_period: 0s\n"
            ),
        }
    )
    stack.up(build=True)
    # What a stage brings of its base image shows in no history.
    landed = {"web": below("etc", "/etc/app", "app.conf", "deep/er.conf")}
    return Truth(landed, unrecorded=frozenset({"web"}))


def a_program_that_writes_beside_its_code(stack: Stack) -> Truth:
    """Logs, bytecode and rendered templates in the copied directory belong to the program."""
    script = (
        "#!/bin/sh\nmkdir -p /app/__pycache__ /app/log\n"
        "echo pyc >/app/__pycache__/main.cpython-311.pyc\n"
        "sed s/NAME/world/ /app/page.html.in >/app/page.html\n"
        "echo started >>/app/log/app.log\ntouch /app/ready\nexec sleep 1000000\n"
    )
    stack.write(PYTHON)
    stack.write({"app/start.sh": script, "app/page.html.in": "hello NAME\n"})
    os.chmod(stack.path("app/start.sh"), 0o755)
    stack.write(
        {
            "app/__pycache__/main.cpython-311.pyc": "of the host\n",
            "app/log/app.log": "of the host\n",
            ".dockerignore": "**/__pycache__\n**/log\n",
            "Dockerfile": (
                f'{BASE}COPY app /app\nRUN echo built >/app/build-info\nCMD ["/app/start.sh"]\n'
            ),
            "compose.yaml": (
                "services:\n  web:\n    build: .\n    init: true\n    stop_grace_period: 0s\n"
                "    healthcheck: {test: [CMD, test, -e, /app/ready], interval: 200ms}\n"
            ),
        }
    )
    stack.compose("up", "-d", "--build", "--wait")
    return Truth({"web": below("app", "/app", *NAMES, "start.sh", "page.html.in")})


def volumes_and_read_only_roots(stack: Stack) -> Truth:
    """A volume seeded from the image and written since; a root that nothing can be written to."""
    stack.write(PYTHON)
    stack.write(
        {
            "data/seed.sql": "create table t\n",
            "Dockerfile": f"{BASE}COPY app /app\nCOPY data /var/lib/db\n",
            "compose.yaml": f"""
services:
  db:
    build: .
    volumes: ["data:/var/lib/db"]
    {SLEEP}
  locked:
    build: .
    read_only: true
    tmpfs: ["/tmp", "/app/cache"]
    {SLEEP}
volumes: {{data: {{}}}}
""",
        }
    )
    stack.up(build=True)
    stack.put(stack.container("db"), "/var/lib/db/rows", b"written since\n")
    stack.put(stack.container("locked"), "/app/cache/x", b"in memory\n")
    everything = {**below("app", "/app", *NAMES), "data/seed.sql": "/var/lib/db/seed.sql"}
    hidden = frozenset({("db", "/var/lib/db/seed.sql")})
    return Truth({"db": everything, "locked": everything}, hidden=hidden)


ODD = ("new\nline", "quo'te\"s", "-rf", "sp ace", "back\\slash", "*", "$(id)", "ü")
NOT_UTF8 = "\udcff\udcfe"


def odd_names(stack: Stack) -> Truth:
    """Links, names that are no words and no UTF-8, empty files, empty and nested directories."""
    odd = (*ODD, NOT_UTF8) if builds_any_name(stack.docker) else ODD
    stack.write({f"app/{name}": f"{name!r}\n" for name in odd})
    stack.write({"app/empty": "", "app/a/b/c/d/deep": "deep\n", "app/-d/-x": "dash\n"})
    os.makedirs(stack.path("app/nothing/in/here"))
    os.symlink("empty", stack.path("app/link"))
    os.symlink("a/b", stack.path("app/to-directory"))
    os.symlink("/nowhere/at/all", stack.path("app/broken"))
    stack.write(
        {
            "Dockerfile": f"{BASE}COPY app /app\n",
            "compose.yaml": f"services:\n  web:\n    build: .\n    {SLEEP}\n",
        }
    )
    stack.up(build=True)
    names = (*odd, "empty", "a/b/c/d/deep", "-d/-x", "link", "to-directory", "broken")
    return Truth({"web": below("app", "/app", *names)})


def shared_and_named_images(stack: Stack) -> Truth:
    """Two services of one image, a context outside the project, `image:` beside `build:`."""
    stack.write(PYTHON)
    # A file that the deployment's own directory does not contain: its context is the parent.
    stack.write(
        {
            "deploy/Dockerfile": f"{BASE}COPY app /app\nCOPY deploy/site.conf /etc/site.conf\n",
            "deploy/site.conf": "listen 80\n",
            "deploy/compose.yaml": f"""
name: {stack.project}
services:
  web:
    image: {stack.project}-shared:dev
    build: {{context: .., dockerfile: deploy/Dockerfile}}
    {SLEEP}
  worker:
    image: {stack.project}-shared:dev
    build: {{context: .., dockerfile: deploy/Dockerfile}}
    {SLEEP}
  cron:
    image: {stack.project}-shared:dev
    {SLEEP}
""",
        }
    )
    stack.directory = stack.path("deploy")
    stack.up(build=True)
    own = {**below("../app", "/app", *NAMES), "site.conf": "/etc/site.conf"}
    return Truth({"web": own, "worker": own, "cron": own})


KINDS: tuple[Callable[[Stack], Truth], ...] = (
    bind_mounted_development,
    anonymous_volume_over_a_bind,
    changed_by_the_build_after_the_copy,
    built_in_stages,
    jobs_that_are_done,
    images_of_others,
    profiles,
    ignored_with_exceptions,
    plain_docker_run,
    nothing_but_the_program,
    a_program_that_writes_beside_its_code,
    volumes_and_read_only_roots,
    odd_names,
    shared_and_named_images,
)
