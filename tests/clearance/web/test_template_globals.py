"""What templates rely on: numbers in messages stay in one piece, whatever else is in the text."""

from __future__ import annotations

import pytest

from clearance.web.template_globals import unbroken


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("رخصة رقم \u2068KW-1084\u2069: قرب انتهاء", "رخصة رقم <bdi>KW-1084</bdi>: قرب انتهاء"),
        ("Request CE/8/26 was sent", "Request <bdi>CE/8/26</bdi> was sent"),
        ("no number here", "no number here"),
        ("<b>LR/1/26</b> & more", "&lt;b&gt;<bdi>LR/1/26</bdi>&lt;/b&gt; &amp; more"),
        ("\u2068<script>\u2069", "<bdi>&lt;script&gt;</bdi>"),
    ],
)
def test_numbers_are_kept_whole_and_everything_is_escaped(text: str, shown: str) -> None:
    assert unbroken(text) == shown
