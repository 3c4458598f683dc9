"""SMS by any gateway that apprise knows; imported only where messages are sent (it is heavy)."""

from __future__ import annotations

import logging
import re
import threading
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat

from clearance.core.settings import BadSettings

CONNECT_SECONDS = 5
TOTAL_SECONDS = 20
_MOBILE = re.compile(r"\+[1-9][0-9]{6,14}")
_WITH_HEADERS = ("json", "form", "xml")

_log_of_apprise = logging.getLogger("apprise")
# Its debug lines hold the payload, and so the codes.
_log_of_apprise.setLevel(logging.WARNING)


class SmsRefused(Exception):
    """The gateway did not take the message, or not in time."""


def send(url: str, mobile: str, text: str, key: str) -> None:
    """Hand one SMS to the gateway within 20 seconds. Raises SmsRefused, or ValueError for a number.

    url: an apprise address in which {mobile} stands for the recipient in E.164 and {id} for `key`,
    which is the same at each try, so that a gateway can drop repeats; plain HTTP gateways get it
    as the header Idempotency-Key too.
    """
    if not _MOBILE.fullmatch(mobile):
        raise ValueError("a mobile number must be in E.164")
    gateway = _gateway(url, mobile, key)
    if gateway is None:
        raise SmsRefused("SMS_URL is not an address that apprise knows")
    answers: list[bool] = []
    # Requests' own timeout begins anew with each byte; a thread that hangs on is left behind.
    worker = threading.Thread(
        target=lambda: answers.append(
            bool(gateway.notify(body=text, body_format=NotifyFormat.TEXT))
        ),
        daemon=True,
    )
    worker.start()
    worker.join(TOTAL_SECONDS)
    if not answers:
        raise SmsRefused("no answer in time")
    if not answers[0]:
        raise SmsRefused("refused")


def check(url: str) -> None:
    """Raise BadSettings where apprise cannot make a gateway of the address."""
    _log_of_apprise.disabled = True  # it would quote parts of the address
    try:
        is_gateway = _gateway(url, "+96550000000", "key") is not None
    finally:
        _log_of_apprise.disabled = False
    if not is_gateway:
        raise BadSettings("SMS_URL lacks something that its gateway needs (see apprise's wiki).")


def _gateway(url: str, mobile: str, key: str) -> Apprise | None:
    # Only success counts: a redirect would carry the message, code included, to somebody else.
    gateway = Apprise(asset=AppriseAsset(async_mode=False, http_redirects=False))
    service = Apprise.instantiate(_address(url, mobile, key), asset=gateway.asset)
    return gateway if isinstance(service, NotifyBase) and gateway.add(service) else None


def _address(url: str, mobile: str, key: str) -> str:
    filled = url.replace("{mobile}", quote(mobile, safe="")).replace("{id}", quote(key, safe=""))
    scheme = url.partition(":")[0].rstrip("s")
    timeouts = [f"cto={CONNECT_SECONDS}", f"rto={TOTAL_SECONDS - CONNECT_SECONDS}"]
    extra = [*timeouts, "redirect=no"]  # the last of a name counts
    if scheme in _WITH_HEADERS:
        extra.append(f"+Idempotency-Key={quote(key, safe='')}")
    return f"{filled}{'&' if '?' in filled else '?'}{'&'.join(extra)}"
