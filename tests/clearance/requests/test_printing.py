"""The printed request: what stands on it, in both languages, and what can never get onto it."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime
from typing import Any

import pikepdf
import pypdfium2
import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.extensions import db
from clearance.models import IssuedDocument, Request, User
from clearance.requests import printing
from clearance.services.flows import Action
from tests.support import factories, request_factories
from tests.support.papers import seen, text_of

SENT = datetime(2026, 3, 12, 7, 25, tzinfo=UTC)
LATER = datetime(2026, 3, 15, 6, 0, tzinfo=UTC)


def printed(req: Request, lang: str, reader: User) -> str:
    return text_of(printing.request_pdf(req, lang, actor_of(reader)))


def sent(agent: User, **values: Any) -> Request:
    draft = request_factories.make_draft(agent, now=SENT, **values)
    return request_factories.step(draft, Action.SEND, agent, now=SENT)


def returned(agent: User, reviewer: User, reason: str) -> Request:
    return request_factories.step(sent(agent), Action.RETURN, reviewer, now=LATER, reason=reason)


def test_the_english_sheet_tells_number_status_data_documents_and_steps(agent: User) -> None:
    req = returned(agent, factories.make_staff(), "The photo is not legible.")
    text = printed(req, "en", agent)
    assert "Take the clearing agents' exam" in text
    assert req.number in text
    assert "Corrections needed" in text
    assert "12/03/2026 10:25" in text  # Kuwait's time
    assert req.civil_id in text
    assert "Ahmad" in text
    assert "photo.pdf" in text
    assert "Personal photo" in text
    assert "The photo is not legible." in text
    assert "General Administration of Customs" in text


def test_the_arabic_sheet_is_in_arabic_with_latin_digits(agent: User) -> None:
    req = returned(agent, factories.make_staff(), "الصورة غير واضحة")
    data = printing.request_pdf(req, "ar", actor_of(agent))
    on_paper = seen(data)
    for number in (req.number, "12/03/2026", "10:25", req.civil_id, req.mobile, req.email):
        assert number in on_paper
    with pikepdf.open(io.BytesIO(data)) as document:
        assert str(document.Root.Lang) == "ar"
        assert req.number in str(document.docinfo["/Title"])
    assert {"الوثائق", "الكويت"} <= set(text_of(data).split())


def test_the_same_request_gives_the_same_bytes_and_languages_differ(agent: User) -> None:
    req, reader = sent(agent), actor_of(agent)
    first = printing.request_pdf(req, "ar", reader)
    assert printing.request_pdf(req, "ar", reader) == first
    assert printing.request_pdf(req, "en", reader) != first


def test_the_fields_stand_in_the_definitions_order(agent: User) -> None:
    text = printed(sent(agent), "en", agent)
    labels = ["Broker type", "First name in Arabic", "First name in English", "Nationality"]
    places = [text.index(label) for label in [*labels, "Civil number", "Address"]]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "typed",
    ['#sys.inputs "x"', '#image("/etc/passwd")', "$x^2$ *bold* _it_ @ref <tag>", "\\u{48} \\ // x"],
)
def test_what_was_typed_is_never_markup(agent: User, typed: str) -> None:
    text = printed(sent(agent, address=typed), "en", agent)
    assert "".join(typed.split()) in "".join(text.split())


def test_agents_read_the_office_where_staff_read_a_name(agent: User) -> None:
    reviewer = factories.make_staff(first_name="Hessa", last_name="Reviewing")
    req = returned(agent, reviewer, "Please correct.")
    assert "Hessa Reviewing" not in printed(req, "en", agent)
    assert "Hessa Reviewing" in printed(req, "en", reviewer)


def test_a_draft_is_marked_as_one(agent: User) -> None:
    draft = request_factories.make_draft(agent, with_documents=False)
    text = printed(draft, "en", agent)
    assert "Assigned when the request is sent" in text
    assert "No documents were attached." in text
    assert text.count("Draft") >= 3  # number, status, and across the sheet
    assert printed(sent(agent), "en", agent).count("Draft") == 0


def test_long_requests_go_on_over_more_pages_with_their_numbers(agent: User) -> None:
    req = sent(agent)
    for number in range(60):
        request_factories.make_document(req, "other", agent, label=f"letter-{number}.pdf")
    db.session.refresh(req)
    document = pypdfium2.PdfDocument(printing.request_pdf(req, "en", actor_of(agent)))
    assert len(document) >= 2
    second = document[1].get_textpage().get_text_range()
    assert f"2 / {len(document)}" in second
    assert "Document name" in second  # the heading of the table is repeated


def test_the_code_leads_to_the_request_then_to_the_check_of_what_was_issued(
    agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(printing, "qr_svg", lambda text: drawn.append(text) or "<svg/>")
    monkeypatch.setattr(printing, "set_pdf", lambda *given: b"")
    req, reader = sent(agent), actor_of(agent)
    printing.request_pdf(req, "ar", reader)
    db.session.add(
        IssuedDocument(
            request_id=req.id,
            organisation_id=req.organisation_id,
            kind="letter",
            language="ar",
            check_code="ABCDEFGHIJKLMNOPQRST",
            content={},
            issued_at=LATER,
        )
    )
    db.session.flush()
    printing.request_pdf(req, "ar", reader)
    assert drawn == [
        f"http://127.0.0.1:5000/my/requests/details/?id={req.id}",
        "http://127.0.0.1:5000/check/ABCDEFGHIJKLMNOPQRST",
    ]


def test_the_sheet_is_tagged_and_its_fonts_are_ours(agent: User) -> None:
    data = printing.request_pdf(sent(agent), "ar", actor_of(agent))
    with pikepdf.open(io.BytesIO(data)) as document:
        assert bool(document.Root.MarkInfo.Marked)
        fonts = {
            str(font.BaseFont).rpartition("+")[2]
            for page in document.pages
            for font in page.Resources.Font.values()
        }
    assert fonts
    assert all(name.startswith(("IBMPlexSansArabic", "Amiri")) for name in fonts), fonts


def test_threads_print_at_the_same_time(agent: User, context: Flask) -> None:
    req, reader = sent(agent), actor_of(agent)
    expected = printing.request_pdf(req, "en", reader)
    number = req.id
    db.session.rollback()
    results: list[bytes] = []

    def work() -> None:
        with context.test_request_context():
            mine = db.session.get(Request, number)
            assert mine is not None
            results.append(printing.request_pdf(mine, "en", reader))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 6


def test_a_pdf_goes_out_as_a_download(context: Flask) -> None:
    response = printing.pdf_response(b"%PDF-1.7", "CE-8-26.pdf")
    assert response.mimetype == "application/pdf"
    assert response.headers["Content-Disposition"].startswith('attachment; filename="CE-8-26.pdf"')
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
