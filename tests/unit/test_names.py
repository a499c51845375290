"""One name for one thing: every class of freshd is called otherwise than all the others."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in sorted((ROOT / "freshd").rglob("*.py"))
}


def classes(source: str) -> Iterator[str]:
    """Names of all classes, those inside others and inside functions as well."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            yield node.name


def twins(sources: Mapping[str, str]) -> Mapping[str, Sequence[str]]:
    """Class name -> where it is defined, for those that are defined more than once."""
    places = defaultdict(list)
    for path, source in sources.items():
        for name in classes(source):
            places[name].append(path)
    return {name: paths for name, paths in places.items() if len(paths) > 1}


def test_every_class_has_a_name_of_its_own() -> None:
    assert len(SOURCES) > 100
    assert twins(SOURCES) == {}


def test_a_second_class_of_a_name_is_noticed() -> None:
    path, source = next((path, text) for path, text in SOURCES.items() if any(classes(text)))
    name = next(classes(source))
    more = {"beside": f"class {name}: ...\n", "inside": f"def f():\n    class {name}: ...\n"}
    assert twins({path: source, **more}) == {name: [path, *more]}
