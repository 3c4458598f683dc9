"""Jobs of the audit trail: a checkpoint by e-mail, and verifying, each once a day."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import structlog
from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup

from clearance.core import i18n, office_settings
from clearance.core.chain import Verdict
from clearance.core.clock import kuwait_date
from clearance.core.settings import Settings
from clearance.files import checkpoints
from clearance.notifications.mail_transport import Letter, mail

_log = structlog.get_logger(__name__)


def send(now: datetime) -> None:
    """Send a checkpoint to CHECKPOINT_MAILTO, if that is set. Raises: as the mail server does."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.checkpoint_mailto or not settings.mail_server:
        return
    line, lang = checkpoints.take(now), str(office_settings.get("default_language"))
    with force_locale(lang), mail.connect() as connection:
        subject = _("Checkpoint of the audit trail, %(day)s", day=i18n.format_day(kuwait_date(now)))
        text = _(
            "Keep this message. The line below proves what the audit trail contains today: the "
            "command that verifies the trail can compare it with the line."
        )
        for address in settings.checkpoint_mailto:
            connection.send(
                Letter(
                    subject=subject,
                    address=address,
                    text=f"{text}\n\n{line}\n",
                    html=str(Markup("<p>{}</p><pre>{}</pre>").format(text, line)),
                    language=lang,
                    message_id=f"{uuid4()}@{settings.trusted_hosts[0]}",
                    written_at=now,
                )
            )


def verify(now: datetime) -> Verdict:
    """Verify the trail; the result goes to the log and to the access events."""
    verdict = checkpoints.verify()
    checkpoints.note(verdict)
    if not verdict.is_intact:
        with force_locale("en"):
            _log.error("audit trail is broken", first=str(verdict.faults[0]))
    return verdict
