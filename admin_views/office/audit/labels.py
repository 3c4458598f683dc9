"""Labels of the audit trail: event kinds, tables and results."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from clearance.requests.timeline import kind_of
from clearance.services import registry

EVENTS: dict[str, Any] = {
    "request:document:added": _l("A document was added"),
    "request:document:renamed": _l("A document was renamed"),
    "request:document:removed": _l("A document was removed"),
    "request:draft:discarded": _l("A draft was deleted"),
    "request:draft:expired": _l("An unused draft was deleted"),
    "request:draft:moved": _l("A draft was moved to a newer version of its service"),
    "request:handed_over": _l("Requests were handed over to a colleague"),
    "request:message:posted": _l("A message was written"),
    "request:note:written": _l("An internal note was written"),
    "subscription:asked": _l("A subscription was requested"),
    "subscription:subscribed": _l("An organisation subscribed"),
    "subscription:withdrawn": _l("A subscription request was withdrawn"),
    "subscription:approved": _l("A subscription was approved"),
    "subscription:refused": _l("A subscription was rejected"),
    "subscription:left": _l("A subscription was ended"),
    "account:user:registered": _l("An account was opened"),
    "account:organisation:opened": _l("Another organisation was added"),
    "account:contact:proved": _l("New contact details were confirmed"),
    "account:contact:taken": _l("Someone else's contact details were entered"),
    "account:contact:changed": _l("Contact details were changed"),
    "account:name:changed": _l("A name in English letters was changed"),
    "account:password:changed": _l("A password was changed"),
    "account:factor:changed": _l("Two-step verification was changed"),
    "account:notices:chosen": _l("E-mail and SMS choices were changed"),
    "account:data:asked": _l("A copy of personal data was requested"),
    "account:session:ended": _l("A session was ended"),
    "account:sessions:ended": _l("All sessions of a user were ended"),
    "member:user:added": _l("A user was added"),
    "member:user:joined": _l("A user joined"),
    "member:access:changed": _l("A user's access was changed"),
    "member:invitation:sent_again": _l("An invitation was sent again"),
    "member:invitation:withdrawn": _l("An invitation was withdrawn"),
    "member:invitation:refused": _l("An invitation was declined"),
    "organisation:profile:changed": _l("An organisation's profile was changed"),
    "staff:user:invited": _l("A staff member was invited"),
    "staff:user:joined": _l("A staff member joined"),
    "staff:user:disabled": _l("A staff member was disabled"),
    "staff:user:enabled": _l("A staff member was enabled"),
    "staff:role:changed": _l("The role of a staff member was changed"),
    "staff:invitation:withdrawn": _l("The invitation of a staff member was withdrawn"),
    "office:service:published": _l("A version of a service was published"),
    "office:service_draft:begun": _l("A new service was begun"),
    "office:service_draft:changed": _l("The draft of a service was changed"),
    "office:service_draft:imported": _l("The draft of a service was imported"),
    "office:service_draft:updated": _l("The draft of a service was brought up to date"),
    "office:service_draft:undone": _l("A change to the draft of a service was undone"),
    "office:service_draft:redone": _l("A change to the draft of a service was made again"),
    "office:service_draft:discarded": _l("The draft of a service was discarded"),
    "office:service:moved": _l("A service was moved in the list"),
    "office:service:stopped": _l("A service was stopped"),
    "office:service:piloted": _l("A service was piloted with chosen organisations"),
    "office:service:started": _l("A service was started"),
    "office:service:archived": _l("A service was archived"),
    "office:service:restored": _l("A service was restored from the archive"),
    "retention:data:purged": _l("Data deleted at the end of its retention period"),
    "retention:hold:set": _l("A legal hold was placed"),
    "retention:hold:lifted": _l("A legal hold was lifted"),
    "office:setting:changed": _l("A setting was changed"),
    "office:text:changed": _l("A notification text was changed"),
    "list:view:shared": _l("A view of a list was shared"),
    "list:view:changed": _l("A shared view of a list was changed"),
    "list:view:removed": _l("A shared view of a list was removed"),
    "office:delivery:sent_again": _l("A message was sent again"),
    "portal:backup:restored": _l("The portal was restored from a backup"),
    "receipt:key:withdrawn": _l("A key of receipts was withdrawn"),
    "portal:outbox:released": _l("Messages are sent again after a restore"),
    "demo:requests:added": _l("Demo requests were added"),
    "reference:team:members": _l("The members of a team were changed"),
    **{
        f"reference:{table}:{verb}": text
        for table in (
            "announcement",
            "broker_type",
            "choice_list",
            "document_kind",
            "holiday",
            "legal_entity",
            "nationality",
            "reason",
            "team",
        )
        for verb, text in (
            ("created", _l("Reference data was added")),
            ("changed", _l("Reference data was changed")),
            ("deleted", _l("Reference data was deleted")),
        )
    },
}
ACCESSES: dict[str, Any] = {
    "account:sign_in": _l("Sign-in"),
    "account:register": _l("Registration"),
    "account:reset:ask": _l("A password reset was requested"),
    "account:contact:change": _l("Changing contact details"),
    "account:password:change": _l("Changing a password"),
    "account:data:ask": _l("Requesting a copy of personal data"),
    "account:data:read": _l("A copy of personal data was downloaded"),
    "code:send": _l("A code was sent"),
    "code:try": _l("A code was entered"),
    "factor:try": _l("A two-step verification code was entered"),
    "factor:change": _l("Changing two-step verification"),
    "session:end": _l("Sign-out"),
    "session:end:others": _l("Other sessions were ended"),
    "customs:verify": _l("The customs system was checked"),
    "request:read": _l("A request was viewed"),
    "document:read": _l("A document was viewed"),
    "user:read": _l("A user was viewed"),
    "audit:verified": _l("The audit trail was verified"),
    "service:pack:read": _l("A service file was uploaded"),
    "service:texts:read": _l("Translated texts of a service were uploaded"),
    "export:csv": _l("A list was exported"),
    "export:xlsx": _l("A list was exported as a workbook"),
    "member:add": _l("Adding a user"),
    "retention:rows:purged": _l("Expired data was deleted"),
    "portal:backup:made": _l("A backup was made"),
    "maintenance:run:done": _l("Nightly maintenance was carried out"),
    "access:refused:csrf": _l("Denied: the form did not come from this browser"),
    "access:refused:forbidden": _l("Denied: not allowed"),
    "access:refused:not_found": _l("Denied: not available to this user"),
    "access:refused:throttled": _l("Denied: too many attempts"),
}
TABLES: dict[str, Any] = {
    "announcement": _l("Announcement"),
    "broker_type": _l("Broker type"),
    "choice_list": _l("List of choices"),
    "code": _l("Code"),
    "customs": _l("Customs licence"),
    "data_copy": _l("Copy of personal data"),
    "delivery": _l("Message"),
    "document": _l("Document"),
    "document_kind": _l("Document type"),
    "holiday": _l("Holiday"),
    "internal_note": _l("Internal note"),
    "invitation": _l("Invitation"),
    "legal_entity": _l("Organisation type"),
    "legal_hold": _l("Legal hold"),
    "list_export": _l("Exported list"),
    "membership": _l("Membership"),
    "message": _l("Message"),
    "message_text": _l("Notification text"),
    "nationality": _l("Nationality"),
    "organisation": _l("Organisation"),
    "purge": _l("Deletion of expired data"),
    "reason": _l("Standard reason"),
    "registration": _l("Registration"),
    "request": _l("Request"),
    "service": _l("Service"),
    "service_draft": _l("Service"),
    "service_version": _l("Service"),
    "setting": _l("Setting"),
    "subscription": _l("Subscription"),
    "team": _l("Team"),
    "url": _l("Address"),
    "user": _l("User"),
    "user_session": _l("Session"),
}


RESULTS: dict[str, Any] = {
    "accepted": _l("Accepted"),
    "accepted_sign_up": _l("Accepted (registration)"),
    "refused": _l("Rejected"),
    "throttled": _l("Too many attempts"),
    "agreed": _l("Details matched"),
    "asked": _l("Requested"),
    "broken": _l("Broken"),
    "done": _l("Done"),
    "none_living": _l("There was no valid code"),
    "ok": _l("Done"),
    "read": _l("Viewed"),
    "rejected": _l("Rejected"),
    "right": _l("Code was right"),
    "unavailable": _l("Not available"),
    "wrong": _l("Code was wrong"),
    "wrong_code": _l("Wrong code"),
    "wrong_password": _l("Wrong password"),
}


def events() -> dict[str, Any]:
    """Return the label of every event kind, the steps of all flows included."""
    subjects = registry.current()
    steps = {kind_of(code): name.event for code, name in subjects.actions.items()}
    return steps | EVENTS | dict(subjects.trail.events)


def accesses() -> dict[str, Any]:
    """Return the label of every kind of access."""
    return ACCESSES | dict(registry.current().trail.accesses)


def choices(kinds: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return a kind filter's choices, without reference data, whose labels repeat per table."""
    return [choice for choice in kinds.items() if not choice[0].startswith("reference:")]


def event_label(kind: str) -> str:
    """Return an event kind's label; kinds of absent extensions are returned unchanged."""
    return str(events().get(kind) or accesses().get(kind) or kind)


def row_label(table: str, key: str) -> Markup:
    """Return the label of a row from its table and key, such as `Request 107`.

    The key of a code is its owner's, `user:6`, whose name is in another column.
    """
    shown = "" if table == "code" else key
    return Markup("<span>{} <bdi>{}</bdi></span>").format(table_label(table), shown)


def table_label(table: str) -> str:
    """Return a table's label; tables of absent extensions are returned unchanged."""
    return str(TABLES.get(table) or registry.current().trail.tables.get(table, table) or "")


def result_label(result: str) -> str:
    """Return an access result's label; HTTP statuses and row counts are returned unchanged."""
    return str(RESULTS.get(result, result))
