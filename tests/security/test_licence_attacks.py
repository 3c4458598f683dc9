"""Hostile hands on licences, transfers and what is issued: forged posts, crossed decisions."""

from __future__ import annotations

import contextlib
import io
import threading
import zipfile
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale
from PIL import Image, ImageOps

from admin_views.office.bulk import SelectedRow
from admin_views.office.requests import bulk
from clearance.accounts import data_archive
from clearance.auth.sessions import actor_of
from clearance.core import i18n
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.errors import Refused
from clearance.core.extensions import db
from clearance.core.reasons import Reason
from clearance.issuing.rendering import PHOTO_SIZE, issued_pdf, portrait
from clearance.licences import granted_expiry, office_actions
from clearance.licences import register as licence_register
from clearance.models import Delivery, Licence, Request, User
from clearance.models.enums import LicenceStatus, LicenceStep
from clearance.notifications import outbox
from clearance.requests import available_actions, printing, transitions
from clearance.services import versions
from clearance.services.decisions import Decision
from clearance.services.flows import Action
from clearance.transfers.flow import TransferAction
from clearance.transfers.statuses import TransferStatus
from tests.clearance.issuing.test_rendering import sheet
from tests.support import factories, issued_factories, papers
from tests.support import request_factories as requests
from tests.support import transfer_factories as made
from tests.support.races import race


@pytest.mark.parametrize("step", ["decline", "withdraw"])
def test_a_reason_longer_than_any_form_sends_is_refused_and_changes_nothing(
    app: Flask, step: str
) -> None:
    with app.app_context():
        offices = made.make_offices()
        req = made.make_sent(offices)
        request_id, version = req.id, req.version
    area, user = (
        ("transfers", offices.receiver) if step == "decline" else ("requests", offices.releaser)
    )
    data = {"version": version, "reason": "x" * 1001}
    page = factories.browser_of(app, user).post(
        f"/my/{area}/{request_id}/do/{step}", data, status=400
    )
    assert "This is too long." in page.text
    with app.app_context():
        assert db.session.get_one(Request, request_id).status == TransferStatus.AWAITING_OTHER_PARTY


@pytest.mark.databases
def test_reviewers_who_decide_on_the_same_rows_from_both_ends_both_get_their_answer(
    context: Flask,
) -> None:
    requests.load_services()
    agent = factories.make_agent(factories.make_organisation(licence_no="KW-9001"))
    office = agent.memberships[0].organisation
    rows = []
    for _number in range(2):
        licence = issued_factories.make_licence(
            office, mobile=factories.mobile(), email="broker@example.com"
        )
        req = requests.make_sent(agent, "letter", licence_id=licence.id)
        rows.append(SelectedRow(req.id, req.version))
    reviewers = [actor_of(factories.make_staff()) for _number in range(2)]
    db.session.rollback()
    halfway = threading.Barrier(2)
    begun = threading.local()

    def decision(_request_id: int) -> list[Decision]:
        """Before the second row, give the other reviewer time to have taken their first."""
        if getattr(begun, "first", False):
            with contextlib.suppress(threading.BrokenBarrierError):
                halfway.wait(0.3)
        begun.first = True
        return []

    def decide(number: int) -> Any:
        with context.test_request_context(method="POST"):
            return bulk.perform_on_each(
                rows[:: 1 if number else -1],
                Action.TAKE,
                reason=Reason(),
                decisions_of=decision,
                actor=reviewers[number],
                key="",
            )

    answers = race(context, 2, decide)
    assert [type(answer) for answer in answers] == [list, list]
    assert sum(outcome.is_done for answer in answers for outcome in answer) == 2
    assert [answer.id for answer in answers[0]] == [row.id for row in rows[::-1]]
    takers = set(db.session.scalars(sa.select(Request.reviewer_id)))
    assert len(takers) == 1


UNPRINTABLE = "中国银行 😀 \ufffe"


@pytest.mark.parametrize("kind", ["certificate", "card", "letter"])
def test_a_character_that_no_font_has_keeps_nobody_from_their_document(kind: str) -> None:
    odd = {"ar": f"بنك {UNPRINTABLE}", "en": f"Bank {UNPRINTABLE}"}
    data = issued_pdf(sheet(kind, "en", holder=odd, organisation=odd, addressee=odd, purpose=odd))
    assert "Bank" in papers.seen(data)
    assert "KW-70001" in papers.seen(data)


