"""How programs load new code, as tables: a program's name and first argument, to a mode and why."""

from typing import Final

SELF: Final = "self"
RESTART: Final = "restart"
REQUEST: Final = "per-request"

_IDLE: Final = "it only keeps the container open: a restart would end your shells"
_STATIC: Final = "{} reads static files for each request, and its configuration again on {}"

# (program, first argument or "") -> mode and why. "" fits any first argument, as the last resort.
PLAIN: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("nodemon", ""): (SELF, "nodemon starts its program again when a file changes"),
    ("ts-node-dev", ""): (SELF, "ts-node-dev starts again when a file changes"),
    ("tsnd", ""): (SELF, "ts-node-dev starts again when a file changes"),
    ("tsx", "watch"): (SELF, "tsx watch starts again when a file changes"),
    ("next", "dev"): (SELF, "next dev compiles what changed and reloads the page"),
    ("vite", ""): (SELF, "vite serves what changed at once"),
    ("vite", "preview"): (RESTART, "vite preview serves what was built"),
    ("vite", "build"): (RESTART, "vite build runs once"),
    ("nuxt", "dev"): (SELF, "nuxt dev compiles what changed"),
    ("nuxi", "dev"): (SELF, "nuxi dev compiles what changed"),
    ("astro", "dev"): (SELF, "astro dev compiles what changed"),
    ("remix", "dev"): (SELF, "remix dev compiles what changed"),
    ("remix", "vite:dev"): (SELF, "remix vite:dev compiles what changed"),
    ("gatsby", "develop"): (SELF, "gatsby develop compiles what changed"),
    ("ng", "serve"): (SELF, "ng serve compiles what changed"),
    ("react-scripts", "start"): (SELF, "react-scripts start compiles what changed"),
    ("vue-cli-service", "serve"): (SELF, "vue-cli-service serve compiles what changed"),
    ("webpack", "serve"): (SELF, "webpack serve compiles what changed"),
    ("webpack-dev-server", ""): (SELF, "webpack-dev-server compiles what changed"),
    ("parcel", ""): (SELF, "parcel compiles what changed"),
    ("parcel", "build"): (RESTART, "parcel build runs once"),
    ("expo", "start"): (SELF, "expo start compiles what changed"),
    ("storybook", "dev"): (SELF, "storybook dev compiles what changed"),
    ("ember", "serve"): (SELF, "ember serve compiles what changed"),
    ("strapi", "develop"): (SELF, "strapi develop starts again when a file changes"),
    ("wrangler", "dev"): (SELF, "wrangler dev compiles what changed"),
    ("meteor", ""): (SELF, "meteor compiles what changed"),
    ("http-server", ""): (REQUEST, "http-server reads each file when it is asked for"),
    ("serve", ""): (REQUEST, "serve reads each file when it is asked for"),
    ("live-server", ""): (SELF, "live-server watches the files it serves"),
    ("watchmedo", "auto-restart"): (SELF, "watchmedo starts its program again on a change"),
    ("watchfiles", ""): (SELF, "watchfiles starts its program again on a change"),
    ("watchexec", ""): (SELF, "watchexec starts its program again on a change"),
    ("entr", ""): (SELF, "entr starts its program again on a change"),
    ("reflex", ""): (SELF, "reflex starts its program again on a change"),
    ("fastapi", "dev"): (SELF, "fastapi dev reloads when a file changes"),
    ("adev", ""): (SELF, "adev reloads when a file changes"),
    ("mkdocs", "serve"): (SELF, "mkdocs serve builds again when a file changes"),
    ("sphinx-autobuild", ""): (SELF, "sphinx-autobuild builds again when a file changes"),
    ("streamlit", "run"): (SELF, "streamlit runs the script again from the file"),
    ("http", ""): (REQUEST, "http.server reads each file when it is asked for"),
    ("jekyll", "serve"): (SELF, "jekyll serve builds again when a file changes"),
    ("hugo", "server"): (SELF, "hugo server builds again when a file changes"),
    ("hugo", "serve"): (SELF, "hugo server builds again when a file changes"),
    ("rerun", ""): (SELF, "rerun starts its program again on a change"),
    ("guard", ""): (SELF, "guard acts on each change"),
    ("shotgun", ""): (REQUEST, "shotgun loads the application anew for each request"),
    ("air", ""): (SELF, "air builds and starts again when a file changes"),
    ("gow", ""): (SELF, "gow builds and starts again when a file changes"),
    ("wgo", ""): (SELF, "wgo builds and starts again when a file changes"),
    ("modd", ""): (SELF, "modd acts on each change"),
    ("CompileDaemon", ""): (SELF, "CompileDaemon builds and starts again on a change"),
    ("bacon", ""): (SELF, "bacon builds again when a file changes"),
    ("trunk", "serve"): (SELF, "trunk serve builds again when a file changes"),
    ("cargo", "watch"): (SELF, "cargo watch builds and starts again when a file changes"),
    ("cargo-watch", ""): (SELF, "cargo watch builds and starts again when a file changes"),
    ("cargo", "leptos"): (SELF, "cargo leptos watch builds again when a file changes"),
    ("cargo", "run"): (RESTART, "cargo run compiles when it starts"),
    ("go", "run"): (RESTART, "go run compiles when it starts"),
    ("dotnet", "watch"): (SELF, "dotnet watch builds and starts again when a file changes"),
    ("php-fpm", ""): (REQUEST, "php-fpm reads each script when it is asked for"),
    ("apache2-foreground", ""): (REQUEST, "PHP under Apache reads each script for each request"),
    ("frankenphp", ""): (REQUEST, "FrankenPHP reads each script when it is asked for"),
    ("symfony", ""): (REQUEST, "the symfony server reads each script for each request"),
    ("nginx", ""): ("signal:HUP", _STATIC.format("nginx", "HUP")),
    ("httpd-foreground", ""): ("signal:USR1", _STATIC.format("Apache", "USR1")),
    ("haproxy", ""): ("signal:HUP", "haproxy reads its configuration again on HUP"),
    ("prometheus", ""): ("signal:HUP", "prometheus reads its configuration again on HUP"),
    ("alertmanager", ""): ("signal:HUP", "alertmanager reads its configuration again on HUP"),
    ("tail", ""): (REQUEST, _IDLE),
    ("sleep", ""): (REQUEST, _IDLE),
    ("celery", ""): (RESTART, "celery imports its tasks once, when a worker starts"),
    ("rq", ""): (RESTART, "an rq worker keeps the modules it has imported"),
    ("dramatiq", ""): (RESTART, "dramatiq imports its actors once, when a worker starts"),
    ("sidekiq", ""): (RESTART, "sidekiq loads its workers once, when it starts"),
    ("supervisord", ""): (RESTART, "supervisord starts its programs once"),
    ("pm2-runtime", ""): (RESTART, "pm2 loads the program once"),
    ("java", ""): (RESTART, "the JVM loads its classes once"),
}  # fmt: skip

