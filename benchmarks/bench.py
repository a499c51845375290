"""The benchmark: freshd beside what people use today, on one tree, in one run, as ratios.

Each row says its budget and whether it is met. The tree is the source of a large Python package,
fetched from the package index once and kept in the cache directory; nothing is built from it.
Needs an engine (`make bench` sees to it) and freshd in the same virtual environment.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from benchmarks.checks import checks
from benchmarks.latency import latencies
from benchmarks.scale import scale
from benchmarks.stack import MANY, Stack
from benchmarks.table import Row, say, table

PACKAGE = "Django==5.2.8"
SAVES = 40


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--saves", type=int, default=SAVES, help="saves of one file to measure")
    saves: int = arguments.parse_args().saves
    rows: list[Row] = []
    with contextlib.ExitStack() as cleanup:
        work = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="freshd-bench-")))
        source = package(work)
        stacks = {}
        for name in ("freshd", "watch"):
            stacks[name] = Stack(work / name, f"freshd-bench-{name}-{os.getpid()}", source)
            cleanup.callback(stacks[name].down)
            stacks[name].up()
        files = sum(1 for path in source.rglob("*") if path.is_file()) + MANY + 1
        say(f"{PACKAGE}: {files:,} files with ours, one container each for freshd and for watch")
        rows += checks(stacks["freshd"])
        rows += latencies(stacks, saves)
    with tempfile.TemporaryDirectory(prefix="freshd-bench-") as directory:
        rows += scale(Path(directory))
    print()
    print(table(rows))
    failed = [row.what for row in rows if row.held is False]
    if failed:
        print(f"\nover budget: {', '.join(failed)}")
    return 0


def package(work: Path) -> Path:
    """The unpacked source of PACKAGE, fetched once."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "freshd" / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    name, _, version = PACKAGE.lower().partition("==")
    archive = cache / f"{name}-{version}.tar.gz"
    if not archive.exists():
        say(f"fetching the source of {PACKAGE}")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        pip += ["--no-binary", name, "--dest", str(cache), PACKAGE]
        subprocess.run(pip, check=False, stderr=subprocess.DEVNULL)
    if not archive.exists():
        raise SystemExit(f"bench: pip could not fetch the source of {PACKAGE}")
    with tarfile.open(archive) as tar:
        tar.extractall(work / "package", filter="data")
    return next((work / "package").iterdir())


if __name__ == "__main__":
    sys.exit(main())
