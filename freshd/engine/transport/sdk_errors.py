"""SDK, HTTP and socket errors in, ``freshd.model.errors`` out: nothing else leaves the room."""

import http.client
import struct
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from freshd.engine.transport import ssh
from freshd.engine.transport.endpoint import Endpoint
from freshd.model.errors import (
    EngineFailed,
    EngineUnavailable,
    FreshdError,
    OutcomeUnknown,
    TargetGone,
)

UNREADABLE: Final = (
    http.client.HTTPException,
    ValueError,  # no JSON, no base64, no number
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    struct.error,
    tarfile.TarError,
    zlib.error,
)
"""What is raised where an answer broke off, or is none that an engine gives."""


def unavailable(endpoint: Endpoint, error: BaseException | None) -> EngineUnavailable:
    """Tells an absent engine, a dead socket and a missing permission apart, each with a hint."""
    where = f"{endpoint.host} (from {endpoint.source})"
    if endpoint.scheme == "ssh":
        said = ssh.last_words(endpoint) or str(error or "")
        return EngineUnavailable(
            f"the Docker engine at {where} does not answer{f': {said}' if said else ''}",
            hint="see whether `docker version` answers without asking for a password",
        )
    if isinstance(error, FileNotFoundError):
        return EngineUnavailable(
            f"no Docker engine at {where}: the socket does not exist",
            hint="start Docker, or point DOCKER_HOST or `docker context use` at a running engine",
        )
    if isinstance(error, PermissionError):
        return EngineUnavailable(
            f"no permission to talk to the Docker engine at {where}",
            hint="join the group that owns the socket (usually `docker`) and log in again",
        )
    if isinstance(error, ConnectionRefusedError):
        return EngineUnavailable(
            f"nothing answers at {where}: the socket is left over from a stopped engine",
            hint="start Docker again; it replaces the socket",
        )
    reason = f": {error}" if error is not None and str(error) else ""
    return EngineUnavailable(
        f"the Docker engine at {where} does not answer{reason}",
        hint="see whether `docker version` answers; restart Docker if it hangs",
    )


def of_status(status: int, message: str, what: str, endpoint: Endpoint) -> FreshdError:
    """The error for an HTTP answer that is not a success. ``what`` names the call and target."""
    text = " ".join(message.split()) or f"HTTP {status}"
    if status == 404:
        return TargetGone(f"{what}: {text}")
    if status in (502, 503, 504):
        return unavailable(endpoint, RuntimeError(text))
    return EngineFailed(f"{what}: {text}")


@contextmanager
def translated(endpoint: Endpoint, what: str, *, mutating: bool = False) -> Iterator[None]:
    """Turns whatever the SDK raises inside into an error of freshd, chained to its origin.

    A broken or late answer to a ``mutating`` call is OutcomeUnknown: the engine may still do it.
    So is one that cannot be read; the block holds nothing but the call and the reading.
    """
    import requests.exceptions
    from docker.errors import APIError, DockerException

    try:
        yield
    except APIError as error:
        # The engine closes with an error page at times; explanation is then the whole body.
        status = error.response.status_code if error.response is not None else 500
        raise of_status(status, str(error.explanation or error), what, endpoint) from error
    except (requests.exceptions.RequestException, DockerException, OSError) as error:
        raise _broken(error, endpoint, what, mutating=mutating) from error
    except UNREADABLE as error:
        told = RuntimeError(f"{what}: its answer cannot be read ({error!r})")
        raise _broken(told, endpoint, what, mutating=mutating) from error


def _broken(error: Exception, endpoint: Endpoint, what: str, *, mutating: bool) -> FreshdError:
    root = root_os_error(error)
    never_sent = isinstance(root, FileNotFoundError | PermissionError | ConnectionRefusedError)
    if mutating and not never_sent:
        return OutcomeUnknown(
            f"{what}: no answer from the engine ({root or error}); it may still happen",
            hint="freshd observes again before it decides",
        )
    return unavailable(endpoint, root or error)


def root_os_error(error: BaseException) -> OSError | None:
    """The socket's own error under the layers that requests, urllib3 and the SDK put around it."""
    from requests.exceptions import RequestException

    seen: set[int] = set()
    queue: list[BaseException] = [error]
    while queue:
        current = queue.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, OSError) and not isinstance(current, RequestException):
            return current
        queue += [arg for arg in current.args if isinstance(arg, BaseException)]
        queue += [e for e in (current.__cause__, current.__context__) if e is not None]
    return None