# program -> flags that turn its own reloader on, and how it is called
RELOADERS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "uvicorn": (("--reload",), "uvicorn"),
    "hypercorn": (("--reload",), "hypercorn"),
    "granian": (("--reload",), "granian"),
    "fastapi": (("--reload",), "fastapi"),
    "litestar": (("--reload", "-r"), "litestar"),
    "sanic": (("--dev", "-d", "--reload", "-r", "--auto-reload"), "sanic"),
    "arq": (("--watch",), "arq"),
    "dramatiq": (("--watch",), "dramatiq"),
    "taskiq": (("--reload", "-r"), "taskiq"),
    "uwsgi": (("--py-autoreload", "--py-auto-reload", "--touch-reload"), "uwsgi"),
    "mod_wsgi-express": (("--reload-on-changes",), "mod_wsgi-express"),
    "node": (("--watch", "--watch-path"), "node"),
    "bun": (("--watch", "--hot"), "bun"),
    "deno": (("--watch", "--watch-hmr"), "deno"),
    "nest": (("--watch", "-w"), "nest"),
    "pm2-runtime": (("--watch",), "pm2"),
    "caddy": (("--watch",), "caddy"),
    "gradle": (("-t", "--continuous"), "gradle"),
    "gradlew": (("-t", "--continuous"), "gradle"),
}

# known by their image where no command line tells; the longest name that fits counts
IMAGES: Final[dict[str, tuple[str, ...]]] = {
    "nginx": ("nginx",),
    "nginxinc/nginx-unprivileged": ("nginx",),
    "openresty/openresty": ("nginx",),
    "httpd": ("httpd-foreground",),
    "haproxy": ("haproxy",),
    "caddy": ("caddy", "run"),
    "prom/prometheus": ("prometheus",),
    "prom/alertmanager": ("alertmanager",),
    "wordpress": ("apache2-foreground",),
    "dunglas/frankenphp": ("frankenphp", "run"),
}

# what keeps data: restarted by a person, and not because a file was saved
STORES: Final = frozenset(
    {
        "postgres", "postgis", "timescaledb", "pgvector", "mysql", "mariadb", "percona", "mongo",
        "mongodb", "redis", "valkey", "keydb", "memcached", "rabbitmq", "kafka", "cp-kafka",
        "zookeeper", "cp-zookeeper", "redpanda", "nats", "elasticsearch", "opensearch", "minio",
        "cassandra", "clickhouse-server", "influxdb", "neo4j", "couchdb", "cockroach", "etcd",
        "consul", "vault", "mssql", "meilisearch", "typesense", "qdrant", "weaviate",
        "milvus", "localstack", "solr", "postgresql", "dragonfly", "surrealdb",
        "redismod", "redis-stack", "redis-stack-server", "azure-sql-edge",
        "mongodb-community-server",
    }
)  # fmt: skip


def repository(image: str) -> str:
    """``registry.example:5000/library/nginx:1.25@sha256:…`` as ``nginx``."""
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    name = f"{head}{slash}{tail.partition(':')[0]}"
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        name = rest
    return name.removeprefix("library/").removeprefix("bitnami/")


def is_store(image: str) -> bool:
    """Whether an image is a database, a queue or another store of data, by its name."""
    *above, name = repository(image).split("/")
    return name in STORES or (name == "server" and above[-1:] == ["mssql"])


def command_of_image(image: str) -> tuple[str, ...]:
    """What an image of this well-known name runs; () for any other."""
    name, tag = repository(image), image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    if name in ("php", "serversideup/php"):
        if "apache" in tag:
            return ("apache2-foreground",)
        return ("php-fpm",) if "fpm" in tag else ()
    return IMAGES.get(name, ())
