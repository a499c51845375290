"""docs/operations.md lists what older engines cannot: exactly the reasons of the tests' markers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = "What Docker 20.10 cannot"


def reasons() -> Iterator[str]:
    """The second argument of every ``needs_engine(major, reason)`` in the engine tests."""
    for path in sorted((ROOT / "tests" / "engine").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".needs_engine"):
                reason = ast.literal_eval(node.args[1])
                assert isinstance(reason, str)
                yield reason


def listed() -> set[str]:
    """The points of the list, each on one line."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    section = text[text.index(START) :].split("\n\n")[1]
    return {" ".join(point.split()) for point in re.split(r"^- ", section, flags=re.MULTILINE)[1:]}


def sentence(reason: str) -> str:
    start = reason if reason.startswith("its ") else f"it {reason}"
    return f"{start[0].upper()}{start[1:]}."


def test_the_documentation_has_every_reason_and_no_other() -> None:
    assert listed() == {sentence(reason) for reason in reasons()}
