"""What an installation needs besides the code: the compiled Arabic catalogue and the web fonts."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from clearance.core.i18n import LANGUAGES
from clearance.core.settings import ROOT, BadSettings, Mode, Settings

SOURCE_LANGUAGE = "en"


def missing() -> Iterator[str]:
    """Yield what is not there, in words."""
    for lang in LANGUAGES:
        catalogue = ROOT / "translations" / lang / "LC_MESSAGES" / "messages.mo"
        if lang != SOURCE_LANGUAGE and not catalogue.is_file():
            yield f"the catalogue of texts for “{lang}”"
    if not any((ROOT / "static" / "fonts").glob("*.woff2")):
        yield "the web fonts"


def check(settings: Settings) -> None:
    """Refuse to serve an incomplete installation in production; commands only warn of it.

    Raises: BadSettings.
    """
    lacking = " and ".join(missing())
    if settings.mode is not Mode.PRODUCTION or not lacking:
        return
    fault = f"{lacking} missing: run make install."
    if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
        raise BadSettings(fault[0].upper() + fault[1:])
    click.echo(f"Warning: {fault}", err=True)
