"""The causes of the config link: the model against what the container was made with."""

from functools import partial

from freshd.catalog.causes.cause import ACCEPT_MOUNTS, Cause, Renewal
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

_cause = partial(Cause, LinkName.CONFIG)

CONFIG = (
    _cause("env-changed", Remedy.RECREATE),
    _cause("compose-changed", Remedy.RECREATE),
    _cause("config-content-changed", Remedy.RECREATE),
    _cause(
        "other-compose-files",
        Remedy.NOTIFY,
        level=Level.UNVERIFIABLE,
        renewal=Renewal.NEVER,
    ),
    _cause("other-data", Remedy.NOTIFY, renewal=Renewal.NAMED, flag=ACCEPT_MOUNTS),
)
