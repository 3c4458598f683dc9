"""The page that asks before the office takes a step, on one row or on many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from admin_views.base.form_post import post_once, repeated
from clearance.core.request_kind import is_sent


def ask(render: Callable[..., str], template: str, form: Any, back_url: str, **shown: Any) -> str:
    """Render a page that extends `office/ask.html`.

    back_url: the page that it was opened from. shown: a refusal instead of the form, the version of
    the row, the chosen rows, and what the template asks about.
    """
    return render(template, form=form, back_url=back_url, **shown)


def ask_and_take(page: Callable[[], str], form: Any, act: Callable[[], Any], **answer: Any) -> Any:
    """Show the page that asks before a step; take it once when a valid form is sent.

    answer: as for `post_once`.
    """
    if not is_sent():
        return page()
    return post_once(act, **answer) if form.validate() else repeated() or (page(), 400)
