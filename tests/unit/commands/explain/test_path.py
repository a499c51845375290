"""One path, without an engine: where it lands, what leaves it out, what would be done."""

from pathlib import Path

import pytest

from freshd.commands.explain.path import explain_path, tree_path
from freshd.commands.workspace import Workspace
from freshd.config.load import load_policy
from freshd.config.locate import Located
from freshd.config.project import Project
from freshd.model.errors import ConfigError
from freshd.model.policy import Policy
from freshd.model.text import Json
from freshd.model.verbs.explanation import PathExplanation
from freshd.render.explain import explanation_document, explanation_lines
from freshd.render.words import plain
from tests.unit.commands.workspaces import without_engine
from tests.unit.config.test_project import FakeCompose

POLICY = """
version = 1
[service.web]
reload = "signal:HUP"
[[rule]]
name = "locks"
when = ["content-differs"]
paths = ["requirements.txt"]
do = ["rebuild"]
[[rule]]
name = "sources"
when = ["content-differs", "missing-in-container"]
do = ["inject", "purge", "reload"]
[never]
inject = ["scripts/**"]
"""
FILES = {
    "compose.yaml": "",
    "freshd.toml": POLICY,
    "Dockerfile": "FROM x\nCOPY requirements.txt /tmp/r\nRUN pip install -r /tmp/r\nCOPY . /app\n",
    ".dockerignore": "# not these\ndocs\n",
    ".gitignore": "*.log\n",
    "requirements.txt": "x",
    "app/main.py": "x",
    "scripts/run.py": "x",
    "docs/a.md": "x",
    "debug.log": "x",
    "pg/base": "x",
    "conf/nginx.conf": "x",
    ".env": "x",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    mount: Json = {"type": "bind", "source": f"{tmp_path}/conf", "target": "/app/conf"}
    store: Json = {"type": "bind", "source": f"{tmp_path}/pg", "target": "/var/lib/pg"}
    services: dict[str, Json] = {
        "web": {"build": {"context": str(tmp_path)}, "volumes": [mount]},
        "db": {"image": "postgres", "volumes": [store]},
    }
    located = Located(str(tmp_path))
    project = Project(located, compose=FakeCompose(services), engine=None)
    assert project.policy == load_policy(str(tmp_path / "freshd.toml"))
    assert project.policy != Policy()
    return without_engine(located, project)


def asked(workspace: Workspace, path: str, *, below: str = "") -> PathExplanation:
    return explain_path(workspace, path, cwd=str(Path(workspace.project.dir, below)))


def said(workspace: Workspace, path: str) -> str:
    lines = explanation_lines(asked(workspace, path), project_dir=workspace.project.dir)
    return "\n".join(plain(line) for line in lines)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("app/main.py", "→ /app/app/main.py   copy, Dockerfile line 4"),
        ("app/main.py", "if it differs or is missing: inject, purge, signal HUP   [sources]"),
        ("app/main.py", "if it has another mode: nothing is done   no rule of the policy applies"),
        ("app/main.py", "if it leaves the tree: nothing is done   only a rule that names"),
        ("app/main.py", "not in it: postgres is not built here, and no mount brings it"),
        ("requirements.txt", "if it differs: rebuild (cached)   [locks]"),
        ("scripts/run.py", "[sources]: the policy never injects scripts/**"),
        (".env", "looks like a secret (.env) and is never injected"),
        ("docs/a.md", "it is left out of the build context: .dockerignore:2 has docs"),
        ("debug.log", "not watched: .gitignore:1 has *.log; the patrol finds its changes"),
        ("conf/nginx.conf", "→ /app/conf/nginx.conf   bind, bind mount at /app/conf"),
        ("conf/nginx.conf", "hidden by the mount at /app/conf"),
        ("Dockerfile", "its build reads it"),
        ("freshd.toml", "it is nobody's code"),
        ("app", "1 file of it below /app/app"),
        ("pg/base", "data of db, which writes it through its mount at /var/lib/pg: not compared"),
        ("gone.py", "it does not exist, and nothing maps it"),
        ("web:/app/app/main.py", "→ /app/app/main.py"),
        ("web:/app/conf/other", "it lies in the bind mounted at /app/conf"),
        ("/app/scripts/run.py", "scripts/run.py   a file"),
        ("db:/etc/passwd", "nothing of the tree lands there"),
        ("web:/app/app", "a directory; 1 of the tree's files land below it"),
    ],
)
def test_what_is_said_of_a_path(workspace: Workspace, path: str, words: str) -> None:
    assert words in said(workspace, path)


def test_a_path_is_taken_from_here_then_from_the_project(
    workspace: Workspace, tmp_path: Path
) -> None:
    assert asked(workspace, "main.py", below="app").path == "app/main.py"
    assert asked(workspace, "app/main.py", below="docs").path == "app/main.py"
    assert asked(workspace, f"{tmp_path}/app/main.py").path == "app/main.py"
    assert tree_path("new.py", project_dir="/src", cwd="/src/app") == "app/new.py"


def test_a_container_path_leaves_the_other_services_out(workspace: Workspace) -> None:
    assert [each.service for each in asked(workspace, "web:/app/app/main.py").services] == ["web"]


def test_an_unknown_service_is_named_with_those_there_are(workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="no service or container wbe") as caught:
        asked(workspace, "wbe:/app/x")
    assert "db, web" in (caught.value.hint or "")


def test_the_document_has_it_all(workspace: Workspace) -> None:
    directory = workspace.project.dir
    document = explanation_document(asked(workspace, "docs/a.md"), project_dir=directory)
    assert document["path"] == "docs/a.md"
    services = document["services"]
    assert isinstance(services, list)
    web = next(each for each in services if each["name"] == "web")
    left_out = web["left_out"]
    assert (left_out["file"], left_out["line"], left_out["pattern"]) == (".dockerignore", 2, "docs")
    assert document["ignored"] is None
