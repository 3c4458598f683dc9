"""The life of one service's requests: begun, sent, returned, corrected, rejected, approved.

`ServiceLife("renewal")` has an office that asks and a reviewer who decides. Whatever is done is
committed; whatever is refused comes back in the English words that the agent reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale

from clearance.auth.sessions import actor_of
from clearance.core.clock import kuwait_today, utc_now
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.exams import starts as exam_starts
from clearance.exams.statuses import ExamStatus
from clearance.issuing import operations as issuing
from clearance.licences import granted_expiry
from clearance.licences import register as licence_register
from clearance.licences.granted_expiry import GrantedExpiry
from clearance.models import (
    IssuedDocument,
    Licence,
    LicenceChange,
    Notice,
    Organisation,
    Request,
    Subscription,
    User,
)
from clearance.models.enums import (
    LicenceStatus,
    LicenceStep,
    SubscriptionStatus,
    SuspendedBy,
)
from clearance.notifications import inbox
from clearance.requests import available_actions, completeness, drafts, remarks
from clearance.services import versions
from clearance.services.decisions import Decision, RemarkInput, Remarks
from clearance.services.flows import Action
from clearance.services.schema import Definition
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.issued_factories import make_licence

TODAY = kuwait_today()
SOON, FAR = TODAY + timedelta(days=30), TODAY + timedelta(days=900)
GRANTED = TODAY + timedelta(days=1000)

# What can be the matter with a licence.

BY_HOLDER = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.HOLDER}
BY_OFFICE = {"status": LicenceStatus.SUSPENDED, "suspended_by": SuspendedBy.OFFICE}
PAST = {"expires": TODAY - timedelta(days=5)}
STATES: dict[str, Mapping[str, Any]] = {
    "running": {"expires": FAR},
    "ending": {"expires": SOON},
    "guarantee ending": {"expires": FAR, "guarantee_expiry": SOON},
    "over": PAST,
    "expired": {"status": LicenceStatus.EXPIRED, **PAST},
    "suspended by its holder": BY_HOLDER,
    "suspended by its holder and over": BY_HOLDER | PAST,
    "suspended by the office": BY_OFFICE,
    "cancelled": {"status": LicenceStatus.CANCELLED},
}

# What the agent is told then.

HAS_EXPIRED = "The licence has expired. Request a renewal first."
IS_CANCELLED = (
    "The licence is cancelled permanently. "
    "You can apply for a new licence if you meet its conditions."
)
OFFICE_SUSPENDED_IT = (
    "The licence is suspended by the Clearance Agents Affairs Office. "
    "Only the office can lift its suspension."
)
HOLDER_SUSPENDED_IT = (
    "The licence is suspended at your organisation's request. Request a reactivation first."
)
ONLY_WHILE_ACTIVE = {
    "running": "",
    "ending": "",
    "guarantee ending": "",
    "over": HAS_EXPIRED,
    "expired": HAS_EXPIRED,
    "suspended by its holder": HOLDER_SUSPENDED_IT,
    "suspended by its holder and over": HAS_EXPIRED,
    "suspended by the office": OFFICE_SUSPENDED_IT,
    "cancelled": IS_CANCELLED,
}
NOT_OURS = (
    "This broker is no longer registered with your organisation. "
    "The organisation the broker is registered with can apply."
)
WHO_MAY_ASK = {
    "general user": "",
    "user with the grant": "",
    "user without the grant": (
        "You do not have access to this service. "
        "The general user of your organisation can give you access."
    ),
    "office that gave the service up": (
        "Your organisation is not subscribed to this service. "
        "The general user can subscribe to it under Subscriptions."
    ),
    "company": (
        "This service is not available to your type of organisation. "
        "It is only for: Clearing agent."
    ),
}


def words(refusal: Refusal | None) -> str:
    """What is said and what would change it, in the page's language; "" for no refusal."""
    return "" if refusal is None else f"{refusal.text} {refusal.change}".strip()


def refusal_of(work: Callable[[], object]) -> str:
    """What the portal answers in English when it refuses `work`; "" when it lets it be done."""
    with force_locale("en"):
        return words(_refusal_of(work))


def _refusal_of(work: Callable[[], object]) -> Refusal | None:
    try:
        work()
    except Refused as error:
        return error.refusal
    finally:
        db.session.rollback()
    return None


def _agreed(work: Callable[[], object], *shown: Callable[[], Refusal | None]) -> str:
    """Why `work` is refused, in English; "" when it is done.

    What was shown before says it in both languages, word for word, as the server does.
    """
    told: list[tuple[str, str]] = []
    for lang in ("ar", "en"):
        with force_locale(lang):
            before = [_said(look()) for look in shown]
            told.append(_said(_refusal_of(work)))
            assert before == [told[-1]] * len(shown)
        if not told[-1][0]:
            return ""
    assert told[0][0] != told[1][0], "one of them is not translated"
    return told[1][0]


