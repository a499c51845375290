"""Which project it is, what it is called, and what happens when its files change."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from freshd.config.compose.labels import find_names_in_use
from freshd.config.compose.names import derive_project_name
from freshd.config.invocation import Invocation
from freshd.config.locate import Located, locate_project
from freshd.config.project import Project, load
from freshd.engine.cli.compose import ComposeFiles
from freshd.model.errors import ConfigError, OutcomeUnknown
from freshd.model.observed.container import Replica
from freshd.model.text import Json

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(files: dict[str, str]) -> Path:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return make


@dataclass
class FakeCompose:
    """Answers as `docker compose config` would; ``answer`` may be an error to raise."""

    services: dict[str, Json] = field(default_factory=lambda: {"web": {"image": "x"}})
    error: Exception | None = None
    calls: list[ComposeFiles] = field(default_factory=list)

    def config(self, files: ComposeFiles) -> Mapping[str, Json]:
        self.calls.append(files)
        if self.error is not None:
            raise self.error
        name = files.project or derive_project_name(files.directory)
        return {"name": name, "services": dict(self.services)}


@dataclass
class FakeEngine:
    found: Sequence[Replica] = ()

    def overview(self) -> Sequence[Replica]:
        return self.found


def container(project: str, directory: str, *files: str, oneoff: bool = False) -> Replica:
    return Replica(
        id=f"{project}{len(files)}" + "0" * 8,
        name=f"{project}-web-1",
        service="web",
        project=project,
        oneoff=oneoff,
        working_dir=directory,
        config_files=files,
    )


def found(start: Path, environ: dict[str, str] | None = None, **more: object) -> Located:
    return locate_project(Invocation(str(start), environ or {}, **more))  # type: ignore[arg-type]


# ---- locate


def test_the_nearest_compose_file_or_policy_upwards_is_the_project(write: Write) -> None:
    root = write({"compose.yaml": "", "a/freshd.toml": "", "a/b/c/x": "", "d/e/x": ""})
    assert found(root / "a/b/c").directory == str(root / "a")
    assert found(root / "d/e").directory == str(root)
    assert found(root / "d/e").files == ()


def test_a_directory_with_nothing_above_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no freshd.toml and no Compose file") as caught:
        found(tmp_path)
    assert "--project" in (caught.value.hint or "")


def test_a_named_directory_is_taken_as_it_is(write: Write) -> None:
    root = write({"compose.yaml": "", "sub/x": ""})
    assert found(root, project_dir="sub").directory == str(root / "sub")
    with pytest.raises(ConfigError, match="there is no directory"):
        found(root, project_dir="none")


def test_named_files_count_from_where_one_is_and_choose_the_directory(write: Write) -> None:
    root = write({"deploy/a.yaml": "", "deploy/b.yaml": "", "here/x": ""})
    one = found(
        root / "here",
        files=(
            "../deploy/a.yaml",
            "../deploy/b.yaml",
        ),
    )
    assert one.files == (str(root / "deploy/a.yaml"), str(root / "deploy/b.yaml"))
    assert one.directory == str(root / "deploy")
    write({"freshd.toml": ""})
    assert found(root / "here", files=("../deploy/a.yaml",)).directory == str(root)
    with pytest.raises(ConfigError, match="there is no Compose file"):
        found(root, files=("none.yaml",))


def test_the_environment_counts_after_the_command_line(write: Write) -> None:
    root = write({"a.yaml": "", "b.yaml": "", "x.env": ""})
    environ = {
        "COMPOSE_FILE": "a.yaml;b.yaml",
        "COMPOSE_PATH_SEPARATOR": ";",
        "COMPOSE_PROJECT_NAME": "envname",
        "COMPOSE_PROFILES": "dev, test",
        "COMPOSE_ENV_FILES": "x.env",
    }
    one = found(root, environ)
    assert one.files == (str(root / "a.yaml"), str(root / "b.yaml"))
    assert (one.project_name, one.profiles) == ("envname", ("dev", "test"))
    assert one.env_files == (str(root / "x.env"),)
    two = found(root, environ, files=("b.yaml",), project_name="mine", profiles=("p",))
    assert (two.files, two.project_name, two.profiles) == ((str(root / "b.yaml"),), "mine", ("p",))


def test_the_env_file_of_a_directory_may_name_the_compose_file(write: Write) -> None:
    root = write({".env": "COMPOSE_FILE=deploy/dev.yaml\n", "deploy/dev.yaml": "", "src/x": ""})
    one = found(root / "src")
    assert (one.directory, one.files) == (str(root), (str(root / "deploy/dev.yaml"),))


# ---- load


def loaded(
    root: Path,
    compose: FakeCompose | None = None,
    engine: FakeEngine | None = None,
    **more: object,
) -> Project:
    return load(found(root, **more), engine=engine, compose=compose or FakeCompose())  # type: ignore[arg-type]


def test_a_project_has_its_files_name_model_and_policy(write: Write) -> None:
    root = write(
        {
            "shop/compose.yaml": "",
            "shop/compose.override.yml": "",
            "shop/freshd.toml": 'version = 1\n[[rule]]\nwhen = ["*"]\ndo = ["notify"]\n',
        }
    )
    compose = FakeCompose()
    project = loaded(root / "shop", compose)
    assert project.dir == str(root / "shop")
    assert project.name == "shop"
    assert len(project.policy.rules) == 1
    files = project.compose_files
    assert files is not None
    assert files.files == (
        str(root / "shop/compose.yaml"),
        str(root / "shop/compose.override.yml"),
    )
    assert (files.directory, files.project) == (str(root / "shop"), "shop")
    assert compose.calls[0].profiles == ("*",)
    assert project.service("web").image == "x"
    with pytest.raises(ConfigError, match="shop has no service wob") as caught:
        project.service("wob")
    assert "web" in (caught.value.hint or "")


def test_without_a_policy_nothing_is_done_but_notices(write: Write) -> None:
    project = loaded(write({"compose.yaml": ""}))
    assert project.policy.rules == ()
    assert project.policy.path is None


def test_the_policy_names_files_name_and_profiles_unless_the_command_line_does(
    write: Write,
) -> None:
    root = write(
        {
            "freshd.toml": "version = 1\n[project]\nname = 'pol'\nfiles = ['deploy/c.yaml']\n"
            "profiles = ['dev']\n",
            "deploy/c.yaml": "",
        }
    )
    files = loaded(root).compose_files
    assert files == ComposeFiles(
        str(root / "deploy"), (str(root / "deploy/c.yaml"),), "pol", ("dev",)
    )
    files = loaded(root, project_name="mine", profiles=("p",)).compose_files
    assert files is not None
    assert (files.project, files.profiles) == ("mine", ("p",))


def test_compose_is_told_the_name_that_the_model_had(write: Write) -> None:
    """Rule 9: a name that changes in a file meanwhile makes no second project of a recreate."""
    root = write({"compose.yaml": "", "freshd.toml": "version = 1\n"})

    class Named(FakeCompose):
        def config(self, files: ComposeFiles) -> Mapping[str, Json]:
            return {**FakeCompose.config(self, files), "name": "of-the-file"}

    files = loaded(root, Named()).compose_files
    assert files is not None
    assert files.project == "of-the-file"


def test_containers_without_a_compose_file_are_services(write: Write) -> None:
    root = write(
        {
            "freshd.toml": "version = 1\n[project]\nname = 'box'\n[service.db]\n"
            "container = 'my-db'\nmap = [{ from = 'src', to = '/srv' }]\n"
        }
    )
    compose = FakeCompose()
    project = loaded(root, compose)
    assert compose.calls == []
    assert project.compose_files is None
    assert project.name == "box"
    assert project.service("db").container_name == "my-db"
    assert project.service("db").build is None


def test_neither_a_compose_file_nor_a_container_is_an_error(write: Write) -> None:
    with pytest.raises(ConfigError, match="no Compose file, and its policy names no container"):
        loaded(write({"freshd.toml": "version = 1\n"}))


def test_a_policy_for_a_service_that_is_not_there_is_an_error(write: Write) -> None:
    root = write(
        {"compose.yaml": "", "freshd.toml": "version = 1\n[service.wob]\nvolumes = true\n"}
    )
    with pytest.raises(ConfigError, match="wob"):
        loaded(root)


# ---- names


def test_running_containers_of_these_files_give_the_name(write: Write) -> None:
    root = write({"compose.yaml": ""})
    file = f"{root}/compose.yaml"
    engine = FakeEngine([container("other", "/elsewhere", "/elsewhere/compose.yaml"),
                         container("mine", str(root), file)])  # fmt: skip
    compose = FakeCompose()
    project = loaded(root, compose, engine)
    assert project.name == "mine"
    assert project.compose_files is not None
    assert project.compose_files.project == "mine"
    assert compose.calls[-1].project == "mine"


def test_several_names_are_listed_and_one_given_by_the_user_decides(write: Write) -> None:
    root = write({"compose.yaml": ""})
    file = f"{root}/compose.yaml"
    engine = FakeEngine([container("one", str(root), file), container("two", str(root), file)])
    with pytest.raises(ConfigError, match="one, two") as caught:
        loaded(root, engine=engine)
    assert caught.value.exit_code == 2
    assert "--project-name" in (caught.value.hint or "")
    assert loaded(root, engine=engine, project_name="two").name == "two"


def test_names_by_the_very_files_come_before_names_by_the_directory(tmp_path: Path) -> None:
    directory, file = str(tmp_path), f"{tmp_path}/compose.yaml"
    tests = container("tests", directory, f"{tmp_path}/compose.test.yaml")
    mine = container("mine", directory, file)
    job = container("job", directory, file, oneoff=True)
    plain = Replica(id="0" * 64, name="plain", service="")
    assert find_names_in_use([tests, mine, job, plain], directory=directory, files=(file,)) == {
        "mine"
    }
    assert find_names_in_use([tests, plain], directory=directory, files=(file,)) == {"tests"}
    assert find_names_in_use([plain], directory=directory, files=(file,)) == set()


def test_a_directory_reached_by_a_link_is_the_same_project(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    one = container("mine", str(tmp_path / "real"), str(tmp_path / "real/compose.yaml"))
    link = str(tmp_path / "link")
    assert find_names_in_use([one], directory=link, files=(f"{link}/compose.yaml",)) == {"mine"}


@pytest.mark.parametrize(
    ("directory", "name"),
    [("/x/Shop", "shop"), ("/x/my shop!", "myshop"), ("/x/_a-b_1", "a-b_1"), ("/", "project")],
)
def test_the_name_compose_gives_a_directory(directory: str, name: str) -> None:
    assert derive_project_name(directory) == name


def v1(project: str, service: str = "web") -> Replica:
    return Replica(id="1" * 64, name=f"{project}_{service}_1", service=service, project=project)


def test_containers_of_compose_v1_keep_their_names_and_their_image(write: Write) -> None:
    root = write({"compose.yaml": ""})
    name = derive_project_name(str(root))
    compose = FakeCompose(services={"web": {"build": {"context": str(root)}}, "db": {}})
    project = loaded(root, compose, FakeEngine([v1(name)]))
    assert project.service("web").image == f"{name}_web"
    assert project.service("db").image == f"{name}-db"
    files = project.compose_files_of("web")
    assert files is not None
    assert files.underscores
    calls = len(compose.calls)
    new = Replica(id="2" * 64, name=f"{name}-web-1", service="web", project=name)
    project.follow_names([new])
    assert project.service("web").image == f"{name}-web"
    assert len(compose.calls) == calls, "the model is known already"


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_who_tells_compose_to_use_underscores_has_told_freshd(write: Write, where: str) -> None:
    files = {"compose.yaml": ""}
    root = write(files if where == "environment" else {**files, ".env": "COMPOSE_COMPATIBILITY=1"})
    environ = {"COMPOSE_COMPATIBILITY": "true"} if where == "environment" else {}
    compose = FakeCompose(services={"web": {"build": {"context": str(root)}}})
    project = load(found(root, environ), engine=None, compose=compose)
    assert project.service("web").image == f"{project.name}_web"


def test_a_container_that_no_compose_file_makes_has_no_way_to_call_compose(write: Write) -> None:
    policy = 'version = 1\n[service.one]\ncontainer = "one"\nmap = [{from = ".", to = "/x"}]\n'
    project = loaded(write({"compose.yaml": "", "freshd.toml": policy}))
    assert project.compose_files_of("one") is None
    assert project.compose_files_of("web") is not None


# ---- refresh


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is so far ahead that no file counts as just changed."""
    import time

    now = time.time_ns() + 3600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: now)


