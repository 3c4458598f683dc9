"""The demo's people and organisations. All names, numbers and addresses are fictitious."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from clearance.auth.passwords import hash_password
from clearance.core import name_folding
from clearance.core.extensions import db
from clearance.core.values import civil_number_for
from clearance.customs import register_import
from clearance.demo.names import gender_of
from clearance.models import (
    Broker,
    Grant,
    Membership,
    Organisation,
    Request,
    Service,
    ServiceVersion,
    User,
)
from clearance.models.enums import Gender, Role
from clearance.organisations import opening

PASSWORD = "Nakhla-7-Bahr!"  # noqa: S105 - shown on the demo's sign-in page
CUSTOMS_PASSWORD = "Customs-7-Demo!"  # noqa: S105 - likewise
CLAIMED_LICENCE, FREE_LICENCE = "KW-1000", "KW-1001"
GRANTED = ("exam", "renewal")


@dataclass(frozen=True)
class Account:
    """A user account listed on the demo's sign-in page."""

    email: str
    role: str
    first_name: str
    last_name: str
    latin_name: str
    label: Any


ACCOUNTS = (
    Account("general@example.com", Role.AGENT, "فهد", "العجمي", "Fahad Alajmi", _l("General user")),
    Account(
        "additional@example.com",
        Role.AGENT,
        "مريم",
        "الكندري",
        "Maryam Alkandari",
        _l("Additional user"),
    ),
    Account(
        "receiver@example.com",
        Role.AGENT,
        "يوسف",
        "الصباغ",
        "Yousef Alsabbagh",
        _l("General user of the second organisation"),
    ),
    Account(
        "reviewer@example.com", Role.REVIEWER, "نورة", "الرشيدي", "Noura Alrashidi", _l("Reviewer")
    ),
    Account(
        "reviewer2@example.com",
        Role.REVIEWER,
        "بدر",
        "الشمري",
        "Bader Alshammari",
        _l("Second reviewer"),
    ),
    Account("manager@example.com", Role.MANAGER, "هدى", "المطوع", "Huda Almutawa", _l("Manager")),
    Account(
        "admin@example.com",
        Role.ADMINISTRATOR,
        "طارق",
        "السالم",
        "Tareq Alsalem",
        _l("Administrator"),
    ),
)


@dataclass(frozen=True)
class Cast:
    """Demo users by the part of their address before the @, and their offices.

    The third office has no users yet: it exists in the register only.
    """

    users: dict[str, User]
    nakhla: Organisation
    bahr: Organisation
    marsa: Organisation

    @property
    def offices(self) -> tuple[Organisation, ...]:
        """Return the organisations, the largest first."""
        return (self.nakhla, self.bahr, self.marsa)


def make(now: datetime) -> Cast:
    """Add the accounts, organisations and customs accounts. Flushes."""
    password_hash, customs_hash = hash_password(PASSWORD), hash_password(CUSTOMS_PASSWORD)
    since = now - timedelta(days=400)
    users = {
        account.email.split("@")[0]: _user(account, serial, password_hash, since)
        for serial, account in enumerate(ACCOUNTS)
    }
    db.session.add_all(users.values())
    nakhla = _organisation(
        "مكتب النخلة للتخليص الجمركي", "Nakhla Customs Clearance Office", CLAIMED_LICENCE, since
    )
    bahr = _organisation(
        "مكتب بحر الخليج للتخليص الجمركي", "Bahr Al Khaleej Clearance Office", "KW-2000", since
    )
    marsa = _organisation(
        "مكتب المرسى للتخليص الجمركي", "Marsa Customs Clearance Office", "KW-3000", since
    )
    db.session.flush()
    _join(users["general"], nakhla, since, is_general=True)
    _join(users["additional"], nakhla, since, is_general=False)
    _join(users["receiver"], bahr, since, is_general=True)
    # Date the shipped services as old as the offices; stories publish later versions.
    db.session.execute(sa.update(ServiceVersion).values(published_at=since))
    cast = Cast(users, nakhla, bahr, marsa)
    for organisation in cast.offices:
        opening.subscribe(organisation, since)
    _customs_accounts(customs_hash)
    return cast


