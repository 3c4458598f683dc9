"""Portal URLs used by the domain in errors and notices."""

from __future__ import annotations

from urllib.parse import urlsplit

ADDRESS_MAX_LENGTH = 2000
SUBSCRIPTIONS = "/my/subscriptions/"
SERVICES = "/my/services/"
USERS = "/my/users/"
SIGN_IN = "/login"


def safe_local_path(target: str | None) -> str:
    """Return `target` if it is a safe redirect path inside this portal, else "".

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
    """Return the URL of the password reset form."""
    return f"/reset/confirm?ref={ref}"


def invitation_url(token: str) -> str:
    """Return the URL where an invited staff member creates an account."""
    return f"/invitation/{token}"


def own_invitation_url(invitation_id: int) -> str:
    """Return the URL where a user answers an organisation's invitation."""
    return f"/my/invitations/{invitation_id}/"


def consent_url(token: str) -> str:
    """Return the URL where a broker answers a transfer request."""
    return f"/consent/{token}"


def exam_url(exam_id: int) -> str:
    """Return the URL of a sitting at the office."""
    return f"/office/exams/details/?id={exam_id}"


def transfer_url(request_id: int) -> str:
    """Return the URL where the other organisation answers a transfer."""
    return f"/my/transfers/{request_id}/"


def request_url(request_id: int) -> str:
    """Return the agent's URL of the request."""
    return f"/my/requests/details/?id={request_id}"


def office_request_url(request_id: int) -> str:
    """Return the office's review URL of the request."""
    return f"/office/requests/details/?id={request_id}"


def office_subscription_url(subscription_id: int) -> str:
    """Return the office's URL of a requested subscription."""
    return f"/office/subscriptions/{subscription_id}/"


def check_url(check_code: str) -> str:
    """Return the public verification URL of an issued document."""
    return f"/check/{check_code}"


def issued_url(issued_id: int) -> str:
    """Return the agent's download URL of the issued document."""
    return f"/my/issued/{issued_id}/"


def office_issued_url(issued_id: int) -> str:
    """Return the office's download URL of the issued document."""
    return f"/office/issued/{issued_id}/file"


def broker_url(broker_id: int) -> str:
    """Return the agent's URL of one of the organisation's brokers."""
    return f"/my/brokers/{broker_id}/"


def office_licence_url(licence_id: int) -> str:
    """Return the office's URL of a licence."""
    return f"/office/licences/{licence_id}/"


def office_broker_url(broker_id: int) -> str:
    """Return the office's URL of a broker."""
    return f"/office/brokers/{broker_id}/"


def exports_url(*, is_staff: bool) -> str:
    """Return the URL of the lists that the user had exported."""
    return "/office/exports/" if is_staff else "/my/exports/"


def own_data_url(*, is_staff: bool) -> str:
    """Return the URL of the user's own data export."""
    return "/office/account/data" if is_staff else "/my/account/data"
