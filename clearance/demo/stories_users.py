"""Demo invitations into offices that are still pending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from clearance.core.extensions import db
from clearance.core.values import civil_number_for
from clearance.demo.people import PASSWORD
from clearance.demo.stage import Stage, Story
from clearance.models.enums import Gender
from clearance.organisations import invitations
from clearance.organisations.invitations import NewMember
from clearance.organisations.members import Access

NEWCOMER = "sara@example.com"


def stories(stage: Stage) -> Iterator[Story]:
    """Invite a person new to the portal, and one who works for the other office already."""
    yield _added(
        stage,
        "general",
        -2,
        NewMember(
            first_name="سارة",
            last_name="الفيلكاوي",
            gender=Gender.FEMALE,
            civil_id=civil_number_for(date(1994, 9, 21), 140),
            mobile="+96550000140",
            email=NEWCOMER,
            password=PASSWORD,
            access=Access(is_general=False, services=frozenset({"exam", "letter"})),
            language="ar",
        ),
    )
    invited = stage.cast.users["additional"]
    yield _added(
        stage,
        "receiver",
        -1,
        NewMember(
            first_name=invited.first_name,
            last_name=invited.last_name,
            gender=str(invited.gender),
            civil_id=str(invited.civil_id),
            mobile=str(invited.mobile),
            email=invited.email,
            password=PASSWORD,
            access=Access(is_general=False, services=frozenset({"letter"})),
            language="ar",
        ),
    )


def _added(stage: Stage, name: str, days: int, added: NewMember) -> Story:
    now = yield from stage.wait(days, 9)
    db.session.commit()  # the invitation limit is counted in a separate transaction
    invitations.invite(added, stage.office_of(name).id, stage.actor(name), now)
