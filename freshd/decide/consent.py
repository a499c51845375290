"""Consent: what a person agreed to against what the files say now. Pure: contents come in.

Typing ``run`` or ``apply`` is consent to the policy, the Compose files and the Dockerfiles as they
are then. When one changes, the steps that execute it stop until that is typed again.
"""

import hashlib
from collections.abc import Mapping, Sequence


def fingerprint(files: Mapping[str, bytes]) -> dict[str, str]:
    """path -> 64 hex digits of its content."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


def changed(recorded: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The paths that were added, changed or removed since consent, sorted."""
    every = set(recorded) | set(now)
    return tuple(sorted(path for path in every if recorded.get(path) != now.get(path)))


def consent_problem(recorded: Mapping[str, str] | None, now: Mapping[str, str]) -> str | None:
    """Why steps that execute these files must wait, in words; None: there is consent.

    ``recorded`` is None where nobody has agreed to anything yet.
    """
    if recorded is None:
        return "nobody has agreed to it yet: type `freshd run` or `freshd apply`"
    paths = changed(recorded, now)
    if not paths:
        return None
    return f"{_listed(paths)} changed since you agreed: type `freshd run` or `freshd apply` again"


def _listed(paths: Sequence[str]) -> str:
    if len(paths) == 1:
        return paths[0]
    if len(paths) <= 3:
        return f"{', '.join(paths[:-1])} and {paths[-1]}"
    return f"{', '.join(paths[:2])} and {len(paths) - 2} more files"