def test_a_request_with_characters_that_no_font_has_can_be_printed(context: Flask) -> None:
    requests.load_services()
    agent = factories.make_agent()
    req = requests.make_sent(agent, address=f"Block 3 {UNPRINTABLE}")
    assert "Block 3" in papers.seen(printing.request_pdf(req, "en", actor_of(agent)))


def test_a_correction_by_an_earlier_licence_makes_the_page_of_the_present_one_stale(
    context: Flask,
) -> None:
    earlier = issued_factories.make_licence(status=LicenceStatus.CANCELLED)
    present = Licence(
        number="KW-1",
        broker_id=earlier.broker_id,
        guarantee_no="LG 1",
        guarantee_expiry=issued_factories.EXPIRES,
        issued=issued_factories.ISSUED_ON,
        expires=issued_factories.EXPIRES,
    )
    db.session.add(present)
    db.session.commit()
    one, two = (actor_of(factories.make_staff()) for _number in range(2))
    shown, now = present.version, utc_now()
    office_actions.correct(earlier, {"passport_no": "NEW1"}, one, "Renewed.", earlier.version, now)
    db.session.commit()
    with pytest.raises(office_actions.StaleLicence):
        office_actions.correct(present, {"passport_no": "OLD1"}, two, "A slip.", shown, now)


def test_an_old_draft_tells_nothing_more_of_a_broker_who_left(context: Flask) -> None:
    requests.load_services()
    old, new = (factories.make_organisation(licence_no=f"KW-910{n}") for n in range(2))
    agent, other = factories.make_agent(old), factories.make_agent(new)
    soon = kuwait_today() + timedelta(days=20)
    licence = issued_factories.make_licence(old, expires=soon)
    draft = requests.make_draft(agent, "renewal", licence_id=licence.id)
    now = utc_now()
    licence_register.change(
        licence,
        LicenceStep.TRANSFERRED,
        {"organisation_id": new.id, "passport_expiry": soon},
        now=now,
        actor_id=None,
    )
    requests.make_sent(other, "renewal", licence_id=licence.id)
    reviewer = actor_of(factories.make_staff())
    office_actions.suspend(licence, reviewer, "Misuse.", licence.version, now)
    with force_locale("en"):
        told = [
            str(warning.text)
            for warning in available_actions.send_warnings(draft, actor_of(agent), now)
        ]
        assert told == ["This broker is no longer registered with your organisation."]
        with pytest.raises(Refused, match=told[0]):
            transitions.perform(
                draft, Action.SEND, actor=actor_of(agent), now=now, version=draft.version
            )
        draft.passport_expiry = None  # so that the register's would be looked at
        cautions = [str(warning.text) for warning in granted_expiry.warnings(draft, now)]
    assert not [caution for caution in cautions if i18n.format_day(soon) in caution]