@pytest.mark.usefixtures("settled")
def test_nothing_is_resolved_again_while_no_file_changes(write: Write) -> None:
    root = write({"compose.yaml": "", "freshd.toml": "version = 1\n"})
    compose = FakeCompose()
    project = loaded(root, compose)
    before = len(compose.calls)
    assert not project.refresh()
    assert not project.refresh()
    assert len(compose.calls) == before


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "name",
    ["compose.yaml", "compose.override.yaml", ".env", "dev.env", "base.yaml", "deep.env"],
)
def test_a_change_of_any_file_of_the_model_is_seen(write: Write, name: str) -> None:
    root = write(
        {
            "compose.yaml": "services: {web: {env_file: dev.env, extends: {file: base.yaml}}}",
            "dev.env": "A=1",
            "base.yaml": "env_file: deep.env",
            "deep.env": "",
        }
    )
    compose = FakeCompose()
    project = loaded(root, compose)
    compose.services = {"web": {"image": "changed"}}
    text = (root / name).read_text() if (root / name).exists() else ""
    write({name: f"{text}\n# edited"})
    assert project.refresh()
    assert project.service("web").image == "changed"
    assert not project.refresh()


def test_a_file_changed_in_the_same_tick_is_looked_at_again(write: Write) -> None:
    root = write({"compose.yaml": ""})
    compose = FakeCompose()
    project = loaded(root, compose)
    project.refresh()
    assert len(compose.calls) >= 2, "just written: resolved again, as the stat may not show an edit"


