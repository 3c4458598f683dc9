"""Client of the customs system: verifies licence, user and password, and returns their data.

With CUSTOMS_URL it calls HTTP (docs/customs-api.yaml); otherwise the embedded register.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any

import requests
import sqlalchemy as sa
import structlog
from flask import current_app
from flask_babel import lazy_gettext as _l
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from clearance.auth import rate_limits
from clearance.auth.passwords import verify_password
from clearance.core import audit
from clearance.core.database import own_transaction
from clearance.core.errors import DomainError, ServiceUnavailable
from clearance.core.values import civil_number_fault, clean_text
from clearance.models import BrokerType, CustomsAccount
from clearance.models.enums import LicenceStatus

TIMEOUT_SECONDS = 5.0
# Concurrent calls per process; the other threads keep serving pages.
WAITING_AT_ONCE = 2
ANSWER_MAX_BYTES = 2 * 1024 * 1024

log = structlog.get_logger("clearance.customs")
_places = threading.BoundedSemaphore(WAITING_AT_ONCE)


class Rejected(DomainError):
    """Licence, user and password do not match; one refusal for all reasons."""

    status_code = 400
    message = _l(
        "The customs system does not recognise this combination. Check the licence number, "
        "user ID and password."
    )


def _civil_number(text: str) -> str:
    if civil_number_fault(text) is not None:
        raise ValueError("not a civil number")
    return text


def _filled(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


def _first_filled(names: FourNames) -> FourNames:
    _filled(names[0])
    return names


_Line = Annotated[str, AfterValidator(clean_text)]
Short = Annotated[_Line, AfterValidator(_filled), Field(max_length=80)]
Name = Annotated[_Line, AfterValidator(_filled), Field(max_length=150)]
Code = Annotated[_Line, AfterValidator(_filled), Field(max_length=40)]
Part = Annotated[_Line, Field(max_length=80)]
Civil = Annotated[str, AfterValidator(_civil_number)]
FourNames = tuple[Part, Part, Part, Part]
Names = Annotated[FourNames, AfterValidator(_first_filled)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Holder(_Told):
    """The holder of the customs account."""

    first_name: Short
    last_name: Short
    civil_id: Civil


class OrganisationNames(_Told):
    """The organisation's name in both languages."""

    name_ar: Name
    name_en: Name


class Licence(_Told):
    """A broker's licence and guarantee; dates are Kuwait days, inclusive."""

    number: Short
    guarantee_no: Short
    guarantee_expiry: date
    issued: date
    expires: date
    status: LicenceStatus


class Broker(_Told):
    """A licensed person of the organisation."""

    broker_type: Code
    name_ar: Names
    name_en: Names
    nationality: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    civil_id: Civil
    civil_id_expiry: date
    passport_no: Code
    passport_expiry: date
    licence: Licence


class Answer(_Told):
    """The customs system's data on an account, after verifying the password."""

    licence_no: Short
    holder: Holder
    organisation: OrganisationNames
    brokers: Annotated[tuple[Broker, ...], Field(max_length=1000)]


def verify(licence_no: str, customs_user: str, password: str) -> Answer:
    """Verify licence, user and password with the customs system; the attempt is counted first.

    Unanswered calls count too: the password may have been checked and only the answer lost. Calls
    refused because WAITING_AT_ONCE others are waiting are neither sent nor counted. The password
    goes to the customs system only (security rule 6). Slow: call it before the request's first
    query. Raises: Rejected; ServiceUnavailable at once when too many wait, after 5 s, or for any
    other answer; TooManyTries.
    """
    with _place():
        place = rate_limits.client_ip()
        rate_limits.consume_all(
            [
                *rate_limits.of_target("customs_licence", licence_no.casefold(), place),
                *rate_limits.of_target("customs_user", customs_user.casefold(), place),
                ("customs_ip", place),
            ]
        )
        return _verify(licence_no, customs_user, password)


@contextmanager
def _place() -> Iterator[None]:
    """Hold one of the WAITING_AT_ONCE slots. Raises: ServiceUnavailable when none is free."""
    if not current_app.extensions["settings"].customs_url:
        yield  # the embedded register never waits
        return
    if not _places.acquire(blocking=False):
        log.warning("customs_too_many_wait")
        audit.access("customs:verify", object_type="customs", result="unavailable")
        raise unavailable()
    try:
        yield
    finally:
        _places.release()


