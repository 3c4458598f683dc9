"""The public face of everything about one's account; each journey lies in a module of its own."""

from clearance.devices import COOKIE as DEVICE_COOKIE
from clearance.invitations import accept_invitation, find_invitation, invite_staff
from clearance.new_passwords import (
    Chosen,
    WeakPassword,
    ask_reset,
    change_password,
    choose_password,
    confirm_reset,
    require_strong,
)
from clearance.registering import Applicant, register
from clearance.signing_in import SignIn, pass_factor, sign_in
from clearance.verifying import Contacts, Verified, contacts, proved, resend, verify

__all__ = [
    "DEVICE_COOKIE",
    "Applicant",
    "Chosen",
    "Contacts",
    "SignIn",
    "Verified",
    "WeakPassword",
    "accept_invitation",
    "ask_reset",
    "change_password",
    "choose_password",
    "confirm_reset",
    "contacts",
    "find_invitation",
    "invite_staff",
    "pass_factor",
    "proved",
    "register",
    "require_strong",
    "resend",
    "sign_in",
    "verify",
]
