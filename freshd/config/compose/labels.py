"""What the labels of containers say of their project: its name, and the path it was reached by.

In: containers, a directory and Compose files. Out: names. One directory may be named by several
paths: links are followed before two are compared.
"""

import os
from collections.abc import Iterable, Sequence

from freshd.model.observed.container import Replica


def find_names_in_use(
    replicas: Iterable[Replica], *, directory: str, files: Sequence[str]
) -> set[str]:
    """Project names of containers made from these Compose files, or else in this directory."""
    exact: set[str] = set()
    near: set[str] = set()
    ours = set(_real(files))
    for replica in replicas:
        if not replica.project or not replica.is_replica:
            continue
        if set(_real(replica.config_files)) == ours:
            exact.add(replica.project)
        elif replica.working_dir and _same(replica.working_dir, directory):
            near.add(replica.project)
    return exact or near


def find_spellings(
    replicas: Iterable[Replica], *, directory: str, files: Sequence[str]
) -> set[tuple[str, tuple[str, ...]]]:
    """(directory, files) as the containers of these Compose files name them."""
    return {
        (replica.working_dir, replica.config_files)
        for replica in replicas
        if replica.working_dir
        and not replica.oneoff
        and same_files(replica.config_files, files)
        and _same(replica.working_dir, directory)
    }


def same_files(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether these are the same files in the same order, by whatever names."""
    return _real(some) == _real(others)


def _same(path: str, other: str) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


def _real(files: Iterable[str]) -> list[str]:
    return [os.path.realpath(file) for file in files]
