"""What a service's files are: paths in, languages and caches out. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_JS_BUILD = (
    r"\b(?:npm|yarn|pnpm|bun)\s+(?:run\s+|run-script\s+)?(?:build|compile|generate)\b"
    r"|\b(?:next|vite|nuxt|nuxi|astro|ng|gatsby|remix|parcel|react-scripts|vue-cli-service|nest)"
    r"\s+build\b|\b(?:tsc|webpack|rollup|esbuild|tsup|swc|turbo)\b"
)


@dataclass(frozen=True, slots=True)
class Language:
    """``endings`` are its sources'. ``built`` matches a RUN that compiles them into what then runs.

    Without ``interpreted`` only a compiler reads the sources, whatever the RUNs say.
    """

    name: str
    endings: tuple[str, ...]
    interpreted: bool = True
    built: str = ""

    @property
    def patterns(self) -> tuple[str, ...]:
        return tuple(f"**/*{ending}" for ending in self.endings)

    def is_built(self, runs: Iterable[str]) -> bool:
        """Whether editing a source changes nothing before a build has run."""
        if not self.interpreted:
            return True
        return bool(self.built) and any(re.search(self.built, run) for run in runs)


LANGUAGES = (
    Language("Python", (".py", ".pyi"), built=r"\b(?:cythonize|nuitka|pyinstaller|build_ext)\b"),
    Language(
        "JavaScript",
        (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".vue", ".svelte", ".astro"),
        built=_JS_BUILD,
    ),
    Language("PHP", (".php", ".phtml")),
    Language("Ruby", (".rb", ".erb", ".rake")),
    Language("Perl", (".pl", ".pm")),
    Language("Lua", (".lua",)),
    Language("shell", (".sh", ".bash")),
    Language("Elixir", (".ex", ".exs", ".eex", ".heex"), built=r"\bmix\s+(?:release|compile)\b"),
    Language("Go", (".go",), interpreted=False),
    Language("Rust", (".rs",), interpreted=False),
    Language("Java", (".java", ".kt", ".scala", ".groovy"), interpreted=False),
    Language("C#", (".cs", ".fs", ".vb", ".cshtml", ".razor"), interpreted=False),
    Language("C", (".c", ".h", ".cc", ".cpp", ".hpp", ".cxx", ".m"), interpreted=False),
    Language("Swift", (".swift",), interpreted=False),
    Language("Zig", (".zig",), interpreted=False),
    Language("Haskell", (".hs",), interpreted=False),
)
_BY_ENDING: Mapping[str, Language] = {
    ending: language for language in LANGUAGES for ending in language.endings
}


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache that keeps old code: the file that is a sign of it, what to purge, and why."""

    sign: str
    patterns: tuple[str, ...]
    why: str


CACHES = (
    Cache(
        "artisan",
        ("storage/framework/views/*.php",),
        "Laravel's compiled templates are kept by time, not by content",
    ),
    Cache(
        "bin/console",
        ("var/cache/dev/",),
        "Symfony's container of the development environment is compiled once",
    ),
    Cache(
        "config/environment.rb",
        ("tmp/cache/bootsnap*/",),
        "bootsnap keeps compiled Ruby by time, not by content",
    ),
)

# assets that a RUN gathers or compiles: what is asked, which sources then wait for a build
ASSETS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (r"\bcollectstatic\b", ("**/static/**",), "collectstatic copies them when the image is built"),
    (
        r"\bassets:precompile\b",
        ("**/app/assets/**", "**/app/javascript/**"),
        "assets:precompile compiles them when the image is built",
    ),
)


def detect_language(path: str) -> Language | None:
    """The language of one file, by its ending."""
    name = path.rpartition("/")[2].lower()
    dot = name.rfind(".")
    return _BY_ENDING.get(name[dot:]) if dot > 0 else None


def count_languages(paths: Iterable[str]) -> Mapping[Language, int]:
    """How many files of each language, the most frequent first."""
    counts: dict[Language, int] = {}
    for path in paths:
        language = detect_language(path)
        if language is not None:
            counts[language] = counts.get(language, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].name)))


def find_caches(paths: Iterable[str]) -> tuple[Cache, ...]:
    """The caches that these frameworks fill; Python's bytecode is purged without being named."""
    every = tuple(paths)
    return tuple(
        cache
        for cache in CACHES
        if any(path == cache.sign or path.endswith(f"/{cache.sign}") for path in every)
    )


# what no running program reads: written into the container, and nothing is restarted for it
TESTS = (
    "**/test/**", "**/tests/**", "**/__tests__/**", "**/*.test.*", "**/*.spec.*", "**/*_spec.rb",
    "**/test_*.py", "**/*_test.py", "**/conftest.py", "**/*_test.go",
)  # fmt: skip
PAPERS = (
    "/README*", "/CHANGELOG*", "/CONTRIBUTING*", "/LICENSE*", "/AUTHORS*", "/SECURITY*",
    "/.github/**", "/.gitlab/**", "/.vscode/**", "/.idea/**", "/.devcontainer/**", "/.circleci/**",
    "/.gitattributes", "/.editorconfig", "/.gitlab-ci.yml", "/.pre-commit-config.yaml",
    ".gitignore", ".dockerignore", "Dockerfile*", "/compose*.y*ml", "/docker-compose*.y*ml",
    "/Makefile",
)  # fmt: skip

LOCKS = (
    "requirements*.txt", "constraints*.txt", "pyproject.toml", "poetry.lock", "uv.lock",
    "Pipfile", "Pipfile.lock", "setup.py", "setup.cfg", "package.json", "package-lock.json",
    "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "go.mod",
    "go.sum", "Cargo.toml", "Cargo.lock", "Gemfile", "Gemfile.lock", "composer.json",
    "composer.lock", "mix.exs", "mix.lock", "pom.xml", "build.gradle*", "*.csproj",
)  # fmt: skip
