"""Steps that several journeys take: reading the image text, registering, typing codes."""

from __future__ import annotations

import io
from typing import Any

import sqlalchemy as sa
from flask import Flask

from clearance.core.extensions import db
from clearance.models import Captcha, User
from tests.support import factories
from tests.support.gateways import queued_code
from tests.support.pages import Page, PageClient, form_data

PASSWORD = factories.PASSWORD
EMAIL = "noura@example.com"
MOBILE = "50001234"
REQUEST_FORM = "#request-form"
MOBILE_E164 = "+96550001234"

TEXTS = {
    "ar": {
        "sign_in": "تسجيل الدخول",
        "register": "تسجيل حساب جديد",
        "sent": "تم استلام طلب التسجيل",
        "verify": "التحقق",
        "ok": "موافق",
        "needed": "هذا الحقل مطلوب. يرجى تعبئته.",
        "image": "النص المدخل لا يطابق نص الصورة. تم عرض صورة جديدة، يرجى إدخال نصها.",
        "refused": "البريد الإلكتروني أو كلمة المرور غير صحيحة.",
        "code": "رمز التحقق غير صحيح أو لم يعد صالحاً.",
        "reset": "إعادة ضبط كلمة المرور",
    },
    "en": {
        "sign_in": "Sign in",
        "register": "Register a new account",
        "sent": "Registration received",
        "verify": "Verification",
        "ok": "OK",
        "needed": "Enter a value.",
        "image": "This does not match the image. Enter the characters in the new image.",
        "refused": "The e-mail address or password is incorrect.",
        "code": "This code is wrong or has expired.",
        "reset": "Reset the password",
    },
}


def browser(app: Flask, lang: str = "ar", **kwargs: Any) -> PageClient:
    """A visitor's browser that reads in `lang`."""
    return PageClient(app, language=lang, **kwargs)


def person(app: Flask, area: str = "my", **columns: Any) -> User:
    """An agent ("my") or somebody of the office ("office")."""
    with app.app_context():
        make = factories.make_agent if area == "my" else factories.make_staff
        return make(**columns)


def image_text(app: Flask, page: Page) -> str:
    """What the page's image says, read where only the server knows it."""
    field = page.soup.find(attrs={"name": "captcha_ref"})
    assert field is not None, f"no image text on {page.url}"
    with app.app_context():
        text = db.session.scalar(sa.select(Captcha.image_text).where(Captcha.ref == field["value"]))
    assert text is not None
    return str(text)


def registration_values(**changes: Any) -> dict[str, Any]:
    """What an agent without a customs account types."""
    values: dict[str, Any] = {
        "legal_entity": "clearing_agent",
        "first_name": "نورة",
        "last_name": "الشمري",
        "latin_name": "Noura Alshammari",
        "gender": "female",
        "civil_id": "288010100115",
        "mobile": MOBILE,
        "email": EMAIL,
        "password": PASSWORD,
        "password_confirm": PASSWORD,
        "accept_terms": "y",
    }
    return values | changes


def send_registration(client: PageClient, *, status: int = 200, **changes: Any) -> Page:
    """Open /register, fill everything in (changes replace) and send it."""
    page = client.get("/register")
    values = {"captcha": image_text(client.app, page), **registration_values(**changes)}
    return client.submit(page, values, form="#register-form", status=status)


def sign_in(
    client: PageClient, email: str = EMAIL, password: str = PASSWORD, url: str = "/login"
) -> Page:
    """Sign in through the page; returns where it leads."""
    page = client.get(url)
    return client.submit(page, {"email": email, "password": password}, form="#sign-in-form")


def code_to(app: Flask, address: str) -> str:
    """The newest code sent to that address."""
    with app.app_context():
        return queued_code(address)


def type_codes(
    client: PageClient, page: Page, email: str = EMAIL, mobile: str = MOBILE_E164
) -> Page:
    """Type both right codes on /verify."""
    codes = {
        "email_code": code_to(client.app, email),
        "mobile_code": code_to(client.app, mobile),
    }
    return client.submit(page, codes, form="#verify-form")


def upload(client: PageClient, page: Page, kind: str, data: bytes, name: str) -> Page:
    """Choose a file and its kind and press Upload, as a browser without scripts does."""
    posted = form_data(page.form(REQUEST_FORM))
    posted |= {"kind": kind, "label": "", "files": (io.BytesIO(data), name)}
    response = client.http.post(
        page.soup.select_one("button[formaction$='/documents']")["formaction"],
        data=posted,
        content_type="multipart/form-data",
        follow_redirects=True,
    )
    return Page(response, response.request.path).check()
