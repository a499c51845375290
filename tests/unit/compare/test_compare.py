"""One service compared: the table of the contract, row by row."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from freshd.compare import compare, compare_image, strictly
from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, Via
from freshd.model.observed.image import Trace
from freshd.model.remedy import Remedy
from freshd.model.report import Finding, Level, LinkName, LinkState, ServiceReport, Verdict
from tests.unit.compare.stack import (
    COPY_LINE,
    Stack,
    entry,
    image,
    landed,
    mount,
    record,
    replica,
    sha,
    target,
)

V1 = {"app/a.py": "one", "app/b.py": "two"}
EDITED = {"app/a.py": "ONE", "app/b.py": "two"}
TWO = (replica(1), replica(2))


def told(report: ServiceReport) -> list[str]:
    """Findings as ``level cause container path``."""
    return [
        " ".join(
            word for word in (finding.level, finding.cause, finding.container, finding.path) if word
        )
        for finding in report.findings
    ]


def only(report: ServiceReport, cause: str) -> Finding:
    (finding,) = (each for each in report.findings if each.cause == cause)
    return finding


def causes(findings: Iterable[Finding]) -> set[str]:
    return {finding.cause for finding in findings}


def test_an_untouched_stack_is_fresh_in_image_and_container() -> None:
    report = compare(Stack(V1, V1, TWO).facts())
    assert report.findings == ()
    assert report.verdict is Verdict.FRESH
    assert report.links == {
        LinkName.IMAGE: LinkState.FRESH,
        LinkName.CONTAINER: LinkState.FRESH,
        LinkName.PROCESS: LinkState.UNCHECKED,
        LinkName.CONFIG: LinkState.UNCHECKED,
    }
    assert [(each.compared, each.equal) for each in report.containers] == [(2, 2), (2, 2)]


def test_an_edit_makes_image_and_every_replica_stale() -> None:
    report = compare(Stack(EDITED, V1, TWO).facts())
    assert told(report) == [
        "stale image-behind",
        "stale content-differs web-1 app/a.py",
        "stale content-differs web-2 app/a.py",
    ]
    assert report.verdict is Verdict.STALE
    finding = only(replace(report, findings=report.findings[1:2]), "content-differs")
    assert finding.message == "app/a.py in web-1 is not the file in the tree"
    assert finding.remedy is Remedy.INJECT
    assert finding.evidence == {
        "tree": f"sha256:{sha('ONE')}",
        "container": f"sha256:{sha('one')}",
        "image": f"sha256:{sha('one')}",
    }
    assert [(each.verdict, each.equal) for each in report.containers] == [(Verdict.STALE, 1)] * 2


def test_when_every_running_replica_holds_the_tree_the_service_is_patched() -> None:
    inside = {"web-1": {"app/a.py": "ONE"}, "web-2": {"app/a.py": "ONE"}}
    stopped = replica(3, state="exited", exit_code=0)
    report = compare(Stack(EDITED, V1, (*TWO, stopped), inside).facts())
    assert told(report) == ["note image-behind", "note patched"]
    assert report.patched
    assert report.verdict is Verdict.FRESH
    assert report.links[LinkName.IMAGE] is LinkState.STALE
    assert report.links[LinkName.CONTAINER] is LinkState.FRESH
    assert only(report, "patched").evidence["count"] == 1


def test_strict_counts_notes_as_stale() -> None:
    report = compare(Stack(EDITED, V1, inside={"web-1": {"app/a.py": "ONE"}}).facts())
    assert strictly(report).verdict is Verdict.STALE
    assert strictly(compare(Stack(V1, V1).facts())).verdict is Verdict.FRESH


def test_one_replica_behind_keeps_the_image_finding_stale() -> None:
    report = compare(Stack(EDITED, V1, TWO, {"web-1": {"app/a.py": "ONE"}}).facts())
    assert told(report) == ["stale image-behind", "stale content-differs web-2 app/a.py"]
    assert not report.patched


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("ONE", []),
        ("one", ["stale content-differs web-1 app/a.py"]),
        ("hot", ["stale changed-in-container web-1 app/a.py"]),
        (None, ["stale changed-in-container web-1 app/a.py"]),
        ("+ONE", ["stale mode-differs web-1 app/a.py"]),
    ],
    ids=["as the tree", "as the image", "a hot patch", "removed by hand", "executable"],
)
def test_what_is_in_the_container_decides_the_cause(
    inside: str | None, expected: list[str]
) -> None:
    report = compare(Stack(EDITED, V1, inside={"web-1": {"app/a.py": inside}}).facts())
    assert [line for line in told(report) if "web-1" in line] == expected


def test_a_hot_patch_suggests_no_remedy() -> None:
    report = compare(Stack(V1, V1, inside={"web-1": {"app/a.py": "hot"}}).facts())
    finding = only(report, "changed-in-container")
    assert finding.remedy is Remedy.NOTIFY
    assert finding.message == "app/a.py was changed in web-1, and not by freshd"


def test_what_freshd_wrote_before_is_not_a_hot_patch() -> None:
    written = {(replica(1).id, target("app/a.py")): sha("mine")}
    stack = Stack(EDITED, V1, inside={"web-1": {"app/a.py": "mine"}}, extra={"written": written})
    assert "stale content-differs web-1 app/a.py" in told(compare(stack.facts()))


def test_a_new_file_is_missing_in_image_and_container() -> None:
    report = compare(Stack({**V1, "app/new.py": "new"}, V1).facts())
    assert told(report) == ["stale image-behind", "stale missing-in-container web-1 app/new.py"]


def test_without_the_replicas_image_nothing_present_is_taken_for_its_own() -> None:
    stack = Stack(EDITED, V1, extra={"images": {}})
    report = compare(stack.facts())
    assert "stale changed-in-container web-1 app/a.py" in told(report)
    message = only(report, "changed-in-container").message
    assert "its image is gone from the engine" in message
    assert "not by freshd" not in message


def test_a_file_that_left_the_tree_is_left_over_and_extra() -> None:
    report = compare(Stack({"app/a.py": "one"}, V1).facts())
    assert told(report) == ["stale image-behind", "stale extra-in-container web-1 app/b.py"]
    extra = only(report, "extra-in-container")
    assert (extra.target, extra.want, extra.seen) == ("/srv/app/b.py", None, entry("two"))
    assert only(report, "image-behind").evidence["left_over"] == 1


def test_a_leftover_deleted_in_every_replica_makes_the_service_patched() -> None:
    report = compare(Stack({"app/a.py": "one"}, V1, inside={"web-1": {"app/b.py": None}}).facts())
    assert told(report) == ["note image-behind", "note patched"]


def test_a_file_made_by_a_run_line_is_not_extra() -> None:
    built = image("sha256:one", V1, other=["/srv/app/version.py"])
    facts = Stack(V1, V1).facts()
    seen = replace(
        facts.observations[0],
        asked=facts.observations[0].asked | {"/srv/app/version.py"},
        files=built.files,
    )
    facts = replace(facts, tag_image=built, images={built.id: built}, observations=(seen,))
    assert compare(facts).findings == ()


def test_a_base_images_own_copy_into_the_same_directory_is_not_extra() -> None:
    facts = Stack(V1, V1).facts()
    assert facts.tag_image is not None
    path = "/srv/app/docker-entrypoint.sh"
    files = {**facts.tag_image.files, path: entry("+base")}
    writers = {**(facts.tag_image.writers or {}), path: "COPY docker-entrypoint.sh /srv/app/"}
    built = replace(facts.tag_image, files=files, writers=writers)
    seen = replace(facts.observations[0], asked=frozenset(files), files=files)
    facts = replace(facts, tag_image=built, images={built.id: built}, observations=(seen,))
    assert compare(facts).findings == ()


def test_without_attribution_nothing_is_left_over() -> None:
    facts = Stack({"app/a.py": "one"}, V1).facts()
    assert facts.tag_image is not None
    plain = replace(facts.tag_image, writers=None)
    facts = replace(facts, tag_image=plain, images={plain.id: plain})
    assert compare(facts).findings == ()


def test_a_file_below_an_unreadable_directory_has_not_left_the_tree() -> None:
    facts = Stack({"app/a.py": "one"}, {**V1, "app/sub/c.py": "three"}).facts()
    closed = Entry(Kind.UNREADABLE, reason="Permission denied")
    facts = replace(facts, tree={**facts.tree, "app/sub": closed, "app/b.py": entry("two")})
    assert compare(facts).findings == ()


def test_a_file_that_freshd_wrote_and_that_left_the_tree_is_extra() -> None:
    written = {(replica(1).id, "/srv/app/tmp.py"): sha("mine")}
    inside = {"web-1": {"/srv/app/tmp.py": "mine"}}
    report = compare(Stack(V1, V1, inside=inside, extra={"written": written}).facts())
    assert told(report) == ["stale extra-in-container web-1 app/tmp.py"]


def test_a_copys_chmod_is_what_the_tree_wants() -> None:
    pairs = (Pair("app/a.py", "/srv/app/a.py", Via.COPY, mode=0o755),)
    tree = {"app/a.py": "one"}
    assert compare(Stack(tree, {"app/a.py": "+one"}, pairs=pairs).facts()).findings == ()
    report = compare(Stack(tree, tree, pairs=pairs).facts())
    assert only(report, "mode-differs").want == entry("one")._replace(mode=0o755)


def test_a_mode_that_the_build_sets_freely_is_not_compared() -> None:
    pairs = (Pair("app/a.py", "/srv/app/a.py", Via.COPY, free_mode=True),)
    assert (
        compare(Stack({"app/a.py": "one"}, {"app/a.py": "+one"}, pairs=pairs).facts()).findings
        == ()
    )
    report = compare(Stack({"app/a.py": "ONE"}, {"app/a.py": "+one"}, pairs=pairs).facts())
    finding = only(report, "content-differs")
    assert finding.want is not None
    assert finding.want.executable


def test_an_edit_is_to_have_the_mode_of_what_it_replaces_but_for_executing() -> None:
    """A RUN may have taken rights from others, of which the tree knows nothing."""
    old, new = Stack({"app/a.py": "ONE"}, {"app/a.py": "one"}).facts(), "/srv/app/a.py"

    def wanted(mode: int, *, inside: bool = True, tree: int = 0o644) -> int:
        image = next(iter(old.images.values()))
        held = entry("one")._replace(mode=mode)
        facts = replace(
            old,
            tree={"app/a.py": entry("ONE")._replace(mode=tree)},
            images={image.id: replace(image, files={new: held})},
            observations=tuple(
                replace(seen, files={new: held} if inside else {}) for seen in old.observations
            ),
        )
        (found,) = [one for one in compare(facts).findings if one.target == new]
        assert found.want is not None
        return found.want.mode

    assert wanted(0o640) == 0o640
    assert wanted(0o640, inside=False) == 0o640, "as the image has it"
    assert wanted(0o640, tree=0o755) == 0o755, "the tree says that it is executable"


# --- mounts -----------------------------------------------------------------------------------


def hidden(path: str, at: str) -> Pair:
    return Pair(path, target(path), Via.COPY, effective=False, hidden_by=at)


@pytest.mark.parametrize(("read", "found"), [(True, ["build-input-changed"]), (False, [])])
def test_what_the_build_read_counts_for_the_image_also_under_a_bind(
    *, read: bool, found: list[str]
) -> None:
    """The mount shows the new lock file, and what was installed from the old one."""
    lock = hidden("app/uv.lock", "/srv/app")._replace(also_input=read)
    bind = Pair("app/uv.lock", "/srv/app/uv.lock", Via.BIND)
    web = replica(1, mounts=(mount("bind", "/srv/app"),))
    seen = {"web-1": {"app/uv.lock": "v2"}}
    stack = Stack({"app/uv.lock": "v2"}, {"app/uv.lock": "v1"}, (web,), seen, pairs=(bind, lock))
    assert [finding.cause for finding in compare(stack.facts()).findings] == found


def test_a_path_hidden_by_a_bind_counts_only_through_the_bind() -> None:
    bind = Pair("app/a.py", "/srv/app/a.py", Via.BIND)
    bound = replica(1, mounts=(mount("bind", "/srv/app"),))
    pairs = (bind, hidden("app/a.py", "/srv/app"))
    tree = {"app/a.py": "ONE"}
    fresh = Stack(tree, {"app/a.py": "one"}, (bound,), {"web-1": {"app/a.py": "ONE"}}, pairs)
    report = compare(fresh.facts())
    assert report.findings == ()
    assert [(each.compared, each.equal) for each in report.containers] == [(1, 1)]


def test_a_bound_file_that_still_is_the_old_one_wants_a_restart() -> None:
    bind = Pair("app/a.py", "/srv/app/a.py", Via.BIND)
    bound = replica(1, mounts=(mount("bind", "/srv/app/a.py", writable=False),))
    report = compare(
        Stack({"app/a.py": "ONE"}, {"app/a.py": "one"}, (bound,), pairs=(bind,)).facts()
    )
    finding = only(report, "single-file-bind-detached")
    assert finding.remedy is Remedy.RESTART
    assert finding.evidence["mount"] == "/srv/app/a.py"
    assert "image-behind" not in causes(report.findings)


def test_what_a_volume_serves_is_compared_and_the_image_below_it_is_not() -> None:
    shadowed = replica(1, mounts=(mount("volume", "/srv/app"),))
    pairs = (hidden("app/a.py", "/srv/app"),)
    report = compare(
        Stack({"app/a.py": "ONE"}, {"app/a.py": "one"}, (shadowed,), pairs=pairs).facts()
    )
    assert told(report) == ["stale content-differs web-1 app/a.py"]
    assert only(report, "content-differs").evidence["mount_kind"] == "volume"


@pytest.mark.parametrize(
    ("tree", "inside", "expected"),
    [
        ("one", None, ["note target-not-writable web-1 app/a.py"]),
        ("ONE", None, ["stale target-not-writable web-1 app/a.py"]),
        ("ONE", "old", ["stale target-not-writable web-1 app/a.py"]),
        ("ONE", "ONE", []),
    ],
    ids=["hidden and untouched", "edited since", "other content", "equal"],
)
def test_nothing_can_be_injected_below_a_tmpfs(
    tree: str, inside: str | None, expected: list[str]
) -> None:
    holder = replica(1, mounts=(mount("tmpfs", "/srv/app"),))
    pairs = (hidden("app/a.py", "/srv/app"),)
    stack = Stack(
        {"app/a.py": tree}, {"app/a.py": "one"}, (holder,), {"web-1": {"app/a.py": inside}}, pairs
    )
    assert told(compare(stack.facts())) == expected


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"read_only": True}, Remedy.REBUILD),
        ({"mounts": (mount("volume", "/srv", writable=False),)}, Remedy.NOTIFY),
    ],
    ids=["read-only root", "read-only volume"],
)
def test_a_read_only_target_is_named(changes: dict[str, object], remedy: Remedy) -> None:
    report = compare(Stack(EDITED, V1, (replica(1, **changes),)).facts())
    assert only(report, "target-not-writable").remedy is remedy


# --- image and build ----------------------------------------------------------------------------


def test_right_after_a_build_a_difference_is_the_builders_stale_context() -> None:
    report = compare(Stack(EDITED, V1, extra={"fresh_build": True}).facts())
    assert told(report) == ["stale stale-build-context", "stale content-differs web-1 app/a.py"]


@pytest.mark.parametrize(
    ("tree", "extra", "expected"),
    [
        (V1, {}, ["stale build-input-changed"]),
        (EDITED, {}, ["stale image-behind", "stale content-differs web-1 app/a.py"]),
        (
            EDITED,
            {"fresh_build": True},
            ["stale stale-build-context", "stale content-differs web-1 app/a.py"],
        ),
    ],
    ids=["nothing else does", "what lands does", "the builder's old bytes do"],
)
def test_another_identity_is_a_changed_input_where_nothing_else_explains_it(
    tree: dict[str, str], extra: dict[str, object], expected: list[str]
) -> None:
    report = compare(Stack(tree, V1, extra={"built_from": Trace.DIFFERS, **extra}).facts())
    assert told(report) == expected


def test_an_image_alone_has_its_link_and_no_other() -> None:
    report = compare_image(Stack(EDITED, V1).facts())
    assert told(report) == ["stale image-behind"]
    assert report.containers == ()
    assert {link for link in LinkName if report.links[link] is not LinkState.UNCHECKED} == {
        LinkName.IMAGE
    }
    assert compare_image(Stack(V1, V1).facts()).verdict is Verdict.FRESH


def test_a_landed_input_that_differs_is_an_input_that_changed() -> None:
    pairs = (Pair("app/a.py", "/srv/app/a.py", Via.COPY, also_input=True),)
    inside = {"web-1": {"app/a.py": "ONE"}}
    stack = Stack({"app/a.py": "ONE"}, {"app/a.py": "one"}, inside=inside, pairs=pairs)
    report = compare(stack.facts())
    assert told(report) == ["stale build-input-changed"]
    assert only(report, "build-input-changed").remedy is Remedy.REBUILD


def test_a_dockerfile_that_the_history_does_not_tell_of_is_a_changed_input() -> None:
    extra = {"trace": Trace.DIFFERS, "trace_evidence": "RUN pip install flask"}
    report = compare(Stack(V1, V1, extra=extra).facts())
    assert told(report) == ["stale build-input-changed"]
    assert "RUN pip install flask" in only(report, "build-input-changed").message


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"record": record({"Dockerfile": "FROM base"})}, []),
        ({"record": record({"Dockerfile": "FROM old"})}, ["stale build-input-changed"]),
        ({"record": record({})}, ["stale build-input-changed"]),
        (
            {"record": record({"Dockerfile": "FROM base", "gone.txt": "x"})},
            ["stale build-input-changed"],
        ),
        (
            {"record": record({"Dockerfile": "FROM base"}), "args": {"MODE": "x"}},
            ["stale baked-env"],
        ),
        ({"record": record({}, by_freshd=False)}, []),
        (
            {"record": record({"Dockerfile": "FROM old"}, by_freshd=False)},
            ["stale build-input-changed"],
        ),
        (
            {"record": record({"Dockerfile": "FROM old"}), "args": {"MODE": "x"}},
            ["stale baked-env", "stale build-input-changed"],
        ),
        ({"trace": Trace.DIFFERS, "trace_arguments": ("MODE",)}, ["stale baked-env"]),
        ({"trace": Trace.UNKNOWN}, ["unverifiable build-unrecorded"]),
        ({"trace": Trace.UNKNOWN, "record": record({"Dockerfile": "FROM base"})}, []),
        (
            {"trace": Trace.DIFFERS, "record": record({"Dockerfile": "FROM base"})},
            [],
        ),
    ],
    ids=[
        "recorded and equal",
        "recorded and changed",
        "new since the record",
        "gone since the record",
        "another argument",
        "witnessed in part",
        "witnessed and changed",
        "another argument and another input",
        "the trace differs in an argument",
        "no trace",
        "no trace but recorded",
        "the record is better than the trace",
    ],
)
def test_inputs_against_record_and_trace(extra: dict[str, object], expected: list[str]) -> None:
    assert told(compare(Stack(V1, V1, extra=extra).facts())) == expected


def test_an_argument_is_named_and_its_value_is_not() -> None:
    extra = {"record": record({"Dockerfile": "FROM base"}), "args": {"TOKEN": "hunter2"}}
    finding = only(compare(Stack(V1, V1, extra=extra).facts()), "baked-env")
    assert finding.evidence["arguments"] == ["TOKEN"]
    assert "hunter2" not in repr(finding)


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        (None, Verdict.UNVERIFIABLE),
        (record({"Dockerfile": "FROM base", "lock": "l"}), Verdict.FRESH),
        (record({"lock": "l"}, by_freshd=False), Verdict.FRESH),
        (record({"Dockerfile": "FROM base"}, by_freshd=False), Verdict.UNVERIFIABLE),
        (replace(record({"lock": "l"}), image_id="sha256:other"), Verdict.UNVERIFIABLE),
    ],
    ids=["no record", "by freshd", "witnessed", "witnessed without it", "of another image"],
)
def test_only_a_record_of_this_image_settles_inputs_without_a_trace(
    recorded: object, expected: Verdict
) -> None:
    facts = Stack({**V1, "lock": "l"}, V1, extra={"record": recorded}).facts()
    pairs = tuple(pair for pair in facts.mapping.pairs if pair.source != "lock")
    mapping = replace(
        facts.mapping, pairs=pairs, inputs=("Dockerfile", "lock"), traceless=("lock",)
    )
    assert compare(replace(facts, mapping=mapping)).verdict is expected


def test_what_could_not_be_followed_leaves_the_image_in_doubt() -> None:
    facts = Stack(V1, V1).facts()
    facts = replace(facts, mapping=replace(facts.mapping, opaque=("COPY $X /srv: X is unset",)))
    report = compare(facts)
    assert report.links[LinkName.IMAGE] is LinkState.UNVERIFIABLE
    assert "X is unset" in only(report, "build-unrecorded").message


def test_what_may_change_unseen_stays_in_doubt_whoever_built_the_image() -> None:
    """A record of the build settles what could not be followed, but not what lies elsewhere."""
    far, near = "the build context git://x is not on this machine", "--chmod=u+x"
    facts = Stack(V1, V1, extra={"record": record({"Dockerfile": "FROM base"})}).facts()
    settled = replace(facts, mapping=replace(facts.mapping, opaque=(near, far)))
    assert compare(settled).verdict is Verdict.FRESH
    report = compare(replace(settled, mapping=replace(settled.mapping, lasting=(far,))))
    assert report.verdict is Verdict.UNVERIFIABLE
    message = only(report, "build-unrecorded").message
    assert far in message
    assert near not in message


def test_a_build_without_pair_and_input_is_never_fresh() -> None:
    facts = Stack({}, {}, extra={"record": record({})}).facts()
    facts = replace(facts, mapping=replace(facts.mapping, pairs=(), inputs=()), tree={})
    assert compare(facts).verdict is Verdict.UNVERIFIABLE


def test_a_service_that_only_pulls_its_image_is_fresh() -> None:
    facts = Stack({}, {}, extra={"builds": False, "trace": Trace.UNKNOWN}).facts()
    report = compare(replace(facts, mapping=replace(facts.mapping, inputs=())))
    assert report.findings == ()
    assert report.links[LinkName.IMAGE] is LinkState.UNCHECKED
    assert report.links[LinkName.CONTAINER] is LinkState.FRESH


def test_many_paths_are_counted_and_the_first_are_named() -> None:
    tree = {f"app/{number:03}.py": "new" for number in range(50)}
    report = compare(Stack(tree, dict.fromkeys(tree, "old")).facts())
    evidence = only(report, "image-behind").evidence
    assert evidence["count"] == 50
    assert evidence["paths"] == sorted(tree)[:20]


def test_another_edit_of_the_same_file_is_another_drift() -> None:
    first = only(compare(Stack(EDITED, V1).facts()), "image-behind")
    second = only(compare(Stack({**V1, "app/a.py": "Two"}, V1).facts()), "image-behind")
    assert first.evidence["drift"] != second.evidence["drift"]
    assert {**first.evidence, "drift": 0} == {**second.evidence, "drift": 0}


# --- replicas and their states ------------------------------------------------------------------


def test_a_container_of_another_image_than_its_tag_wants_a_recreate() -> None:
    facts = Stack(V1, V1, (replica(1), replica(2, image_id="sha256:old"))).facts()
    old = replace(image("sha256:old", V1))
    report = compare(replace(facts, images={**facts.images, old.id: old}))
    assert told(report) == ["stale old-image web-2"]
    assert only(report, "old-image").remedy is Remedy.RECREATE


def test_a_one_off_container_is_not_asked_to_be_recreated() -> None:
    facts = Stack(V1, V1, (replica(1), replica(2, image_id="sha256:old", oneoff=True))).facts()
    assert compare(facts).findings == ()


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        ("exited", 0, []),
        ("exited", 1, ["stale not-running web-1"]),
        ("dead", 0, ["stale not-running web-1"]),
        ("paused", 0, ["stale not-running web-1"]),
        ("restarting", 0, ["stale restart-looping web-1"]),
        ("created", 0, ["stale not-running web-1"]),
        ("removing", 0, []),
    ],
)
def test_a_container_that_does_not_run_is_reported_but_for_a_job_that_is_done(
    state: str, code: int, expected: list[str]
) -> None:
    done = replica(1, state=state, exit_code=code)
    assert told(compare(Stack(V1, V1, (done,)).facts())) == expected


def test_a_finished_job_has_no_finding_even_with_an_edit() -> None:
    report = compare(Stack(EDITED, V1, (replica(1, state="exited", exit_code=0),)).facts())
    assert report.findings == ()
    assert set(report.links.values()) == {LinkState.UNCHECKED}


def test_a_service_that_was_never_created_has_no_finding() -> None:
    facts = replace(Stack(EDITED, V1).facts(), observations=())
    report = compare(facts)
    assert (report.findings, report.verdict, report.containers) == ((), Verdict.FRESH, ())


def test_a_replica_that_could_not_be_looked_at_is_unverifiable_and_not_patched() -> None:
    facts = Stack(EDITED, V1, TWO, {"web-1": {"app/a.py": "ONE"}}).facts()
    blind = replace(facts.observations[1], problem="the engine timed out", files={})
    report = compare(replace(facts, observations=(facts.observations[0], blind)))
    assert told(report) == ["stale image-behind", "unverifiable not-observed web-2"]
    assert [each.verdict for each in report.containers] == [Verdict.FRESH, Verdict.UNVERIFIABLE]
    assert report.containers[1].compared == 0


def test_what_cannot_be_read_is_unverifiable_on_either_side() -> None:
    closed = Entry(Kind.UNREADABLE, reason="Permission denied")
    facts = Stack(V1, V1).facts()
    in_tree = compare(replace(facts, tree={**facts.tree, "app/a.py": closed}))
    assert told(in_tree) == ["unverifiable unreadable app/a.py"]
    assert in_tree.links[LinkName.IMAGE] is LinkState.UNVERIFIABLE
    assert in_tree.links[LinkName.CONTAINER] is LinkState.UNVERIFIABLE
    seen = facts.observations[0]
    held = {**seen.files, "/srv/app/a.py": closed}
    inside = compare(replace(facts, observations=(replace(seen, files=held),)))
    assert told(inside) == ["unverifiable unreadable web-1 app/a.py"]
    assert inside.verdict is Verdict.UNVERIFIABLE
    assert facts.tag_image is not None
    below = replace(facts.tag_image, files={**landed(V1), "/srv/app/a.py": closed})
    imaged = compare(replace(facts, tag_image=below))
    assert told(imaged) == ["unverifiable unreadable"]
    assert imaged.links[LinkName.IMAGE] is LinkState.UNVERIFIABLE


def test_nothing_compared_is_not_called_fresh() -> None:
    facts = Stack(V1, V1).facts()
    seen = replace(facts.observations[0], asked=frozenset())
    report = compare(replace(facts, observations=(seen,)))
    assert report.links[LinkName.CONTAINER] is LinkState.UNCHECKED


def test_names_in_messages_stay_on_one_line() -> None:
    odd = "app/a\n\udcff.py"
    report = compare(Stack({odd: "new"}, {odd: "old"}).facts())
    finding = only(report, "content-differs")
    assert finding.path == odd
    assert finding.message == "app/a\\x0a\\xff.py in web-1 is not the file in the tree"
    assert all(level.level is Level.STALE for level in report.findings)


def test_a_copy_line_that_the_base_image_has_too_proves_nothing() -> None:
    facts = Stack({"app/a.py": "one"}, V1).facts()
    assert facts.tag_image is not None
    twice = replace(facts.tag_image, history=facts.tag_image.history * 2)
    report = compare(replace(facts, tag_image=twice, images={twice.id: twice}))
    assert told(report) == ["unverifiable build-unrecorded"]


def test_what_came_with_a_copy_from_an_earlier_stage_may_have_been_made_there() -> None:
    facts = Stack({"app/a.py": "one"}, V1).facts()
    mapping = replace(facts.mapping, copy_lines={COPY_LINE: False})
    report = compare(replace(facts, mapping=mapping))
    assert told(report) == ["unverifiable build-unrecorded"]
    assert "/srv/app/b.py" in only(report, "build-unrecorded").message
    recorded = replace(facts, mapping=mapping, record=record({"Dockerfile": "FROM base"}))
    assert told(compare(recorded)) == []


def test_a_deleted_source_is_left_over_and_no_changed_input_of_a_recorded_build() -> None:
    recorded = record({"Dockerfile": "FROM base", "app/a.py": "one", "app/b.py": "two"})
    facts = Stack({"app/a.py": "one"}, V1, extra={"record": recorded}).facts()
    assert told(compare(facts)) == [
        "stale image-behind",
        "stale extra-in-container web-1 app/b.py",
    ]


def test_without_a_running_replica_an_edit_is_no_note() -> None:
    down = replica(1, state="exited", exit_code=1)
    report = compare(Stack(EDITED, V1, (down,), {"web-1": {"app/a.py": "ONE"}}).facts())
    assert "stale image-behind" in told(report)


def test_a_replica_that_could_not_be_looked_at_does_not_count_as_level() -> None:
    facts = Stack({"app/a.py": "one"}, V1, TWO, {"web-1": {"app/b.py": None}}).facts()
    blind = replace(facts.observations[1], problem="the engine timed out", files={})
    report = compare(replace(facts, observations=(facts.observations[0], blind)))
    assert "stale image-behind" in told(report)


def test_what_freshd_deleted_and_the_tree_has_again_is_missing_and_not_a_hot_patch() -> None:
    """A branch switched away and back; a deletion is recorded as an empty digest."""
    written = {(replica(1).id, target("app/b.py")): ""}
    stack = Stack(V1, V1, inside={"web-1": {"app/b.py": None}}, extra={"written": written})
    assert told(compare(stack.facts())) == ["stale missing-in-container web-1 app/b.py"]


def test_an_input_that_changed_after_an_unrecorded_build_is_told_with_all_its_paths() -> None:
    newer = tuple(f"src/{number:02}.c" for number in range(30))
    report = compare(Stack(tree=V1, built=V1, extra={"newer": newer}).facts())
    found = only(report, "build-unrecorded")
    assert found.paths == newer
    assert found.evidence["newer"] == list(newer[:20])
    assert "src/00.c and 29 more changed after the image was made" in found.message
    assert report.verdict is Verdict.UNVERIFIABLE


def test_a_restart_that_is_due_is_of_the_process_and_of_the_replica_that_runs() -> None:
    due = {replica(number).id: ("conf/a", "conf/b") for number in (1, 2)}
    stopped = replica(2, state="exited", exit_code=1)
    stack = Stack(tree=V1, built=V1, replicas=(replica(1), stopped), extra={"restarts": due})
    report = compare(stack.facts())
    found = only(report, "restart-due")
    assert (found.container, found.paths, found.remedy) == (
        "web-1", ("conf/a", "conf/b"), Remedy.RESTART,
    )  # fmt: skip
    assert found.message == "conf/a and 1 more changed after web-1 was started"
    assert report.links[LinkName.PROCESS] is LinkState.STALE
    assert report.links[LinkName.CONTAINER] is LinkState.STALE, "the stopped one"
    calm = compare(Stack(tree=V1, built=V1, extra={"restarts": {replica(1).id: ()}}).facts())
    assert calm.links[LinkName.PROCESS] is LinkState.UNCHECKED
    assert calm.verdict is Verdict.FRESH


INJECTED = {target("app/a.py"): (sha("ONE"), 50.0)}


@pytest.mark.parametrize(
    ("injected", "changes", "inside", "expected"),
    [
        (INJECTED, {"created_at": 60.0}, {}, "injection-lost"),
        (INJECTED, {"created_at": 40.0}, {}, "content-differs"),  # it never got there
        ({target("app/a.py"): (sha("else"), 50.0)}, {"created_at": 60.0}, {}, "content-differs"),
        (INJECTED, {"created_at": 60.0}, {"app/a.py": "hot patch"}, "changed-in-container"),
        ({}, {"created_at": 60.0}, {}, "content-differs"),
    ],
)
def test_bytes_that_had_been_injected_and_came_back_old(
    injected: dict[str, tuple[str, float]],
    changes: dict[str, object],
    inside: dict[str, str | None],
    expected: str,
) -> None:
    stack = Stack(EDITED, V1, (replica(1, **changes),), {"web-1": inside})
    facts = replace(stack.facts(), injected=injected)
    (found,) = [each for each in compare(facts).findings if each.link is LinkName.CONTAINER]
    assert (found.cause, found.path) == (expected, "app/a.py")
    assert ("injected_at" in found.evidence) is (expected == "injection-lost")


def test_what_freshd_wrote_into_this_very_container_is_no_lost_injection() -> None:
    where = target("app/a.py")
    stack = Stack(EDITED, V1, (replica(1, created_at=60.0),))
    facts = replace(stack.facts(), injected=INJECTED, written={(replica(1).id, where): sha("one")})
    assert "injection-lost" not in causes(compare(facts).findings)


def test_a_new_file_that_a_recreate_lost() -> None:
    stack = Stack({**V1, "app/new.py": "new"}, V1, (replica(1, created_at=60.0),))
    facts = replace(stack.facts(), injected={target("app/new.py"): (sha("new"), 50.0)})
    assert "injection-lost" in causes(compare(facts).findings)
    assert "missing-in-container" not in causes(compare(facts).findings)


@pytest.mark.parametrize(
    ("at", "settled", "expected"),
    [
        ("/srv/app", {"app/a.py"}, "bind-serves-old-bytes"),
        ("/srv/app", set(), "content-differs"),  # saved just now
        ("/srv/app/a.py", {"app/a.py"}, "single-file-bind-detached"),
    ],
)
def test_a_mounted_directory_that_shows_old_bytes(
    at: str, settled: set[str], expected: str
) -> None:
    """As it was recorded of a desktop's file sharing: the directory is there, with old bytes."""
    pair = Pair("app/a.py", "/srv/app/a.py", Via.BIND)
    inside = {"web-1": {"app/a.py": "one"}}
    bound = replica(1, mounts=(mount("bind", at),))
    stack = Stack(EDITED, V1, (bound,), inside, pairs=(pair,))
    facts = replace(stack.facts(), settled=frozenset(settled))
    found = [each for each in compare(facts).findings if each.link is LinkName.CONTAINER]
    assert [(each.cause, each.remedy) for each in found] == [(expected, Remedy.RESTART)]
