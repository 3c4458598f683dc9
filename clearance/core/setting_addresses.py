"""Validate addresses in settings: hosts, networks, databases, SMS gateways."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import sqlalchemy as sa

DATABASE_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "postgresql+psycopg"})
PLAIN_GATEWAYS = frozenset({"json", "jsons", "form", "forms", "xml", "xmls"})
# apprise's SMS gateways over HTTP, listed here because importing apprise is slow and left to the
# processes that send SMS.
_OTHER_GATEWAYS = """
46elks elks atalk bulksms bulkvs burstsms kudosity clickatell clicksend cm d7sms eight00com
evolution evolutions exotel gupshup httpsms infobip kaleyra klr kavenegar mobilemessage mobilemsg
msg91 msgbird nexmo vonage notifyre octopush plivo ringc serwersms seven sfr signal signals sinch
smsc smseagle smseagles smsmanager smsmgr smstunnel sns telesign telnyx threema twilio voipms
whapi whatsapp
"""
SMS_GATEWAYS = PLAIN_GATEWAYS.union(_OTHER_GATEWAYS.split())
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*\.?")
_PORT = re.compile(":[0-9]{1,5}$")


def is_loopback(host: str) -> bool:
    """Return whether a host or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_network(text: str) -> bool:
    """Return whether `text` is an address or a network such as 10.0.0.0/24."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def host_of(url: str) -> str:
    """Return the host of a URL, or ""."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback_url(url: str) -> bool:
    """Return whether the URL's host is this machine."""
    return is_loopback(host_of(url))


def is_host(text: str) -> bool:
    """Return whether `text` is an IP address or a host name."""
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return _HOST.fullmatch(text) is not None
    return True


def is_trusted_host(text: str) -> bool:
    """Return whether `text` is a host, optionally with a port, or `.host` for its subdomains."""
    return is_host(text) or is_host(_PORT.sub("", text.removeprefix(".")))


def is_web_address(url: str) -> bool:
    """Return whether `url` is http(s) with a host, and optionally a port and a path."""
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0  # reading it validates it
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in {"http", "https"} and has_port and is_plain and is_host(host_of(url))


def database_fault(url: str) -> str:
    """Return what is wrong with a database URL, or ""; never the URL, which holds a password."""
    try:
        parts = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        return "DATABASE_URL cannot be read; it is like postgresql://user:password@host/database."
    if parts.drivername not in DATABASE_DRIVERS:
        return "DATABASE_URL must begin with sqlite:/// or postgresql://."
    if parts.get_backend_name() == "sqlite" and parts.database in {None, "", ":memory:"}:
        return "DATABASE_URL must name a file, such as sqlite:////srv/clearance/clearance.sqlite."
    return ""


def sms_fault(url: str) -> str:
    """Return what is wrong with the URL of an SMS gateway, or ""."""
    scheme, _, rest = url.partition("://")
    if scheme not in SMS_GATEWAYS:
        return "SMS_URL must be apprise's address of an SMS gateway, such as json://host/?:to={mobile}."
    if "{mobile}" not in rest:
        return "SMS_URL must say {mobile} where the recipient's number goes."
    if scheme in PLAIN_GATEWAYS and not host_of(f"http://{rest}"):
        return "SMS_URL must name the host of the gateway."
    return ""