@pytest.mark.usefixtures("settled")
def test_an_invalid_version_keeps_the_last_good_one_and_says_so(write: Write) -> None:
    root = write({"compose.yaml": "", "freshd.toml": "version = 1\n"})
    compose = FakeCompose()
    project = loaded(root, compose)
    compose.error = ConfigError("the Compose model is invalid: bad indentation")
    write({"compose.yaml": "broken"})
    assert project.refresh()
    assert "bad indentation" in project.problem
    assert project.service("web").image == "x"
    calls = len(compose.calls)
    assert not project.refresh()
    assert len(compose.calls) == calls, "not asked again before the file changes"
    compose.error = None
    write({"compose.yaml": "mended"})
    assert project.refresh()
    assert project.problem == ""
    write({"freshd.toml": "nonsense = ["})
    assert project.refresh()
    assert "freshd.toml" in project.problem
    (root / "freshd.toml").unlink()
    assert project.refresh()
    assert (project.problem, project.policy.path) == ("", None)


@pytest.mark.usefixtures("settled")
def test_what_may_pass_by_itself_is_tried_again(write: Write) -> None:
    root = write({"compose.yaml": ""})
    compose = FakeCompose()
    project = loaded(root, compose)
    compose.error = OutcomeUnknown("did not end within 60 s")
    write({"compose.yaml": "# edited"})
    assert project.refresh()
    assert project.problem
    compose.error = None
    assert project.refresh()
    assert project.problem == ""


