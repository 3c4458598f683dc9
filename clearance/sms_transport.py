"""SMS by any gateway that apprise knows; imported only where messages are sent (it is heavy)."""

from __future__ import annotations

import logging
import re
import threading
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, NotifyFormat

CONNECT_SECONDS = 5
TOTAL_SECONDS = 20
_MOBILE = re.compile(r"\+[1-9][0-9]{6,14}")
_WITH_HEADERS = ("json", "form", "xml")

# Its debug lines hold the payload, and so the codes.
logging.getLogger("apprise").setLevel(logging.WARNING)


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
    gateway = Apprise(asset=AppriseAsset(async_mode=False))
    if not gateway.add(_address(url, mobile, key)):
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


def _address(url: str, mobile: str, key: str) -> str:
    filled = url.replace("{mobile}", quote(mobile, safe="")).replace("{id}", quote(key, safe=""))
    scheme = url.partition(":")[0].rstrip("s")
    extra = [f"cto={CONNECT_SECONDS}", f"rto={TOTAL_SECONDS - CONNECT_SECONDS}"]
    if scheme in _WITH_HEADERS:
        extra.append(f"+Idempotency-Key={quote(key, safe='')}")
    return f"{filled}{'&' if '?' in filled else '?'}{'&'.join(extra)}"
