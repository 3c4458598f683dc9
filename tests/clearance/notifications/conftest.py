"""A portal that is connected with both gateways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.gateways import SmsGateway, SmtpGateway
from tests.support.outbox_rows import MakeApp, running


@pytest.fixture
def portal(make_app: MakeApp, mail: SmtpGateway, sms: SmsGateway) -> Iterator[Flask]:
    """The portal with both gateways set."""
    with running(
        make_app, mail_server="127.0.0.1", mail_port=mail.port, sms_url=sms.url
    ) as application:
        yield application