def _verify(licence_no: str, customs_user: str, password: str) -> Answer:
    url = current_app.extensions["settings"].customs_url
    ask = _ask_http if url else _ask_register
    try:
        answer = _read(ask(licence_no, customs_user, password), licence_no)
    except (Rejected, ServiceUnavailable) as refusal:
        result = "rejected" if isinstance(refusal, Rejected) else "unavailable"
        audit.access("customs:verify", object_type="customs", result=result)
        raise
    audit.access("customs:verify", object_type="customs", object_id=licence_no, result="agreed")
    return answer


def read_answer(told: dict[str, Any], licence_no: str) -> Answer:
    """Parse `told`, the system's JSON. Raises: ValidationError naming every fault."""
    return Answer.model_validate({**told, "licence_no": licence_no})


def unavailable() -> ServiceUnavailable:
    """Return the error for when the customs system does not answer as agreed."""
    return ServiceUnavailable(
        _l("The customs system is not responding. What you entered is kept. Try again later.")
    )


def _read(told: Any, licence_no: str) -> Answer:
    try:
        if not isinstance(told, dict):
            raise TypeError("not an object")
        answer = read_answer(told, licence_no)
    except (ValidationError, TypeError) as error:
        faults = error.errors(include_input=False) if isinstance(error, ValidationError) else []
        log.warning("customs_answer_unreadable", at=[fault["loc"] for fault in faults])
        raise unavailable() from None
    with own_transaction(write=False) as connection:
        types = set(connection.scalars(sa.select(BrokerType.code)))
    unknown = {broker.broker_type for broker in answer.brokers} - types
    if unknown:
        log.warning("customs_broker_type_unknown", types=sorted(unknown))
        raise unavailable()
    return answer


def _ask_register(licence_no: str, customs_user: str, password: str) -> Any:
    """Look up the embedded register; a missing account costs a hash too. Raises: Rejected."""
    with own_transaction(write=False) as connection:
        row = connection.execute(
            sa.select(CustomsAccount.password_hash, CustomsAccount.answer).where(
                CustomsAccount.licence_no == licence_no,
                CustomsAccount.customs_user == customs_user,
            )
        ).one_or_none()
    is_right = verify_password(row.password_hash if row is not None else "", password)
    if row is None or not is_right:
        raise Rejected
    return row.answer


def _ask_http(licence_no: str, customs_user: str, password: str) -> Any:
    """Call the system at CUSTOMS_URL, within 5 seconds in total. Raises: Rejected."""
    settings = current_app.extensions["settings"]
    exchange = _Exchange(
        f"{settings.customs_url}/accounts/verify",
        settings.customs_token,
        {"licence_no": licence_no, "user_id": customs_user, "password": password},
    )
    exchange.start()
    exchange.join(TIMEOUT_SECONDS)
    if exchange.status == requests.codes.unauthorized:
        raise Rejected
    if exchange.status != requests.codes.ok:
        log.warning("customs_unavailable", status=exchange.status, fault=exchange.fault)
        raise unavailable()
    try:
        return json.loads(exchange.body)
    except ValueError:
        log.warning("customs_answer_unreadable", at="body")
        raise unavailable() from None


class _Exchange(threading.Thread):
    """One HTTP call on its own thread: a timeout of `requests` is per read, not in total.

    status stays None until the whole answer has arrived.
    """

    def __init__(self, url: str, token: str, question: dict[str, str]) -> None:
        super().__init__(name="customs", daemon=True)
        self.status: int | None = None
        self.body = b""
        self.fault = "silence"
        self._url, self._token, self._question = url, token, question

    def run(self) -> None:
        """Send the request once, without redirects or proxies from the environment."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        try:
            with requests.Session() as http:
                http.trust_env = False
                answer = http.post(
                    self._url,
                    json=self._question,
                    headers={"Authorization": f"Bearer {self._token}"},
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                    stream=True,
                )
                body = b""
                for chunk in answer.iter_content(65536):
                    body += chunk
                    if len(body) > ANSWER_MAX_BYTES or time.monotonic() > deadline:
                        self.fault = "endless"
                        return
        except requests.RequestException as error:
            self.fault = type(error).__name__
            return
        self.body, self.status = body, answer.status_code
