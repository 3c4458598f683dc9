"""What is asked at every address: whose row, which action, with what posted."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from clearance.core.values import civil_number_for
from tests.support import files
from tests.support.access_draft_cases import OF_DRAFTS
from tests.support.access_licence_cases import MISSING_ID, OF_LICENCES, REASON, Rows, Try
from tests.support.access_member_cases import OF_MEMBERS

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def _steps_of_service(_rows: Rows) -> Iterator[Try]:
    for step in ("stop", "pilot", "start", "archive", "restore"):
        yield step, {"code": "exam", "step": step}, {}, {"why": REASON}
    yield "missing", {"code": MISSING[str], "step": "stop"}, {}, {"why": REASON}


OF_ENDPOINT = OF_LICENCES | OF_MEMBERS | OF_DRAFTS | {"office_services.offer": _steps_of_service}
# A column of the matrix stands for one organisation's row, `[missing]` for one that nobody has.
MISSING = {
    int: MISSING_ID,
    "office_holidays": "1999-01-01",
    str: "nothing-of-that-name",
}
# The row that `?id=` and the chosen rows of a list stand for.
ROW_OF_VIEW = {
    "my_requests": "sent",
    "my_drafts": "draft",
    "my_brokers": "licence",
    "my_issued": "issued",
    "my_users": "membership",
    "office_requests": "sent",
    "office_exams": "upcoming",
    "office_users": "general",
    "office_organisations": "organisation",
    "office_licences": "licence",
    "office_brokers": "broker",
    "office_issued": "issued",
    "office_subscriptions": "subscription",
    "office_staff": "colleague",
    "office_reasons": "reason",
    "office_holidays": "holiday",
    "office_announcements": "announcement",
    "office_deliveries": "delivery",
    "office_audit": "event",
    "office_access": "access",
    "office_reads": "access",
}
CODE_OF_VIEW = {
    "office_services": "exam",
    "office_document_kinds": "photo",
    "office_broker_types": "private",
    "office_nationalities": "KW",
    "office_legal_entities": "company",
    "office_teams": "review",
    "office_choice_lists": "ports",
}
# The steps that are tried at each side, and the request that each is tried on. Steps of the other
# side, of the portal and of another way stand among them: they must not be there.
AGENT_STEPS = {
    "send": "draft",
    "withdraw": "sent",
    "confirm": "seated",
    "approve": "sent",
    "accept": "transfer",
}
OFFICE_STEPS = {
    "take": "sent",
    "give_back": "taken",
    "assign": "sent",
    "preapprove": "taken",
    "approve": "greeting",
    "return": "taken",
    "reject": "taken",
    "seat": "preapproved",
    "release": "seated",
    "pass": "confirmed",
    "fail": "confirmed",
    "absent": "confirmed",
    "lapse": "returned",
    "withdraw": "sent",
}
ACTIONS = {
    "office_requests": ("take", "give_back", "assign", "preapprove", "approve", "return", "reject"),
    "office_deliveries": ("send_again",),
    "office_subscriptions": ("approve", "refuse"),
}


@dataclass(frozen=True)
class Case:
    """One line of the matrix and how it is asked. files: field → (content, name)."""

    method: str
    rule: str
    label: str
    endpoint: str
    address: str
    data: dict[str, Any] = field(default_factory=dict)
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The line's name in the file."""
        return f"{self.method} {self.rule}" + (f" [{self.label}]" if self.label else "")

    @property
    def is_missing(self) -> bool:
        """Whether the row asked for is nobody's."""
        return self.label.endswith("missing")

    def body(self, token: str | None = None) -> dict[str, Any]:
        """What is posted, with the CSRF token if one is given."""
        fresh = {name: (io.BytesIO(data), label) for name, (data, label) in self.files.items()}
        return self.data | fresh | ({"csrf_token": token} if token else {})


def all_cases(app: Flask, rows: Rows) -> list[Case]:
    """Every rule of the URL map by every method it takes, in the order of the addresses."""
    rules = sorted(app.url_map.iter_rules(), key=lambda each: (each.rule, each.endpoint))
    return [
        case
        for rule in rules
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        for case in cases_of(rule, method, rows)
    ]


