"""Hostile hands on an organisation's users: forged and crossed forms, and invitations misused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from clearance.core.extensions import db
from clearance.models import Invitation, Membership, Organisation, Registration, Request
from tests.support import factories, request_factories
from tests.support.member_factories import World, filled, subscribed_office
from tests.support.pages import PageClient

DIGITS = "9" * 5000  # more than Python turns into a number


def second_office(world: World) -> int:
    """Another organisation of the general user; its id."""
    with world.app.app_context():
        second = subscribed_office()
        user = db.session.get_one(Membership, world.general).user
        factories.make_membership(user, second)
        return second.id


def choose(client: PageClient, organisation_id: int) -> None:
    client.post("/my/organisation", {"organisation": organisation_id}, check=False)


# Forms that were opened before something changed


@pytest.mark.parametrize("press", ["_change=services:search", "_language=ar"])
def test_asking_for_the_page_again_does_not_hide_what_another_saved_meanwhile(
    world: World, press: str
) -> None:
    first, second = world.client(world.general), world.client(world.add(is_general=True))
    page, theirs = first.get(world.url(world.other)), second.get(world.url(world.other))
    second.submit(theirs, {"services": ["letter"]}, form="#user-form")
    page = first.submit(page, {"services": ["renewal"]}, form="#user-form", press=press)
    page = first.submit(page, {"services": ["renewal"]}, form="#user-form", status=409)
    assert page.soup.select_one("#differences") is not None
    assert world.state(world.other)["services"] == ["letter"]


def test_a_profile_shown_again_in_the_other_language_is_as_old_as_it_was(world: World) -> None:
    first, second = world.client(world.general), world.client(world.add(is_general=True))
    page, theirs = first.get("/my/organisation/"), second.get("/my/organisation/")
    second.submit(theirs, {"phone": "22111111"}, form="#organisation-form")
    page = first.submit(page, form="#organisation-form", press="_language=ar")
    first.submit(page, {"phone": "22999999"}, form="#organisation-form", status=409)
    with world.app.app_context():
        assert db.session.get_one(Organisation, world.office).phone == "22111111"


def test_a_form_counts_for_the_organisation_it_was_about_whichever_is_chosen_since(
    world: World,
) -> None:
    second = second_office(world)
    client = world.client(world.general)
    new, profile = client.get("/my/users/new/"), client.get("/my/organisation/")
    choose(client, second)
    client.submit(new, filled(world.app, new), form="#user-form")
    client.submit(profile, {"phone": "22333333"}, form="#organisation-form")
    with world.app.app_context():
        assert db.session.scalars(sa.select(Invitation.organisation_id)).all() == [world.office]
        assert db.session.get_one(Organisation, world.office).phone == "22333333"
        assert db.session.get_one(Organisation, second).phone == ""


def test_a_form_is_not_turned_to_an_organisation_one_does_not_manage(world: World) -> None:
    client = world.client(world.general)
    with world.app.app_context():
        foreign = db.session.get_one(Membership, world.stranger).organisation_id
    new, profile = client.get("/my/users/new/"), client.get("/my/organisation/")
    values = filled(world.app, new)
    for target in (str(foreign), "", DIGITS):
        client.submit(new, values | {"organisation": target}, form="#user-form", status=404)
        forged = {"phone": "22333333", "organisation": target}
        client.submit(profile, forged, form="#organisation-form", status=404)
    with world.app.app_context():
        assert db.session.scalars(sa.select(Invitation)).all() == []
        assert db.session.get_one(Organisation, foreign).phone == ""


def test_who_is_disabled_in_one_of_two_organisations_loses_the_open_form_of_that_one_alone(
    world: World,
) -> None:
    with world.app.app_context():
        other = subscribed_office()
        user = db.session.get_one(Membership, world.other).user
        factories.make_membership(user, other, is_general=False, services=("letter",))
        draft = request_factories.make_draft(user, "exam").id
    theirs, general = world.client(world.other), world.client(world.general)
    form = theirs.get(f"/my/requests/{draft}/form")
    page = general.get(world.url(world.other))
    values = {"is_active": None, "hand_over_to": str(world.general)}
    general.submit(page, values, form="#user-form")
    theirs.submit(form, {"name_ar_1": "غيرها"}, form="main form[id]", status=404)
    theirs.get(f"/my/requests/{draft}/form", status=404)
    assert theirs.get("/my/services/").url == "/my/services/"  # still signed in
    with world.app.app_context():
        assert db.session.get_one(Request, draft).name_ar_1 != "غيرها"


# Forged posts


def test_work_is_not_handed_to_whom_a_forged_post_names(world: World) -> None:
    disabled, ungranted = world.add(services=("exam",)), world.add(services=("renewal",))
    with world.app.app_context():
        db.session.get_one(Membership, disabled).is_active = False
        user = db.session.get_one(Membership, world.other).user
        draft = request_factories.make_draft(user, "exam").id
        db.session.commit()
    client = world.client(world.general)
    page = client.get(world.url(world.other))
    for heir in (world.stranger, disabled, ungranted, world.other, DIGITS):
        values = {"is_active": None, "hand_over_to": str(heir)}
        assert client.submit(page, values, form="#user-form").error_of("hand_over_to")
    assert world.state(world.other)["is_active"]
    with world.app.app_context():
        assert db.session.get_one(Request, draft).handed_to_id is None


def test_numbers_and_words_that_no_form_sends_change_nothing(world: World) -> None:
    client = world.client(world.general)
    page, before = client.get(world.url(world.other)), world.state(world.other)
    for forged in (
        {"organisations_before": DIGITS, "organisations": [DIGITS, "-1", "٣"]},
        {"services": ["\u202e", "exam' OR 1=1", "x" * 9000]},
        {"services_page": DIGITS, "_change": f"services:{DIGITS}"},
        {"services_search": "\u202e%_\\" * 500, "_change": "services:search"},
    ):
        client.submit(page, forged, form="#user-form")
    assert world.state(world.other) == before
    new = client.get("/my/users/new/")
    names = ("captcha_ref", "first_name", "email", "mobile", "civil_id", "password")
    for nonsense in ("x\u202ey" * 5, "م" * 5000):
        values = filled(world.app, new) | dict.fromkeys(names, nonsense)
        new = client.submit(new, values, form="#user-form")
        assert new.error_of("email") and new.error_of("mobile") and new.error_of("civil_id")
    with world.app.app_context():
        assert db.session.scalars(sa.select(Invitation)).all() == []


def test_a_name_brings_no_invisible_characters_and_digits_may_be_arabic(world: World) -> None:
    client = world.client(world.general)
    page = client.get("/my/users/new/")
    values = filled(world.app, page, first_name="\u202eمن\u200bير\u2066ة", last_name="ا" * 80)
    values["civil_id"] = values["civil_id"].translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    values["mobile"] = "٥٠٠٠٧٧٨٨"
    page = client.submit(page, values, form="#user-form")
    assert values["latin_name"] in page.text
    with world.app.app_context():
        signup = db.session.scalars(sa.select(Registration)).one()
        assert (signup.name_in("ar"), signup.mobile) == (f"منيرة {'ا' * 80}", "+96550007788")
        assert signup.civil_id.isascii()


def test_an_image_text_that_added_somebody_adds_nobody_else(world: World) -> None:
    client = world.client(world.general)
    page = client.get("/my/users/new/")
    values = filled(world.app, page)
    client.submit(page, values, form="#user-form")
    client.submit(page, values | {"email": "other@example.com"}, form="#user-form")
    with world.app.app_context():
        emails = db.session.scalars(sa.select(Invitation.email)).all()
    assert emails == [values["email"]]
