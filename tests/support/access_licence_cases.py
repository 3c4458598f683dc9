"""What is asked at the addresses about licences, transfers, tables and issued documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.support import files

Rows = dict[str, Any]
Try = tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]
"""(label, arguments of the rule, query, what is posted)."""

MISSING_ID = 999_999
MISSING_WORD = "nothing-of-that-name"
REASON = "الوثائق غير واضحة."
SERVICE = "letter"
OTHER_SERVICE = "renewal"


def _start(rows: Rows) -> Iterator[Try]:
    yield "own", {"code": "exam"}, {}, {}
    yield "own broker", {"code": SERVICE}, {}, {"licence_id": rows["licence"]}
    yield "other broker", {"code": SERVICE}, {}, {"licence_id": rows["foreign_licence"]}
    yield "missing", {"code": MISSING_WORD}, {}, {}


def _choosing(rows: Rows) -> Iterator[Try]:
    begin = {"do": "begin", "licence": [rows["licence"], rows["second_licence"]]}
    yield "own", {"code": SERVICE}, {}, begin
    yield "not several at once: missing", {"code": "suspension"}, {}, begin
    yield "other broker", {"code": SERVICE}, {}, begin | {"licence": [rows["foreign_licence"]]}
    yield "missing", {"code": MISSING_WORD}, {}, {}


def _grid(rows: Rows) -> Iterator[Try]:
    posted: dict[str, Any] = {"grid": "1"}
    for req, version in rows["grid_rows"]:
        posted |= {f"{req}-version": version, f"{req}-addressee": "بنك الخليج"}
    yield "own", {"code": SERVICE, "grid": rows["grid"]}, {}, posted
    yield "other service: missing", {"code": OTHER_SERVICE, "grid": rows["grid"]}, {}, posted
    yield "missing", {"code": SERVICE, "grid": MISSING_WORD}, {}, posted


def _grid_documents(rows: Rows) -> Iterator[Try]:
    posted = {"kind": "other", "_files": {"files": (files.png(), "another.png")}}
    yield "own", {"code": SERVICE, "grid": rows["grid"]}, {}, posted
    yield "missing", {"code": SERVICE, "grid": MISSING_WORD}, {}, posted


def _grid_document(rows: Rows) -> Iterator[Try]:
    own = {"code": SERVICE, "grid": rows["grid"], "document_id": rows["grid_document"]}
    yield "own", own, {}, {}
    yield "own, document of a request: missing", own | {"document_id": rows["document"]}, {}, {}
    yield "own, document missing", own | {"document_id": MISSING_ID}, {}, {}
    yield "missing", own | {"grid": MISSING_WORD}, {}, {}


def _transfer(rows: Rows) -> Iterator[Try]:
    yield "own", {"request_id": rows["transfer"]}, {}, {}
    yield "own draft", {"request_id": rows["transfer_draft"]}, {}, {}
    yield "asked", {"request_id": rows["asked"]}, {}, {}
    yield "no transfer: missing", {"request_id": rows["sent"]}, {}, {}
    yield "missing", {"request_id": MISSING_ID}, {}, {}


def _answer(rows: Rows) -> Iterator[Try]:
    for action in ("accept", "decline", "send", "withdraw", "approve"):
        for label, req in (("own", "transfer"), ("asked", "asked")):
            values = {"request_id": rows[req], "action": action}
            posted = {"version": rows[f"{req}_version"], "reason": REASON}
            yield f"{action}, {label}", values, {}, posted
    yield "accept, missing", {"request_id": MISSING_ID, "action": "accept"}, {}, {}
    yield "missing", {"request_id": rows["asked"], "action": MISSING_WORD}, {}, {}


def _new_link(rows: Rows) -> Iterator[Try]:
    posted = {"version": rows["accepted_version"]}
    yield "own", {"request_id": rows["accepted"]}, {}, posted
    yield "asked, not yet the broker", {"request_id": rows["asked"]}, {}, posted
    yield "own draft", {"request_id": rows["transfer_draft"]}, {}, posted
    yield "missing", {"request_id": MISSING_ID}, {}, posted


def _receive(rows: Rows) -> Iterator[Try]:
    yield "", {}, {}, rows["broker_to_come"]


def _consent(rows: Rows) -> Iterator[Try]:
    posted = {"answer": "consent", "code": rows["consent_code"]}
    yield "own", {"token": rows["consent"]}, {}, posted
    yield "missing", {"token": MISSING_WORD}, {}, posted


def _check(rows: Rows) -> Iterator[Try]:
    yield "own", {"code": rows["check_code"]}, {}, {}
    yield "missing", {"code": MISSING_WORD}, {}, {}


def _issued_file(rows: Rows) -> Iterator[Try]:
    yield "own", {"digest": rows["issued_digest"]}, {}, {}
    yield "missing", {"digest": "0" * 64}, {}, {}


def _broker(rows: Rows) -> Iterator[Try]:
    yield "own", {"broker_id": rows["broker"]}, {}, {}
    yield "missing", {"broker_id": MISSING_ID}, {}, {}


def _issued(rows: Rows) -> Iterator[Try]:
    """One of the letter's service, and one of a service that nobody was granted."""
    yield "own", {"issued_id": rows["issued"]}, {}, {"reason": REASON}
    yield "own card", {"issued_id": rows["issued_card"]}, {}, {"reason": REASON}
    yield "missing", {"issued_id": MISSING_ID}, {}, {"reason": REASON}


def _licence(rows: Rows) -> Iterator[Try]:
    yield "own", {"licence_id": rows["licence"]}, {}, {}
    yield "missing", {"licence_id": MISSING_ID}, {}, {}


def _office_steps(rows: Rows) -> Iterator[Try]:
    for step, row in (
        ("suspend", "licence"),
        ("reinstate", "suspended"),
        ("correct", "licence"),
        ("cancel", "licence"),
    ):
        label = step if step != "cancel" else f"{step}: missing"  # no step of the office
        posted = {"version": rows[f"{row}_version"], "reason": REASON}
        if step == "correct":
            posted |= rows["correction"]
        yield label, {"licence_id": rows[row], "step": step}, {}, posted
    yield "suspend, missing", {"licence_id": MISSING_ID, "step": "suspend"}, {}, {"reason": REASON}


OF_LICENCES: dict[str, Callable[[Rows], Iterator[Try]]] = {
    "my_services.start": _start,
    "my_services.several": _choosing,
    "my_services.several_grid": _grid,
    "my_services.several_autosave": _grid,
    "my_services.several_documents": _grid_documents,
    "my_services.several_remove": _grid_document,
    "my_transfers.details": _transfer,
    "my_transfers.do": _answer,
    "my_transfers.receive": _receive,
    "my_transfers.link": _new_link,
    "my_requests.link": _new_link,
    "public.consent": _consent,
    "public.consent_code": _consent,
    "public.check": _check,
    "public.receipt_issued": _issued_file,
    "my_brokers.details": _broker,
    "my_issued.file": _issued,
    "office_licences.details": _licence,
    "office_licences.do": _office_steps,
    "office_brokers.details": _broker,
    "office_issued.details": _issued,
    "office_issued.void": _issued,
    "office_issued.issued_file": _issued,
}
"""Endpoint → the lines of its rule."""