@pytest.mark.usefixtures("settled")
def test_a_compose_file_that_is_gone_is_a_problem_and_the_model_stays(write: Write) -> None:
    root = write({"compose.yaml": ""})
    project = loaded(root)
    (root / "compose.yaml").unlink()
    assert project.refresh()
    assert "no Compose file" in project.problem
    assert "web" in project.services


# ---- consent


def test_what_automatic_steps_execute_is_named(write: Write) -> None:
    root = write(
        {
            "compose.yaml": "include: [more.yaml]",
            "more.yaml": "",
            "freshd.toml": "version = 1\n",
            "Dockerfile": "FROM x",
            "notes.txt": "",
        }
    )
    compose = FakeCompose(
        {
            "web": {"build": {"context": str(root)}},
            "api": {"build": {"context": str(root / "api"), "dockerfile": "../api.docker"}},
            "inline": {"build": {"context": str(root), "dockerfile_inline": "FROM x"}},
            "far": {"build": {"context": "https://host/x.git"}},
        }
    )
    paths = loaded(root, compose).consent_files()
    assert [os.path.relpath(path, root) for path in paths] == [
        "Dockerfile",
        "api.docker",
        "compose.yaml",
        "freshd.toml",
        "more.yaml",
    ]


# ---- develop.watch


def test_a_develop_watch_section_is_the_policy_unless_it_is_switched_off(write: Write) -> None:
    root = write({"compose.yaml": "", "app/a.py": "", "Dockerfile": ""})
    rule: Json = {"path": str(root / "app"), "action": "sync", "target": "/app"}
    build: Json = {"context": str(root)}
    compose = FakeCompose({"web": {"build": build, "develop": {"watch": [rule]}}})
    project = load(found(root), engine=None, compose=compose)
    assert [each.name for each in project.policy.watch] == ["develop.watch web 1"]
    assert project.policy.exists
    assert project.policy.watched("db") == ()
    assert not project.refresh()

    write({".dockerignore": "app\n"})
    assert project.refresh(), "the ignore file of the context is a part of each rule"
    assert not project.policy.watch[0].selects("app/a.py")
    write({"freshd.toml": "[project]\ndevelop_watch = false\n"})
    assert project.refresh()
    assert project.policy.watch == ()
    assert project.service("web").watch, "Compose's own watch may be at work all the same"
