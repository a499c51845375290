"""Two looks at the replicas of a service, as one."""

from freshd.model.files import Entry, Kind
from freshd.model.observed.container import Observation, Replica
from freshd.observe.container.replicas import Observed

ONE, TWO = Entry(Kind.FILE, "1" * 64), Entry(Kind.FILE, "2" * 64)
REPLICAS = tuple(Replica(str(number) * 64, f"shop-web-{number}", "web") for number in (1, 2))


def test_every_replica_keeps_its_own_and_images_are_told_by_both() -> None:
    first = Observed(
        tuple(Observation(each, frozenset({"/a"}), {"/a": ONE}) for each in REPLICAS),
        {"sha256:1": {"/a": ONE}},
    )
    more = Observed(
        tuple(Observation(each, frozenset({"/b"}), {"/b": TWO}) for each in REPLICAS),
        {"sha256:1": {"/b": None}, "sha256:2": {"/b": TWO}},
    )
    both = first.joined(more)
    assert [one.replica for one in both.observations] == list(REPLICAS)
    assert all(one.files == {"/a": ONE, "/b": TWO} for one in both.observations)
    assert both.inherited == {"sha256:1": {"/a": ONE, "/b": None}, "sha256:2": {"/b": TWO}}
