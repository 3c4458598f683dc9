"""People of a drill: browsers without scripts over real HTTP, who ask again when nobody answers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import Request, urlopen

from bs4 import BeautifulSoup
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import TimestampSigner
from werkzeug.test import EnvironBuilder

from clearance.auth import form_tokens, sessions
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import User
from clearance.models.enums import SessionStage
from tests.support.pages import form_data

PATIENCE_SECONDS = 120
FULL = SessionStage.FULL


class NotDone(Exception):
    """The portal answered, and not with what was asked for."""


class Person:
    """One signed-in browser. asked_again: how often an answer did not come and it asked anew."""

    def __init__(self, base: str, sign_in: Callable[[], str]) -> None:
        self._base, self._sign_in = base, sign_in
        self.asked_again = 0
        self.sign_in()

    def sign_in(self) -> None:
        """Begin a new session: the one before may have ended."""
        self._cookie = self._sign_in()

    def open(self, path: str) -> tuple[str, BeautifulSoup]:
        """Open a page; returns its address and content. Raises NotDone for a refusal."""
        return self._ask(path)

    def send(
        self, page: tuple[str, BeautifulSoup], form: str, values: dict[str, Any], press: str = ""
    ) -> tuple[str, BeautifulSoup]:
        """Send a form of `page`, the same again until it is answered, as a reload does.

        values: what is typed or, as pairs of stream and name, chosen. press: a button's name=value.
        """
        address, soup = page
        tag = soup.select_one(form)
        if tag is None:
            raise NotDone(f"no form {form} on {_kind(address)}")
        data = form_data(tag) | values
        if press:
            name, _, value = press.partition("=")
            data[name] = value
        target = urljoin(address, str(tag.get("action") or address))
        built = EnvironBuilder(method="POST", data=data).get_environ()
        return self._ask(target, built["wsgi.input"].read(), built["CONTENT_TYPE"])

    def _ask(
        self, path: str, body: bytes | None = None, content_type: str = ""
    ) -> tuple[str, BeautifulSoup]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        address = urljoin(self._base, path)
        headers = {"Cookie": self._cookie, "Referer": address, "Content-Type": content_type}
        while True:
            try:
                with urlopen(Request(address, body, headers), timeout=20) as answer:
                    page = answer.url, BeautifulSoup(answer.read(), "lxml")
                if "/login" in page[0]:
                    raise NotDone(f"signed out before {_kind(path)}")
                return page
            except HTTPError as refused:
                if refused.code not in {502, 503}:
                    raise NotDone(f"{refused.code} of {_kind(path)}") from refused
            except (OSError, HTTPException):
                pass  # killed before it answered
            if time.monotonic() > deadline:
                raise NotDone(f"no answer to {_kind(path)}")
            self.asked_again += 1
            time.sleep(0.2)


def signed_in(
    app: Flask, base: str, user_id: int, secret_key: str, now: Callable[[], datetime] = utc_now
) -> Person:
    """Return the browser of a user, whose sessions are opened in the database.

    now: the portal's clock.
    """

    def sign_in() -> str:
        with app.test_request_context(method="POST"):
            began = now()
            key = sessions.open_session(db.session.get_one(User, user_id), FULL, began)
            db.session.commit()
            actor = sessions.load_actor(key, began)
            assert actor is not None
            token = form_tokens.new_secret(actor)
        signer = Flask("clearance")
        signer.secret_key = secret_key
        signed = SecureCookieSessionInterface().get_signing_serializer(signer)
        assert signed is not None
        signed.signer = _at(began)
        content = {"_user_id": key, "_fresh": True, form_tokens.COOKIE_KEY: token}
        return f"clearance={signed.dumps(content)}; lang=en"

    return Person(base, sign_in)


def _kind(address: str) -> str:
    """Return the address without numbers, as one of a kind."""
    return re.sub(r"[0-9]+", "N", urlsplit(address).path)


def _at(moment: datetime) -> type[TimestampSigner]:
    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(moment.timestamp())

    return Signer
