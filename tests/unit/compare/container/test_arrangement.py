"""Mounts and replicas: what is said of their arrangement, and what is not."""

from dataclasses import replace

import pytest

from freshd.compare import compare
from freshd.compare.process.bytecode import bytecode_findings
from freshd.model.mapping import Pair, Via
from freshd.model.observed.container import Mount
from freshd.model.observed.image import Fetched
from freshd.model.observed.processes import Bytecode, Moved
from freshd.model.observed.runtime import ReplicaRuntime, RuntimeFacts
from freshd.model.observed.surroundings import Aged, BaseSeen, Hidden, Outdated
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName, LinkState
from freshd.observe.process.bytecode import importable
from tests.unit.compare.stack import Stack, entry, mount, replica, serving
from tests.unit.compare.test_compare import V1, only, told

DAY = 86400.0
ANONYMOUS = Mount("volume", "/app/node_modules", name="a" * 64)
NAMED = Mount("volume", "/app/node_modules", name="shop_modules")


@pytest.mark.parametrize(
    ("where", "cause"), [(ANONYMOUS, "anonymous-volume-kept"), (NAMED, "volume-shadows-image")]
)
def test_a_volume_with_other_packages_than_its_image(where: Mount, cause: str) -> None:
    seen = Hidden(where, "/app/node_modules/.package-lock.json", entry("new"), entry("old"))
    runtime = RuntimeFacts({replica(1).id: ReplicaRuntime(hidden=(seen,))})
    found = only(compare(Stack(V1, V1).facts(), runtime), cause)
    assert found.remedy is Remedy.NOTIFY
    assert found.link is LinkName.CONTAINER
    assert found.target == seen.target


@pytest.mark.parametrize(
    ("inside", "where", "expected"),
    [
        ("two!", ANONYMOUS, ["stale anonymous-volume-kept web-1 app/b.py"]),
        ("two!", NAMED, ["stale volume-shadows-image web-1 app/b.py"]),
        ("two!", None, ["stale changed-in-container web-1 app/b.py"]),
        ("two", NAMED, []),
    ],
)
def test_a_mapped_file_that_a_volume_hides(
    inside: str, where: Mount | None, expected: list[str]
) -> None:
    at = () if where is None else (Mount("volume", "/srv/app", name=where.name),)
    stack = Stack(V1, V1, (replica(1, mounts=at),), {"web-1": {"app/b.py": inside}})
    assert told(compare(stack.facts())) == expected


def test_replicas_of_different_images_matter_where_no_tag_tells_the_right_one() -> None:
    old = replica(1, created_at=1.0, image_id="sha256:old")
    new = replica(2, created_at=2.0)
    stack = Stack(V1, V1, (old, new), extra={"tag_image": None})
    found = only(compare(stack.facts()), "replica-mismatch")
    assert (found.container, found.remedy) == ("web-1", Remedy.RECREATE)
    tagged = compare(Stack(V1, V1, (old, new)).facts())
    assert {each.cause for each in tagged.findings} >= {"old-image"}
    assert "replica-mismatch" not in {each.cause for each in tagged.findings}
    stopped = replica(1, created_at=1.0, image_id="sha256:old", state="exited", exit_code=0)
    alone = compare(Stack(V1, V1, (stopped, new), extra={"tag_image": None}).facts())
    assert alone.findings == ()


def test_a_mount_inside_a_bind_is_told_and_one_over_the_image_is_not() -> None:
    pairs = (
        Pair("app/a.py", "/srv/app/a.py", Via.BIND, effective=False, hidden_by="/srv/app"),
        Pair("app/b.py", "/srv/app/b.py", Via.COPY, effective=False, hidden_by="/srv/app"),
    )
    inner = (mount("bind", "/srv"), mount("volume", "/srv/app"))
    found = compare(Stack(V1, V1, (replica(1, mounts=inner),), pairs=pairs).facts()).findings
    assert [each.cause for each in found if each.cause == "inner-mount-shadows"]
    (note,) = [each for each in found if each.cause == "inner-mount-shadows"]
    assert note.paths == ("app/a.py",)
    alone = (mount("volume", "/srv/app"),)
    found = compare(Stack(V1, V1, (replica(1, mounts=alone),), pairs=pairs).facts()).findings
    assert not [each for each in found if each.cause == "inner-mount-shadows"]


