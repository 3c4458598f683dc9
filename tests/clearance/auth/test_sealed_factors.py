"""A changed SECRET_KEY: second factors are sealed anew, so that the old key may go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from clearance.auth import sealed_factors, second_factor
from clearance.auth.sealed_factors import Sealed
from clearance.core import crypto
from clearance.core.extensions import db
from clearance.models import User
from tests.support import factories

SECRET, NEW = "JBSWY3DPEHPK3PXP", "the-newer-secret-of-the-portal-987654"


def report(app: Flask) -> str:
    """What the doctor says of secrets."""
    output = app.test_cli_runner().invoke(args=["doctor"]).output
    return next(line for line in output.splitlines() if " secrets" in line)


@pytest.mark.databases
def test_a_second_factor_outlives_its_key_once_it_was_sealed_anew(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app()
    with app.app_context():
        user_id = factories.make_agent().id
        db.session.execute(sa.update(User).values(totp_secret=crypto.encrypt(SECRET)))
        db.session.commit()
        db.session.remove()
    old: dict[str, Any] = {"secret_key_fallbacks": (app.extensions["settings"].secret_key,)}
    without, changed = make_app(secret_key=NEW), make_app(secret_key=NEW, **old)
    assert report(without).startswith("FAULT    secrets: no key opens 1 second factors")
    assert report(changed).startswith("warning  secrets: 1 second factors need a key")
    with without.app_context():
        assert (sealed_factors.state(), sealed_factors.renew()) == (Sealed(0, 1), 0)
    assert "secrets: 1 sealed anew" in changed.test_cli_runner().invoke(args=["maintain"]).output
    assert report(without) == "ok       secrets"
    with without.app_context():
        assert second_factor.uses_totp(user_id)
        assert sealed_factors.renew() == 0
