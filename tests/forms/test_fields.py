"""Fields, validators and the base form, on a small application of their own."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from html.parser import HTMLParser
from pathlib import Path

import flask_admin.form
import pytest
import time_machine
import wtforms
from flask import Flask
from flask_babel import Babel, force_locale
from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict
from wtforms import Field, FieldList, IntegerField, SelectField, StringField, URLField
from wtforms.validators import URL, InputRequired, IPAddress, Length, NumberRange

from clearance.core.clock import KUWAIT
from forms import wtforms_texts
from forms.base import BaseForm
from forms.fields import (
    ArabicNameField,
    CaptchaField,
    CheckField,
    ChoiceField,
    ChoicesField,
    CivilNumberField,
    ClockField,
    CodeField,
    DayField,
    EmailAddressField,
    KuwaitTimeField,
    LatinNameField,
    MobileField,
    PasswordField,
    TextAreaField,
    TextField,
)
from forms.validators import FutureDate, Required, SameAs, StrongPassword

NOW = datetime(2026, 10, 4, 6, 0, tzinfo=UTC)
CIVIL = "288010100115"
LATE_IN_2030 = datetime(2030, 12, 31, 14, 5, tzinfo=KUWAIT)
GOOD_PASSWORD = "Nakhla-7-Bahr!"


@pytest.fixture(autouse=True)
def _page() -> Iterator[None]:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="of these tests only", WTF_CSRF_ENABLED=False)
    Babel(app, default_locale="en")
    with time_machine.travel(NOW, tick=False), app.test_request_context(method="POST"):
        yield


def form_of(**fields: Field) -> type[BaseForm]:
    return type("Form", (BaseForm,), fields)


def posted(field: Field, *typed: str, **others: str) -> Field:
    """The field `x` of a form to which `typed` was posted, validated."""
    data = MultiDict([("x", text) for text in typed])
    data.update(others)
    form = form_of(x=field)(data)
    form.validate()
    return form["x"]


def messages(field: Field) -> str:
    return " ".join(str(error) for error in field.errors)


def attributes(html: str) -> dict[str, str | None]:
    """The attributes of the first element of `html`."""
    found: list[dict[str, str | None]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append(dict(attrs))
    parser.feed(str(html))
    return found[0]


VALUES = [
    (lambda: CivilNumberField(), "٢٨٨٠١٠١٠٠١١٥ ", CIVIL),
    (lambda: MobileField(), "٥٠٠٠ ١٢٣٤", "+96550001234"),
    (lambda: EmailAddressField(), " Sara@Example.com", "sara@example.com"),
    (lambda: ArabicNameField(), " عبد  الله ", "عبد الله"),
    (lambda: LatinNameField(), " Al-Sabah ", "Al-Sabah"),
    (lambda: DayField(), "2030-12-31", date(2030, 12, 31)),
    (lambda: DayField(), "31/12/2030", date(2030, 12, 31)),
    (lambda: DayField(), "\u206831\u201312\u20132030\u2069", date(2030, 12, 31)),
    (lambda: DayField(), "٣١/١٢/٢٠٣٠", date(2030, 12, 31)),
    (lambda: DayField(), "۲۰۳۰-۱۲-۳۱", date(2030, 12, 31)),
    (lambda: DayField(), "1-2-2030", date(2030, 2, 1)),
    (lambda: DayField(), "2030/12/31", date(2030, 12, 31)),
    (lambda: DayField(), "2030.1.2", date(2030, 1, 2)),
    (lambda: DayField(), " ３１ / １２ / ２０３０ ", date(2030, 12, 31)),
    (lambda: DayField(), "٣١١٢٢٠٣٠", date(2030, 12, 31)),
    (lambda: ClockField(), "14:05", time(14, 5)),
    (lambda: ClockField(), "٠٩:٣٠", time(9, 30)),
    (lambda: ClockField(), "9.30", time(9, 30)),
    (lambda: ClockField(), "0930", time(9, 30)),
    (lambda: ClockField(), "14:05:00", time(14, 5)),
    (lambda: ClockField(), "2:05 pm", time(14, 5)),
    (lambda: ClockField(), "2:05\u202fP.M.", time(14, 5)),
    (lambda: ClockField(), "٢:٠٥ م", time(14, 5)),
    (lambda: ClockField(), "2 مساءً", time(14)),
    (lambda: ClockField(), "12:30 ص", time(0, 30)),
    (lambda: ClockField(), "12 pm", time(12)),
    (lambda: ClockField(), "14:05 م", time(14, 5)),
    (lambda: KuwaitTimeField(), "31/12/2030 14:05", LATE_IN_2030),
    (lambda: KuwaitTimeField(), "2030/12/31 14:05", LATE_IN_2030),
    (lambda: KuwaitTimeField(), "2030-12-31T14:05:00", LATE_IN_2030),
    (lambda: KuwaitTimeField(), "31 – 12 – 2030, 2:05 pm", LATE_IN_2030),
    (lambda: KuwaitTimeField(), "31/12/2030 at 2.05 p.m.", LATE_IN_2030),
    (lambda: KuwaitTimeField(), "\u206831/12/2030 14:05\u2069", LATE_IN_2030),
    (lambda: KuwaitTimeField(), "٣١/١٢/٢٠٣٠، ٢:٠٥ م", LATE_IN_2030),
    (lambda: KuwaitTimeField(), "31/12/2030 الساعة 14 : 05", LATE_IN_2030),
    (lambda: CodeField(), "١٢٣ ٤٥٦", "123456"),
    (lambda: CodeField(), "123-456\u200f", "123456"),
    (lambda: CodeField(), "رمز التحقق 123456، صالح 10 دقائق. لا تشاركه مع أحد.", "123456"),
    (lambda: CaptchaField(), " aBd 5٦7 ", "aBd567"),
    (lambda: TextField(max_length=5), " a\u202e  b\n", "a b"),
    (lambda: TextAreaField(max_length=5), " a \r\n b ", "a\nb"),
    (lambda: PasswordField(), " as typed ", " as typed "),
]


@pytest.mark.parametrize(("make", "typed", "value"), VALUES)
def test_what_is_typed_becomes_the_domains_value(
    make: Callable[[], Field], typed: str, value: object
) -> None:
    field = posted(make(), typed)
    assert not field.errors
    assert field.data == value


FAULTS = [
    (lambda: CivilNumberField(), "288010100116", "civil ID card"),
    (lambda: CivilNumberField(), "<b>", "12 digits"),
    (lambda: MobileField(), "22451234", "mobile number"),
    (lambda: EmailAddressField(), "sara@", "name@example.com"),
    (lambda: ArabicNameField(), "Ali", "Arabic letters"),
    (lambda: LatinNameField(), "علي", "English letters"),
    (lambda: DayField(), "2030-02-30", "31/12/2030"),
    (lambda: DayField(), "12/31/2030", "31/12/2030"),
    (lambda: DayField(), "31/12/30", "31/12/2030"),
    (lambda: DayField(), "0030-12-31", "31/12/2030"),
    (lambda: DayField(), "tomorrow", "31/12/2030"),
    (lambda: DayField(), "20301231", "31/12/2030"),
    (lambda: ClockField(), "14", "09:30"),
    (lambda: ClockField(), "24:00", "09:30"),
    (lambda: ClockField(), "12:60", "09:30"),
    (lambda: ClockField(), "14:05 am", "09:30"),
    (lambda: ClockField(), "2:05 xm", "09:30"),
    (lambda: ClockField(), "noon", "09:30"),
    (lambda: KuwaitTimeField(), "31/12/2030", "31/12/2030 at 09:30"),
    (lambda: KuwaitTimeField(), "14:05", "31/12/2030 at 09:30"),
    (lambda: KuwaitTimeField(), "30/02/2030 14:05", "31/12/2030 at 09:30"),
    (lambda: KuwaitTimeField(), "31/12/2030 25:05", "31/12/2030 at 09:30"),
    (lambda: KuwaitTimeField(), "31/12/2030 at" + " 14:05" * 20, "31/12/2030 at 09:30"),
    (lambda: TextField(max_length=5), "abcdef", "Use 5 characters or fewer"),
    (lambda: TextAreaField(max_length=3), "a\nbc", "Use 3 characters or fewer"),
]


@pytest.mark.parametrize(("make", "typed", "reason"), FAULTS)
def test_a_wrong_value_is_refused_and_stays_in_the_field(
    make: Callable[[], Field], typed: str, reason: str
) -> None:
    field = posted(make(), typed)
    assert reason in messages(field)
    assert len(field.errors) == 1
    html = str(field())
    assert typed.replace("<", "&lt;").replace(">", "&gt;") in html
    assert "<b>" not in html


@pytest.mark.parametrize(("make", "typed", "reason"), FAULTS)
def test_a_required_field_with_a_fault_tells_the_fault_only(
    make: Callable[[], Field], typed: str, reason: str
) -> None:
    field = make()
    field.kwargs["validators"] = [Required()]
    checked = posted(field, typed)
    assert reason in messages(checked)
    assert len(checked.errors) == 1


@pytest.mark.parametrize("make", [make for make, _typed, _reason in FAULTS])
def test_an_empty_field_is_no_fault_unless_required(make: Callable[[], Field]) -> None:
    for nothing in ((), ("",), (" \u00a0",)):
        assert not posted(make(), *nothing).errors
        required = make()
        required.kwargs["validators"] = [Required()]
        assert messages(posted(required, *nothing)) == "Enter a value."


def test_an_empty_value_is_none_and_an_empty_text_is_empty() -> None:
    assert posted(MobileField(), "").data is None
    assert posted(DayField(), " ").data is None
    assert posted(TextField(max_length=5), " ").data == ""
    assert posted(ArabicNameField(), "").data == ""


def test_a_stored_value_is_shown_as_the_field_takes_it() -> None:
    form = form_of(x=DayField(), y=MobileField())(
        None, data={"x": date(2030, 1, 2), "y": "+96550001234"}
    )
    assert attributes(form["x"]())["value"] == "02/01/2030"
    assert attributes(form["y"]())["value"] == "+96550001234"


@pytest.mark.parametrize("typed", ["31/12/2030", "2030-12-31", "٣١.١٢.٢٠٣٠"])
def test_a_date_is_shown_in_the_order_in_which_it_is_typed(typed: str) -> None:
    shown = attributes(posted(DayField(), typed)())
    assert (shown["type"], shown["inputmode"], shown["dir"]) == ("text", "numeric", "ltr")
    assert shown["value"] == "31/12/2030"


@pytest.mark.parametrize(
    ("make", "typed", "shown", "english", "arabic"),
    [
        (DayField, "2029-4-3", "03/04/2029", "3 April 2029", "3 أبريل 2029"),
        (ClockField, "2:05 pm", "14:05", "2:05 pm", "2:05 م"),
        (ClockField, "12.00 ص", "00:00", "12:00 am", "12:00 ص"),
    ],
)
def test_days_and_times_are_shown_in_order_and_told_in_words(
    make: Callable[[], Field], typed: str, shown: str, english: str, arabic: str
) -> None:
    field = posted(make(), typed)
    box = attributes(field())
    assert (box["type"], box["dir"], box["value"]) == ("text", "ltr", shown)
    assert field.in_words == english
    with force_locale("ar"):
        assert field.in_words == arabic


def test_a_stored_instant_is_shown_in_kuwaits_time() -> None:
    at = datetime(2030, 12, 31, 11, 5, 7, tzinfo=UTC)
    field = form_of(x=KuwaitTimeField())(None, data={"x": at})["x"]
    assert attributes(field())["value"] == "31/12/2030 14:05"
    assert field.in_words == "31 December 2030, 2:05 pm"


@pytest.mark.parametrize("make", [DayField, ClockField, KuwaitTimeField])
def test_what_nobody_understands_comes_back_as_typed_without_words(
    make: Callable[[], Field],
) -> None:
    field = posted(make(), "soon")
    assert attributes(field())["value"] == "soon"
    assert field.in_words == ""


@pytest.mark.parametrize("make", [PasswordField, CodeField, CaptchaField])
def test_secrets_never_come_back(make: Callable[[], Field]) -> None:
    assert attributes(posted(make(), "123456")())["value"] == ""
    assert attributes(posted(make(), "x" * 20)())["value"] == ""


@pytest.mark.parametrize("typed", ["12345", "1234567", "12345a", "²23456"])
def test_a_code_has_six_digits(typed: str) -> None:
    assert "6 digits" in messages(posted(CodeField(), typed))


def test_letter_case_counts_in_the_image_text() -> None:
    assert posted(CaptchaField(), "aBdEfG").data == "aBdEfG"
    assert "6 characters" in messages(posted(CaptchaField(), "a" * 13))


def test_inputs_help_keyboards_and_password_keepers() -> None:
    code = attributes(posted(CodeField())())
    assert (code["autocomplete"], code["inputmode"], code["dir"]) == (
        "one-time-code",
        "numeric",
        "ltr",
    )
    assert attributes(posted(PasswordField())())["autocomplete"] == "current-password"
    assert attributes(posted(PasswordField(new=True))())["autocomplete"] == "new-password"
    assert attributes(posted(CaptchaField())())["autocomplete"] == "off"
    assert attributes(posted(MobileField())())["type"] == "tel"
    assert attributes(posted(TextField(max_length=7))())["maxlength"] == "7"
    assert attributes(posted(TextAreaField(max_length=7))())["maxlength"] == "7"
    assert "required" in attributes(posted(TextField(None, [Required()], max_length=7))())


def test_attributes_given_with_a_field_are_added_to_its_own() -> None:
    shown = attributes(posted(CodeField(render_kw={"data-kind": "email", "dir": "auto"}))())
    assert (shown["data-kind"], shown["dir"], shown["inputmode"]) == ("email", "auto", "numeric")


@pytest.mark.parametrize(
    ("typed", "is_taken"), [("2026-10-04", False), ("2026-10-05", True), ("2020-01-01", False)]
)
def test_an_expiry_lies_after_today_in_kuwait(typed: str, is_taken: bool) -> None:
    field = posted(DayField(None, [FutureDate()]), typed)
    assert (not field.errors) is is_taken
    assert attributes(field())["data-min"] == "2026-10-05"


def test_today_is_kuwaits_today() -> None:
    with time_machine.travel(datetime(2026, 10, 4, 21, 30, tzinfo=UTC), tick=False):
        assert "has passed" in messages(posted(DayField(None, [FutureDate()]), "2026-10-05"))


def test_an_empty_date_is_not_past() -> None:
    assert not posted(DayField(None, [FutureDate()]), "").errors


class Signup(BaseForm):
    ALSO_POSTED = frozenset({"submit"})

    first_name = TextField(max_length=40)
    email = EmailAddressField()
    password = PasswordField(validators=[Required(), StrongPassword()], new=True)
    password_confirm = PasswordField(validators=[SameAs("password")], new=True)
    accept_terms = CheckField(validators=[Required(_l("Agree to the terms to go on."))])
    phones = FieldList(StringField(), min_entries=1)


def signup(**typed: str) -> Signup:
    form = Signup(
        MultiDict(
            {
                "first_name": "Zubaida",
                "email": "z.qattan@example.com",
                "password": GOOD_PASSWORD,
                "password_confirm": GOOD_PASSWORD,
                "accept_terms": "y",
            }
            | typed
        )
    )
    form.validate()
    return form


def test_a_good_form_has_no_error() -> None:
    assert signup().errors == {}
    assert signup().error_list() == []


def test_a_guessable_password_is_refused_with_every_reason() -> None:
    form = signup(password="xyz", password_confirm="xyz")
    assert len(form.password.errors) == 4
    assert "at least 8" in messages(form.password)


def test_a_password_made_of_the_persons_data_is_refused() -> None:
    for password in ("Zubaida-Qattan1!", "Z.Qattan@Example7"):
        assert "easy to guess" in messages(signup(password=password).password)


def test_words_known_to_the_view_count_too() -> None:
    data = MultiDict({"password": "Layan-Tamimi-77!", "password_confirm": "Layan-Tamimi-77!"})
    form = Signup(data)
    form.known_words = ("Layan", "Tamimi", None)
    form.validate()
    assert "easy to guess" in messages(form.password)


def test_two_different_passwords_are_refused() -> None:
    assert "do not match" in messages(signup(password_confirm="other").password_confirm)


def test_an_unticked_box_is_refused_with_its_own_message() -> None:
    for typed in ("", "false"):
        assert messages(signup(accept_terms=typed).accept_terms) == "Agree to the terms to go on."


def test_errors_are_listed_in_the_order_of_the_fields() -> None:
    form = signup(email="x", accept_terms="")
    assert [(field.name, message.split()[0]) for field, message in form.error_list()] == [
        ("email", "Enter"),
        ("accept_terms", "Agree"),
    ]


def test_posted_fields_that_the_form_lacks_are_found() -> None:
    form = signup(**{"submit": "1", "status": "approved", "is_general": "y", "phones-0": "1"})
    assert form.unknown_fields() == ["is_general", "status"]
    assert Signup(None).unknown_fields() == []


COLOURS = [("red", _l("Red")), ("blue", _l("Blue"))]


def test_one_listed_option_is_taken_and_another_refused() -> None:
    assert posted(ChoiceField(choices=COLOURS), "blue").data == "blue"
    assert (
        messages(posted(ChoiceField(choices=COLOURS), "green"))
        == "Choose one of the options listed."
    )
    assert posted(ChoiceField(choices=COLOURS), "").data is None
    assert not posted(ChoiceField(choices=COLOURS), "").errors
    required = posted(ChoiceField(None, [Required(_l("Choose a colour."))], choices=COLOURS), "")
    assert messages(required) == "Choose a colour."


def test_a_list_begins_with_nothing_chosen_unless_told_otherwise() -> None:
    assert str(posted(ChoiceField(choices=COLOURS))()).count("<option") == 3
    assert "selected" in str(posted(ChoiceField(choices=COLOURS), "red")())
    assert str(posted(ChoiceField(choices=COLOURS, blank=None))()).count("<option") == 2


@pytest.mark.parametrize(("blank", "is_required"), [("Choose", True), (None, False)])
def test_only_a_list_that_begins_with_nothing_is_required_by_the_browser(
    blank: str | None, is_required: bool
) -> None:
    field = posted(ChoiceField(None, [Required()], choices=COLOURS, blank=blank))
    assert ("required" in attributes(field())) is is_required
    assert messages(field) == "Enter a value."


def test_choices_may_be_made_anew_for_each_page() -> None:
    calls: list[str] = []

    def choices() -> list[tuple[str, str]]:
        calls.append("made")
        return [("KW", "Kuwait")]

    form = form_of(x=ChoiceField(choices=choices))
    for _ in range(2):
        assert "Kuwait" in str(form(None)["x"]())
    assert len(calls) == 2


def test_several_options_are_boxes_of_which_none_is_required_alone() -> None:
    field = posted(ChoicesField(None, [Required()], choices=COLOURS), "red", "blue")
    assert field.data == ["red", "blue"]
    assert not field.errors
    html = str(field())
    assert html.count('type="checkbox"') == 2
    assert "required" not in html
    assert "Enter a value" in messages(posted(ChoicesField(None, [Required()], choices=COLOURS)))


def test_an_option_that_is_not_listed_is_refused_without_being_echoed() -> None:
    field = posted(ChoicesField(choices=COLOURS), "red", "<script>%(value)s")
    assert messages(field) == "Choose only from the options listed."


def test_stock_messages_speak_plainly_with_their_numbers() -> None:
    class Stock(BaseForm):
        x = SelectField(choices=[], validators=[InputRequired()])
        y = StringField(validators=[Length(min=3)])
        z = IntegerField(validators=[NumberRange(2, 4)])
        u = URLField(validators=[URL()])

    form = Stock(MultiDict({"x": "a", "y": "a", "z": "7", "u": "a"}))
    form.validate()
    assert messages(form.x) == "Choose one of the options listed."
    assert "Use 3 characters or more." in messages(form.y)
    assert messages(form.z) == "Enter a number between 2 and 4."
    assert "https://example.com" in messages(form.u)


def test_a_stock_message_without_words_of_ours_is_translated_by_its_maker() -> None:
    class Stock(BaseForm):
        x = StringField(validators=[IPAddress()])

    with force_locale("ar"):
        form = Stock(MultiDict({"x": "a"}))
        form.validate()
    assert "صالح" in messages(form.x)


def test_every_stock_message_we_replace_is_one_that_exists() -> None:
    sources = "".join(
        path.read_text()
        for package in (wtforms, flask_admin)
        for path in Path(package.__file__).parent.rglob("*.py")
    )
    assert [text for text in wtforms_texts._OURS if text not in sources] == []


def test_our_words_keep_the_placeholders_of_the_stock_message() -> None:
    for stock, ours in wtforms_texts._OURS.items():
        used = set(re.findall(r"%\((\w+)\)[sd]", str(ours)))
        assert used <= set(re.findall(r"%\((\w+)\)[sd]", stock)), stock


def test_flask_admins_own_forms_can_speak_so_too() -> None:
    class Office(flask_admin.form.BaseForm):
        Meta = wtforms_texts.TextsMeta

        x = StringField(validators=[InputRequired()])

    form = Office(MultiDict())
    form.validate()
    assert messages(form.x) == "Enter a value."