def _said(refusal: Refusal | None) -> tuple[str, str]:
    return words(refusal), refusal.url if refusal is not None else ""


def change_register(licence: Licence, step: LicenceStep, **values: Any) -> None:
    """Let the register change while a request is under way."""
    licence_register.change(licence, step, values, now=utc_now(), actor_id=None)
    db.session.commit()


def suspend_by_office(licence: Licence) -> None:
    """The office suspends the licence while a request is under way."""
    change_register(licence, LicenceStep.SUSPENDED, **BY_OFFICE)


def move_away(licence: Licence) -> None:
    """The broker is another office's from now on."""
    elsewhere = factories.make_organisation()
    change_register(licence, LicenceStep.CORRECTED, organisation_id=elsewhere.id)


def history_of(licence: Licence) -> list[LicenceChange]:
    """What happened to the licence, in order."""
    return list(
        db.session.scalars(
            sa.select(LicenceChange)
            .where(LicenceChange.licence_id == licence.id)
            .order_by(LicenceChange.id)
        )
    )


def register_of(licence: Licence) -> dict[str, Any]:
    """All that is stored of the licence, its broker, their history and what was issued."""
    db.session.expire_all()
    rows = [licence, licence.broker, *history_of(licence), *issuing.of_licence(licence)]
    return {
        f"{type(row).__name__} {row.id} {column.key}": getattr(row, column.key)
        for row in rows
        for column in sa.inspect(type(row)).column_attrs
    }


