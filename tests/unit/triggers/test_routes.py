"""What makes a pass and what does not: others' containers and freshd's own files."""

from pathlib import Path
from typing import cast

import pytest

from freshd.config.compose.model import ComposeBuild, ComposeModel, ComposeMount, ComposeService
from freshd.config.compose.places import with_real_places
from freshd.config.project import Project
from freshd.engine.events import EngineEvent
from freshd.model.policy import Policy, ServicePolicy
from freshd.triggers.routes import Routes, services_of_event


class FakeProject:
    """The part of a project that is asked."""

    name = "shop"
    policy = Policy(services={"plain": ServicePolicy(container="by-hand")})
    services = {  # noqa: RUF012 - a fake
        "web": ComposeService("web", "shop-web"),
        "db": ComposeService("db", "docker.io/library/redis:7"),
        "plain": ComposeService("plain", "", container_name="by-hand"),
    }

    def __init__(self, directory: str) -> None:
        self.dir = directory
        self.named: dict[str, ComposeService] = {}

    @property
    def model(self) -> ComposeModel:
        return ComposeModel(self.name, {**self.services, **self.named})

    def consent_files(self) -> tuple[str, ...]:
        return ()

    def input_files(self) -> tuple[str, ...]:
        return ()


def event(kind: str, identifier: str = "", **attributes: str) -> EngineEvent:
    return EngineEvent(kind, "tag", identifier, attributes, 0.0)


def labels(project: str, service: str, **more: str) -> dict[str, str]:
    """Keys of ``more`` are the ends of label names, with underscores."""
    named = {"project": project, "service": service, **more}
    return {f"com.docker.compose.{key.replace('_', '-')}": value for key, value in named.items()}


def compose(project: str, service: str) -> dict[str, str]:
    return labels(project, service, container_number="1", oneoff="False")


JOB = labels("shop", "web", container_number="1", oneoff="True")
HOOK = labels("shop", "web", hook="pre_start")


@pytest.mark.parametrize(
    ("happened", "concerned"),
    [
        pytest.param(event("container", **compose("shop", "web")), ("web",), id="own container"),
        pytest.param(event("container", **JOB), ("web",), id="a one-off"),
        pytest.param(event("container", **HOOK), (), id="a hook's container"),
        pytest.param(event("container", **labels("shop", "web")), (), id="only labelled so"),
        pytest.param(event("container", **compose("other", "web")), (), id="another project's"),
        pytest.param(event("container", **compose("shop", "gone")), (), id="no service any more"),
        pytest.param(event("container", name="by-hand"), ("plain",), id="a container by name"),
        pytest.param(event("container", name="else"), (), id="somebody's container"),
        pytest.param(event("image", "sha256:1", name="shop-web:latest"), ("web",), id="its tag"),
        pytest.param(event("image", "sha256:1", name="redis:7"), ("db",), id="a library image"),
        pytest.param(event("image", "sha256:1", name="other:latest"), (), id="another image"),
        pytest.param(event("image", "sha256:1"), (), id="an image without a name"),
    ],
)
def test_an_event_concerns_only_the_services_it_is_about(
    happened: EngineEvent, concerned: tuple[str, ...]
) -> None:
    assert services_of_event(cast("Project", FakeProject("/src/shop")), happened) == concerned


def test_what_freshd_writes_itself_makes_no_pass(tmp_path: Path) -> None:
    own = tmp_path / ".local/state/freshd"
    routes = Routes(cast("Project", FakeProject(str(tmp_path))), own=[str(own)])
    assert routes.skip(str(own), True)
    assert routes.skip(str(own / "freshd.sqlite3-wal"), False)
    assert not routes.skip(str(own.parent / "freshd-else"), False)


def test_what_the_builder_is_not_sent_makes_no_pass(tmp_path: Path) -> None:
    """But for what a mount shows, and for the ignore file itself."""
    project = FakeProject(str(tmp_path))
    build = ComposeBuild(context=str(tmp_path), dockerfile="Dockerfile")
    data = ComposeMount("bind", "/data", str(tmp_path / "data"))
    project.services = {
        "web": ComposeService("web", "web", build=build),
        "job": ComposeService("job", "job", build=build, mounts=(data,)),
    }
    for name, text in {
        "Dockerfile": "FROM scratch\nCOPY . /\n",
        ".dockerignore": "*.log\ndata\nkept\n!kept/*.py\n.dockerignore\n",
    }.items():
        (tmp_path / name).write_text(text)
    routes = Routes(cast("Project", project))

    def concerned(path: str) -> set[str]:
        return set(routes.services_of([str(tmp_path / path)]))

    assert concerned("app.log") == set()
    assert concerned("data") == concerned("data/x") == {"job"}
    assert concerned("app.py") == concerned("kept") == concerned("kept/a.py") == {"web", "job"}
    assert concerned(".dockerignore") == concerned(".") == {"web", "job"}

    (tmp_path / ".dockerignore").write_text("")
    assert routes.reload_ignores([str(tmp_path / ".dockerignore")])
    assert concerned("app.log") == {"web", "job"}


def linked(project: FakeProject, context: Path, source: Path) -> Project:
    """``web`` is built from ``context`` and mounts ``source``, as the Compose file names them."""
    named = ComposeService(
        "web",
        "web",
        build=ComposeBuild(context=str(context), dockerfile="Dockerfile"),
        mounts=(ComposeMount("bind", "/data", str(source)),),
    )
    project.services = {"web": with_real_places(named)}
    project.named = {"web": named}
    return cast("Project", project)


def test_what_is_behind_a_link_is_watched_and_so_is_the_link(tmp_path: Path) -> None:
    """The context is in the project, the data elsewhere; git ignores where the releases are."""
    (tmp_path / "shop/rel/1").mkdir(parents=True)
    (tmp_path / "disk/data").mkdir(parents=True)
    (tmp_path / "shop/current").symlink_to("rel/1")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/data").symlink_to(tmp_path / "disk/data")
    (tmp_path / "shop/.gitignore").write_text("current\n")
    project = FakeProject(str(tmp_path / "shop"))
    routes = Routes(linked(project, tmp_path / "shop/current", tmp_path / "links/data"))
    assert routes.roots == tuple(str(tmp_path / each) for each in ("disk/data", "links", "shop"))
    for kept in ("shop/current", "shop/rel/1/v", "links/data", "disk/data/x"):
        assert not routes.skip(str(tmp_path / kept), False), kept
        assert set(routes.services_of([str(tmp_path / kept)])) == {"web"}, kept
    # near misses: beside the links there is nothing of ours
    assert routes.skip(str(tmp_path / "links/else"), False)
    assert routes.skip(str(tmp_path / "links/deep"), True)
    assert set(routes.services_of([str(tmp_path / "shop/rel/2/v")])) == set()


def test_a_link_above_the_project_leads_the_watch_to_it_and_no_further(tmp_path: Path) -> None:
    (tmp_path / "srv/shop/src").mkdir(parents=True)
    (tmp_path / "srv/now").symlink_to("shop")
    project = FakeProject(str(tmp_path / "srv/shop"))
    routes = Routes(linked(project, tmp_path / "srv/now/src", tmp_path / "srv/now/src"))
    assert routes.roots == (str(tmp_path / "srv"),)
    assert not routes.skip(str(tmp_path / "srv/shop"), True)
    assert not routes.skip(str(tmp_path / "srv/shop/src/a.py"), False)
    assert not routes.skip(str(tmp_path / "srv/now"), False)
    assert routes.skip(str(tmp_path / "srv/other"), True)
    assert routes.skip(str(tmp_path / "srv/file"), False)
