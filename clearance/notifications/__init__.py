"""Notifications in the portal, by e-mail and by SMS.

Which events exist, composing and queueing them, preferences, the inbox, the outbox and its
delivery.
"""

from clearance.notifications.notices import (
    send_code,
    tell,
    tell_address,
    tell_members,
    tell_reviewer_of,
    tell_reviewers,
)

__all__ = [
    "send_code",
    "tell",
    "tell_address",
    "tell_members",
    "tell_reviewer_of",
    "tell_reviewers",
]
