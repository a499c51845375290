"""Which module imports which: no circles, the order of the rooms, and none that is too full."""

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / "freshd"
MOST = 12

Graph = Mapping[str, set[str]]


def name_of(path: Path) -> str:
    """``freshd.store`` for its ``__init__.py``, ``freshd.store.journal`` for that module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in sorted(HOME.rglob("*.py"))}
ROOMS = {name.split(".")[1] for name in MODULES if "." in name}


def imports(tree: ast.Module, *, late: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Those made when the module is loaded; with ``late`` those inside functions as well.

    What is there for the type checker alone is never made.
    """
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo += node.orelse
        elif late or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            todo += ast.iter_child_nodes(node)


def targets(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The modules of freshd that are meant: a name that is no module is its package's own."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in MODULES)
        return
    assert node.level == 0, "imports are absolute"
    for alias in node.names:
        full = f"{node.module}.{alias.name}"
        yield from [name for name in (full, node.module) if name in MODULES][:1]


def loaded(module: str, target: str) -> Iterator[str]:
    """What an import of ``target`` runs: that, and packages around it that ``module`` is not in."""
    parts = target.split(".")
    yield target
    for length in range(1, len(parts)):
        package = ".".join(parts[:length])
        if not f"{module}.".startswith(f"{package}."):
            yield package


def graph(*, late: bool) -> Graph:
    """Module -> the modules that it imports."""
    edges: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        found = imports(ast.parse(path.read_text("utf-8")), late=late)
        edges[module] = {
            each for node in found for target in targets(node) for each in loaded(module, target)
        } - {module}
    return edges


def between_rooms(edges: Graph) -> Graph:
    """Room -> the rooms that something in it imports."""
    found: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module, imported in edges.items():
        _, _, inside = module.partition(".")
        room = inside.split(".")[0]
        if room:
            found[room] |= {each.split(".")[1] for each in imported if "." in each} - {room}
    return found


def circles(edges: Graph) -> list[list[str]]:
    """Strongly connected components of more than one node: Tarjan's algorithm."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = lowest[node] = len(index)
        open_.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in open_:
                lowest[node] = min(lowest[node], index[other])
        if lowest[node] == index[node]:
            start = open_.index(node)
            component = sorted(open_[start:])
            del open_[start:]
            if len(component) > 1:
                found.append(component)

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


def test_a_circle_is_found() -> None:
    """Of the search itself: a pair, a longer way round, and what only hangs on to them."""
    pair = {"a": {"b"}, "b": {"a"}, "c": {"a"}}
    longer = {"d": {"e", "c"}, "e": {"f"}, "f": {"d", "g"}, "g": set[str]()}
    assert circles(pair | longer) == [["a", "b"], ["d", "e", "f"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_imports_are_told_apart() -> None:
    text = """
from typing import TYPE_CHECKING
import freshd.model
if TYPE_CHECKING:
    from freshd.store import Store
else:
    from freshd import engine
class Late:
    import freshd.tree
    def run(self):
        from freshd import cli
"""
    tree = ast.parse(text)

    def found(*, late: bool) -> set[str]:
        return {each for node in imports(tree, late=late) for each in targets(node)}

    assert found(late=False) == {"freshd.model", "freshd.engine", "freshd.tree"}
    assert found(late=True) == found(late=False) | {"freshd.cli"}
    assert set(loaded("freshd.cli.app", "freshd.store.store")) == {
        "freshd.store",
        "freshd.store.store",
    }
    assert set(loaded("freshd.store.journal", "freshd.store.store")) == {"freshd.store.store"}


def test_no_module_is_in_a_circle_of_imports() -> None:
    """A package whose ``__init__`` imports a module that imports the package is one, too."""
    found = circles(graph(late=False))
    assert not found, found


def test_no_module_is_in_a_circle_by_a_late_import() -> None:
    """An import inside a function is late to start faster, not to hide a circle."""
    found = circles(graph(late=True))
    assert not found, found


def test_no_room_is_in_a_circle_of_imports() -> None:
    found = circles(between_rooms(graph(late=True)))
    assert not found, found


def layers() -> list[set[str]]:
    """The contract's rows, from the top; rooms in parentheses need not exist."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (rows,) = (
        contract["layers"]
        for contract in contracts
        if contract["type"] == "layers" and contract.get("containers") == ["freshd"]
    )
    return [set(re.findall(r"\w+", re.sub(r"\(\w+\)", "", row))) for row in rows]


def table() -> list[str]:
    """The rooms in docs/architecture.md, from the top."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    section = text.partition("\n## Rooms\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return [room for cell in cells for room in re.findall(r"`freshd\.(\w+)", cell)]


def test_every_room_is_in_the_contract_and_in_the_documentation() -> None:
    documented = table()
    assert set().union(*layers()) == ROOMS
    assert set(documented) | {"__main__"} == ROOMS
    assert len(documented) == len(set(documented)), "a room has one row"


def test_the_documentation_lists_the_rooms_in_the_order_of_imports() -> None:
    order = {room: number for number, row in enumerate(layers()) for room in row}
    rows = [(order[room], room) for room in table()]
    early = [
        f"{room} before {above}"
        for (number, above), (next_number, room) in pairwise(rows)
        if next_number < number
    ]
    assert not early, f"the contract has it the other way round: {', '.join(early)}"


def test_no_package_holds_too_many_modules() -> None:
    """More than can be seen at once is divided, by link or by stage."""
    held = {
        str(path.parent.relative_to(ROOT)): sum(
            each.name != "__init__.py" for each in path.parent.glob("*.py")
        )
        for path in HOME.rglob("__init__.py")
    }
    full = {package: count for package, count in sorted(held.items()) if count > MOST}
    assert not full, full
