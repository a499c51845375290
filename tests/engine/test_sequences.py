"""Random sequences of what developers do: freshd says fresh if and only if the judge does.

``FRESHD_SEQUENCES=500 make engine TESTS='tests/engine/test_sequences.py -s'`` makes as many as the
catalogue of causes is held to; ``FRESHD_SEED`` makes the same ones again.
"""

import os
from collections import Counter
from random import Random

import pytest

from freshd.commands.session import open_session
from freshd.config.invocation import Invocation
from freshd.model.report import ProjectReport, Verdict
from tests.engine.sequences import World
from tests.harness.cli import Freshd
from tests.harness.stack import Stack

SEQUENCES = int(os.environ.get("FRESHD_SEQUENCES", "8"))
SEED = int(os.environ.get("FRESHD_SEED", "20261126"))
LONGEST = 5
SHARDS = 2
UNVERIFIABLE_SHARE = 0.02


@pytest.mark.timeout(120 + 30 * SEQUENCES)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_verdict_is_fresh_if_and_only_if_the_judge_says_so(
    stack: Stack, freshd: Freshd, shard: int
) -> None:
    chance = Random(SEED + shard)
    world = World(stack, chance)
    verdicts: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    wrong = []
    for number in range(SEQUENCES // SHARDS):
        world.begin()
        for _ in range(chance.randint(1, LONGEST)):
            world.step()
            why, report = world.stale(), looked(freshd)
            found = sorted({each.cause for each in report.services[0].findings})
            verdicts[report.verdict.value] += 1
            causes.update(found)
            if report.verdict is Verdict.UNVERIFIABLE:
                continue
            if (report.verdict is Verdict.FRESH) != (not why):
                wrong.append((number, list(world.said), report.verdict.value, found, why))
                break
    print(f"\nseed {SEED + shard}: {SEQUENCES // SHARDS} sequences, {dict(verdicts)}")
    print(f"findings: {dict(causes.most_common())}")
    assert wrong == []
    assert verdicts["unverifiable"] <= UNVERIFIABLE_SHARE * verdicts.total()
    assert verdicts["fresh"]
    assert verdicts["stale"]


def looked(freshd: Freshd) -> ProjectReport:
    with open_session(Invocation(freshd.directory, freshd.full_environment)) as session:
        return session.check(())
