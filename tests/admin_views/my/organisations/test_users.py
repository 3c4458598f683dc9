"""The pages of users: who opens them, what they refuse, what they say in both languages."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from admin_views.my.services import table
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import Event, Invitation, Membership, Notice, Organisation, Request
from clearance.organisations import opening
from clearance.services import versions
from tests.support import factories, request_factories
from tests.support.member_factories import World, filled
from tests.support.pages import Page


@pytest.fixture
def world(app: Flask) -> World:
    return World(app)


def send(world: World, *, status: int = 200, lang: str = "en", **changes: Any) -> Page:
    client = world.client(world.general, lang)
    page = client.get("/my/users/new/")
    return client.submit(page, filled(world.app, page, **changes), form="#user-form", status=status)


def invitations(world: World) -> list[Invitation]:
    with world.app.app_context():
        return list(db.session.scalars(sa.select(Invitation)))


@pytest.mark.parametrize(
    ("lang", "menu"),
    [
        ("ar", ["إدارة المستخدمين", "إضافة مستخدم جديد", "المستخدمون الحاليون"]),
        ("en", ["Manage users", "Add a new user", "Current users"]),
    ],
)
def test_general_users_have_the_menu_and_see_their_own_users(
    world: World, lang: str, menu: list[str]
) -> None:
    page = world.client(world.general, lang).get("/my/users/")
    for label in menu:
        assert page.link(label)
    assert "هدى" in page.text
    rows = page.soup.select("table tbody tr")
    assert len(rows) == 2
    current = [a.get_text(strip=True) for a in page.soup.select('nav a[aria-current="page"]')]
    assert current == [menu[2]]


def test_others_find_none_of_it(world: World) -> None:
    client = world.client(world.other)
    assert "Manage users" not in client.get("/my/").text
    for url in ("/my/users/", "/my/users/new/", world.url(world.other)):
        client.get(url, status=404)
    stranger = world.client(world.stranger)
    stranger.get(world.url(world.other), status=404)
    stranger.post(world.url(world.other), {"version": "1"}, status=404)
    stranger.get(world.url(10_000), status=404)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("by", ["email", "mobile", "civil_id"])
def test_adding_answers_alike_whoever_it_is(world: World, known: bool, by: str) -> None:
    with world.app.app_context():
        person = factories.make_agent()
        changes = {by: getattr(person, by)} if known else {}
    page = send(world, **changes)
    assert page.url == "/my/users/"
    assert "The user was added. They must now" in page.text
    card = page.soup.select_one("#awaited")
    assert card is not None
    assert "Munira Alrashidi" in card.get_text()
    assert "Waiting for a response" in card.get_text()
    (invitation,) = invitations(world)
    assert (invitation.is_general, invitation.services) == (False, ["exam", "letter"])


def test_a_general_user_is_added_without_services(world: World) -> None:
    send(world, is_general="y", services=["no-such-service"])
    (invitation,) = invitations(world)
    assert (invitation.is_general, invitation.services) == (True, [])


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"services": []}, "services", "Give an additional user access to at least one service."),
        (
            {"services": ["x"]},
            "services",
            "You can only give access to services the organisation is",
        ),
        ({"civil_id": "123"}, "civil_id", "12 digits"),
        ({"mobile": "+4915112345678"}, "mobile", "We cannot send SMS"),
        ({"password_confirm": "Other-1-Word!"}, "password_confirm", "do not match"),
        ({"accept_terms": None}, "accept_terms", "agree to the terms"),
        ({"captcha": "wrong"}, "captcha", "does not match the image"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    world: World, changes: dict[str, Any], field: str, text: str
) -> None:
    page = send(world, **changes)
    assert text in page.error_of(field), page.text
    assert page.soup.select_one("[name=first_name]")["value"] == "منيرة"
    assert page.soup.select_one("[name=captcha]")["value"] == ""
    assert invitations(world) == []


def test_errors_are_summed_up_in_the_order_of_the_page(world: World) -> None:
    page = send(world, first_name="", services=[], accept_terms=None)
    links = [link["href"] for link in page.soup.select(".error-summary a")]
    assert links == ["#first_name", "#services", "#accept_terms"]


def test_the_refusal_is_said_in_arabic(world: World) -> None:
    page = send(world, lang="ar", services=[])
    assert "يجب منح المستخدم الإضافي خدمة واحدة على الأقل." in page.error_of("services")
    assert "للمستخدم الإضافي فقط" in page.text


def test_a_user_of_the_office_is_not_added_twice(world: World) -> None:
    with world.app.app_context():
        email = db.session.get_one(Membership, world.other).user.email
    page = send(world, email=email)
    assert "One of your users already has" in page.error_of("email")
    send(world)
    page = send(world, status=409)
    assert "You have already added a user" in page.text
    assert len(invitations(world)) == 1


def test_the_same_form_sent_twice_adds_one(world: World) -> None:
    client = world.client(world.general)
    page = client.get("/my/users/new/")
    values = filled(world.app, page)
    client.submit(page, values, form="#user-form")
    again = client.submit(page, values, form="#user-form")
    assert again.url == "/my/users/"
    assert len(invitations(world)) == 1


def test_services_are_searched_and_paged_without_losing_ticks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "PAGE_SIZE", 4)
    client = world.client(world.general)
    page = client.get("/my/users/new/")
    assert len(page.soup.select("input[name=services]")) == 4
    values = {"first_name": "منيرة", "services": ["exam"]}
    second = client.submit(page, values, form="#user-form", press="_change=services:1")
    assert second.soup.select_one("[name=first_name]")["value"] == "منيرة"
    carried = second.soup.select("input[name=services][type=hidden]")
    assert [each["value"] for each in carried] == ["exam"]
    search = {"services_search": "letter", "services": ["exam", "transfer"]}
    found = client.submit(second, search, form="#user-form", press="_change=services:search")
    boxes = [field["value"] for field in found.soup.select("input[name=services][type=checkbox]")]
    carried = [field["value"] for field in found.soup.select("input[name=services][type=hidden]")]
    assert (boxes, sorted(carried)) == (["letter"], ["exam", "transfer"])
    assert found.soup.select(".error-summary") == []


def test_services_have_the_manuals_english_name_beside_their_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "PAGE_SIZE", 4)
    client = world.client(world.general)
    page = client.get("/my/users/new/")
    row = page.soup.select_one("#service-exam").find_parent("tr").get_text(" ", strip=True)
    assert "Take the clearing agents' exam In the manual: Clearing Agent Exam Request" in row
    search = {"services_search": "for renewing"}
    found = client.submit(page, search, form="#user-form", press="_change=services:search")
    assert [box["value"] for box in found.soup.select("input[type=checkbox][name=services]")] == [
        "renewal"
    ]


def test_the_manuals_name_is_shown_only_where_it_differs(context: Flask) -> None:
    request_factories.load_services()
    service = versions.current("exam").definition
    same = service.model_copy(update={"manual_title": service.title.en})
    none = service.model_copy(update={"manual_title": None})
    assert [row.manual_title for row in table.rows([service, same, none])] == [
        *("Clearing Agent Exam Request", "", ""),
    ]


def test_enter_in_the_search_of_services_searches_and_saves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "PAGE_SIZE", 4)
    client = world.client(world.general)
    before = world.state(world.other)
    page = client.get(world.url(world.other))
    values = {"services": ["exam"], "services_search": "letter"}
    found = client.submit(page, values, form="#user-form")
    boxes = [field["value"] for field in found.soup.select("input[name=services]")]
    assert boxes == ["exam", "letter"]  # carried, found
    assert world.state(world.other) == before
    client.submit(found, {"services": ["exam", "letter"]}, form="#user-form", press="_save=1")
    assert world.state(world.other)["services"] == ["exam", "letter"]


def test_an_invitation_is_sent_again_and_withdrawn(world: World) -> None:
    send(world)
    client = world.client(world.general)
    page = client.get("/my/users/")
    page = client.submit(page, form="form[action$='/resend']")
    assert "The invitation was sent again." in page.text
    page = client.submit(page, form="form[action$='/resend']")
    assert "Too many attempts" in page.text
    page = client.submit(page, form="form[action$='/withdraw']")
    assert page.soup.select_one("#awaited") is None
    (invitation,) = invitations(world)
    assert invitation.withdrawn_at is not None
    for step in ("resend", "withdraw"):
        client.post(f"/my/users/invitations/{invitation.id}/{step}", {}, status=404)
        stranger = world.client(world.stranger)
        stranger.post(f"/my/users/invitations/{invitation.id}/{step}", {}, status=404)


def test_a_change_is_saved_told_and_holds_at_once(world: World) -> None:
    client, theirs = world.client(world.general), world.client(world.other)
    theirs.get("/my/users/", status=404)
    page = client.get(world.url(world.other))
    for label in ("First name", "Organisation type", "Licence number", "Clearing agent", "Active"):
        assert label in page.text
    client.submit(page, {"is_general": "y"}, form="#user-form")
    assert world.state(world.other)["is_general"]
    theirs.get("/my/users/")
    with world.app.app_context():
        notice = db.session.scalars(sa.select(Notice)).one()
        assert notice.event == "account:access:changed"


def test_names_and_contacts_cannot_be_posted(world: World) -> None:
    client = world.client(world.general)
    page = client.get(world.url(world.other))
    forged = {"first_name": "x", "email": "x@example.com", "organisation_id": "2"}
    client.submit(page, forged | {"services": ["exam", "letter"]}, form="#user-form")
    with world.app.app_context():
        user = db.session.get_one(Membership, world.other).user
        assert user.first_name == "هدى"
        assert user.email != "x@example.com"


def test_a_service_not_subscribed_is_refused_to_a_forged_post(world: World) -> None:
    client = world.client(world.general)
    page = client.get(world.url(world.other))
    page = client.submit(page, {"services": ["exam", "greeting"]}, form="#user-form")
    assert "You can only give access to services" in page.error_of("services")
    assert world.state(world.other)["services"] == ["exam"]


@pytest.mark.parametrize(
    ("lang", "texts"),
    [
        (
            "en",
            ["changed this in the meantime", "General user? No Yes", "letter All"],
        ),
        ("ar", ["هذه البيانات في هذه الأثناء", "مستخدم عام؟ لا نعم", "إلى من يهمه الأمر الكل"]),
    ],
)
def test_the_second_of_two_editors_sees_both_values(
    world: World, lang: str, texts: list[str]
) -> None:
    first, second = world.client(world.general), world.client(world.add(is_general=True), lang)
    mine, theirs = first.get(world.url(world.other)), second.get(world.url(world.other))
    first.submit(mine, {"services": ["letter"]}, form="#user-form")
    page = second.submit(theirs, {"is_general": "y"}, form="#user-form", status=409)
    for text in texts:
        assert text in page.text
    assert page.soup.select_one("#differences") is not None
    assert world.state(world.other)["services"] == ["letter"]
    second.submit(page, {"is_general": "y"}, form="#user-form")
    assert world.state(world.other)["is_general"]


def test_demoting_oneself_is_told_first(world: World) -> None:
    world.add(is_general=True)
    client = world.client(world.general)
    page = client.get(world.url(world.general))
    values = {"is_general": None, "services": ["exam"]}
    page = client.submit(page, values, form="#user-form")
    assert "This removes your own access" in page.text
    assert world.state(world.general)["is_general"]
    page = client.submit(page, values, form="#user-form", press="confirm=1")
    assert page.url == "/my/"
    assert world.state(world.general) == {
        "is_general": False,
        "is_active": True,
        "services": ["exam"],
        "version": 2,
    }
    client.get("/my/users/", status=404)


def test_the_last_general_user_stays_even_if_confirmed(world: World) -> None:
    client = world.client(world.general)
    page = client.get(world.url(world.general))
    values = {"is_active": None}
    page = client.submit(page, values, form="#user-form", press="confirm=1", status=409)
    assert "would have no general user left" in page.text
    assert world.state(world.general)["is_active"]


def test_disabling_asks_who_takes_over(world: World) -> None:
    colleague = world.add(services=("exam",), first_name="عمر")
    renewals = world.add(services=("renewal",), first_name="ليلى")
    with world.app.app_context():
        user = db.session.get_one(Membership, world.other).user
        draft = request_factories.make_draft(user, "exam").id
    client = world.client(world.general)
    page = client.get(world.url(world.other))
    offered = [option["value"] for option in page.soup.select("#hand_over_to option")]
    assert str(colleague) in offered
    assert str(renewals) not in offered
    page = client.submit(page, {"is_active": None}, form="#user-form", status=409)
    assert "Choose a colleague to take them over." in page.text
    client.submit(page, {"is_active": None, "hand_over_to": str(colleague)}, form="#user-form")
    assert not world.state(world.other)["is_active"]
    with world.app.app_context():
        taken_by = db.session.get_one(Request, draft).handed_to_id
        assert taken_by == db.session.get_one(Membership, colleague).user_id


def test_another_own_organisation_is_ticked_and_unticked(world: World) -> None:
    with world.app.app_context():
        second = factories.make_organisation(name_en="Second Office")
        opening.subscribe(second, utc_now())
        factories.make_membership(db.session.get_one(Membership, world.general).user, second)
        second_id, user_id = second.id, db.session.get_one(Membership, world.other).user_id
    client = world.client(world.general)
    page = client.get(world.url(world.other))
    assert "Second Office" in page.text
    client.submit(page, {"organisations": [str(second_id), "9999"]}, form="#user-form")
    client.submit(page, {"organisations": [str(second_id)]}, form="#user-form")

    def there() -> Membership:
        return db.session.scalars(
            sa.select(Membership).where(
                Membership.user_id == user_id, Membership.organisation_id == second_id
            )
        ).one()

    with world.app.app_context():
        assert [grant.service_code for grant in there().grants] == ["exam"]
    page = client.get(world.url(world.other))
    client.submit(page, {"organisations": None}, form="#user-form")
    with world.app.app_context():
        assert not there().is_active
        assert db.session.get_one(Membership, world.other).is_active


def test_the_profile_is_read_by_members_and_changed_by_general_users(world: World) -> None:
    reader, writer = world.client(world.other), world.client(world.general, "ar")
    page = reader.get("/my/organisation/")
    assert "+96522000000" in page.text
    assert page.soup.select_one("#organisation-form") is None
    reader.post("/my/organisation/", {"version": "1", "phone": "22222222"}, status=404)
    page = writer.get("/my/organisation/")
    values = {"phone": "٢٢٤٤ ٥٥٦٦", "email": "New@Example.com", "address": "الشويخ", "name_ar": "x"}
    page = writer.submit(page, values, form="#organisation-form")
    assert "تم حفظ بيانات الجهة." in page.text
    with world.app.app_context():
        office = db.session.get_one(Organisation, world.office)
        assert (office.phone, office.email, office.address, office.version) == (
            "22445566",
            "new@example.com",
            "الشويخ",
            2,
        )
        event = db.session.scalars(
            sa.select(Event).where(Event.kind == "organisation:profile:changed")
        ).one()
        assert event.changes["phone"] == ["+96522000000", "22445566"]


def test_a_stale_profile_shows_both_values(world: World) -> None:
    one, two = world.client(world.general), world.client(world.add(is_general=True))
    mine, theirs = one.get("/my/organisation/"), two.get("/my/organisation/")
    one.submit(mine, {"phone": "22111111"}, form="#organisation-form")
    page = two.submit(theirs, {"phone": "22999999"}, form="#organisation-form", status=409)
    row = page.soup.select_one("#differences tbody").get_text(" ", strip=True)
    assert "22111111" in row
    assert "22999999" in row
    page = two.submit(page, {"phone": "12"}, form="#organisation-form")
    assert "7 to 15 digits" in page.error_of("phone")


def test_who_belongs_nowhere_is_told_so_and_sees_invitations(world: World) -> None:
    with world.app.app_context():
        lonely = factories.make_user()
        email = lonely.email
        client = factories.browser_of(world.app, lonely, "ar")
    assert "لا تتبع أي جهة حالياً" in client.get("/my/").text
    send(world, email=email)
    page = client.get("/my/")
    assert "دعوات بانتظار ردك" in page.text
    page = client.get(page.soup.select_one("#invitations a")["href"])
    page = client.submit(page, form="form[action$='/accept']")
    assert "لا تتبع أي جهة" not in page.text
    for url in ("/my/services/", "/my/requests/", "/my/organisation/"):
        client.get(url)


def test_a_request_names_who_follows_it_up(world: World) -> None:
    with world.app.app_context():
        user = db.session.get_one(Membership, world.other).user
        req = request_factories.make_sent(user)
        req.handed_to_id = db.session.get_one(Membership, world.general).user_id
        db.session.commit()
        number = req.id
    page = world.client(world.general).get(f"/my/requests/{number}/")
    assert "Handled by" in page.text
    assert "بدر" in page.text