def test_an_older_request_does_not_undo_the_offices_correction_of_a_mobile(
    context: Flask,
) -> None:
    requests.load_services()
    agent, reviewer = factories.make_agent(), factories.make_staff()
    office = agent.memberships[0].organisation
    known, right, given = (factories.mobile() for _number in range(3))
    licence = issued_factories.make_licence(office, mobile=known, email="broker@example.com")
    as_it_was = requests.make_sent(agent, "letter", licence_id=licence.id, mobile=known)
    changed = requests.make_sent(agent, "letter", licence_id=licence.id, mobile=given)
    office_actions.correct(
        licence, {"mobile": right}, actor_of(reviewer), "Not his.", licence.version, utc_now()
    )
    db.session.commit()
    requests.step(as_it_was, Action.APPROVE, reviewer)
    assert licence.broker.mobile == right
    requests.step(changed, Action.APPROVE, reviewer)
    assert licence.broker.mobile == given


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_huge_photo_of_few_bytes_is_made_small_before_it_is_copied(
    monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """A PNG of 130 kB and 40 megapixels took half a gigabyte for one card."""
    sizes, fit = [], ImageOps.fit

    def noted(picture: Image.Image, *args: Any, **options: Any) -> Image.Image:
        sizes.append(picture.size)
        return fit(picture, *args, **options)

    monkeypatch.setattr(ImageOps, "fit", noted)
    file = io.BytesIO()
    Image.new(mode, (1600, 2000)).save(file, "PNG")
    with Image.open(io.BytesIO(portrait(file.getvalue()))) as made_small:
        assert made_small.size == PHOTO_SIZE
    assert sizes == [(800, 1000)]


def test_a_definition_edited_carelessly_lets_nobody_ask_for_a_broker_who_left(
    context: Flask,
) -> None:
    requests.load_services()
    shipped = versions.file_of("suspension").read_text("utf-8")
    requests.publish(shipped, guards={"start": [], "send": [], "approval": []})
    old, new = (factories.make_organisation(licence_no=f"KW-920{n}") for n in range(2))
    agent, licence = factories.make_agent(old), issued_factories.make_licence(old)
    draft = requests.make_draft(agent, "suspension", licence_id=licence.id)
    moved = {"organisation_id": new.id}
    licence_register.change(licence, LicenceStep.TRANSFERRED, moved, now=utc_now(), actor_id=None)
    with pytest.raises(Refused):
        requests.step(draft, Action.SEND, agent)


NAME = "Zanbaqa"


def read_by(app: Flask, user: User, req: Request) -> dict[str, str]:
    """Everything that a general user of the asking office can read of a transfer, by where."""
    client = factories.browser_of(app, user)
    pages = {
        place: client.get(f"/my/{place}").response.get_data(as_text=True)
        for place in ("", "requests/", f"requests/{req.id}/", "transfers/", "notices/")
    }
    export = client.http.get("/my/requests/export/csv/").get_data(as_text=True)
    printed = papers.text_of(client.http.get(f"/my/requests/{req.id}/print").data)
    found = client.http.get(f"/my/requests/?search={NAME}").get_data(as_text=True)
    archive = io.BytesIO()
    with app.test_request_context():
        reader = db.session.get_one(User, user.id)
        data_archive.write(archive, reader, actor_of(reader), utc_now())
        told = sa.select(Delivery).where(Delivery.address.in_([reader.email, reader.mobile]))
        messages = [outbox.body_of(row) for row in db.session.scalars(told)]
        db.session.remove()
    with zipfile.ZipFile(archive) as files:
        copies = [files.read(name).decode() for name in files.namelist() if name.endswith("json")]
    return pages | {
        "export": export,
        "print": printed,
        "search": str(f"/my/requests/{req.id}/" in found and NAME),
        "copy of data": " ".join(copies),
        "messages": " ".join(messages),
    }


def test_nobody_reads_a_broker_of_another_office_by_asking_for_him(app: Flask) -> None:
    """Three numbers that belong together opened his names, before anybody had consented."""
    with app.app_context():
        offices = made.make_offices(name_en_2=NAME)
        draft = made.make_draft(offices, receiving=True)
        refused = made.make_offices(name_en_2=NAME)
        declined = made.make_sent(refused, receiving=True)
        requests.step(declined, TransferAction.DECLINE, refused.releaser, reason="يبقى عندنا.")
        staff = factories.make_staff()
        numbers = [offices.licence.number, offices.licence.broker.civil_id]
        for row in list(db.session):
            db.session.refresh(row)  # so that they can be read when the session is gone
    for user, req in ((offices.receiver, draft), (refused.receiver, declined)):
        assert [where for where, text in read_by(app, user, req).items() if NAME in text] == []
    with app.app_context():
        req = made.send(db.session.merge(draft), offices)
    read = read_by(app, offices.receiver, req)
    assert [where for where, text in read.items() if NAME in text] == []
    assert all(number in read["copy of data"] + read["transfers/"] for number in numbers)
    for page, user in {
        "/my/transfers/": offices.releaser,
        f"/my/transfers/{req.id}/": offices.releaser,
        "/my/": offices.releaser,
        "/office/requests/": staff,
        f"/office/requests/{req.id}/": staff,
    }.items():
        assert NAME in factories.browser_of(app, user).get(page).text, page
    with app.app_context():
        made.accept(db.session.merge(req), offices)
    assert NAME in read_by(app, offices.receiver, req)[f"requests/{req.id}/"]
