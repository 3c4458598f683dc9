"""Parts of pages that are drawn once per language and process: menu, footer, dialogs.

What is kept of a macro must follow from its arguments, the page's language and the address that
the portal is mounted at: nothing of a person, a token or the time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import cast

from flask import Flask, current_app, request
from markupsafe import Markup

from clearance.core import i18n

MOST_KEPT = 512


def init_app(app: Flask) -> None:
    """Keep nothing yet, and let templates call `fragment`."""
    app.extensions["fragments"] = {}
    app.jinja_env.globals["fragment"] = fragment


def fragment(template: str, macro: str, *arguments: Hashable) -> Markup:
    """Return what a macro of a template, which must not need its context, makes of `arguments`."""
    return once((template, macro, *arguments), lambda: draw(template, macro, *arguments))


def once(key: tuple[Hashable, ...], make: Callable[[], Markup]) -> Markup:
    """Return what `make` returned for this key, language and mount point."""
    kept: dict[Hashable, Markup] = current_app.extensions["fragments"]
    full_key = (key, i18n.language(), request.script_root)
    found = kept.get(full_key)
    if found is None:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        found = kept[full_key] = make()
    return found


def draw(template: str, macro: str, *arguments: object) -> Markup:
    """Return what a macro makes of `arguments`."""
    module = current_app.jinja_env.get_template(template).module
    return cast(Markup, getattr(module, macro)(*arguments))
