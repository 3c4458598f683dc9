"""The agents' area: services, requests, notifications and account."""

from __future__ import annotations

from flask_admin import BaseView
from flask_babel import lazy_gettext as _l

from admin_views.my.brokers.views import MyBrokers
from admin_views.my.home.views import MyHome
from admin_views.my.issued import MyIssued
from admin_views.my.organisations.further_organisations import MyFurtherOrganisations
from admin_views.my.organisations.invitations import MyInvitations
from admin_views.my.organisations.profile import MyOrganisation
from admin_views.my.organisations.users import MyUsers
from admin_views.my.requests.views import MyRequests
from admin_views.my.services.views import MyServices
from admin_views.my.subscriptions import MySubscriptions
from admin_views.my.transfers.views import MyTransfers
from admin_views.shared.account.overview import AccountView
from admin_views.shared.notifications import NoticesView
from clearance.models import Membership, Request


def index() -> BaseView:
    """Return the area's index view."""
    return MyHome(name=_l("Home"), endpoint="my", url="/my")


def views() -> list[BaseView]:
    """Return the area's other views in menu order."""
    return [
        MyServices(name=_l("My services"), endpoint="my_services", url="/my/services"),
        MySubscriptions(
            name=_l("Subscriptions"), endpoint="my_subscriptions", url="/my/subscriptions"
        ),
        MyBrokers(name=_l("Manage brokers"), endpoint="my_brokers", url="/my/brokers"),
        MyRequests(Request, name=_l("My requests"), endpoint="my_requests", url="/my/requests"),
        MyTransfers(name=_l("Transfers"), endpoint="my_transfers", url="/my/transfers"),
        MyIssued(name=_l("Issued documents"), endpoint="my_issued", url="/my/issued"),
        MyUsers(Membership, name=_l("Manage users"), endpoint="my_users", url="/my/users"),
        MyInvitations(name=_l("Invitations"), endpoint="my_invitations", url="/my/invitations"),
        MyOrganisation(
            name=_l("My organisation"), endpoint="my_organisation", url="/my/organisation"
        ),
        MyFurtherOrganisations(
            name=_l("Add another organisation"),
            endpoint="my_further_organisations",
            url="/my/organisations",
        ),
        AccountView(
            name=_l("My account"), endpoint="my_account", url="/my/account", for_staff=False
        ),
        NoticesView(name=_l("Notices"), endpoint="my_notices", url="/my/notices", for_staff=False),
    ]
