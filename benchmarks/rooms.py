"""How much of freshd one check and one saved file go through: rooms, modules, calls and depth.

`.ci/with-engine .venv/bin/python -m benchmarks.rooms` makes a stack of one service and five files,
and traces in this process, with nothing remembered of earlier looks:

* ``freshd check``, from ``main`` to its exit status;
* the whole look at the service that is in it, from ``check_service`` of the reconcile room down;
* a whole pass that finds nothing to do, from ``reconcile`` down;
* and after such a pass, as in a daemon that runs, one over a saved file: it injects that, restarts
  the container, and looks at the file again.

A room is an entry of ``ls freshd/``: a package, or a module that stands alone. It is *entered* when
a function that is written in it runs, for a reader who follows the call has to open it then.
Properties, lambdas and generators count. What nobody can read does not: the methods that a
dataclass generates. So a room of values alone is not entered by making one. A comprehension is
part of its function, a generator that goes on is no new call, and what an import runs is left out.

Depth counts frames of freshd alone, so a library between two of them adds nothing; in a new thread
it begins again. A crossing is a call whose caller, the nearest frame of freshd, is in another room.
Rooms are the same in each run; the other figures differ a little, as waits poll.
"""

import contextlib
import importlib
import inspect
import io
import os
import shutil
import statistics
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import freshd
from benchmarks.stack import COMPOSE, Bare
from freshd.__main__ import main as freshd_main
from freshd.cli.app import App
from freshd.cli.screen import Screen

# Where the stages of a pass are: a module of the room, or a room that is one module.
STAGES = ("freshd.reconcile.reconcile", "freshd.reconcile")
DOCKERFILE = """FROM freshd-python:1
WORKDIR /app
COPY src src
CMD ["python3", "src/f0.py"]
"""
POLICY = """version = 1
[[rule]]
when = ["content-differs"]
do = ["inject", "restart"]
"""
_HOME = os.path.dirname(os.path.abspath(freshd.__file__)) + os.sep
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})  # frames before Python 3.12


class Call(NamedTuple):
    """A call of a function of freshd: its module, its caller's if any, and how deep it is."""

    module: str
    caller: str | None
    depth: int

    @property
    def crosses(self) -> bool:
        return self.caller is not None and _room(self.caller) != _room(self.module)


def main() -> int:
    with contextlib.ExitStack() as cleanup:
        work = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="freshd-bench-")))
        stack = Bare(work / "rooms", f"freshd-bench-rooms-{os.getpid()}", COMPOSE, DOCKERFILE)
        (stack.root / "freshd.toml").write_text(POLICY)
        (stack.root / "src").mkdir()
        for number in range(5):
            save(stack, number, "import time; time.sleep(1_000_000)\n")
        cleanup.callback(stack.down)
        stack.up()
        cleanup.enter_context(contextlib.chdir(stack.root))
        os.environ.clear()
        os.environ.update(stack.environ)
        for what, of in ROWS.items():
            of(stack)  # imports what it needs
            print(f"{what}: {figures(of(stack))}")
    return 0


def check(stack: Bare) -> list[Call]:
    """The whole of ``freshd check``."""
    forget(stack)
    sys.argv = ["freshd", "check"]
    with contextlib.redirect_stdout(io.StringIO()) as printed, traced() as calls:
        try:
            freshd_main()
        except SystemExit as leaving:
            status = leaving.code
    if status != 0:
        raise SystemExit(f"rooms: freshd check exits {status}:\n{printed.getvalue()}")
    return calls


def whole(stack: Bare, name: str) -> list[Call]:
    """A stage that is given all of a service."""
    forget(stack)
    with opened() as context, traced() as calls:
        stage(name)(context, "web")
    return calls


def saved(stack: Bare) -> list[Call]:
    """The pass that a daemon makes of a saved file."""
    forget(stack)
    with opened() as context:
        stage("reconcile")(context, "web")
        save(stack, 1, f"SAVED = {os.urandom(8).hex()!r}\n")
        with traced() as calls:
            passed = stage("reconcile")(context, "web", paths={"src/f1.py"})
    done = [(each.step.remedy.value, each.status.value) for each in passed.outcomes]
    if done != [("inject", "done"), ("restart", "done")]:
        raise SystemExit(f"rooms: the pass did something else: {done}")
    return calls


def save(stack: Bare, number: int, text: str) -> None:
    (stack.root / f"src/f{number}.py").write_text(text)


def forget(stack: Bare) -> None:
    """Nothing is remembered of earlier looks."""
    shutil.rmtree(stack.environ["FRESHD_STATE_DIR"], ignore_errors=True)


@contextlib.contextmanager
def opened() -> Iterator[Any]:
    """What a pass needs to know of the world, for the project that this process is in."""
    session: Any = App(screen=Screen(os.environ)).open()
    with session:
        yield session.workspace.context("web")


def stage(name: str) -> Callable[..., Any]:
    """A function of the reconcile room."""
    for module in STAGES:
        with contextlib.suppress(ModuleNotFoundError):
            found: Callable[..., Any] = getattr(importlib.import_module(module), name)
            return found
    raise SystemExit(f"rooms: there is none of {', '.join(STAGES)}")


@contextlib.contextmanager
def traced() -> Iterator[list[Call]]:
    """The calls that are made meanwhile, in this thread and in those that begin."""
    calls: list[Call] = []

    def profile(frame: FrameType, event: str, _arg: object) -> None:
        if event != "call" or not _is_written(frame.f_code) or _goes_on(frame):
            return
        frames = [each for each in _outwards(frame) if _is_written(each.f_code)]
        if all(each.f_code.co_flags & inspect.CO_OPTIMIZED for each in frames):  # not an import's
            caller = _module(frames[1].f_code) if len(frames) > 1 else None
            calls.append(Call(_module(frame.f_code), caller, len(frames)))

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def figures(calls: list[Call]) -> str:
    """A line of figures, and one that names the rooms."""
    modules = {call.module for call in calls}
    rooms = sorted({_room(module) for module in modules})
    depths = [call.depth for call in calls]
    return (
        f"{len(rooms)} rooms, {len(modules)} modules, {len(calls):,} calls, "
        f"depth {max(depths)}, median {statistics.median(depths):g}, "
        f"{sum(call.crosses for call in calls)} crossings\n    {' '.join(rooms)}"
    )


def _is_written(code: CodeType) -> bool:
    return code.co_filename.startswith(_HOME) and code.co_name not in _COMPREHENSIONS


def _goes_on(frame: FrameType) -> bool:
    """Whether it is a generator after a yield: what RESUME says in its two lowest bits."""
    code = frame.f_code
    is_generator = bool(code.co_flags & inspect.CO_GENERATOR)
    return is_generator and code.co_code[frame.f_lasti + 1] & 3 != 0


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _module(code: CodeType) -> str:
    """Below freshd, with slashes: ``store/journal``, and ``store`` for its ``__init__``."""
    return code.co_filename[len(_HOME) :].removesuffix(".py").removesuffix("/__init__")


def _room(module: str) -> str:
    return module.partition("/")[0]


ROWS: dict[str, Callable[[Bare], list[Call]]] = {
    "freshd check": check,
    "the look in it": partial(whole, name="check_service"),
    "a whole pass": partial(whole, name="reconcile"),
    "a pass over a saved file": saved,
}

if __name__ == "__main__":
    sys.exit(main())
