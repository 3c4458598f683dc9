"""SMS through any gateway that apprise supports; heavy, so imported only for sending."""

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
# Its debug lines contain the payload, including codes.
_log_of_apprise.setLevel(logging.WARNING)


class SmsRefused(Exception):
    """The gateway rejected the message or did not answer in time."""


def send(url: str, mobile: str, text: str, key: str) -> None:
    """Send one SMS within 20 seconds. Raises SmsRefused; ValueError for an invalid number.

    url: an apprise URL; {mobile} is replaced by the recipient in E.164 and {id} by `key`, which is
    the same for every attempt, so that a gateway can drop repeats. Plain HTTP gateways also get it
    as the header Idempotency-Key.
    """
    if not _MOBILE.fullmatch(mobile):
        raise ValueError("a mobile number must be in E.164")
    gateway = _gateway(url, mobile, key)
    if gateway is None:
        raise SmsRefused("SMS_URL is not an address that apprise knows")
    answers: list[bool] = []
    # A timeout of `requests` restarts at every byte; a thread that hangs longer is abandoned.
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
    """Raise BadSettings if apprise cannot create a gateway from the URL."""
    _log_of_apprise.disabled = True  # it would quote parts of the URL
    try:
        is_gateway = _gateway(url, "+96550000000", "key") is not None
    finally:
        _log_of_apprise.disabled = False
    if not is_gateway:
        raise BadSettings("SMS_URL lacks something that its gateway needs (see apprise's wiki).")


def _gateway(url: str, mobile: str, key: str) -> Apprise | None:
    # No redirects: they would carry the message, including codes, to another host.
    gateway = Apprise(asset=AppriseAsset(async_mode=False, http_redirects=False))
    service = Apprise.instantiate(_address(url, mobile, key), asset=gateway.asset)
    return gateway if isinstance(service, NotifyBase) and gateway.add(service) else None


def _address(url: str, mobile: str, key: str) -> str:
    filled = url.replace("{mobile}", quote(mobile, safe="")).replace("{id}", quote(key, safe=""))
    scheme = url.partition(":")[0].rstrip("s")
    timeouts = [f"cto={CONNECT_SECONDS}", f"rto={TOTAL_SECONDS - CONNECT_SECONDS}"]
    extra = [*timeouts, "redirect=no"]  # the last value of a name wins
    if scheme in _WITH_HEADERS:
        extra.append(f"+Idempotency-Key={quote(key, safe='')}")
    return f"{filled}{'&' if '?' in filled else '?'}{'&'.join(extra)}"