def test_health_and_loops_have_names_of_their_own() -> None:
    assert told(compare(Stack(V1, V1, (replica(1, health="unhealthy"),)).facts())) == [
        "stale unhealthy web-1"
    ]
    assert told(compare(Stack(V1, V1, (replica(1, health="starting"),)).facts())) == []
    assert told(compare(Stack(V1, V1, (replica(1, state="restarting"),)).facts())) == [
        "stale restart-looping web-1"
    ]


def test_what_the_policy_never_injects_and_the_image_has() -> None:
    report = compare(Stack(V1, V1).facts(), RuntimeFacts(forbidden=("scripts/a", "scripts/b")))
    note = only(report, "forbidden-in-image")
    assert "scripts/a and 1 more" in note.message
    assert report.links[LinkName.IMAGE] is LinkState.FRESH


def test_bytecode_is_told_by_the_trees_path() -> None:
    seen = (
        Bytecode("stale", "/srv/app/a.py", "/srv/app/__pycache__/a.cpython-312.pyc"),
        Bytecode("stale", "/srv/app/b.py", "/srv/app/__pycache__/b.cpython-312.pyc"),
        Bytecode("orphan", "/srv/app/gone.py", "/srv/app/gone.pyc"),
    )
    facts = Stack(V1, V1).facts()
    stale, orphan = bytecode_findings(serving(facts=facts, bytecode=seen))
    assert (stale.cause, stale.paths) == ("stale-bytecode", ("app/a.py", "app/b.py"))
    assert (orphan.cause, orphan.paths) == ("orphan-bytecode", ("app/gone.py",))
    assert stale.remedy is Remedy.PURGE
    report = compare(facts, RuntimeFacts({replica(1).id: ReplicaRuntime(bytecode=seen)}))
    assert report.links[LinkName.PROCESS] is LinkState.STALE
    assert list(bytecode_findings(serving(facts=facts))) == []


@pytest.mark.parametrize(
    ("layers", "built", "expected"),
    [
        (("a", "b"), ("a", "b", "c"), []),
        (("a", "x"), ("a", "b", "c"), ["stale base-image-behind"]),
        (("a", "b", "c", "d"), ("a", "b", "c"), ["stale base-image-behind"]),
        ((), ("a", "b"), []),
        (("a", "x"), ("merged",), []),
    ],
)
def test_the_base_images_layers_are_the_lowest_of_an_image(
    layers: tuple[str, ...], built: tuple[str, ...], expected: list[str]
) -> None:
    base = BaseSeen("base:1", "sha256:base", layers, built)
    assert told(compare(Stack(V1, V1).facts(), RuntimeFacts(base=base))) == expected


def test_bytecode_from_elsewhere_has_a_name_of_its_own() -> None:
    seen = (
        Bytecode("stale", "/srv/app/a.py", "/srv/app/__pycache__/a.pyc", "/home/me/app/a.py"),
        Bytecode("unchecked", "/srv/app/b.py", "/srv/app/__pycache__/b.pyc"),
    )
    unchecked, foreign = bytecode_findings(serving(facts=Stack(V1, V1).facts(), bytecode=seen))
    assert (unchecked.cause, unchecked.paths) == ("unchecked-bytecode", ("app/b.py",))
    assert (foreign.cause, foreign.remedy) == ("foreign-bytecode", Remedy.PURGE)
    assert foreign.evidence["compiled_from"] == ["/home/me/app/a.py"]


def test_an_installed_copy_is_told_with_its_place() -> None:
    copy = "/usr/lib/python3/site-packages/app/a.py"
    seen = (Bytecode("installed", "/srv/app/a.py", copy, "/srv"),)
    (found,) = bytecode_findings(serving(facts=Stack(V1, V1).facts(), bytecode=seen))
    assert (found.cause, found.remedy) == ("installed-copy-shadows", Remedy.REBUILD)
    assert found.evidence["installed"] == [copy]
    assert found.paths == ("app/a.py",)


