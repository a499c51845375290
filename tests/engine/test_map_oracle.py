"""What freshd infers from a Dockerfile is what BuildKit makes of it: generated, built, read back.

The final image is read through `docker export` and `docker save`, by nothing of freshd's.
FRESHD_ORACLE_COUNT=300 asks for as many builds as each feature needs to be seen twenty times;
without it each is seen three times at least.
"""

import os
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import docker
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from freshd.model.observed.image import Trace
from tests.engine.dockerfiles import FEATURES, Case, cases
from tests.engine.map_oracle import Built, examine, landed, mismatch, prepare_bases

SEED = 20261122
COUNT = int(os.environ.get("FRESHD_ORACLE_COUNT", "40"))
POOL = COUNT + COUNT // 2 + 100
FULL, OFTEN = 300, 20
SELDOM = 3  # how many builds there are of each feature, however few are asked for
BATCH = 6
pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.needs_engine(
        23,
        "its BuildKit refuses half of the generated Dockerfiles, which use what it has not, so "
        "that the map is judged there by fixed cases alone",
    ),
]


def generate(wanted: int) -> list[Case]:
    """The same distinct cases in every run.

    In many short runs: within a long one Hypothesis mostly varies what it has already drawn.
    """
    found: dict[str, Case] = {}
    for batch in range(wanted // BATCH * 4):
        draw_batch(SEED + batch, found)
        if len(found) >= wanted:
            break
    return list(found.values())


def draw_batch(start: int, found: dict[str, Case]) -> None:
    @seed(start)
    @settings(
        max_examples=BATCH,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def collect(case: Case) -> None:
        found.setdefault(case.dockerfile + repr(case.ignore), case)

    collect()


def choose(pool: list[Case], wanted: int) -> list[Case]:
    """``wanted`` of the pool: first those with most of what is still rare, then the rest."""
    enough = max(SELDOM + 1, round(24 * wanted / FULL))  # one more: a build may be refused
    counts: Counter[str] = Counter()
    chosen: list[Case] = []
    left = list(pool)

    def rarity(case: Case) -> float:
        return sum(1 / (1 + counts[each]) for each in case.features if counts[each] < enough)

    while left and len(chosen) < wanted:
        best = max(left, key=rarity)
        if not rarity(best):
            break
        left.remove(best)
        chosen.append(best)
        counts.update(best.features)
    return (chosen + left)[:wanted]


@pytest.fixture(scope="module")
def built(engine_env: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> list[Built]:
    """COUNT cases that BuildKit built; one that it refused is replaced by a spare of the pool."""
    pool = generate(POOL)
    chosen = choose(pool, COUNT)
    spares = iter([case for case in pool if case not in chosen])
    roots = tmp_path_factory.mktemp("contexts")
    client = docker.from_env(environment=dict(engine_env))
    try:
        bases = prepare_bases(client)
    finally:
        client.close()
    numbers = count()

    def make(case: Case) -> Built:
        number = next(numbers)
        return examine(case, bases, directory=roots / str(number), number=number)

    with ThreadPoolExecutor(2) as workers:
        done = list(workers.map(make, chosen))
        for case in spares:
            if sum(one.image is not None for one in done) >= COUNT:
                break
            done.append(make(case))
    return done


def test_pairs_are_exactly_what_buildkit_put_there(
    built: list[Built], capsys: pytest.CaptureFixture[str]
) -> None:
    """No wrong pair, none missing, and every known mode is the image's."""
    wrong = [text for one in built if one.image is not None and (text := mismatch(one))]
    report(built, sum(len(landed(one.case, one.image)) for one in built if one.image), capsys)
    assert not wrong, f"{len(wrong)} of {len(built)} differ\n\n" + "\n\n".join(wrong[:3])


def report(built: list[Built], total: int, capsys: pytest.CaptureFixture[str]) -> None:
    done = [one for one in built if one.image is not None]
    counts = Counter(feature for one in done for feature in one.case.features)
    several = sum(len(one.case.features) >= 3 for one in done)
    with capsys.disabled():
        print(f"\nseed {SEED}: {len(built)} Dockerfiles, {len(done)} built, {total} files landed")
        print(f"three or more features: {several}; RUN touches copied files: {counts['run-touch']}")
        print(", ".join(f"{name} {counts[name]}" for name in FEATURES))


def test_the_generated_dockerfiles_are_accepted_and_varied(built: list[Built]) -> None:
    """BuildKit refuses few of them, and each feature is in enough of those it builds."""
    refused = [one for one in built if one.image is None]
    texts = "\n\n".join(
        f"{one.case.dockerfile}\n{one.case.ignore!r}\n{one.refusal}" for one in refused[:3]
    )
    assert len(refused) <= len(built) // 50, f"{len(refused)} refused\n{texts}"
    done = [one.case for one in built if one.image is not None]
    assert len(done) == COUNT
    counts = Counter(feature for case in done for feature in case.features)
    least = OFTEN if COUNT >= FULL else SELDOM
    assert {name: counts[name] for name in FEATURES if counts[name] < least} == {}
    assert sum(len(case.features) >= 3 for case in done) >= COUNT // 5
    assert counts["run-touch"] >= COUNT // 5


def test_an_image_just_built_never_differs_from_its_dockerfile(built: list[Built]) -> None:
    """Equal, or unknown where the Dockerfile has what no history shows."""
    for one in built:
        if one.inference is None or one.verdict is None:
            continue
        assert one.verdict.trace is not Trace.DIFFERS, f"{one.case.dockerfile}\n{one.verdict}"
        shown = not any(step.traceless for step in one.inference.final)
        assert (one.verdict.trace is Trace.EQUAL) is shown, f"{one.case.dockerfile}\n{one.verdict}"


def test_one_changed_line_is_found_in_the_history(built: list[Built]) -> None:
    """Each RUN, ENV, COPY, ADD and WORKDIR of the final chain, changed on its own."""
    verdicts = [verdict for one in built for verdict in one.edited]
    found = sum(verdict.trace is Trace.DIFFERS for verdict in verdicts)
    assert verdicts
    assert found == len(verdicts), f"{found} of {len(verdicts)} found"
