"""Demo invitations into offices that are still pending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from clearance.core.extensions import db
from clearance.core.values import civil_number_for
from clearance.demo.people import PASSWORD
from clearance.demo.stage import Stage, Story
from clearance.models import Service
from clearance.models.enums import Gender
from clearance.organisations import invitations
from clearance.organisations.invitations import NewMember
from clearance.organisations.members import Access

NEWCOMER = "sara@example.com"
_OF_PERSON = ("first_name", "last_name", "latin_name", "gender", "civil_id", "mobile", "email")


def stories(stage: Stage) -> Iterator[Story]:
    """Invite a person new to the portal, and one who works for the other office already."""
    yield _added(
        stage,
        "general",
        -2,
        {"exam", "letter"},
        first_name="سارة",
        last_name="الفيلكاوي",
        latin_name="Sarah Alfailakawi",
        gender=Gender.FEMALE,
        civil_id=civil_number_for(date(1994, 9, 21), 140),
        mobile="+96550000140",
        email=NEWCOMER,
    )
    invited = stage.cast.users["additional"]
    known = {name: str(getattr(invited, name)) for name in _OF_PERSON}
    yield _added(stage, "receiver", -1, {"letter"}, **known)


def _added(stage: Stage, name: str, days: int, services: set[str], **person: str) -> Story:
    now = yield from stage.wait(days, 9)
    published = frozenset(code for code in services if db.session.get(Service, code))
    if not published:
        return
    db.session.commit()  # the invitation limit is counted in a separate transaction
    access = Access(is_general=False, services=published)
    added = NewMember(**person, password=PASSWORD, access=access, language="ar")
    invitations.invite(added, stage.office_of(name).id, stage.actor(name), now)