@pytest.mark.parametrize(
    ("argv", "working_dir", "path", "expected"),
    [
        (("shop-server",), "/app", "", False),
        (("python3", "-m", "shop"), "/app/src", "", True),
        (("python3", "-m", "shop"), "/app", "", False),
        (("python3", "-m", "shop"), "/app", "/lib:/app/src", True),
        (("python3", "-m", "shop"), "/app", "src", True),
        (("python3", "src/run.py"), "/app", "", True),
        (("gunicorn", "--pythonpath", "src", "shop:app"), "/app", "", True),
        (("uvicorn", "--app-dir=/app/src", "shop:app"), "/", "", True),
    ],
)
def test_where_a_program_imports_from(
    argv: tuple[str, ...], working_dir: str, path: str, *, expected: bool
) -> None:
    said = importable("/app/src", working_dir=working_dir, path=path, argv=argv)
    assert said is expected


def test_output_that_is_older_than_its_sources() -> None:
    seen = (Outdated("src", "/app/dist", "ab", ("src/a.ts", "src/b.ts")),)
    report = compare(Stack(V1, V1).facts(), RuntimeFacts(outdated=seen))
    found = only(report, "derived-output-behind")
    assert (found.target, found.paths) == ("/app/dist", ("src/a.ts", "src/b.ts"))
    assert found.remedy is Remedy.REBUILD
    assert report.links[LinkName.IMAGE] is LinkState.STALE


@pytest.mark.parametrize(
    ("labels", "tree", "expected"),
    [
        ({"com.docker.compose.project": "till"}, {**V1, "app/a.py": "ONE"}, True),
        ({"com.docker.compose.project": "till"}, V1, False),  # what it built is right
        ({"com.docker.compose.project": "shop"}, {**V1, "app/a.py": "ONE"}, False),
        ({}, {**V1, "app/a.py": "ONE"}, False),
    ],
)
def test_a_tag_that_another_project_built(
    labels: dict[str, str], tree: dict[str, str], *, expected: bool
) -> None:
    facts = Stack(tree, V1, (replica(1, project="shop"),)).facts()
    assert facts.tag_image is not None
    report = compare(replace(facts, tag_image=replace(facts.tag_image, labels=labels)))
    assert ("tag-contention" in {each.cause for each in report.findings}) is expected


def test_a_proxy_that_looks_for_a_service_where_it_was() -> None:
    seen = ReplicaRuntime(moved=(Moved("api", ("10.0.0.2",), ("10.0.0.4",)),))
    runtime = RuntimeFacts({replica(1).id: seen})
    found = only(compare(Stack(V1, V1).facts(), runtime), "upstream-moved")
    assert (found.link, found.remedy, found.container) == (
        *(LinkName.PROCESS, Remedy.RESTART, "web-1"),
    )
    assert found.evidence == {"upstream": "api", "before": ["10.0.0.2"], "now": ["10.0.0.4"]}


def test_layers_that_are_too_old_are_one_finding() -> None:
    layers = (Fetched(2, "apt-get install", 40 * DAY), Fetched(5, "npm ci", 30 * DAY))
    aged = Aged(layers, limit=30 * DAY, now=82 * DAY)
    finding = only(compare(Stack(V1, V1).facts(), RuntimeFacts(aged=aged)), "cached-layer-aged")
    assert (finding.level, finding.remedy) == (Level.STALE, Remedy.REBUILD)
    assert "`npm ci` fetched" in finding.message
    assert "line 5 of the Dockerfile) is 52 days old and 1 more" in finding.message
    assert finding.evidence["layer_age"] == 30 * DAY
    hours = Aged(layers[:1], limit=3600.0, now=41 * DAY)
    young = only(compare(Stack(V1, V1).facts(), RuntimeFacts(aged=hours)), "cached-layer-aged")
    assert "is 24 hours old" in young.message
    assert young.evidence["drift"] != finding.evidence["drift"]
    assert compare(Stack(V1, V1).facts(), RuntimeFacts()).findings == ()
