"""Registration (تسجيل حساب جديد): from the submitted form to the verified user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from clearance import notifications
from clearance.auth import existing_accounts, one_time_codes, rate_limits
from clearance.auth.password_changes import require_strong
from clearance.auth.registrants import RegistrantData
from clearance.core import audit, name_folding, values
from clearance.core.database import own_transaction
from clearance.core.errors import Refusal, Refused
from clearance.core.extensions import db
from clearance.customs import client as customs_client
from clearance.models import Registration, User
from clearance.models.enums import Channel, CodePurpose
from clearance.organisations import invitation_responses, opening
from clearance.organisations.opening import Opening


@dataclass(frozen=True, kw_only=True)
class Applicant(RegistrantData):
    """The form's data.

    With a customs account, names, civil number and organisation are "": customs supplies them.
    """

    legal_entity: str
    organisation_name: str


def register(
    applicant: Applicant, *, customs: customs_client.Answer | None = None, now: datetime
) -> Registration:
    """Create a registration and send both codes; the same for known and unknown people. Flushes.

    Owners of known details get a notice instead of the code, and that registration is void.
    Slow: call it before the request's first query. Raises: WeakPassword; TooManyTries; Refused
    when the customs organisation has a general user, or the mobile's country gets no SMS.
    Source: specification section 3, security rules 1 and 11.
    """
    person = applicant if customs is None else _told_by_customs(applicant, customs)
    require_strong(person.password, (*person.words, person.organisation_name))
    if customs is not None:
        _require_unclaimed(customs.licence_no)
    _count(person)
    password_hash = person.password_hash()
    owners = existing_accounts.owners(
        email=person.email, mobile=person.mobile, civil_id=person.civil_id
    )
    registration = person.sign_up(
        person.legal_entity,
        password_hash,
        now,
        organisation_name=person.organisation_name,
        customs_data=customs.model_dump(mode="json") if customs is not None else None,
        is_void=bool(owners),
    )
    _send(registration, person, owners, now)
    return registration


def complete(registration: Registration, now: datetime) -> User | Refusal:
    """Create user and organisation of a registration whose both codes were right. Flushes.

    Users added by a general user join that organisation. The caller holds the registration's row
    lock. Returns a Refusal, and voids the registration, if the person is or became known (also by
    civil number), or if the invitation is closed.
    """
    if registration.completed_at is not None:
        return Refusal(
            _l("This account is already set up."), _l("Sign in with your e-mail address.")
        )
    if not registration.is_void:
        try:
            with db.session.begin_nested():
                return _make(registration, now)
        except Refused as error:
            return error.refusal
        except IntegrityError:
            db.session.refresh(registration)
    registration.is_void = True
    db.session.flush()
    return Refusal(
        _l("We could not create this account."),
        _l(
            "You may already have an account. Sign in or reset your password. If you do "
            "not have one, contact support."
        ),
    )


def _told_by_customs(applicant: Applicant, answer: customs_client.Answer) -> Applicant:
    return replace(
        applicant,
        first_name=answer.holder.first_name,
        last_name=answer.holder.last_name,
        latin_name=_latin_name(answer),
        civil_id=answer.holder.civil_id,
        organisation_name=answer.organisation.name_ar,
    )


def _latin_name(answer: customs_client.Answer) -> str:
    """Return the holder's name in Latin letters if they are one of the brokers, else ""."""
    own = (each for each in answer.brokers if each.civil_id == answer.holder.civil_id)
    name = " ".join(part for each in own for part in each.name_en if part)
    return name if values.latin_name_fault(name) is None else ""


def _count(person: Applicant) -> None:
    """Count the registration and its two codes, all or none."""
    place = rate_limits.client_ip()
    one_time_codes.consume_send_quotas(
        [(Channel.EMAIL, person.email), (Channel.SMS, person.mobile)],
        besides=[*person.targets(place), ("registration_ip", place)],
    )
    audit.access(
        "account:register",
        object_type="registration",
        detail=one_time_codes.masked(Channel.EMAIL, person.email),
    )


def _require_unclaimed(licence_no: str) -> None:
    """Refuse a claimed organisation; safe to reveal, as customs has verified the password."""
    with own_transaction(write=False) as connection:
        if connection.scalar(opening.has_general_user(licence_no)) is not None:
            raise Refused(opening.HAS_GENERAL_USER)


def _send(
    registration: Registration, person: Applicant, owners: Sequence[User], now: datetime
) -> None:
    """Send a code to every address, but a notice to the owners of known details."""
    existing_accounts.notify_owners(
        owners, email=person.email, mobile=person.mobile, language=person.language, now=now
    )
    known = {(Channel.EMAIL, owner.email) for owner in owners}
    known |= {(Channel.SMS, owner.mobile) for owner in owners if owner.mobile}
    for channel, address in ((Channel.EMAIL, person.email), (Channel.SMS, person.mobile)):
        one_time_codes.create(
            f"registration:{registration.id}",
            CodePurpose.VERIFY,
            channel,
            address,
            person.language,
            now,
            deliver=(channel, address) not in known,
        )


def _make(registration: Registration, now: datetime) -> User:
    user = User(
        email=registration.email,
        mobile=registration.mobile,
        civil_id=registration.civil_id,
        first_name=registration.first_name,
        last_name=registration.last_name,
        latin_name=registration.latin_name,
        name_folded=name_folding.name_index(
            registration.first_name, registration.last_name, registration.latin_name
        ),
        gender=registration.gender,
        legal_entity=registration.legal_entity,
        language=registration.language,
        password_hash=registration.password_hash,
        email_proved_at=registration.email_proved_at,
        mobile_proved_at=registration.mobile_proved_at,
        created_at=now,
    )
    db.session.add(user)
    db.session.flush()
    if registration.invitation_id is None:
        organisation = opening.open_for(user, _opening(registration), now)
    else:
        organisation = invitation_responses.complete_after_registration(registration, user, now)
    invitation_responses.link_open_invitations(user, now)
    registration.completed_at = now
    audit.record(
        "account:user:registered",
        obj=user,
        actor_id=user.id,
        at=now,
        organisation_id=organisation.id,
        changes={"legal_entity": [None, user.legal_entity]},
    )
    notifications.notify_user(
        "account:verified", user_id=user.id, now=now, organisation_id=organisation.id
    )
    return user


def _opening(registration: Registration) -> Opening:
    data = registration.customs_data
    return Opening(
        registration.legal_entity,
        registration.organisation_name,
        registration.email,
        registration.mobile,
        customs_client.Answer.model_validate(data) if data is not None else None,
    )
