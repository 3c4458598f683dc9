"""Asking for a broker of another office: what is shown, refused and limited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from clearance.auth.sessions import actor_of
from clearance.core.errors import Refused, TooManyTries
from clearance.core.extensions import db
from clearance.transfers import operations as transfer_operations
from clearance.transfers import parties
from tests.support import request_factories as requests
from tests.support import transfer_factories as made
from tests.support.transfer_factories import Offices
from tests.support.transfer_steps import (
    SIDE_NAMES,
    SIDES,
    make_general_broker,
    suspend_licence,
    words_of,
)


@pytest.mark.parametrize(
    "numbers",
    [
        {"licence_no": "KW-1"},
        {"civil_id": "288010100115"},
        {"organisation_no": "KW-1"},
        {"licence_no": "", "civil_id": "", "organisation_no": ""},
    ],
)
def test_whatever_does_not_fit_is_refused_alike(offices: Offices, numbers: dict[str, str]) -> None:
    with pytest.raises(Refused) as error:
        made.begin_receiving(offices, **numbers)
    assert "with these three numbers" in words_of(error.value, "en")
    assert "بهذه الأرقام الثلاثة" in words_of(error.value, "ar")


@pytest.mark.parametrize("spoil", [suspend_licence, make_general_broker, None])
def test_a_broker_who_cannot_move_now_is_refused_no_differently(
    offices: Offices, spoil: Callable[[Offices], None] | None
) -> None:
    if spoil is None:
        requests.make_sent(offices.releaser, "suspension", licence_id=offices.licence.id)
    else:
        spoil(offices)
        db.session.commit()
    with pytest.raises(Refused) as error:
        made.begin_receiving(offices)
    assert "with these three numbers" in words_of(error.value, "en")


def test_numbers_may_be_typed_in_any_digits_and_case(offices: Offices) -> None:
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    req = made.begin_receiving(
        offices,
        licence_no=offices.licence.number.lower().translate(arabic),
        organisation_no=f" {offices.present.licence_no.lower()} ",
    )
    assert req.answers == {"licence_no": offices.present.licence_no}
    assert req.organisation_id == offices.new.id


def test_ones_own_broker_needs_no_asking(offices: Offices) -> None:
    offices.receiver = offices.releaser
    with pytest.raises(Refused) as error:
        made.begin_receiving(offices)
    assert "your own organisation" in words_of(error.value, "en")


@pytest.mark.parametrize("receiving", SIDES, ids=SIDE_NAMES)
def test_an_office_without_a_licence_number_is_named_by_its_code(
    offices: Offices, receiving: bool
) -> None:
    named = offices.present if receiving else offices.new
    answering = offices.releaser if receiving else offices.receiver
    assert transfer_operations.transfer_identifier(actor_of(answering)) == named.licence_no
    named.licence_no = None
    db.session.commit()
    code = transfer_operations.transfer_identifier(actor_of(answering))
    if receiving:
        req = made.begin_receiving(offices, organisation_no=code.lower())
        assert req.answers == {"licence_no": code}
    else:
        req = made.make_sent(offices, licence_no=f" {code.lower()} ")
        assert req.other_organisation_id == named.id


def test_a_code_that_is_made_up_names_nobody(offices: Offices) -> None:
    right = parties.code_of(offices.new.id)
    others = right.replace(f"-{offices.new.id}-", f"-{offices.present.id}-")
    for code in (others, right[:-1] + ("0" if right[-1] != "0" else "1"), right[:-1], right + "0"):
        with pytest.raises(Refused) as error:
            made.make_sent(offices, licence_no=code)
        assert "licence number or transfer code" in words_of(error.value, "en")
        db.session.rollback()
        with pytest.raises(Refused) as error:
            made.begin_receiving(offices, organisation_no=code)
        assert "with these three numbers" in words_of(error.value, "en")


def test_a_code_holds_while_the_secret_that_made_it_is_known(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, settings = parties.code_of(7), context.extensions["settings"]
    changed = replace(settings, secret_key="k" * 40, secret_key_fallbacks=(settings.secret_key,))
    monkeypatch.setitem(context.extensions, "settings", changed)
    assert parties.code_of(7) != code
    assert parties.read(code) == 7
    forgotten = replace(changed, secret_key_fallbacks=())
    monkeypatch.setitem(context.extensions, "settings", forgotten)
    assert parties.read(code) is None


def test_looking_people_up_is_stopped(offices: Offices) -> None:
    for _try in range(10):
        with pytest.raises(Refused):
            made.begin_receiving(offices, licence_no="KW-1")
    with pytest.raises(TooManyTries):
        made.begin_receiving(offices)
