"""What is asked at the addresses about users, invitations, subscriptions and one's contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.support.access_licence_cases import MISSING_ID, MISSING_WORD, REASON, Rows, Try
from tests.support.access_member_rows import AT_ONCE, BY_APPROVAL, LEFT


def _membership(rows: Rows) -> Iterator[Try]:
    posted = {"services": ["exam"], "is_active": "1", "version": rows["membership_version"]}
    yield "own", {"membership_id": rows["membership"]}, {}, posted
    yield "other organisation", {"membership_id": rows["foreign_membership"]}, {}, posted
    yield "missing", {"membership_id": MISSING_ID}, {}, posted


def _profile(rows: Rows) -> Iterator[Try]:
    profile = {"address": "حولي", "phone": "22212345", "email": "office@example.com"}
    profile |= {"version": rows["organisation_version"]}
    yield "own", {}, {}, profile | {"organisation": rows["organisation"]}
    yield "missing organisation", {}, {}, profile | {"organisation": MISSING_ID}


def _company(rows: Rows) -> Iterator[Try]:
    named = {"way": "named", "legal_entity": "company", "organisation_name": "Marjan"}
    yield "named", {}, {}, named
    yield "licensed", {}, {}, {"way": "licensed"}


def _new_user(rows: Rows) -> Iterator[Try]:
    yield "own", {}, {}, {"organisation": rows["organisation"]}
    yield "missing organisation", {}, {}, {"organisation": MISSING_ID}


def _sent(rows: Rows) -> Iterator[Try]:
    """Invitations into the organisation, and into another one."""
    yield "own", {"invitation_id": rows["invited"]}, {}, {}
    yield "other organisation", {"invitation_id": rows["inviting"]}, {}, {}
    yield "staff: missing", {"invitation_id": rows["invitation"]}, {}, {}
    yield "missing", {"invitation_id": MISSING_ID}, {}, {}


def _received(rows: Rows) -> Iterator[Try]:
    """Invitations of `general` into another organisation, and of `foreign` into this one."""
    yield "asked", {"invitation_id": rows["inviting"]}, {}, {}
    yield "own", {"invitation_id": rows["invited"]}, {}, {}
    yield "staff: missing", {"invitation_id": rows["invitation"]}, {}, {}
    yield "missing", {"invitation_id": MISSING_ID}, {}, {}


def _contact(rows: Rows) -> Iterator[Try]:
    yield "email", {"kind": "email"}, {}, {"code": rows["new_email_code"]}
    yield "mobile", {"kind": "mobile"}, {}, {"code": rows["new_email_code"]}
    yield "missing", {"kind": MISSING_WORD}, {}, {}


def _subscribing(rows: Rows) -> Iterator[Try]:
    """Each step on a service in a fitting state, for the organisation of `general`."""
    for step, code, version in (
        ("ask", AT_ONCE, 0),
        ("withdraw", BY_APPROVAL, rows["subscription_version"]),
        ("leave", LEFT, rows["held_version"]),
        ("approve: missing", BY_APPROVAL, rows["subscription_version"]),
    ):
        posted = {"organisation": rows["organisation"], "version": version}
        yield step, {"code": code, "step": step.partition(":")[0]}, {}, posted
    posted = {"organisation": MISSING_ID, "version": 0}
    yield "ask, missing", {"code": AT_ONCE, "step": "ask"}, {}, posted
    posted = {"organisation": rows["organisation"], "version": 0}
    yield "missing", {"code": MISSING_WORD, "step": "ask"}, {}, posted


def _leaving(rows: Rows) -> Iterator[Try]:
    yield "own", {"code": LEFT}, {}, {}
    yield "missing", {"code": MISSING_WORD}, {}, {}


def _subscription(rows: Rows) -> Iterator[Try]:
    yield "own", {"subscription_id": rows["subscription"]}, {}, {}
    yield "missing", {"subscription_id": MISSING_ID}, {}, {}


def _deciding(rows: Rows) -> Iterator[Try]:
    """The decisions on one subscription and on many; the rule says which by its arguments."""
    chosen = f"{rows['subscription']}-{rows['subscription_version']}"
    for step in ("approve", "refuse", "leave"):
        label = step if step != "leave" else "leave: missing"
        values = {"step": step, "subscription_id": rows["subscription"]}
        yield label, values, {"id": rows["subscription"]}, {"row": chosen, "reason": REASON}
    values = {"step": "approve", "subscription_id": MISSING_ID}
    yield "approve, missing", values, {"id": MISSING_ID}, {"row": f"{MISSING_ID}-1"}


def _exported(area: str) -> Callable[[Rows], Iterator[Try]]:
    """Exports of `general` or of the manager; a row of the other area is a stranger's."""
    own, strangers = ("general", "manager") if area == "my" else ("manager", "general")

    def tries(rows: Rows) -> Iterator[Try]:
        yield "own", {"export_id": rows[f"{own}_export"]}, {}, {}
        yield "other user: missing", {"export_id": rows[f"{strangers}_export"]}, {}, {}
        yield "missing", {"export_id": MISSING_ID}, {}, {}

    return tries


def _ordered(area: str) -> Callable[[Rows], Iterator[Try]]:
    def tries(rows: Rows) -> Iterator[Try]:
        yield "own", {}, {}, {"list": f"{area}_requests", "query": "search=CE"}
        yield (
            "other area: missing",
            {},
            {},
            {"list": "office_audit" if area == "my" else "my_users"},
        )
        yield "missing", {}, {}, {"list": MISSING_WORD}

    return tries


OF_MEMBERS: dict[str, Callable[[Rows], Iterator[Try]]] = {
    "my_users.create_view": _new_user,
    "my_users.edit": _membership,
    "my_users.resend": _sent,
    "my_users.withdraw": _sent,
    "my_invitations.details": _received,
    "my_invitations.accept": _received,
    "my_invitations.refuse": _received,
    "my_organisation.index": _profile,
    "my_further_organisations.index": _company,
    "my_account.contact": _contact,
    "my_account.contact_code": _contact,
    "my_account.contact_resend": _contact,
    "my_account.contact_cancel": _contact,
    "office_account.contact": _contact,
    "office_account.contact_code": _contact,
    "office_account.contact_resend": _contact,
    "office_account.contact_cancel": _contact,
    "my_subscriptions.do": _subscribing,
    "my_subscriptions.ask_before_leaving": _leaving,
    "office_subscriptions.details": _subscription,
    "office_subscriptions.do": _deciding,
    "my_exports.file": _exported("my"),
    "my_exports.remove": _exported("my"),
    "my_exports.order": _ordered("my"),
    "office_exports.file": _exported("office"),
    "office_exports.remove": _exported("office"),
    "office_exports.order": _ordered("office"),
}
"""Endpoint → the lines of its rule."""
