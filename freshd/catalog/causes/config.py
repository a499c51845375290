"""The causes of the config link: the model against what the container was made with."""

from freshd.catalog.causes.cause import Cause
from freshd.model.remedy import Remedy
from freshd.model.report import LinkName

CONFIG = (
    Cause("env-changed", LinkName.CONFIG, Remedy.RECREATE),
    Cause("compose-changed", LinkName.CONFIG, Remedy.RECREATE),
    Cause("config-content-changed", LinkName.CONFIG, Remedy.RECREATE),
)