def _user(account: Account, serial: int, password_hash: str, since: datetime) -> User:
    is_agent = account.role == Role.AGENT
    return User(
        email=account.email,
        mobile=f"+96550000{serial:03d}",
        civil_id=civil_number_for(date(1980 + serial, 3, 7), 120 + serial) if is_agent else None,
        first_name=account.first_name,
        last_name=account.last_name,
        latin_name=account.latin_name,
        name_folded=name_folding.name_index(
            account.first_name, account.last_name, account.latin_name
        ),
        gender=gender_of(account.first_name),
        role=account.role,
        legal_entity="clearing_agent" if is_agent else None,
        language="ar",
        password_hash=password_hash,
        email_proved_at=since,
        mobile_proved_at=since,
        created_at=since,
    )


def add_account_of_woman(person: Broker | Request, cast: Cast, since: datetime) -> None:
    """Add an account of `person`'s own, in no organisation, if she is a woman.

    Documents agree with the gender that their holder's account says, and are masculine without.
    """
    if gender_of(person.name_ar_1) != Gender.FEMALE:
        return
    names = (person.name_ar_1, person.name_ar_4, person.name_en)
    db.session.add(
        User(
            email=person.email,
            mobile=person.mobile,
            civil_id=person.civil_id,
            first_name=names[0],
            last_name=names[1],
            latin_name=names[2],
            name_folded=name_folding.name_index(*names),
            gender=Gender.FEMALE,
            role=Role.AGENT,
            legal_entity="clearing_agent",
            language="ar",
            password_hash=cast.users["general"].password_hash,
            email_proved_at=since,
            mobile_proved_at=since,
            created_at=since,
        )
    )


def _organisation(name_ar: str, name_en: str, licence_no: str, since: datetime) -> Organisation:
    organisation = Organisation(
        legal_entity="clearing_agent",
        name_ar=name_ar,
        name_en=name_en,
        name_folded=name_folding.name_index(name_ar, name_en),
        licence_no=licence_no,
        address="الشويخ، شارع الميناء، مجمع الموانئ، الدور الثاني",
        phone="+96522000000",
        email="office@example.com",
        created_at=since,
    )
    db.session.add(organisation)
    return organisation


def _join(user: User, organisation: Organisation, since: datetime, *, is_general: bool) -> None:
    granted = [code for code in GRANTED if db.session.get(Service, code) is not None]
    db.session.add(
        Membership(
            user_id=user.id,
            organisation_id=organisation.id,
            is_general=is_general,
            created_at=since,
            grants=[] if is_general else [Grant(service_code=code) for code in granted],
        )
    )


def _customs_accounts(password_hash: str) -> None:
    holders = {
        (FREE_LICENCE, "demo.broker"): ("سعود", "المنصور", date(1979, 5, 2), "مكتب المنصور"),
        (CLAIMED_LICENCE, "demo.taken"): ("فهد", "العجمي", date(1980, 3, 7), "مكتب النخلة"),
    }
    for (licence_no, customs_user), (first, last, birth, office) in holders.items():
        civil_id = civil_number_for(birth, 131)
        answer = {
            "holder": {"first_name": first, "last_name": last, "civil_id": civil_id},
            "organisation": {
                "name_ar": f"{office} للتخليص الجمركي",
                "name_en": f"{customs_user} clearance office",
            },
            "brokers": [_customs_broker(licence_no, first, last, civil_id)],
        }
        register_import.store(licence_no, customs_user, password_hash, answer)


def _customs_broker(licence_no: str, first: str, last: str, civil_id: str) -> dict[str, Any]:
    return {
        "broker_type": "general",
        "name_ar": [first, "", "", last],
        "name_en": ["Saud", "", "", "Almansour"],
        "nationality": "KW",
        "civil_id": civil_id,
        "civil_id_expiry": "2030-04-30",
        "passport_no": "P0400131",
        "passport_expiry": "2031-01-15",
        "licence": {
            "number": licence_no,
            "guarantee_no": "LG 2519770/011926",
            "guarantee_expiry": "2028-12-31",
            "issued": "2019-08-19",
            "expires": "2028-08-18",
            "status": "active",
        },
    }
