"""Desktop notices: one when an incident opens, one when it closes, and never in the way.

Incidents come in; notices go out from a thread of its own, limited, escaped, and kept back in
quiet hours or while nobody listens.
"""

from freshd.notify.incidents import IncidentNotices
from freshd.notify.notifier import Notifier
from freshd.notify.outbox import Notice

__all__ = ["IncidentNotices", "Notice", "Notifier"]
