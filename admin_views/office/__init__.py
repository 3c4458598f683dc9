"""The staff area, for reviewers, managers and administrators."""

from __future__ import annotations

from typing import Any

from flask_admin import BaseView
from flask_babel import lazy_gettext as _l

from admin_views.office.accounts.staff import Staff
from admin_views.office.accounts.users import Users
from admin_views.office.audit.views import AccessRecords, Events
from admin_views.office.home import OfficeHome
from admin_views.office.issued import IssuedDocuments
from admin_views.office.licences.brokers import Brokers
from admin_views.office.licences.views import Licences
from admin_views.office.notifications.outbox import Deliveries
from admin_views.office.notifications.texts import MessageTexts
from admin_views.office.organisations import Organisations
from admin_views.office.privacy.reads import Reads
from admin_views.office.privacy.retention import Retention
from admin_views.office.requests.views import OfficeRequests
from admin_views.office.services.views import Services
from admin_views.office.settings.choice_lists import ChoiceLists
from admin_views.office.settings.reference_data import (
    Announcements,
    BrokerTypes,
    DocumentKinds,
    Holidays,
    LegalEntities,
    Nationalities,
    Reasons,
)
from admin_views.office.settings.teams import Teams
from admin_views.office.settings.views import OfficeSettings
from admin_views.office.subscriptions.views import Subscriptions
from admin_views.shared.account.overview import AccountView
from admin_views.shared.list_arrangements import ListArrangements
from admin_views.shared.list_exports import ExportsView
from admin_views.shared.notifications import NoticesView
from admin_views.shared.search import SearchView
from clearance.models import (
    AccessEvent,
    Announcement,
    Broker,
    BrokerType,
    ChoiceList,
    Delivery,
    DocumentKind,
    Event,
    Holiday,
    IssuedDocument,
    LegalEntity,
    Licence,
    Nationality,
    Organisation,
    Reason,
    Request,
    Service,
    Subscription,
    Team,
    User,
)


def index() -> BaseView:
    """Return the area's index view."""
    return OfficeHome(name=_l("Home"), endpoint="office", url="/office")


def views() -> list[BaseView]:
    """Return the area's other views in menu order."""
    return [
        OfficeRequests(Request, **_at("requests", _l("Requests"))),
        Licences(Licence, **_at("licences", _l("Licences"))),
        Brokers(Broker, **_at("brokers", _l("Brokers"))),
        IssuedDocuments(IssuedDocument, **_at("issued", _l("Issued documents"))),
        Users(User, **_at("users", _l("Users"))),
        Organisations(Organisation, **_at("organisations", _l("Organisations"))),
        Subscriptions(Subscription, **_at("subscriptions", _l("Subscriptions"))),
        Staff(User, **_at("staff", _l("Staff"))),
        Services(Service, **_at("services", _l("Services"))),
        Teams(Team, **_at("teams", _l("Teams"))),
        ChoiceLists(ChoiceList, **_at("choice_lists", _l("Lists of choices"))),
        DocumentKinds(DocumentKind, **_at("document_kinds", _l("Document types"))),
        BrokerTypes(BrokerType, **_at("broker_types", _l("Broker types"))),
        Nationalities(Nationality, **_at("nationalities", _l("Nationalities"))),
        LegalEntities(LegalEntity, **_at("legal_entities", _l("Organisation types"))),
        Reasons(Reason, **_at("reasons", _l("Standard reasons"))),
        Holidays(Holiday, **_at("holidays", _l("Holidays"))),
        MessageTexts(**_at("texts", _l("Notification texts"))),
        Announcements(Announcement, **_at("announcements", _l("Announcements"))),
        Deliveries(Delivery, **_at("deliveries", _l("Deliveries"))),
        Events(Event, **_at("audit", _l("Audit trail"))),
        AccessRecords(AccessEvent, **_at("access", _l("Access"))),
        Reads(AccessEvent, **_at("reads", _l("Who read what"))),
        Retention(**_at("retention", _l("Data retention"))),
        OfficeSettings(**_at("settings", _l("Settings"))),
        ExportsView(**_at("exports", _l("Your exports")), for_staff=True),
        SearchView(name=_l("Search"), endpoint="office_search", url="/office", for_staff=True),
        NoticesView(**_at("notices", _l("Notifications")), for_staff=True),
        ListArrangements(**_at("lists", _l("Views")), for_staff=True),
        AccountView(**_at("account", _l("My account")), for_staff=True),
    ]


def _at(name: str, label: Any) -> dict[str, Any]:
    """Return a view's name, endpoint and kebab-case URL."""
    return {
        "name": label,
        "endpoint": f"office_{name}",
        "url": f"/office/{name.replace('_', '-')}",
    }