def cases_of(rule: Rule, method: str, rows: Rows) -> Iterator[Case]:
    """The lines of one rule; KeyError names what a new rule needs here."""
    for label, values, query, data in _tries(rule, method, rows):
        address = _filled(rule, values)
        if query:
            address += "?" + "&".join(f"{key}={value}" for key, value in query.items())
        posted = ({} if method in SAFE else {"version": 1, **_POSTED.get(rule.endpoint, {})}) | data
        yield Case(
            method=method,
            rule=rule.rule,
            label=label,
            endpoint=rule.endpoint,
            address=address,
            data={key: value for key, value in posted.items() if key != "_files"},
            files=posted.get("_files", {}),
        )


def _tries(rule: Rule, method: str, rows: Rows) -> Iterator[Try]:
    """(label, arguments of the rule, query, what is posted) of each line."""
    view, _dot, name = rule.endpoint.rpartition(".")
    if rule.endpoint in OF_ENDPOINT:
        yield from OF_ENDPOINT[rule.endpoint](rows)
    elif "action" in rule.arguments:
        yield from _steps(rule, method, rows)
    elif name in {"details_view", "edit_view", "delete_view", "action_view", "ajax_update"}:
        yield from _stock(view, name, rows)
    elif name == "ajax_lookup":
        yield "", {}, {"name": "organisation", "query": "a"}, {}
    elif rule.endpoint == "my_requests.export" or name == "export":
        yield "csv", {"export_type": "csv"}, {}, {}
        yield "xlsx", {"export_type": "xlsx"}, {}, {}
        yield "missing", {"export_type": "exe"}, {}, {}
    elif rule.endpoint == "my_services.copy":
        yield "own", {"code": "exam"}, {}, {"copy_of": rows["sent"]}
        yield "missing", {"code": "exam"}, {}, {"copy_of": MISSING_ID}
    elif rule.endpoint == "my.switch":
        yield "own", {}, {}, {"organisation": rows["organisation"]}
        yield "missing", {}, {}, {"organisation": MISSING_ID}
    elif "request_id" in rule.arguments:
        yield from _of_request(rule, rows)
    elif rule.arguments:
        values = {key: _value(rule, key, rows) for key in rule.arguments}
        query = _QUERY.get(rule.endpoint, {})
        yield "own", values, query, _results(rule, rows)
        yield "missing", {key: _missing(value) for key, value in values.items()}, query, {}
    else:
        yield "", {}, _QUERY.get(rule.endpoint, {}), {}


def _of_request(rule: Rule, rows: Rows) -> Iterator[Try]:
    tried = [("own", "sent", "document"), ("own draft", "draft", "draft_document")]
    if rule.rule.startswith("/my/"):  # what its other party sees stands under /my/transfers/
        tried.append(("own transfer", "transfer", "transfer_document"))
    for label, req, document in tried:
        values = {"request_id": rows[req], "document_id": rows[document], "page": 1}
        values = {key: values[key] for key in rule.arguments}
        data = {"version": rows[f"{req}_version"]}
        yield label, values, {}, data
        if "document_id" in values:
            yield f"{label}, document missing", values | {"document_id": MISSING_ID}, {}, data
    if "document_id" in rule.arguments:
        # A document is found under its own request only.
        mixed = {"request_id": rows["sent"], "document_id": rows["draft_document"], "page": 1}
        values = {key: mixed[key] for key in rule.arguments}
        yield "own, document of another request: missing", values, {}, {}
    yield "missing", dict.fromkeys(rule.arguments, MISSING_ID), {}, {}


def _steps(rule: Rule, method: str, rows: Rows) -> Iterator[Try]:
    steps = AGENT_STEPS if rule.rule.startswith("/my/") else OFFICE_STEPS
    for action, req in steps.items():
        values = {"action": action, "request_id": rows[req]}
        version = rows[f"{req}_version"]
        many = {} if "request_id" in rule.arguments else {"id": rows[req]}
        posted = {"row": f"{rows[req]}-{version}"} if many else {"version": version}
        yield action, values, many if method == "GET" else {}, posted | _decision(rows)
    first = next(iter(steps))
    if "request_id" in rule.arguments:
        on_draft = {"action": first, "request_id": rows["draft"]}
        if steps is OFFICE_STEPS:
            yield f"{first}, draft", on_draft, {}, {"version": rows["draft_version"]}
        yield f"{first}, missing", {"action": first, "request_id": MISSING_ID}, {}, {}
    yield "missing", {"action": "nothing", "request_id": rows["sent"]}, {}, {}


def _decision(rows: Rows) -> dict[str, Any]:
    return {"reason": REASON, "reviewer_id": rows["colleague"]}


