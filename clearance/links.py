"""Addresses inside the portal that the domain names in refusals and notices."""

from __future__ import annotations

SUBSCRIPTIONS = "/my/subscriptions/"
SERVICES = "/my/services/"
USERS = "/my/users/"
SIGN_IN = "/login"


def reset_url(ref: str) -> str:
    """Where the mailed code and a new password are typed."""
    return f"/reset/confirm?ref={ref}"


def invitation_url(token: str) -> str:
    """Where somebody invited into the office makes their account."""
    return f"/invitation/{token}"


def request_url(request_id: int) -> str:
    """Where an agent reads that request."""
    return f"/my/requests/details/?id={request_id}"


def office_request_url(request_id: int) -> str:
    """Where the office reviews that request."""
    return f"/office/requests/details/?id={request_id}"
