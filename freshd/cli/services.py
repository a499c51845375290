"""SERVICE as typed, a service or the name of a container, in; services out, or an error."""

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from freshd.errors import ConfigError

if TYPE_CHECKING:
    from freshd.cli.session import Session


def services_of(session: "Session", names: Sequence[str]) -> tuple[str, ...]:
    """The services that ``names`` mean, each once, in that order; () for no names: all of them.

    Containers are looked up only for a name that is no service. Raises ``ConfigError`` with every
    name that is neither.
    """
    services = session.project.services
    containers = session.containers() if any(name not in services for name in names) else {}
    unknown = [name for name in names if name not in services and name not in containers]
    if unknown:
        raise _unknown(session.project.name, unknown, [*services, *containers])
    return tuple(dict.fromkeys(name if name in services else containers[name] for name in names))


def service_of(session: "Session", name: str) -> str:
    """The one service that ``name`` means."""
    (service,) = services_of(session, [name])
    return service


def _unknown(project: str, names: Sequence[str], known: Sequence[str]) -> ConfigError:
    first, *others = names
    close = [match for name in names for match in difflib.get_close_matches(name, known, n=1)]
    if close:
        hint = f"did you mean {' '.join(close)}?"
    else:
        hint = f"there are: {', '.join(sorted(known))}" if known else "it has no service at all"
    return ConfigError(
        f"{project} has no service and no container named {first}",
        problems=tuple(f"nor one named {name}" for name in others),
        hint=hint,
    )
