"""Notify an organisation's users about changes to its licences."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clearance import notifications
from clearance.core import urls
from clearance.models import Licence, Notice
from clearance.services import versions


def tell(event: str, licence: Licence, *, now: datetime, **params: Any) -> list[Notice]:
    """Notify members of the broker's organisation who may use a licence service. Flushes.

    event: a `licence:` event; params: values for its texts besides the licence and its holder.
    """
    broker = licence.broker
    return notifications.notify_members(
        event,
        organisation_id=broker.organisation_id,
        service_code=_services(),
        params={
            "licence": licence.number,
            "name": {lang: broker.name_in(lang) for lang in ("ar", "en")},
            **params,
        },
        now=now,
        url=urls.broker_url(broker.id),
    )


def _services() -> list[str]:
    """Return the codes of the services about licences."""
    current = (version.definition for version in versions.all_current())
    return [service.code for service in current if service.subject == "licence"]
