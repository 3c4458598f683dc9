"""Forms that act once: a double click, a refusal and the same form again, and both at once."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask, current_app
from werkzeug.test import TestResponse

from clearance.accounts import staff_invitations
from clearance.auth.sessions import actor_of
from clearance.core import crypto
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import (
    Delivery,
    Event,
    InternalNote,
    Invitation,
    LegalHold,
    Message,
    Subscription,
    User,
    UserSession,
)
from clearance.models.enums import DeliveryStatus, IssuedKind, Role, Status, SubscriptionStatus
from clearance.services import versions
from tests.support import (
    exam_factories,
    factories,
    issued_factories,
    member_factories,
    request_factories,
    sitting_pages,
    transfer_factories,
)
from tests.support.crossings import Instant, crossed
from tests.support.office_people import Office
from tests.support.pages import Page, PageClient, form_data
from tests.support.permit import PERMIT

REASON = {"reason": "الوثائق غير واضحة."}
OLD = {"version": "0"}


@dataclass
class Form:
    """A form of a page. wrong: what makes the portal refuse it. without: boxes not to tick."""

    browser: PageClient
    page: str
    selector: str
    values: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] | None = None
    without: tuple[str, ...] = ()
    route: str = ""

    def shown(self) -> Page:
        """Open the page with the form."""
        return self.browser.get(self.page)

    def opened(self) -> Callable[..., TestResponse]:
        """Open the page; gives what posts its form, with other values where named."""
        form = self.shown().form(self.selector)
        url, data = form.get("action") or self.page, form_data(form) | self.values
        data = {name: value for name, value in data.items() if name not in self.without}
        with self.browser.http.application.app_context():
            routes = current_app.url_map.bind("localhost")
            endpoint, _args = routes.match(urlsplit(url).path, method="POST")
            self.route = current_app.view_functions[endpoint].__qualname__

        def post(**other: str) -> TestResponse:
            return self.browser.http.post(url, data=data | other)

        return post


def deciding(office: Office) -> Form:
    request_id = office.request(Status.UNDER_REVIEW, reviewer=office.person("me"))
    url = f"/office/requests/{request_id}/do/reject"
    return Form(office.browser(office.person("me")), url, "#step", REASON, OLD)


def suspending(office: Office) -> Form:
    url = f"/office/licences/{office.licence()}/do/suspend"
    return Form(office.staff(), url, "#step", REASON, OLD)


def voiding(office: Office) -> Form:
    with office.app.app_context():
        licence = issued_factories.make_licence()
        issued_id = issued_factories.make_issued(IssuedKind.CERTIFICATE, licence).id
    return Form(office.staff(), f"/office/issued/{issued_id}/do/void", "#step", REASON)


def resetting(office: Office) -> Form:
    with office.app.app_context():
        secret = crypto.encrypt("JBSWY3DPEHPK3PXP")
    user_id = office.agent("Badr", totp_secret=secret, second_factor=True)
    url = f"/office/users/{user_id}/factor/reset"
    return Form(office.staff(Role.ADMINISTRATOR), url, "#step", REASON)


def holding_request(office: Office) -> Form:
    url = f"/office/retention/requests/{office.request()}/hold"
    return Form(office.staff(Role.MANAGER), url, "#step", REASON)


def holding_person(office: Office) -> Form:
    url = f"/office/retention/users/{office.agent('Badr')}/hold"
    return Form(office.staff(Role.ADMINISTRATOR), url, "#step", REASON)


def holding_number(office: Office) -> Form:
    values = REASON | {"civil_id": factories.civil_id()}
    url = "/office/retention/civil-numbers/hold"
    return Form(office.staff(Role.MANAGER), url, "#step", values, {"civil_id": "123"})


def lifting(office: Office) -> Form:
    holding = holding_request(office)
    holding.opened()()
    with office.app.app_context():
        url = f"/office/retention/holds/{db.session.scalars(sa.select(LegalHold.id)).one()}/lift"
    return Form(holding.browser, url, "#step", REASON)


def inviting(office: Office) -> Form:
    office.person("Known", email="known@example.com")
    values = {"email": "new@example.com", "role": "reviewer"}
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(
        browser, "/office/staff/invite", "#invitation", values, {"email": "known@example.com"}
    )


def noting(office: Office) -> Form:
    url = f"/office/requests/{office.request()}/"
    return Form(office.staff(), url, "#note-form", {"note": "Once"}, {"note": " "})


def answering(office: Office) -> Form:
    url = f"/office/requests/{office.request()}/"
    return Form(office.staff(), url, "#message-form", {"message": "Once"}, {"message": " "})


def withdrawing(office: Office) -> Form:
    url = f"/my/requests/{office.request()}/do/withdraw"
    return Form(office.browser(office.agent()), url, "#step", {}, OLD)


def asking(office: Office) -> Form:
    url = f"/my/requests/{office.request()}/"
    browser = office.browser(office.agent())
    return Form(browser, url, "form[action$='/messages']", {"body": "متى؟"}, {"body": " "})


def subscribing(office: Office) -> Form:
    with office.app.app_context():
        request_factories.publish(request_factories.TRIVIAL, subscription="by_approval")
    browser = office.browser(office.agent())
    return Form(browser, "/my/subscriptions/", "form[action$='/ask']", {}, {"version": "7"})


def declining(office: Office) -> Form:
    with office.app.app_context():
        offices = transfer_factories.make_offices()
        req = transfer_factories.make_sent(offices)
        url, user_id = f"/my/transfers/{req.id}/", offices.receiver.id
    return Form(office.browser(user_id), url, "#decline", REASON, OLD)


def sending_link(office: Office) -> Form:
    with office.app.app_context():
        offices = transfer_factories.make_offices()
        req = transfer_factories.make_accepted(offices)
        url, user_id = f"/my/requests/{req.id}/", offices.releaser.id
    return Form(office.browser(user_id), url, "form[action$='/link']", {}, OLD)


def sending_link_by_the_other(office: Office) -> Form:
    with office.app.app_context():
        offices = transfer_factories.make_offices()
        req = transfer_factories.make_accepted(offices)
        url, user_id = f"/my/transfers/{req.id}/", offices.receiver.id
    return Form(office.browser(user_id), url, "form[action$='/link']", {}, OLD)


def opening(office: Office) -> Form:
    browser = office.browser(office.agent())
    values = {"organisation_name": "Pearl Company"}
    return Form(browser, "/my/organisations/", "#named-form", values)


def changing_role(office: Office) -> Form:
    url = f"/office/staff/{office.person('Known')}/role"
    return Form(office.staff(Role.ADMINISTRATOR), url, "#step", {"role": "manager"}, OLD)


def saving_view(office: Office) -> Form:
    browser, url = office.staff(Role.MANAGER), "/office/lists/requests/new?flt0_status=open"
    return Form(browser, url, "#view-form", {"name": "Open", "is_shared": "y"}, {"name": ""})


def _shared_view(office: Office) -> tuple[PageClient, str]:
    browser = office.staff(Role.MANAGER)
    page = browser.get("/office/lists/requests/new")
    browser.submit(page, {"name": "Open", "is_shared": "y"}, form="#view-form")
    return browser, "/office/lists/requests/"


def renaming_view(office: Office) -> Form:
    browser, views = _shared_view(office)
    url = f"{views}1/"
    return Form(browser, url, "#view-form", {"name": "Renamed"}, {"name": "Other", **OLD})


def removing_view(office: Office) -> Form:
    browser, views = _shared_view(office)
    return Form(browser, views, "form[action$='/remove']")


def disabling(office: Office) -> Form:
    url = f"/office/staff/details/?id={office.person('Known')}"
    return Form(office.staff(Role.ADMINISTRATOR), url, "form[action$='/disable']")


def enabling(office: Office) -> Form:
    url = f"/office/staff/details/?id={office.person('Known', is_active=False)}"
    return Form(office.staff(Role.ADMINISTRATOR), url, "form[action$='/enable']")


def withdrawing_staff_invitation(office: Office) -> Form:
    with office.app.app_context():
        staff_invitations.invite_staff("new@example.com", Role.REVIEWER, utc_now())
        db.session.commit()
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(browser, "/office/staff/", "form[action$='/withdraw']")


def withdrawing_invitation(office: Office) -> Form:
    world = member_factories.World(office.app)
    client = world.client(world.general)
    page = client.get("/my/users/new/")
    client.submit(page, member_factories.filled(office.app, page), form="#user-form")
    return Form(client, "/my/users/", "form[action$='/withdraw']")


def recording(office: Office) -> Form:
    with office.app.app_context():
        reviewer = factories.make_staff()
        exam, (req,) = sitting_pages.held(reviewer, 1)
        seat_id, user_id = exam_factories.seat_of(req).id, reviewer.id
        url = f"/office/exams/{exam.id}/results"
        db.session.commit()
    values = {f"result-{seat_id}": "passed", "confirmed": "1"}
    return Form(office.browser(user_id), url, "#results-grid", values)


def changing_access(office: Office) -> Form:
    world = member_factories.World(office.app)
    values = {"is_general": "y"}
    return Form(world.client(world.general), world.url(world.other), "#user-form", values, OLD)


def giving_up_own_access(office: Office) -> Form:
    world = member_factories.World(office.app)
    world.add(is_general=True)
    url, values = world.url(world.general), {"services": "exam", "confirm": "1"}
    client = world.client(world.general)
    return Form(client, url, "#user-form", values, OLD, without=("is_general",))


def changing_profile(office: Office) -> Form:
    world = member_factories.World(office.app)
    values = {"phone": "+96522000009"}
    client = world.client(world.general)
    return Form(client, "/my/organisation/", "#organisation-form", values, OLD)


def invited(office: Office, answer: str) -> Form:
    world = member_factories.World(office.app)
    with office.app.app_context():
        known = factories.make_agent()
        email, user_id = known.email, known.id
    client = world.client(world.general)
    page = client.get("/my/users/new/")
    client.submit(page, member_factories.filled(office.app, page, email=email), form="#user-form")
    with office.app.app_context():
        url = f"/my/invitations/{db.session.scalars(sa.select(Invitation.id)).one()}/"
    return Form(office.browser(user_id), url, f"form[action$='/{answer}']")


def accepting_invitation(office: Office) -> Form:
    return invited(office, "accept")


def refusing_invitation(office: Office) -> Form:
    return invited(office, "refuse")


def resending_invitation(office: Office) -> Form:
    form = withdrawing_invitation(office)
    return Form(form.browser, "/my/users/", "form[action$='/resend']")


def discarding(office: Office) -> Form:
    url = f"/my/requests/{office.request(Status.DRAFT)}/discard"
    return Form(office.browser(office.agent()), url, "main form")


def making_sitting(office: Office) -> Form:
    late = {"confirm_by": "2090-01-01"}
    new = sitting_pages.new_values()
    return Form(office.staff(), "/office/exams/new/", "#sitting", new, late)


def sitting(office: Office) -> tuple[int, PageClient]:
    reviewer = office.person("me")
    with office.app.app_context():
        actor = actor_of(db.session.get_one(User, reviewer))
        exam = exam_factories.make_sitting(actor)
        exam_factories.make_candidates(1, db.session.get_one(User, reviewer))
        return exam.id, office.browser(reviewer)


def changing_sitting(office: Office) -> Form:
    exam_id, browser = sitting(office)
    url = f"/office/exams/edit/?id={exam_id}"
    return Form(browser, url, "#sitting", {"place_en": "Hall 3"}, OLD)


def announcing(office: Office) -> Form:
    exam_id, browser = sitting(office)
    return Form(browser, f"/office/exams/{exam_id}/do/announce", "main form")


def setting(office: Office) -> Form:
    browser = office.staff(Role.ADMINISTRATOR)
    values, none = {"returned_lapse_days": "45"}, {"returned_lapse_days": "0"}
    return Form(browser, "/office/settings/", "#settings", values, none)


def rewording(office: Office) -> Form:
    url, values = "/office/texts/request:sent/", {"email-en-subject": "Sent: {number}"}
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(browser, url, "#texts", values, {"email-en-subject": "{nothing}"})


def adding_row(office: Office) -> Form:
    values = {"day": "2031-07-13", "name_ar": "يوم تجريبي", "name_en": "Trial Day"}
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(browser, "/office/holidays/new/", "#record", values, {"day": "never"})


def changing_row(office: Office) -> Form:
    url, values = "/office/broker-types/edit/?id=private", {"name_en": "Private"}
    return Form(office.staff(Role.ADMINISTRATOR), url, "#record", values, {"seen": "of another"})


DRAFT = "/office/services/exam/draft"


def beginning_service(office: Office) -> Form:
    title = {"title_ar": "طلب زيارة", "title_en": "Visit"}
    values = title | {"code": "visit", "prefix": "VP"}
    browser = office.staff(Role.ADMINISTRATOR)
    with office.app.app_context():
        request_factories.load_services()
    return Form(browser, "/office/services/new/", "#new-service", values, {"code": "exam"})


def _of_draft(office: Office, page: str, selector: str, **values: str) -> Form:
    with office.app.app_context():
        request_factories.load_services()
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(browser, f"{DRAFT}/{page}", selector, values, {"version": "7"})


def changing_service(office: Office) -> Form:
    return _of_draft(office, "basics/", "#part-form", processing_days="9")


def changing_field(office: Office) -> Form:
    return _of_draft(office, "form/fields/notes/", "#part-form", label_en="Remarks")


def adding_field(office: Office) -> Form:
    return _of_draft(office, "form/", "#add-fields", standard="passport_no")


def moving_field(office: Office) -> Form:
    return _of_draft(office, "form/", "form[action$='/fields/notes/act']", action="up")


def removing_field(office: Office) -> Form:
    return _of_draft(office, "form/fields/notes/remove", "main form.form")


def changing_type(office: Office) -> Form:
    return _of_draft(office, "form/fields/notes/type", "#type-form", type="text")


def _of_changed_draft(office: Office, selector: str, page: str = "basics/", **values: str) -> Form:
    form = changing_service(office)
    form.opened()()
    return Form(form.browser, f"{DRAFT}/{page}", selector, values, {"version": "7"})


def undoing(office: Office) -> Form:
    return _of_changed_draft(office, "form[action$='/undo']")


def redoing(office: Office) -> Form:
    form = undoing(office)
    form.opened()()
    return Form(form.browser, f"{DRAFT}/basics/", "form[action$='/redo']")


def restoring(office: Office) -> Form:
    return _of_changed_draft(office, "form[action$='/restore/basics']")


def drafting_version(office: Office) -> Form:
    with office.app.app_context():
        request_factories.load_services()
        exam = versions.numbered("exam").definition
        request_factories.publish(yaml.safe_dump(exam), processing_days=9)
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(browser, "/office/services/exam/versions/", "form[action$='/versions/1/draft']")


def updating_draft(office: Office) -> Form:
    form = changing_service(office)
    form.opened()()
    with office.app.app_context():
        exam = versions.numbered("exam").definition
        request_factories.publish(yaml.safe_dump(exam), processing_days=7)
    return Form(form.browser, f"{DRAFT}/update/", "#update-form", {}, {"version": "7"})


def discarding_service(office: Office) -> Form:
    return _of_changed_draft(office, "form[action$='/discard']")


class Uploaded(Form):
    """A form that asks about an uploaded file."""

    def shown(self) -> Page:
        file = (io.BytesIO(PERMIT.encode()), "permit.yaml")
        return self.browser.submit(super().shown(), {"pack": file}, form="#pack-file")


def importing(office: Office) -> Form:
    with office.app.app_context():
        request_factories.load_services()
    browser, wrong = office.staff(Role.ADMINISTRATOR), {"prefix": "CE"}
    return Uploaded(browser, "/office/services/import/", "#pack-form", {}, wrong)


def publishing(office: Office) -> Form:
    form = _of_changed_draft(office, "#publish-form", "publish/", why="Longer")
    return replace(form, wrong={"compared": "another"})


def deleting_row(office: Office) -> Form:
    form = adding_row(office)
    form.opened()()
    url = "/office/holidays/?page_size=100"
    return Form(form.browser, url, "form:has([name=id][value='2031-07-13'])")


def sending_again(office: Office) -> Form:
    office.request()
    with office.app.app_context():
        delivery = db.session.scalars(sa.select(Delivery)).first()
        delivery.status, delivery.attempts = DeliveryStatus.GIVEN_UP, 30
        db.session.commit()
        values = {"rowid": str(delivery.id), "action": "send_again"}
    return Form(office.staff(Role.ADMINISTRATOR), "/office/deliveries/", "#bulk", values)


def ending_session(office: Office, ending: str = "/sessions/1/end") -> Form:
    for _place in range(2):
        office.browser(office.agent())
    url = f"/office/users/details/?id={office.agent()}"
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(browser, url, f"#sessions form[action$='{ending}']")


def ending_sessions(office: Office) -> Form:
    return ending_session(office, "/sessions/end")


def ending_own_session(office: Office) -> Form:
    for _place in range(2):
        office.browser(office.agent())
    browser = office.browser(office.agent())
    return Form(browser, "/my/account/", "#sessions form[action$='/end']")


def deciding_subscription(office: Office) -> Form:
    form = subscribing(office)
    form.opened()()
    with office.app.app_context():
        row_id = db.session.scalars(
            sa.select(Subscription.id).where(Subscription.status == SubscriptionStatus.ASKED)
        ).one()
    return Form(office.staff(), f"/office/subscriptions/{row_id}/do/approve", "#step")


def stopping_service(office: Office) -> Form:
    with office.app.app_context():
        request_factories.load_services()
    url, values = "/office/services/exam/stop", {"why": "Holiday"}
    browser = office.staff(Role.ADMINISTRATOR)
    return Form(browser, url, "#step", values, {"notice_en": "Back soon"})


def moving_service(office: Office) -> Form:
    with office.app.app_context():
        request_factories.load_services()
    form = "form[action$='/exam/move']"
    return Form(office.staff(Role.ADMINISTRATOR), "/office/services/", form, {"way": "down"})


# Each form with the method that its route leads to.
FORMS: dict[Callable[[Office], Form], str] = {
    changing_role: "Staff.change_role",
    saving_view: "ListArrangements.new",
    renaming_view: "ListArrangements.change",
    removing_view: "ListArrangements.remove",
    disabling: "Staff.disable",
    enabling: "Staff.enable",
    withdrawing_staff_invitation: "Staff.withdraw",
    withdrawing_invitation: "MyUsers.withdraw",
    resending_invitation: "MyUsers.resend",
    accepting_invitation: "MyInvitations.accept",
    refusing_invitation: "MyInvitations.refuse",
    changing_access: "UserEdit.edit",
    giving_up_own_access: "UserEdit.edit",
    changing_profile: "MyOrganisation.index",
    making_sitting: "OfficeExams.create_view",
    changing_sitting: "OfficeExams.edit_view",
    announcing: "OfficeExams.announce",
    recording: "ExamResults.results",
    deciding: "StepRoutes.do",
    suspending: "RegisterSteps.do",
    voiding: "IssuedDocuments.void",
    resetting: "FactorReset.reset_factor",
    holding_request: "Retention.hold_request",
    holding_person: "Retention.hold_user",
    holding_number: "Retention.hold_civil_number",
    lifting: "Retention.lift",
    inviting: "Staff.invite",
    noting: "ReviewRoutes.notes",
    answering: "ReviewRoutes.messages",
    withdrawing: "DetailRoutes.do",
    discarding: "FormRoutes.discard",
    asking: "DetailRoutes.messages",
    subscribing: "MySubscriptions.do",
    deciding_subscription: "SubscriptionSteps.do",
    declining: "MyTransfers.do",
    sending_link: "DetailRoutes.link",
    sending_link_by_the_other: "MyTransfers.link",
    opening: "MyFurtherOrganisations.index",
    setting: "OfficeSettings.index",
    rewording: "MessageTexts.event",
    stopping_service: "OfferingRoutes.offer",
    moving_service: "OfferingRoutes.move",
    adding_row: "GuardedModelView.create_view",
    changing_row: "GuardedModelView.edit_view",
    deleting_row: "GuardedModelView.delete_view",
    beginning_service: "DraftRoutes.create_view",
    changing_service: "DraftRoutes.draft_part",
    changing_field: "DraftItemRoutes.draft_item",
    adding_field: "DraftItemRoutes.draft_add",
    moving_field: "DraftItemRoutes.draft_act",
    changing_type: "DraftItemRoutes.draft_type",
    removing_field: "DraftItemRoutes.draft_remove",
    undoing: "DraftRoutes.draft_undo",
    redoing: "DraftRoutes.draft_redo",
    restoring: "DraftRoutes.draft_restore",
    drafting_version: "VersionRoutes.draft_of_version",
    discarding_service: "DraftRoutes.draft_discard",
    updating_draft: "UpdateRoutes.draft_update",
    publishing: "PublishRoutes.draft_publish",
    importing: "PackRoutes.pack_import",
    sending_again: "GuardedModelView.action_view",
    ending_session: "People.end_session",
    ending_sessions: "People.end_sessions",
    ending_own_session: "AccountView.end_session",
}
REFUSED = [
    changing_role,
    changing_access,
    giving_up_own_access,
    changing_profile,
    making_sitting,
    changing_sitting,
    deciding,
    suspending,
    inviting,
    noting,
    answering,
    withdrawing,
    asking,
    subscribing,
    declining,
    sending_link,
    sending_link_by_the_other,
    setting,
    rewording,
    stopping_service,
    adding_row,
    changing_row,
    beginning_service,
    changing_service,
    changing_field,
    publishing,
    importing,
]
# A link is sent once a minute: of two clicks at once, the page of one says so.
PAUSED = (sending_link, sending_link_by_the_other)
# Notes, messages and new sittings are judged before any lock; the last ones show what was typed
# again, whatever the other click saved.
UNCROSSED = (
    *PAUSED,
    noting,
    answering,
    making_sitting,
    setting,
    rewording,
    adding_row,
    changing_row,
)

# Routes whose forms need no key, each with what makes a second click harmless.
OTHERS = {
    "AccountView.end_other_sessions": "ends what is left, which is nothing",
    "AccountView.keys": "saves the same choice",
    "AccountView.latin_name": "saves the same name",
    "AccountView.password": "the old password and the old session no longer fit",
    "ContactRoutes.contact": "codes are counted; the page asks for the newest one",
    "ContactRoutes.contact_cancel": "leaves nothing to cancel",
    "ContactRoutes.contact_code": "a code is good once",
    "ContactRoutes.contact_resend": "codes are counted and have a pause between them",
    "DataRoutes.data": "a user has one copy at most",
    "DocumentRoutes.documents": "scripts disable the button; a file can be removed",
    "DocumentRoutes.remove_document": "the page it came from no longer has the document",
    "DocumentRoutes.rename_document": "saves the same name",
    "Events.verify": "only reads",
    "ExportsView.order": "claims the key, see tests/admin_views/base/test_list_exports.py",
    "ExportsView.remove": "leaves nothing to remove, see the same",
    "ListArrangements.columns": "saves the same columns",
    "ListArrangements.copy": "saves the same state",
    "ListArrangements.default": "saves the same choice",
    "ExamResults.results_file": "reads the file and asks; `results` records",
    "FactorRoutes.factor": "the new secret carries a key of its own",
    "FactorRoutes.remove_factor": "leaves no second factor to remove",
    "FactorRoutes.spare_codes": "claims the key itself: its page shows the codes once",
    "FormRoutes.autosave": "saves the same values",
    "FormRoutes.form_page": "saving keeps what was typed; sending claims the key",
    "GuardedModelView.ajax_update": "closed",
    "MyHome.switch": "chooses the same organisation",
    "MyServices.copy": "the draft keeps the key",
    "MyServices.start": "the draft keeps the key",
    "MyUsers.create_view": "the image is the key, see tests/journeys/test_second_click.py",
    "MyTransfers.receive": "the draft keeps the key",
    "NoticeRoutes.notices": "saves the same choices",
    "NoticesView.open": "what is read stays read",
    "NoticesView.read_all": "what is read stays read",
    "SeveralRoutes.several": "the drafts keep the key",
    "SeveralRoutes.several_autosave": "saves the same values",
    "SeveralRoutes.several_documents": "as for one request",
    "SeveralRoutes.several_grid": "saving keeps what was typed; sending claims the key",
    "SeveralRoutes.several_remove": "as for one request",
    "TextRoutes.draft_texts": "texts that are there already change nothing",
}


@pytest.fixture
def office(app: Flask) -> Office:
    return Office(app)


def done(office: Office) -> int:
    """How much was recorded, written, noted or ended until now."""
    with office.app.app_context():
        tables = (Event, Message, InternalNote)
        kept = sum(len(db.session.scalars(sa.select(table.id)).all()) for table in tables)
        ended = sa.select(UserSession.id).where(UserSession.ended_at.is_not(None))
        return kept + len(db.session.scalars(ended).all())


def at_once(*posts: Callable[[], TestResponse]) -> list[TestResponse]:
    """Send the posts at the same instant; gives their answers in that order."""
    together = Barrier(len(posts))

    def send(post: Callable[[], TestResponse]) -> TestResponse:
        together.wait(timeout=20)
        return post()

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(send, posts))


def test_every_form_acts_once_or_says_why_it_need_not(app: Flask) -> None:
    routes = {
        app.view_functions[rule.endpoint].__qualname__
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(("my", "office")) and "POST" in (rule.methods or ())
    }
    assert set(FORMS.values()) | set(OTHERS) == routes
    assert set(FORMS.values()) & set(OTHERS) == set()


@pytest.mark.parametrize("make", FORMS)
def test_a_double_click_acts_once_and_leads_to_the_same_place(
    office: Office, make: Callable[[Office], Form]
) -> None:
    form = make(office)
    post = form.opened()
    assert form.route == FORMS[make]
    before = done(office)
    first = post()
    after = done(office)
    second = post()
    assert first.status_code in (302, 303)  # 302 is Flask-Admin's own
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert before < after == done(office)


@pytest.mark.databases
@pytest.mark.parametrize("make", FORMS)
def test_two_clicks_at_the_same_instant_lead_to_the_same_place(
    office: Office, make: Callable[[Office], Form]
) -> None:
    post = make(office).opened()
    first, second = at_once(post, post)
    if make in PAUSED and 429 in (first.status_code, second.status_code):
        assert {first.status_code, second.status_code} == {303, 429}
        return
    assert first.status_code in (302, 303)
    assert (first.status_code, first.location) == (second.status_code, second.location)


@pytest.mark.databases
@pytest.mark.parametrize("make", REFUSED)
def test_a_refusal_at_the_same_instant_is_a_sentence_and_hinders_nothing(
    office: Office, make: Callable[[Office], Form]
) -> None:
    form = make(office)
    post, before = form.opened(), done(office)
    good, bad = at_once(post, lambda: post(**(form.wrong or {})))
    paused = (429,) if make in PAUSED else ()
    assert good.status_code in (302, 303, *paused)
    assert bad.location == good.location or bad.status_code in (200, 400, 409, *paused)
    is_told = 'role="alert"' in bad.text or "field-error" in bad.text
    assert bad.location or is_told or bad.status_code in paused
    assert done(office) > before or paused


@pytest.mark.parametrize("make", REFUSED)
def test_a_refused_form_can_be_sent_again(office: Office, make: Callable[[Office], Form]) -> None:
    form = make(office)
    post = form.opened()
    before = done(office)
    assert post(**(form.wrong or {})).status_code in (200, 400, 409)
    assert done(office) == before
    assert post().status_code in (302, 303)
    assert done(office) > before


@pytest.mark.databases
@pytest.mark.parametrize("make", [make for make in REFUSED if make not in UNCROSSED])
def test_a_refusal_that_crosses_a_second_click_leads_where_that_click_did(
    office: Office, make: Callable[[Office], Form]
) -> None:
    form = make(office)
    post = form.opened()
    with crossed(office.app, Instant.ROLLBACK, post) as came:
        first = post(**(form.wrong or {}))
    assert [(each.status_code, each.location) for each in came] == [(303, first.location)]
    assert first.status_code == 303
