"""A repository looked at without an engine: what runs, what is read, what is proposed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from freshd.commands.init.detect import detect
from freshd.commands.init.text import policy_text
from freshd.commands.workspace import Workspace, read_settings
from freshd.config.load import parse_policy
from freshd.config.locate import Located
from freshd.config.project import Project
from freshd.engine.cli.compose import ComposeFiles
from freshd.model.policy import ProjectSettings
from freshd.model.text import Json
from freshd.model.verbs.proposal import Confidence, DetectedService
from tests.unit.commands.workspaces import without_engine

Look = Callable[..., Mapping[str, DetectedService]]


@dataclass
class FakeCompose:
    services: dict[str, Json] = field(default_factory=dict)

    def config(self, files: ComposeFiles) -> Mapping[str, Json]:
        return {"name": files.project or "shop", "services": dict(self.services)}


def workspace_of(directory: Path, services: dict[str, Json], **typed: object) -> Workspace:
    (directory / "compose.yaml").write_text("")
    located = Located(str(directory), **typed)  # type: ignore[arg-type]
    project = Project(
        located, compose=FakeCompose(services), engine=None, settings=ProjectSettings()
    )
    return without_engine(located, project)


@pytest.fixture
def look(tmp_path: Path) -> Look:
    def make(files: dict[str, str], services: dict[str, Json]) -> Mapping[str, DetectedService]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        for one in services.values():
            assert isinstance(one, dict)
            if "build" in one:
                one["build"] = {"context": str(tmp_path), **dict(one["build"])}
        proposal, looks = detect(workspace_of(tmp_path, services))
        parse_policy(policy_text(proposal))
        return {each.name: each for each in looks}

    return make


DOCKERFILE = """\
FROM python:3.12 AS base
WORKDIR /srv
COPY . .
ENTRYPOINT ["./entry.sh"]
CMD ["gunicorn", "shop:app"]
FROM base AS dev
ENV FLASK_DEBUG=1
CMD ["flask", "run"]
"""
FILES = {
    "Dockerfile": DOCKERFILE,
    "entry.sh": '#!/bin/sh\nalembic upgrade head\nexec "$@"\n',
    "shop.py": "x = 1\n",
    "gunicorn.conf.py": "preload_app = True\n",
}


def test_what_runs_is_read_off_compose_and_dockerfile(look: Look) -> None:
    found = look(
        FILES,
        {
            "web": {"build": {"target": "base"}},
            "dev": {"build": {}},
            "worker": {"build": {}, "command": ["celery", "worker"]},
            "plain": {"build": {}, "entrypoint": ["uvicorn", "--reload", "a:b"]},
        },
    )
    assert {name: each.way.mode for name, each in found.items()} == {
        "web": "restart",  # gunicorn.conf.py preloads
        "dev": "self",  # the Dockerfile's ENV
        "worker": "restart",
        "plain": "self",
    }
    assert found["web"].way.migrates == "alembic upgrade"
    assert found["plain"].way.migrates == ""
    assert found["web"].origin == "CMD, line 5 of its Dockerfile"
    assert found["worker"].origin == "command in the Compose file"
    assert found["plain"].origin == "entrypoint in the Compose file"
    assert len(found["web"].copied) == len(FILES) + 1
    assert found["web"].confidence is Confidence.INFERRED


def test_an_image_is_known_by_its_name_and_a_store_is_left_alone(look: Look) -> None:
    found = look(
        {"html/a.html": "", "Dockerfile": "FROM nginx:1.27-alpine\nCOPY html /usr/share/nginx\n"},
        {
            "site": {"build": {}},
            "db": {"image": "docker.io/library/postgres:16-alpine"},
            "app": {"image": "registry.example:5000/shop/server:1"},
            "sql": {"image": "mcr.microsoft.com/mssql/server:2022-latest"},
            "metrics": {"image": "prom/prometheus", "command": ["--config.file=/p.yml"]},
            "odd": {"image": "x/y", "command": ["--flag"]},
        },
    )
    assert found["site"].way.mode == "signal:HUP"
    assert found["metrics"].way.mode == "signal:HUP"
    assert found["odd"].argv == ()
    assert [name for name, each in found.items() if each.store] == ["db", "sql"]
    assert found["db"].confidence is Confidence.NOTHING


def test_a_mounted_package_json_tells_what_npm_runs(look: Look, tmp_path: Path) -> None:
    mount: Json = {"type": "bind", "source": str(tmp_path / "front"), "target": "/code"}
    found = look(
        {"front/package.json": '{"scripts": {"dev": "vite"}}', "front/src/a.ts": ""},
        {
            "front": {
                "image": "node:22",
                "working_dir": "/code",
                "command": ["npm", "run", "dev"],
                "volumes": [mount],
            }
        },
    )
    assert found["front"].way.mode == "self"
    assert len(found["front"].bound) == 2


def test_a_service_that_only_runs_the_image_of_another_is_told_of(look: Look) -> None:
    found = look(
        {"Dockerfile": "FROM x\nCOPY a /a\n", "a": ""},
        {"web": {"build": {}, "image": "shop"}, "worker": {"image": "shop"}},
    )
    assert found["worker"].built_by == "web"
    assert found["worker"].map.pairs == found["web"].map.pairs
    assert found["worker"].confidence is Confidence.INFERRED


def test_a_missing_dockerfile_hides_no_other_service(look: Look) -> None:
    found = look(
        {"Dockerfile": "FROM x\nCOPY a /a\n", "a": ""},
        {"web": {"build": {}}, "odd": {"build": {"dockerfile": "gone"}}},
    )
    assert "gone" in found["odd"].problem
    assert len(found["web"].copied) == 1


def test_the_options_that_were_typed_are_in_the_policy(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("")
    workspace = workspace_of(
        tmp_path, {}, files=(str(tmp_path / "x.yaml"),), project_name="y", profiles=("dev",)
    )
    settings = detect(workspace)[0].settings
    assert settings == ProjectSettings(name="y", files=("x.yaml",), profiles=("dev",))


def test_a_broken_policy_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "freshd.toml"
    assert read_settings(str(path)) == ProjectSettings()
    path.write_text('version = 1\n[project]\nname = "shop"\n')
    assert read_settings(str(path)) == ProjectSettings(name="shop")
    path.write_text("version = what")
    assert read_settings(str(path)) == ProjectSettings()


def test_the_policy_itself_is_nobodys_code(look: Look) -> None:
    found = look(
        {"Dockerfile": "FROM x\nCOPY . /a\n", "freshd.toml": "version = 1\n", "b": ""},
        {"web": {"build": {}}},
    )
    sources = {pair.source for pair in found["web"].map.pairs}
    assert "b" in sources
    assert "freshd.toml" not in sources