def _stock(view: str, name: str, rows: Rows) -> Iterator[Try]:
    """Flask-Admin's own addresses, which take the row from outside the path."""
    row = CODE_OF_VIEW[view] if view in CODE_OF_VIEW else rows[ROW_OF_VIEW[view]]
    missing = MISSING.get(view, _missing(row))
    if name == "action_view":
        for action in (*ACTIONS.get(view, ()), "delete"):
            yield action, {}, {}, {"action": action, "rowid": row}
        for action in ACTIONS.get(view, ()):
            yield f"{action}, missing", {}, {}, {"action": action, "rowid": missing}
    elif name == "ajax_update":
        yield "own", {}, {}, {"list_form_pk": row}
    elif name == "delete_view":
        yield "own", {}, {}, {"id": row}
        yield "missing", {}, {}, {"id": missing}
    else:
        yield "own", {}, {"id": row}, {}
        if view in {"my_requests", "office_requests"}:
            yield "own draft", {}, {"id": rows["draft"]}, {}
        yield "missing", {}, {"id": missing}, {}


def _value(rule: Rule, argument: str, rows: Rows) -> Any:
    """The existing row, or the word, that fills an argument of the rule."""
    area = "reviewer" if rule.rule.startswith("/office/") else "general"
    view, name = rule.endpoint.rpartition(".")[::2]
    if argument == "exam_id":
        return rows["upcoming" if name == "announce" else "held"]
    if argument == "user_id":
        of_staff = rows["disabled" if name == "enable" else "colleague"]
        return rows["general"] if view == "office_users" else of_staff
    if argument == "session_id" and view in {"office_users", "office_staff"}:
        return rows["general_session" if view == "office_users" else "colleague_session"]
    if argument in {"notice_id", "session_id"}:
        return rows[f"{area}_{argument.removesuffix('_id')}"]
    words = {
        "invitation_id": rows["invitation"],
        "hold_id": rows["hold"],
        "list_name": "requests",
        "view_id": rows["general_view" if rule.rule.startswith("/my/") else "manager_view"],
        "token": rows["token"],
        "ref": rows["captcha"],
        "code": "exam",
        "number": 1,
        "other": 1,
        "event": "request:sent",
        "filename": "css/clearance.css",
    }
    return words[argument]


def _results(rule: Rule, rows: Rows) -> dict[str, Any]:
    if rule.endpoint != "office_exams.results_file":
        return {f"result-{rows['seat']}": "passed", "confirmed": "1"}
    text = f"number,civil_id,result\n{rows['results_row']}\n"
    return {"_files": {"results": (text.encode(), "results.csv")}}


def _missing(value: Any) -> Any:
    return MISSING[int] if isinstance(value, int) else MISSING[str]


def _filled(rule: Rule, values: dict[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        return str(values[match.group("name")])

    return re.sub(r"<(?:[^:<>]+:)?(?P<name>[^<>]+)>", value, rule.rule)


_QUERY = {
    "my_search.index": {"q": "أحمد"},
    "office_search.index": {"q": "أحمد"},
    "public.captcha_new": {"form": "register"},
    "public.consent_answered": {"answer": "consent"},
    "office_services.choose_versions": {"old": 1, "new": 1},
}
# What a form needs so that its sending does something where it may.
_POSTED: dict[str, dict[str, Any]] = {
    "public.language": {"lang": "en", "next": "/terms"},
    "public.verify_resend": {"channel": "email"},
    "my_requests.messages": {"body": "سؤال"},
    "my_requests.documents": {
        "kind": "other",
        "_files": {"files": (files.png(), "another.png")},
    },
    "my_requests.rename_document": {"label": "new-name.png"},
    "my_services.start": {"broker_type": "private"},
    "office_requests.messages": {"message": "جواب"},
    "office_requests.notes": {"note": "ملاحظة"},
    "office_services.move": {"way": "down"},
    "office_staff.invite": {"email": "someone@example.com", "role": "reviewer"},
    "office_retention.hold_request": {"reason": REASON},
    "office_retention.hold_user": {"reason": REASON},
    "office_retention.hold_civil_number": {
        "reason": REASON,
        "civil_id": civil_number_for(date(1970, 1, 1), 1),
    },
    "office_retention.lift": {"reason": REASON},
    "office_staff.reset_factor": {"reason": REASON},
    "office_staff.change_role": {"role": "manager", "version": "1"},
    "office_users.reset_factor": {"reason": REASON},
}
