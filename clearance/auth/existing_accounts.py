"""Whether an address, mobile or civil number is a user's: asked in secret, told its owner alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from clearance import notifications
from clearance.core import urls
from clearance.core.extensions import db
from clearance.models import User
from clearance.models.enums import Channel


def owners(*, email: str, mobile: str, civil_id: str) -> Sequence[User]:
    """The users who have any of the three; the running transaction is used."""
    query = sa.select(User).where(
        sa.or_(User.email == email, User.mobile == mobile, User.civil_id == civil_id)
    )
    return db.session.scalars(query.order_by(User.id)).all()


def is_known(channel: str, address: str) -> bool:
    """Whether a user has that e-mail or mobile; the running transaction is used."""
    column = User.email if channel == Channel.EMAIL else User.mobile
    return db.session.scalar(sa.select(User.id).where(column == address).limit(1)) is not None


def notify_owners(owners: Iterable[User], *, email: str, mobile: str, now: datetime) -> None:
    """Tell each that somebody tried to register with what is theirs. Flushes.

    email, mobile: as typed. By the mobile only whose e-mail was not typed but whose mobile was.
    """
    for owner in owners:
        by_mobile = owner.mobile == mobile and owner.email != email
        notifications.send_to_address(
            "account:registration:known",
            channel=Channel.SMS if by_mobile else Channel.EMAIL,
            address=mobile if by_mobile else owner.email,
            language=owner.language,
            now=now,
            link=urls.SIGN_IN,
        )
