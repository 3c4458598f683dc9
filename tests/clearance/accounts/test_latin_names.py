"""The name in Latin letters: where it comes from, where it goes, and what keeps its own name."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.accounts import data_archive, latin_names, registration
from clearance.auth.password_changes import WeakPassword, change_password
from clearance.auth.sessions import actor_of
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.core.name_folding import name_index
from clearance.models import Event, Organisation, Registration, User
from tests.support import factories
from tests.support.customs_system import HOLDER_CIVIL_ID, broker
from tests.support.registering import (
    NOW,
    applicant,
    by_customs,
    code_of,
    enter,
    register,
    told,
    verify,
)

ARABIC, LATIN = "فهد المطيري", "Fahad Almutairi"


def test_a_single_persons_organisation_has_a_name_in_each_script(signing_up: Flask) -> None:
    who = applicant(latin_name=LATIN)
    register(who)
    verify(enter(who), code_of(who.email), code_of(who.mobile))
    organisation = db.session.scalars(sa.select(Organisation)).one()
    assert (organisation.name_ar, organisation.name_en) == (ARABIC, LATIN)
    user = db.session.scalars(sa.select(User)).one()
    assert (user.name_in("ar"), user.name_in("en")) == (ARABIC, LATIN)
    for row in (organisation, user):
        assert " fahad" in row.name_folded
        assert " فهد" in row.name_folded


def test_without_a_latin_name_the_organisation_is_called_as_the_person_is(
    signing_up: Flask,
) -> None:
    who = applicant()
    register(who)
    verify(enter(who), code_of(who.email), code_of(who.mobile))
    organisation = db.session.scalars(sa.select(Organisation)).one()
    assert (organisation.name_ar, organisation.name_en) == (ARABIC, ARABIC)


@pytest.mark.parametrize(
    ("civil_id", "kept"), [(HOLDER_CIVIL_ID, "Ahmad Abdullah Alkandari"), ("", "")]
)
def test_customs_gives_the_latin_name_of_a_holder_who_is_a_broker(
    signing_up: Flask, civil_id: str, kept: str
) -> None:
    given = told(broker(civil_id or factories.civil_id(), "CL/100"))
    registration.register(by_customs(), customs=given, now=NOW)
    assert db.session.scalars(sa.select(Registration.latin_name)).one() == kept


def test_a_password_of_the_latin_name_is_weak(context: Flask) -> None:
    user = factories.make_user(latin_name="Zubaidah Alqabandi")
    actor = actor_of(user)
    db.session.commit()
    with factories.visit(context), pytest.raises(WeakPassword):
        change_password(actor, factories.PASSWORD, "Zubaidah-Alqabandi-1", utc_now())


@pytest.mark.databases
def test_the_users_own_change_reaches_search_trail_copy_and_organisation(context: Flask) -> None:
    user = factories.make_user(first_name="فهد", last_name="المطيري")
    organisation = factories.make_organisation(name_ar=ARABIC, name_en=ARABIC)
    factories.make_membership(user, organisation)
    assert latin_names.change(actor_of(user), LATIN, utc_now())
    assert (organisation.name_ar, organisation.name_en) == (ARABIC, LATIN)
    assert organisation.name_folded == user.name_folded == name_index(f"{ARABIC} {LATIN}")
    event = db.session.scalars(sa.select(Event)).one()
    assert (event.kind, event.changes) == ("account:name:changed", {"latin_name": ["", LATIN]})
    assert data_archive.profile_of(user)["latin_name"] == LATIN
    assert latin_names.change(actor_of(user), "Fahd Almutairi", utc_now())
    assert organisation.name_en == "Fahd Almutairi"
    assert not latin_names.change(actor_of(user), "Fahd Almutairi", utc_now())
    assert len(db.session.scalars(sa.select(Event)).all()) == 2


@pytest.mark.parametrize(
    ("columns", "is_general"),
    [
        ({"name_ar": ARABIC, "name_en": "Almutairi Trading"}, True),
        ({"name_ar": ARABIC, "name_en": ARABIC, "legal_entity": "company"}, True),
        ({"name_ar": ARABIC, "name_en": ARABIC, "licence_no": "KW-9"}, True),
        ({"name_ar": ARABIC, "name_en": ARABIC}, False),
    ],
)
def test_an_organisation_with_a_name_of_its_own_keeps_it(
    context: Flask, columns: dict[str, str], is_general: bool
) -> None:
    user = factories.make_user(first_name="فهد", last_name="المطيري")
    organisation = factories.make_organisation(**columns)
    factories.make_membership(user, organisation, is_general=is_general)
    latin_names.change(actor_of(user), LATIN, utc_now())
    assert organisation.name_en == columns["name_en"]
