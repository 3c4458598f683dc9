"""Certificates, cards and letters on paper: words, places, codes, and what can never get there."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime
from typing import Any

import pikepdf
import pytest
from PIL import Image

from clearance.issuing.rendering import PHOTO_SIZE, Sheet, issued_pdf, portrait
from tests.support import files, papers

ISSUED = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
CODE = "ABCDEFGHIJKLMNOPQR27"
URL = f"https://clearance.example.kw/check/{CODE}"
NAME_60 = "عبد الرحمن محمد عبد اللطيف إبراهيم عبد المحسن السويلم العجمي"
HOSTILE = '#image("/etc/passwd") *bold* $x$ \\u{48} <tag> @ref // x'


def sheet(kind: str, language: str = "ar", **content: Any) -> Sheet:
    """A snapshot as issuing takes it; content replaces what is made up."""
    known: dict[str, Any] = {
        "check_url": URL,
        "number": "KW-70001",
        "holder": {"ar": "أحمد عبد الله العنزي", "en": "Ahmad Abdullah Alenezi"},
        "broker_type": {"ar": "مخلص خاص", "en": "Private broker"},
        "issued": "2026-03-15",
        "valid_until": "2030-06-30",
        "dated": "2026-11-22",
        "civil_id": "288010100012",
        "guarantee_no": "02/209/000006/2002",
        "organisation": {"ar": "مكتب الخليج", "en": "Gulf Office"},
        "photo": None,
        "status": "active",
        "request_number": "WL/8/26",
        "addressee": {"ar": "", "en": ""},
        "purpose": {"ar": "", "en": ""},
    }
    return Sheet(kind, language, CODE, known | content, ISSUED)


def squeezed(text: str) -> str:
    """Text without white space: a page has none, only places."""
    return "".join(text.split())


SHEETS = {
    "certificate": sheet("certificate"),
    "card": sheet("card"),
    "letter in Arabic": sheet("letter", "ar"),
    "letter in English": sheet("letter", "en"),
}


@pytest.fixture(scope="module")
def printed() -> dict[str, bytes]:
    """Each sheet, set once."""
    return {name: issued_pdf(each) for name, each in SHEETS.items()}


@pytest.mark.parametrize("name", SHEETS)
def test_the_square_code_in_the_picture_leads_to_the_check(
    printed: dict[str, bytes], name: str
) -> None:
    data = printed[name]
    assert papers.codes_in(papers.picture(data, len(papers.sizes(data)) - 1)) == [URL]
    on_paper = squeezed(papers.seen(data, len(papers.sizes(data)) - 1))
    assert "ABCD-EFGH-IJKL" in on_paper and "MNOP-QR27" in on_paper


def test_the_certificate_says_all_in_both_languages_on_one_page(
    printed: dict[str, bytes],
) -> None:
    data = printed["certificate"]
    assert papers.sizes(data) == [(210.0, 297.0)]
    on_paper = squeezed(papers.seen(data))
    for told in ("KW-70001", "15/03/2026", "30/06/2030", "02/209/000006/2002", "288010100012"):
        assert told in on_paper
    for told in ("CustomsClearanceLicence", "AhmadAbdullahAlenezi", "Privatebroker"):
        assert told in on_paper
    text = squeezed(papers.text_of(data))
    for told in ("رخصة", "مزاولة", "العنزي", "نوعالمخلص", "الضمان"):
        assert told in text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("certificate", ("رمزالوثيقة",)),
        ("letter in Arabic", ("رمزالوثيقة",)),
        ("letter in English", ("documentcode",)),
    ],
)
def test_the_printed_code_is_called_document_code(
    printed: dict[str, bytes], name: str, told: tuple[str, ...]
) -> None:
    text = squeezed(papers.text_of(printed[name]))
    assert [words for words in told if words not in text] == []
    assert "verification" not in text


@pytest.mark.parametrize(
    ("gender", "told"),
    [
        ("female", ("المذكورةأدناهمرخصلها", "صاحبةالبياناتالتاليةمقيدة", "ولصاحبةالرخصة")),
        ("male", ("المذكورأدناهمرخصله", "صاحبالبياناتالتاليةمقيد", "ولصاحبالرخصة")),
        ("", ("المذكورأدناهمرخصله", "صاحبالبياناتالتاليةمقيد", "ولصاحبالرخصة")),
    ],
)
def test_arabic_agrees_with_the_holder(gender: str, told: tuple[str, ...]) -> None:
    papers_of_both = (sheet("certificate", gender=gender), sheet("letter", "ar", gender=gender))
    text = squeezed("".join(papers.text_of(issued_pdf(each)) for each in papers_of_both))
    assert [words for words in told if words not in text] == []


def test_the_card_has_two_faces_of_its_size(printed: dict[str, bytes]) -> None:
    data = printed["card"]
    assert papers.sizes(data) == [(85.6, 54.0)] * 2
    front, back = (squeezed(papers.seen(data, page)) for page in (0, 1))
    for told in ("KW-70001", "30/06/2030", "AhmadAbdullahAlenezi", "Privatebroker"):
        assert told in front
    for told in ("KW-70001", "GulfOffice", "22/11/2026"):
        assert told in back
    text = squeezed(papers.text_of(data))
    for told in ("أحمد", "مخلصخاص", "مكتبالخليج", "بطاقة"):
        assert told in text


@pytest.mark.parametrize(
    ("ar", "en"),
    [
        (NAME_60, "Abdulrahman Mohammad Abdullatif Ibrahim Abdulmohsen Alsuwail"),
        ("عبدالرحمنعبدالرحمنعبدالرحمن " * 8, "Abdulrahmanabdulrahmanabdulra " * 8),
    ],
)
def test_the_longest_names_stay_in_their_place_on_the_card(ar: str, en: str) -> None:
    short = papers.letters(issued_pdf(sheet("card", holder={"ar": "علي", "en": "Ali"})))
    data = issued_pdf(sheet("card", holder={"ar": ar, "en": en}))
    assert len(papers.sizes(data)) == 2
    name = set(papers.letters(data)) - set(short)
    assert len(name) >= len(en.replace(" ", "")) + 20
    # Below the title, above the next label, right of the photo, left of the margin.
    below = min(each.top for each in short if each.top > 30)
    assert min(each.top for each in name) > 13
    assert max(each.bottom for each in name) < below
    assert min(each.left for each in name) > 27.5
    assert max(each.right for each in name) < 82.5
    everything = papers.letters(data, 0) + papers.letters(data, 1)
    assert max(each.bottom for each in everything) < 54


def test_nothing_else_on_the_card_leaves_its_place_when_long() -> None:
    long = {"ar": "شركة الخليج العربي " * 8, "en": "Arabian Gulf Company " * 7}
    data = issued_pdf(sheet("card", organisation=long, broker_type=long))
    assert len(papers.sizes(data)) == 2
    for page in (0, 1):
        found = papers.letters(data, page)
        assert max(each.bottom for each in found) < 54
        assert min(each.left for each in found) > 3
    assert papers.codes_in(papers.picture(data, 1)) == [URL]


def test_the_longest_certificate_is_still_one_page() -> None:
    name = {"ar": "عبدالرحمن " * 24, "en": "Abdulrahman " * 20}
    data = issued_pdf(sheet("certificate", holder=name, guarantee_no="LG " + "7" * 70))
    assert papers.sizes(data) == [(210.0, 297.0)]


def test_the_photo_is_cut_to_the_card_and_a_silhouette_stands_in_for_none() -> None:
    photo = portrait(files.jpeg(900, 700))
    with Image.open(io.BytesIO(photo)) as cut:
        assert (cut.format, cut.size, cut.info.get("exif")) == ("JPEG", PHOTO_SIZE, None)
    with_photo, without = issued_pdf(sheet("card"), photo), issued_pdf(sheet("card"))
    place = (30, 160, 195, 390)  # the photo's, in the scanner's dots
    first, second = (papers.picture(each).crop(place) for each in (with_photo, without))
    assert first.tobytes() != second.tobytes()
    assert len(set(second.getdata())) > 5  # paper, head, shoulders and their edges


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA"])
def test_a_picture_of_any_kind_is_shown_on_white_paper(mode: str) -> None:
    picture = Image.new("RGBA", (800, 1100), (0, 0, 0, 0 if mode in {"RGBA", "LA"} else 255))
    picture.paste((255, 255, 255, 255), (0, 0, 800, 100))
    made = io.BytesIO()
    picture.convert(mode).save(made, "JPEG" if mode in {"RGB", "L"} else "PNG")
    with Image.open(io.BytesIO(portrait(made.getvalue()))) as shown:
        assert (shown.mode, shown.size) == ("RGB", PHOTO_SIZE)
        top, middle = (shown.getpixel((180, y)) for y in (5, 240))
    assert min(top) > 250
    assert (min(middle) > 250) if mode in {"RGBA", "LA"} else (max(middle) < 5)


@pytest.mark.parametrize("data", [b"", b"no picture", files.pdf(), files.truncated(files.png())])
def test_what_is_no_picture_is_no_portrait(data: bytes) -> None:
    with pytest.raises(OSError, match="image"):
        portrait(data)


STATUSES = {
    "active": ("سارية", "Active"),
    "suspended": ("موقوفة", "Suspended"),
    "cancelled": ("ملغاة", "Cancelled"),
    "expired": ("منتهية", "Expired"),
}


@pytest.mark.parametrize("status", STATUSES)
def test_the_letter_states_status_number_and_days_in_the_language_asked_for(status: str) -> None:
    for language, word in zip(("ar", "en"), STATUSES[status], strict=True):
        addressee = {"ar": "بنك الكويت الوطني (NBK)", "en": "بنك الكويت الوطني (NBK)"}
        purpose = dict.fromkeys(("ar", "en"), "فتح حساب Gulf رقم 2/55")
        data = issued_pdf(
            sheet("letter", language, status=status, addressee=addressee, purpose=purpose)
        )
        text, on_paper = papers.text_of(data), papers.seen(data)
        assert word in text.split()
        for told in (
            "KW-70001",
            "WL/8/26",
            "15/03/2026",
            "30/06/2030",
            "22/11/2026",
            "NBK",
            "2/55",
        ):
            assert told in on_paper
        assert ("Yours faithfully," in text) == (language == "en")
        with pikepdf.open(io.BytesIO(data)) as document:
            assert str(document.Root.Lang) == language


def test_a_long_letter_goes_on_over_more_pages_with_its_code_on_the_last() -> None:
    purpose = dict.fromkeys(("ar", "en"), "لغرض تقديمها إلى الجهات المختصة. " * 80 + "\nسطر ثانٍ")
    data = issued_pdf(sheet("letter", purpose=purpose))
    assert len(papers.sizes(data)) > 1
    assert papers.codes_in(papers.picture(data, len(papers.sizes(data)) - 1)) == [URL]


@pytest.mark.parametrize("kind", ["certificate", "card", "letter"])
def test_what_came_from_people_is_never_markup(kind: str) -> None:
    hostile = {"ar": HOSTILE, "en": HOSTILE}
    data = issued_pdf(
        sheet(kind, "en", holder=hostile, organisation=hostile, addressee=hostile, purpose=hostile)
    )
    assert squeezed(HOSTILE) in squeezed(papers.seen(data))


@pytest.mark.parametrize("name", SHEETS)
def test_the_same_row_gives_the_same_bytes_tagged_and_in_our_fonts(
    printed: dict[str, bytes], name: str
) -> None:
    assert issued_pdf(SHEETS[name]) == printed[name]
    with pikepdf.open(io.BytesIO(printed[name])) as document:
        assert bool(document.Root.MarkInfo.Marked)
        assert str(document.docinfo["/Title"])
        fonts = {
            str(font.BaseFont).rpartition("+")[2]
            for page in document.pages
            for font in page.Resources.Font.values()
        }
    assert all(font.startswith(("IBMPlexSansArabic", "Amiri")) for font in fonts), fonts


def test_certificates_are_set_quickly() -> None:
    """100 in 10 s on 2 cores (benchmarks/issuing.py); here some, with room for a busy machine."""
    issued_pdf(SHEETS["certificate"])
    began = time.process_time()
    for number in range(8):
        issued_pdf(sheet("certificate", number=f"KW-{number}"))
    assert time.process_time() - began < 1.6
