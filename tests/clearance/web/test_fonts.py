"""The web fonts: what they weigh, what they can write, that they are made the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from clearance.web import fonts

TOGETHER_AT_MOST = 95 * 1024
WRITTEN = "بوابة التخليص الجمركي پچژگکی ٠١٢٩ أُرسل «لا» ABCxyz 0123456789 Élan – … ؟"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Both fonts, made once."""
    return fonts.make_web_fonts(tmp_path_factory.mktemp("fonts"))


def test_both_weights_together_stay_within_their_budget(made: list[Path]) -> None:
    assert [path.name for path in made] == ["plex-arabic-400.woff2", "plex-arabic-700.woff2"]
    assert sum(path.stat().st_size for path in made) <= TOGETHER_AT_MOST


def test_fonts_hold_every_character_of_both_languages(made: list[Path]) -> None:
    for path in made:
        known = TTFont(path).getBestCmap()
        assert [letter for letter in WRITTEN if ord(letter) not in known] == []


def test_arabic_letters_keep_their_joined_forms_and_marks(made: list[Path]) -> None:
    for path in made:
        font = TTFont(path)
        features = {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}
        assert {"init", "medi", "fina"} <= features
        assert "mark" in {
            record.FeatureTag for record in font["GPOS"].table.FeatureList.FeatureRecord
        }


def test_making_fonts_again_gives_the_same_bytes(made: list[Path], tmp_path: Path) -> None:
    again = fonts.make_web_fonts(tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in made]


def test_stylesheet_asks_for_the_very_files_that_are_made(made: list[Path]) -> None:
    sheet = (Path(fonts.__file__).parents[2] / "static/css/clearance.css").read_text("utf-8")
    for path in made:
        assert f"../fonts/{path.name}" in sheet


def test_command_without_a_folder_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert fonts.main([]) == 2
    assert "OUT_DIR" in capsys.readouterr().err


def test_command_writes_the_fonts_into_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fonts.main([str(tmp_path / "new")]) == 0
    assert (tmp_path / "new/plex-arabic-700.woff2").exists()
    assert "plex-arabic-400.woff2" in capsys.readouterr().out
