"""Notifications in the portal, by e-mail and by SMS.

Which events exist, composing and queueing them, preferences, the inbox, the outbox and its
delivery.
"""

from clearance.notifications.events import init_app
from clearance.notifications.notices import (
    Person,
    notify_members,
    notify_reviewer_of,
    notify_reviewers,
    notify_user,
    send_code,
    send_to_address,
)
from clearance.notifications.preferences import choosers

__all__ = [
    "Person",
    "choosers",
    "init_app",
    "send_code",
    "notify_user",
    "send_to_address",
    "notify_members",
    "notify_reviewer_of",
    "notify_reviewers",
]
