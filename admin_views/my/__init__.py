"""The agents' area: services, requests, notifications and account."""

from __future__ import annotations

from typing import Any

from flask_admin import BaseView
from flask_babel import lazy_gettext as _l

from admin_views.my.brokers.views import MyBrokers
from admin_views.my.home.views import MyHome
from admin_views.my.issued import MyIssued
from admin_views.my.organisations.further_organisations import MyFurtherOrganisations
from admin_views.my.organisations.invitations import MyInvitations
from admin_views.my.organisations.profile import MyOrganisation
from admin_views.my.organisations.users import MyUsers
from admin_views.my.requests.draft_list import MyDrafts
from admin_views.my.requests.views import MyRequests
from admin_views.my.services.views import MyServices
from admin_views.my.subscriptions import MySubscriptions
from admin_views.shared.account.overview import AccountView
from admin_views.shared.list_arrangements import ListArrangements
from admin_views.shared.list_exports import ExportsView
from admin_views.shared.notifications import NoticesView
from admin_views.shared.search import SearchView
from clearance.models import IssuedDocument, Licence, Membership, Request


def index() -> BaseView:
    """Return the area's index view."""
    return MyHome(name=_l("Home"), endpoint="my", url="/my")


def views() -> list[BaseView]:
    """Return the area's other views in menu order."""
    return [
        MyServices(**_at("services", _l("My services"))),
        MySubscriptions(**_at("subscriptions", _l("Subscriptions"))),
        MyBrokers(Licence, **_at("brokers", _l("Manage brokers"))),
        MyRequests(Request, **_at("requests", _l("My requests"))),
        MyDrafts(Request, name=_l("Drafts"), endpoint="my_drafts", url="/my/requests/drafts"),
        MyIssued(IssuedDocument, **_at("issued", _l("Issued documents"))),
        MyUsers(Membership, **_at("users", _l("Manage users"))),
        MyInvitations(**_at("invitations", _l("Invitations"))),
        MyOrganisation(**_at("organisation", _l("My organisation"))),
        MyFurtherOrganisations(
            name=_l("Add another organisation"),
            endpoint="my_further_organisations",
            url="/my/organisations",
        ),
        ListArrangements(**_at("lists", _l("Views")), for_staff=False),
        SearchView(name=_l("Search"), endpoint="my_search", url="/my", for_staff=False),
        AccountView(**_at("account", _l("My account")), for_staff=False),
        ExportsView(**_at("exports", _l("Your exports")), for_staff=False),
        NoticesView(**_at("notices", _l("Notifications")), for_staff=False),
    ]


def _at(name: str, label: Any) -> dict[str, Any]:
    """Return a view's name, endpoint and URL."""
    return {"name": label, "endpoint": f"my_{name}", "url": f"/my/{name}"}
