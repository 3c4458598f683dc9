"""Which services an organisation has (الاشتراك بالخدمات): the rows, read by the guards' own rule."""

from __future__ import annotations

import sqlalchemy as sa

from clearance import definition
from clearance.calendar import utc_now
from clearance.extensions import db
from clearance.models import Organisation, Subscription
from clearance.procedures import guards
from clearance.procedures.facts import Case, Facts


def granted_codes(organisation_id: int) -> frozenset[str]:
    """The active services that users of the organisation can be granted.

    Those it has by the rule of `guards.is_subscribed`, so far as they are for its legal entity.
    """
    legal_entity = db.session.scalar(
        sa.select(Organisation.legal_entity).where(Organisation.id == organisation_id)
    )
    rows = db.session.execute(
        sa.select(Subscription.service_code, Subscription.status).where(
            Subscription.organisation_id == organisation_id
        )
    )
    facts = Facts(
        utc_now(), None, organisation_id, subscriptions={code: status for code, status in rows}
    )
    services = (version.definition for version in definition.all_current())
    return frozenset(
        service.code
        for service in services
        if guards.is_for(service, legal_entity)
        and guards.is_subscribed(Case(service, facts)) is None
    )
