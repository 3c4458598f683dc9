"""The office's own wording of messages: what can be kept, and that its preview shows all of it."""

from __future__ import annotations

import pytest
from flask import Flask

from clearance.notifications import events, text_overrides
from clearance.notifications.schema import LANGUAGES
from clearance.notifications.text_overrides import SAMPLES, UnusableText
from clearance.organisations import subscription_changes

CODE = "code:verify"


def test_the_preview_of_a_decision_does_not_contradict_itself(context: Flask) -> None:
    """Outcome, reason and next step are those of one decision, as it is really sent."""
    sent = subscription_changes._REJECTED
    for lang in LANGUAGES:
        shipped = events.registered()["subscription:decided"].shipped("email", lang)
        _title, body = text_overrides.preview("subscription:decided", "email", lang, *shipped)
        assert sent["outcome"][lang] in body
        assert sent["next"][lang] in body
        assert SAMPLES["next"][lang] not in body


def test_every_placeholder_of_every_message_has_a_sample_in_both_languages(context: Flask) -> None:
    used = {name for event in events.registered().values() for name in event.placeholders}
    assert used == set(SAMPLES)
    for value in SAMPLES.values():
        assert isinstance(value, str) or set(value) == set(LANGUAGES)


def test_the_preview_of_a_shipped_text_loses_no_line(context: Flask) -> None:
    for event in events.registered():
        for text in text_overrides.of_event(event):
            title, body = text_overrides.preview(
                event, text.channel, text.language, text.subject, text.body
            )
            assert bool(title) is text.has_subject, event
            assert len(body.splitlines()) == len(text.body.strip().splitlines()), event


@pytest.mark.parametrize(
    ("channel", "subject", "body", "why"),
    [
        ("email", "", "Your code: {code}", "title"),
        ("email", "Code", "Welcome to the portal.", "{code}"),
        ("sms", "", "Welcome.", "{code}"),
        ("sms", "", "{Code} {code}", "{Code}"),
        ("sms", "", "{code} {0.__class__}", "{0.__class__}"),
        ("sms", "", "{code} {رقم}", "{رقم}"),
        ("sms", "", "{code!r}", "{code!r}"),
    ],
)
def test_a_text_that_would_not_tell_what_it_is_for_is_refused(
    context: Flask, channel: str, subject: str, body: str, why: str
) -> None:
    with context.test_request_context(headers={"Cookie": "lang=en"}):
        with pytest.raises(UnusableText) as refused:
            text_overrides.check(CODE, channel, "en", subject, body)
        assert why in str(refused.value)
    text_overrides.check(CODE, channel, "en", "", "")


def test_what_other_templates_would_carry_out_is_sent_as_it_stands(context: Flask) -> None:
    odd = "{{ 7*7 }} {% x %} %s %(number)s $1"
    text_overrides.check("request:sent", "sms", "en", "", odd)
    assert text_overrides.preview("request:sent", "email", "en", odd, odd) == (odd, odd)
