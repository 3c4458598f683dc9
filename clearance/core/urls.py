"""Addresses inside the portal that the domain names in refusals and notices."""

from __future__ import annotations

from urllib.parse import urlsplit

ADDRESS_MAX_LENGTH = 2000
SUBSCRIPTIONS = "/my/subscriptions/"
SERVICES = "/my/services/"
USERS = "/my/users/"
SIGN_IN = "/login"


def safe_local_path(target: str | None) -> str:
    """Return `target` when it is a path inside this portal that one may be sent to, else "".

    Source: security rule 27: no other host, no `//`, backslash, scheme or control characters.
    """
    if not target or len(target) > ADDRESS_MAX_LENGTH:
        return ""
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return ""
    if not target.isprintable() or " " in target:
        return ""
    parts = urlsplit(target)
    return "" if parts.scheme or parts.netloc else target


def reset_url(ref: str) -> str:
    """Where the mailed code and a new password are typed."""
    return f"/reset/confirm?ref={ref}"


def invitation_url(token: str) -> str:
    """Where somebody invited into the office makes their account."""
    return f"/invitation/{token}"


def own_invitation_url(invitation_id: int) -> str:
    """Where a user answers an invitation into an organisation."""
    return f"/my/invitations/{invitation_id}/"


def consent_url(token: str) -> str:
    """Where a broker answers whether he wants to be transferred."""
    return f"/consent/{token}"


def transfer_url(request_id: int) -> str:
    """Where the other organisation of a transfer answers it."""
    return f"/my/transfers/{request_id}/"


def request_url(request_id: int) -> str:
    """Where an agent reads that request."""
    return f"/my/requests/details/?id={request_id}"


def office_request_url(request_id: int) -> str:
    """Where the office reviews that request."""
    return f"/office/requests/details/?id={request_id}"


def office_subscription_url(subscription_id: int) -> str:
    """Where the office decides on an asked subscription."""
    return f"/office/subscriptions/{subscription_id}/"


def check_url(check_code: str) -> str:
    """Where anybody sees whether the issued document of that code is genuine."""
    return f"/check/{check_code}"


def issued_url(issued_id: int) -> str:
    """Where an agent downloads that issued document."""
    return f"/my/issued/{issued_id}/"


def office_issued_url(issued_id: int) -> str:
    """Where the office downloads that issued document."""
    return f"/office/issued/{issued_id}/file"


def broker_url(broker_id: int) -> str:
    """Where an agent reads what the register says of a broker of the organisation."""
    return f"/my/brokers/{broker_id}/"


def office_licence_url(licence_id: int) -> str:
    """Where the office reads a licence."""
    return f"/office/licences/{licence_id}/"


def office_broker_url(broker_id: int) -> str:
    """Where the office reads a broker."""
    return f"/office/brokers/{broker_id}/"


def own_data_url(*, is_staff: bool) -> str:
    """Where somebody fetches the copy of their own data."""
    return "/office/account/data" if is_staff else "/my/account/data"
