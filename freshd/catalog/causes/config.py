"""The causes of the config link: the model against what the container was made with."""

from freshd.catalog.causes.cause import Cause
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

CONFIG = (
    Cause(
        slug="env-changed",
        link=LinkName.CONFIG,
        level=Level.STALE,
        title="The environment in the container is not the one the Compose model gives now",
        meaning="A variable was changed, added or removed in `environment`, in an `env_file` or "
        "in `.env` after the container was made. A restart does not read any of them again: only "
        "a new container does. It is a note where the value comes from the environment of the "
        "shell alone: the container may have been made from another shell.",
        how_known="`docker compose config` against the environment the container was made with; "
        "names are shown, values only as keyed hashes",
        remedy=Remedy.RECREATE,
        prevention='A rule for `env-changed` with `do = ["recreate"]`.',
    ),
    Cause(
        slug="compose-changed",
        link=LinkName.CONFIG,
        level=Level.STALE,
        title="The container was made from an earlier version of the Compose model",
        meaning="Command, ports, mounts, networks or another key of the service was changed after "
        "the container was made, and neither a restart nor a new image brings it in. It is a note "
        "where the change comes from the environment of the shell alone, or where only the hash "
        "that Compose left on the container tells of it.",
        how_known="`docker compose config` against what the container was made with, and against "
        "freshd's own record of the model at that time; Compose's hash is only taken as a hint",
        remedy=Remedy.RECREATE,
        prevention='A rule for `compose-changed` with `do = ["recreate"]`.',
    ),
    Cause(
        slug="config-content-changed",
        link=LinkName.CONFIG,
        level=Level.STALE,
        title="A config or secret in the container has other content than the model's",
        meaning="The content of an entry of `configs` or `secrets` was changed. It is no part of "
        "what Compose compares, so that even `docker compose up` leaves the container as it is; "
        "and where it is a file, the mount still shows the one that was there at the start.",
        how_known="the hash of the content in the model against that of the file in the container",
        remedy=Remedy.RECREATE,
        prevention='A rule for `config-content-changed` with `do = ["recreate"]`; by hand, '
        "`docker compose up --force-recreate SERVICE`.",
    ),
)
