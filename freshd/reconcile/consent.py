"""Consent to a project's files: what a person agreed to, kept, and held against the files now.

In: a context. Out: why steps that execute these files must wait. ``decide.consent`` compares.
"""

import os
import stat
from collections.abc import Mapping

from freshd.decide.consent import consent_problem, fingerprint
from freshd.reconcile.context import Context


def agree(context: Context) -> None:
    """Remember what the files say now as agreed to."""
    record(context, fingerprint_now(context))


def record(context: Context, files: Mapping[str, str]) -> None:
    """Remember ``files``, as ``fingerprint_now`` gave them, as agreed to."""
    context.store.consents.record(context.project.dir, files, context.clock())


def find_problem(context: Context) -> str | None:
    """Why steps that execute the project's files must wait, in words, or None."""
    if context.asked:
        return None
    known = context.store.consents.get(context.project.dir)
    return consent_problem(None if known is None else known.files, fingerprint_now(context))


def fingerprint_now(context: Context) -> dict[str, str]:
    """What the files say now: path -> digest."""
    contents = {}
    for path in context.project.consent_files():
        content = _content(path)
        if content is not None:  # a file that is gone differs from one that was agreed to
            contents[os.path.relpath(path, context.project.dir)] = content
    return fingerprint(contents)


def _content(path: str) -> bytes | None:
    """Of a regular file, links followed as Compose does; None for anything else (rule 10)."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        # it may have become a fifo since, and that would be waited for
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            return file.read()
    except OSError:
        return None
