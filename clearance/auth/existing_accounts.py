"""Detect existing accounts without revealing them; notify the account owner, not the caller."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from clearance import notifications
from clearance.core import urls
from clearance.core.database import tentatively
from clearance.core.extensions import db
from clearance.models import User
from clearance.models.enums import Channel


def owners(*, email: str, mobile: str, civil_id: str) -> Sequence[User]:
    """Return users with any of the three, in the running transaction."""
    query = sa.select(User).where(
        sa.or_(User.email == email, User.mobile == mobile, User.civil_id == civil_id)
    )
    return db.session.scalars(query.order_by(User.id)).all()


def is_known(channel: str, address: str) -> bool:
    """Return whether a user has that e-mail or mobile, in the running transaction."""
    column = User.email if channel == Channel.EMAIL else User.mobile
    return db.session.scalar(sa.select(User.id).where(column == address).limit(1)) is not None


def notify_owners(
    owners: Iterable[User], *, email: str, mobile: str, language: str, now: datetime
) -> None:
    """Notify owners that somebody tried to register with their details. Flushes.

    email, mobile: as typed. SMS go only to owners whose mobile, but not e-mail, was typed.
    Without owners one notice to `email` is made and discarded, so that known and unknown
    people take equally long (security rule 11).
    """
    addressees = [
        (Channel.SMS, mobile, owner.language)
        if owner.mobile == mobile and owner.email != email
        else (Channel.EMAIL, owner.email, owner.language)
        for owner in owners
    ]
    with tentatively(is_kept=bool(addressees)):
        for channel, address, told_in in addressees or [(Channel.EMAIL, email, language)]:
            notifications.send_to_address(
                "account:registration:known",
                channel=channel,
                address=address,
                language=told_in,
                now=now,
                link=urls.SIGN_IN,
            )
