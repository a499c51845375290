"""What a build is judged by: the tree as it was read for it, against the image's own files."""

import hashlib
from collections.abc import Mapping

import pytest

from freshd.model.plan import Plan
from freshd.reconcile.context import Context
from freshd.reconcile.world import make_world
from tests.harness.stack import Stack


@pytest.fixture
def tree() -> Mapping[str, str]:
    """Two files that land as they are, and one that a RUN writes again."""
    dockerfile = "FROM freshd-busybox:1\nCOPY app /app\nRUN echo built >>/app/c\n"
    compose = 'services: {web: {build: ., init: true, command: [sleep, "1000"]}}\n'
    files = {"app/a": "a", "app/b": "b", "app/c": "c"}
    return {"compose.yaml": compose, "Dockerfile": dockerfile, **files}


@pytest.mark.timeout(180)
def test_only_what_the_image_holds_otherwise_than_it_was_given_is_wrong(
    context: Context, stack: Stack
) -> None:
    """Rule 15. What was edited while it was built is the next build's; a RUN may change files."""
    world = make_world(context, Plan("web"))
    inputs = world.inputs()
    assert inputs["app/a"] == hashlib.sha256(b"a").hexdigest()
    assert world.mismatches() == ()
    stack.write({"app/a": "edited since", "app/new": "new"})
    assert world.mismatches() == ()
    world.inputs()
    assert world.mismatches() == ("app/a", "app/new")


@pytest.mark.timeout(180)
def test_what_goes_into_a_build_is_read_and_not_remembered(context: Context) -> None:
    """A hash that is kept for a file's size and times is no proof of what BuildKit was sent."""
    stats, root = context.store.tree_hashes, context.snapshots.manifest.root
    make_world(context, Plan("web")).inputs()
    signature, entry = stats.get_many(root, ["app/a"])["app/a"]
    later = signature._replace(hashed_at_ns=signature.hashed_at_ns + 10**10)
    stats.put_many(root, {"app/a": (later, entry._replace(digest="0" * 64))})
    assert context.snapshots.manifest.entries(["app/a"])["app/a"].digest == "0" * 64
    assert make_world(context, Plan("web")).inputs()["app/a"] == hashlib.sha256(b"a").hexdigest()
