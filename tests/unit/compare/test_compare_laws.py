"""Laws of compare, for any tree, image and container."""

import time
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from freshd.compare import compare
from freshd.model.report import Verdict
from tests.unit.compare.stack import Stack, replica

NAMES = st.sampled_from(
    [f"app/{name}" for name in ("a.py", "b.py", "c/d.py", "é", "x\n", "\udcff")]
)
TEXTS = st.sampled_from(["one", "two", "+one", "three"])
TREES = st.dictionaries(NAMES, TEXTS, max_size=6)
INSIDE = st.dictionaries(NAMES, st.none() | TEXTS, max_size=6)
CONTENT = {
    "content-differs",
    "missing-in-container",
    "extra-in-container",
    "mode-differs",
    "changed-in-container",
    "target-not-writable",
}


@given(TREES)
def test_equal_manifests_have_no_finding(tree: dict[str, str]) -> None:
    report = compare(Stack(tree, tree, (replica(1), replica(2))).facts())
    assert report.findings == ()
    assert report.verdict is Verdict.FRESH


@given(TREES, TREES, INSIDE, INSIDE, st.booleans())
def test_every_differing_path_has_one_content_finding_per_replica(
    tree: dict[str, str],
    built: dict[str, str],
    first: dict[str, str | None],
    second: dict[str, str | None],
    read_only: bool,
) -> None:
    replicas = (replica(1, read_only=read_only), replica(2))
    facts = Stack(tree, built, replicas, {"web-1": first, "web-2": second}).facts()
    report = compare(facts)
    found = Counter(
        (finding.container, finding.path) for finding in report.findings if finding.cause in CONTENT
    )
    expected = {
        (f"web-{number}", path)
        for number, inside in ((1, first), (2, second))
        for path in tree
        if {**built, **inside}.get(path) != tree[path]
    }
    mapped = {key: times for key, times in found.items() if key[1] in tree}
    assert mapped == dict.fromkeys(expected, 1)
    assert all(times == 1 for times in found.values())


@given(TREES, TREES, INSIDE)
def test_equal_and_compared_count_what_the_findings_tell(
    tree: dict[str, str], built: dict[str, str], inside: dict[str, str | None]
) -> None:
    report = compare(Stack(tree, built, inside={"web-1": inside}).facts())
    (counted,) = report.containers
    differing = [f for f in report.findings if f.cause in CONTENT and f.want is not None]
    assert counted.compared == len(tree)
    assert counted.equal == len(tree) - len(differing)


@given(TREES, TREES, INSIDE)
def test_the_order_of_replicas_and_files_does_not_matter(
    tree: dict[str, str], built: dict[str, str], inside: dict[str, str | None]
) -> None:
    facts = Stack(tree, built, (replica(1), replica(2)), {"web-1": inside}).facts()
    turned = replace(
        facts,
        observations=facts.observations[::-1],
        tree=dict(reversed(list(facts.tree.items()))),
        mapping=replace(facts.mapping, pairs=facts.mapping.pairs[::-1]),
    )
    assert compare(turned).findings == compare(facts).findings


def test_comparing_many_files_costs_a_small_multiple_of_touching_them() -> None:
    """7,000 pairs, against hashing nothing and merely looking each of them up on both sides."""
    tree = {f"app/{number // 100}/{number}.py": "same" for number in range(7000)}
    facts = Stack(tree, tree).facts()
    files = facts.observations[0].files

    def joined() -> int:
        return sum(facts.tree[p.source].same_content(files[p.target]) for p in facts.mapping.pairs)

    def best(work: object) -> float:
        times = []
        for _ in range(5):
            start = time.thread_time()
            work()  # type: ignore[operator]
            times.append(time.thread_time() - start)
        return min(times)

    assert best(lambda: compare(facts)) < 80 * best(joined)
