"""The portal itself, for a reviewer who is signed in."""

from __future__ import annotations

import os

from app import create_app
from clearance.auth import sessions
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import User
from clearance.models.enums import SessionStage

application = create_app(
    testing=True,
    database_url=os.environ["PEERS_DATABASE"],
    storage_url=os.environ["STORAGE_URL"],
    secret_key=os.environ["SECRET_KEY"],
    trusted_hosts=("localhost", "127.0.0.1"),
)


def sign_in() -> str:
    """Return the cookie of a session of the demo world's reviewer."""
    with application.test_request_context(method="POST"):
        email = "reviewer@example.com"
        reviewer = db.session.query(User).filter(User.email == email).one()
        key = sessions.open_session(reviewer, SessionStage.FULL, utc_now())
        db.session.commit()
        db.session.remove()
    client = application.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = key
        cookie["_fresh"] = True
    name = application.config["SESSION_COOKIE_NAME"]
    kept = client.get_cookie(name)
    assert kept is not None
    return f"{name}={kept.value}"
