"""Production serves with all its texts and fonts, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearance.core.settings import BadSettings, Mode, Settings
from clearance.web import installation


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which nothing was built."""
    monkeypatch.setattr(installation, "ROOT", tmp_path)
    monkeypatch.delenv("FLASK_RUN_FROM_CLI", raising=False)
    return tmp_path


def build(root: Path, *files: str) -> None:
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


CATALOGUE = "translations/ar/LC_MESSAGES/messages.mo"
FONT = "static/fonts/plex-arabic-400.woff2"


@pytest.mark.parametrize(
    ("built", "lacking"),
    [
        ([], "The catalogue of texts for “ar” and the web fonts missing"),
        ([CATALOGUE], "The web fonts missing"),
        ([FONT], "The catalogue of texts for “ar” missing"),
    ],
)
def test_production_refuses_to_serve_what_is_not_built(
    bare: Path, built: list[str], lacking: str
) -> None:
    build(bare, *built)
    with pytest.raises(BadSettings, match=lacking):
        installation.check(Settings(mode=Mode.PRODUCTION))
    installation.check(Settings(mode=Mode.DEMO))


def test_a_command_warns_and_goes_on(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    installation.check(Settings(mode=Mode.PRODUCTION))
    assert "run make install" in capsys.readouterr().err


def test_a_complete_installation_serves(bare: Path) -> None:
    build(bare, CATALOGUE, FONT)
    installation.check(Settings(mode=Mode.PRODUCTION))
    assert list(installation.missing()) == []