class ServiceLife:
    """The requests of one service between an office that asks and the office that decides.

    about: what a service begins with; a licence, a candidate who passed, or nothing.
    """

    def __init__(self, code: str, agent: User | None = None) -> None:
        requests.load_services()
        self.code = code
        self.agent = agent or factories.make_agent()
        self.reviewer = factories.make_staff()

    @property
    def office(self) -> Organisation:
        """The organisation that asks."""
        return self.agent.memberships[0].organisation

    @property
    def definition(self) -> Definition:
        """The service as it is shipped."""
        return versions.current(self.code).definition

    def licence(self, **columns: Any) -> Licence:
        """A licence of one of the office's brokers."""
        return make_licence(self.office, **columns)

    def candidate(self, **options: Any) -> Request:
        """The passed exam of somebody for whom the office asked."""
        return requests.make_request(self.agent, ExamStatus.PASSED, **options)

    # What the agent does

    def begin(
        self,
        about: Licence | Request | None = None,
        *,
        user: User | None = None,
        now: datetime | None = None,
    ) -> Request:
        """The draft as the form first shows it."""
        req = drafts.start(
            self.code, actor_of(user or self.agent), now or utc_now(), *_beginning(about).values()
        )
        db.session.commit()
        return req

    def draft(self, about: Licence | Request | None = None, **values: Any) -> Request:
        """A draft with everything in it."""
        return requests.make_draft(self.agent, self.code, **_beginning(about), **values)

    def send(self, req: Request) -> Request:
        """Send it, for the first time or again."""
        return requests.step(req, Action.SEND, self.agent)

    def ask(self, about: Licence | Request | None = None, **values: Any) -> Request:
        """A request that was sent."""
        return self.send(self.draft(about, **values))

    def correct(self, req: Request, **values: Any) -> Request:
        """What the agent types into a returned request, and sends again."""
        answers = {each.id: "It is right as it is." for each in remarks.unsettled(req)}
        drafts.save(req, values, actor_of(self.agent), utc_now(), answers=answers)
        db.session.commit()
        return self.send(req)

    def last_notice(self) -> str:
        """What the agent was told last, in English."""
        notice = db.session.scalars(
            sa.select(Notice).where(Notice.user_id == self.agent.id).order_by(Notice.id.desc())
        ).first()
        return "" if notice is None else " ".join(inbox.text_of(notice, "en"))

    # What the reviewer does

    def return_for(self, req: Request, *places: str) -> Request:
        """Returned with a remark at each of those fields and kinds of documents."""
        fields = {spec.name for spec in self.definition.asked}
        pinned = tuple(
            RemarkInput("Please check.", field=place)
            if place in fields
            else RemarkInput("Please replace.", document_kind=place)
            for place in places
        )
        decision = Remarks(remarks=pinned)
        reason = "Please correct what is marked."
        return requests.step(req, Action.RETURN, self.reviewer, reason=reason, data=decision)

    def reject(self, req: Request, reason: str) -> Request:
        """Rejected with that reason."""
        return requests.step(req, Action.REJECT, self.reviewer, reason=reason)

    def approve(self, req: Request, granted: date | None = None) -> Request:
        """Approved; granted: the expiry date, as proposed where none is given."""
        day = granted or granted_expiry.proposed_expiry(req, utc_now())
        data = [GrantedExpiry(granted_expiry=day)] if day is not None else []
        return requests.step(req, Action.APPROVE, self.reviewer, data=data)

    # What a test asks

    def wants(self, about: Licence | Request | None = None) -> list[str]:
        """What the form wants: the fields and documents without which nothing is sent."""
        req = self.begin(about)
        nothing = {spec.name: None for spec in self.definition.asked}
        drafts.save(req, nothing, actor_of(self.agent), utc_now())
        db.session.commit()
        assert "not complete" in refusal_of(partial(self.send, req))
        return [str(lack.field or lack.document_kind) for lack in completeness.missing(req)]

    def open_places(self, req: Request) -> set[str]:
        """The fields and kinds of documents that the agent can change now."""
        return {*completeness.open_fields(req), *completeness.open_document_kinds(req)}

    def issued(self, req: Request) -> list[IssuedDocument]:
        """What the decision on the request issued."""
        return issuing.of_request(req)

    def issued_kinds(self, req: Request) -> list[str]:
        """The kinds of what the decision on the request issued."""
        return [document.kind for document in self.issued(req)]

    def refusal_to_begin(
        self, about: Licence | Request | None = None, now: datetime | None = None
    ) -> str:
        """Why no request can be begun, in English; "" where one can. The button says the same."""
        now = now or utc_now()
        return _agreed(partial(self.begin, about, now=now), partial(self.button, about, now))

    def refusals_by_state(self) -> dict[str, str]:
        """For a licence in each of STATES: why no request about it can be begun."""
        return {
            name: self.refusal_to_begin(self.licence(**columns)) for name, columns in STATES.items()
        }

    def refusal_to_send(self, req: Request) -> str:
        """Why the draft cannot be sent now; the form warns of it and the button says the same."""
        button = partial(self._offered, req, Action.SEND, self.agent)
        return _agreed(partial(self.send, req), button, partial(self._warning, req))

    def refusal_to_approve(self, req: Request, granted: date | None = None) -> str:
        """Why the request cannot be approved now; the reviewer's button says the same."""
        granted = granted or granted_expiry.proposed_expiry(req, utc_now())
        button = partial(self._offered, req, Action.APPROVE, self.reviewer)
        return _agreed(partial(self.approve, req, granted), button)

    def refusal_to_grant(self, req: Request, granted: date | None) -> str:
        """Why an approval until that day is refused: what no button knows beforehand."""
        data = [GrantedExpiry(granted_expiry=granted)] if granted is not None else []
        return refusal_of(partial(requests.step, req, Action.APPROVE, self.reviewer, data=data))

    def approval_asks(self, req: Request) -> tuple[type[Decision], ...]:
        """What the reviewer has to give with the approval."""
        reviewer = actor_of(self.reviewer)
        return available_actions.action(req, Action.APPROVE, reviewer, utc_now()).asks

    def button(
        self, about: Licence | Request | None = None, now: datetime | None = None
    ) -> Refusal | None:
        """What shuts the button that begins a request; None where it is open."""
        actor, now = actor_of(self.agent), now or utc_now()
        if isinstance(about, Licence):
            offers = available_actions.startable_for([about.id], [self.code], actor, now)
            return offers[(self.code, about.id)]
        if isinstance(about, Request):
            candidates = exam_starts.startable_candidates(self.code, actor, now)
            return next(found for found in candidates if found.request.id == about.id).refusal
        services = available_actions.startable_services(actor, now)
        return next(service for service in services if service.code == self.code).refusal

    def who_may_ask(self, about: Licence | Request | None = None) -> dict[str, str]:
        """Whether each kind of person can begin a request: the refusal, or ""."""
        colleague = partial(factories.make_agent, self.office, is_general=False)
        people = {
            "general user": self.agent,
            "user with the grant": colleague(services=(self.code,)),
            "user without the grant": colleague(services=()),
        }
        told = {
            who: refusal_of(partial(self.begin, about, user=user)) for who, user in people.items()
        }
        left = Subscription(
            organisation_id=self.office.id,
            service_code=self.code,
            status=SubscriptionStatus.LEFT,
            asked_at=utc_now(),
        )
        db.session.add(left)
        db.session.commit()
        told["office that gave the service up"] = refusal_of(partial(self.begin, about))
        db.session.delete(left)
        self.office.legal_entity = "company"
        db.session.commit()
        told["company"] = refusal_of(partial(self.begin, about))
        self.office.legal_entity = "clearing_agent"
        db.session.commit()
        return told

    def _offered(self, req: Request, action: Action, user: User) -> Refusal | None:
        return available_actions.action(req, action, actor_of(user), utc_now()).refusal

    def _warning(self, req: Request) -> Refusal | None:
        """The first thing that the form warns of before sending."""
        warnings = available_actions.send_warnings(req, actor_of(self.agent), utc_now())
        return warnings[0] if warnings else None


def _beginning(about: Licence | Request | None) -> dict[str, Any]:
    if isinstance(about, Licence):
        return {"licence_id": about.id}
    if isinstance(about, Request):
        return {"candidate_id": about.id}
    return {"broker_type": "private"}
