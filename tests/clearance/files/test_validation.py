"""Which uploaded files are taken, what is cleaned out of them, and what is said of the others."""

from __future__ import annotations

import io
import random
import time
from collections import Counter
from random import Random
from resource import RUSAGE_CHILDREN, getrusage

import pikepdf
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from structlog.testing import capture_logs

from clearance.files import file_inspection, file_inspection_worker
from clearance.files.file_inspection_worker import Answer
from clearance.files.validation import BadFile, CleanFile, clean_file
from tests.support import files, odd_files
from tests.support.properties import examples

pytestmark = pytest.mark.usefixtures("patient")

KEEP = 10 * 1024 * 1024


def cleaned(name: str, data: bytes) -> CleanFile:
    return clean_file(name, data, KEEP)


def refusal(name: str, data: bytes) -> str:
    with pytest.raises(BadFile) as caught:
        cleaned(name, data)
    return str(caught.value.message)


@pytest.mark.parametrize(
    ("name", "data", "media_type", "pages"),
    [
        ("شهادة.pdf", files.pdf(3), "application/pdf", 3),
        ("SCAN.PDF", files.pdf_with_bookmark_opening(), "application/pdf", 1),
        ("a.jpg", files.jpeg(), "image/jpeg", 1),
        ("a.b.JPEG", files.jpeg(), "image/jpeg", 1),
        ("صورة.png", files.png(), "image/png", 1),
        ("padded.pdf", files.pdf() + b"\r\n\0\0", "application/pdf", 1),
    ],
)
def test_honest_files_are_taken(name: str, data: bytes, media_type: str, pages: int) -> None:
    clean = cleaned(name, data)
    assert (clean.media_type, clean.pages) == (media_type, pages)


@pytest.mark.parametrize(
    "data",
    [
        files.pdf_for_fast_web_view(),
        files.pdf_with_comment_after_end(),
        files.pdf_after_other_bytes(),
        files.pdf_with_wrong_places(),
        files.pdf_encrypted(),
        files.pdf_with_archive(),
    ],
    ids=["fast web view", "comment", "head of a mail", "places", "owner's password", "archive"],
)
def test_what_a_tolerant_reader_opens_is_taken_and_kept_sound(data: bytes) -> None:
    clean = cleaned("a.pdf", data)
    assert (clean.media_type, clean.pages) == ("application/pdf", 1)
    assert b"PK\x03\x04" not in clean.data
    with pikepdf.open(io.BytesIO(clean.data), attempt_recovery=False) as document:
        assert not document.is_encrypted and not document.get_warnings()
    assert cleaned("a.pdf", clean.data).data == clean.data


@pytest.mark.parametrize(
    "data",
    [
        files.pdf_opening_with(S="Named", N="Print"),
        files.pdf_opening_with(S="URI", URI="https://x.example"),
        files.pdf_with_page_action(),
        files.pdf_with_link(S="GoToR", F="\\\\server\\share\\a.pdf"),
        files.pdf_with_link(S="URI", URI="javascript:alert(1)"),
        files.pdf_with_link(S="URI", URI=" JavaScript :alert(1)"),
        files.pdf_with_link(S="URI", URI="file:///etc/passwd"),
        files.pdf_with_link(S="URI", URI="\\\\server\\share\\a.exe"),
    ],
    ids=["print", "web page", "page action", "other file", "script", "Script", "file", "UNC"],
)
def test_harmless_actions_are_cleaned_out_of_a_pdf(data: bytes) -> None:
    clean = cleaned("a.pdf", data)
    assert clean.pages == 1
    with pikepdf.open(io.BytesIO(clean.data)) as document:
        assert "/OpenAction" not in document.Root
        for thing in document.objects:
            if isinstance(thing, pikepdf.Dictionary):
                assert "/AA" not in thing and "/URI" not in thing and "/F" not in thing


def test_a_link_to_a_web_page_stays_as_the_pdf_has_it() -> None:
    data = files.pdf_with_link(S="URI", URI="https://www.customs.gov.kw")
    assert cleaned("a.pdf", data).data == data


@pytest.mark.parametrize("name", ["x.exe", "x.svg", "x.html", "x.pdf.js", "pdf", "x.", "", "x.gif"])
def test_other_endings_are_refused(context: Flask, name: str) -> None:
    assert "أو JPEG أو PNG، فالأنواع" in refusal(name, files.pdf())


@pytest.mark.parametrize("name", ["عقد.docx", "scan.TIFF", "table.xlsx"])
def test_for_documents_of_other_programs_it_is_told_how_to_make_a_pdf(
    context: Flask, name: str
) -> None:
    assert "حوّل هذا الملف إلى PDF" in refusal(name, b"PK\x03\x04")


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("photo.jpg", files.png(), "image/png"),
        ("photo.png", files.jpeg(), "image/jpeg"),
        ("scan.pdf", files.jpeg(), "image/jpeg"),
        ("scan.jpg", files.pdf(), "application/pdf"),
        ("sent.jpg", files.webp(), "image/jpeg"),
        ("IMG_1.HEIC", files.heic(), "image/jpeg"),
        ("IMG_1.jpg", files.heic(), "image/jpeg"),
        ("a.webp", files.webp("RGBA"), "image/jpeg"),
    ],
)
def test_the_content_decides_what_a_file_is(name: str, data: bytes, media_type: str) -> None:
    clean = cleaned(name, data)
    assert clean.media_type == media_type
    if media_type != "application/pdf":
        with Image.open(io.BytesIO(clean.data)) as picture:
            assert picture.size == (320, 400)


def test_what_is_see_through_becomes_white() -> None:
    with Image.open(io.BytesIO(cleaned("a.webp", files.webp("RGBA")).data)) as picture:
        assert min(picture.convert("L").crop((2, 2, 40, 40)).getdata()) > 245


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("page.pdf", files.HTML),
        ("page.png", files.HTML),
        ("late.pdf", files.HTML + b" " * 1024 + files.pdf()),
        ("noise.jpg", b"\x00" * 500),
        ("moving.jpg", odd_files.gif()),
    ],
)
def test_content_that_is_none_of_them_is_refused(context: Flask, name: str, data: bytes) -> None:
    assert "محتوى هذا الملف لا يطابق ما يدل عليه اسمه" in refusal(name, data)


def test_a_photo_of_24_megapixels_from_an_iphone_is_made_smaller() -> None:
    with Image.open(io.BytesIO(cleaned("a.heic", files.heic(5712, 4284)).data)) as picture:
        assert picture.size == (2856, 2142)


def test_a_heic_of_the_most_pixels_is_taken() -> None:
    assert cleaned("a.heic", files.heic(8000, 4000)).media_type == "image/jpeg"


def test_a_heic_of_10_bits_a_colour_is_taken() -> None:
    assert cleaned("a.heic", files.heic_of_10_bits(320, 400)).media_type == "image/jpeg"


def test_a_heic_whose_colours_need_too_much_memory_is_not_called_damaged(context: Flask) -> None:
    told = refusal("a.heic", files.heic_of_10_bits(8000, 4000))
    assert "معقّدة" in told


def test_a_heic_or_webp_of_too_many_pixels_is_refused(context: Flask) -> None:
    assert "32 مليون" in refusal("a.heic", files.heic(6001, 6000))
    out = io.BytesIO()
    Image.new("RGB", (4000, 2501)).save(out, "WEBP", quality=1, method=0)
    assert "10 ملايين" in refusal("a.webp", out.getvalue())


def test_a_webp_of_the_most_pixels_is_taken() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (4000, 2500), (9, 9, 9, 99)).save(out, "WEBP", quality=1, method=0)
    assert cleaned("a.webp", out.getvalue()).media_type == "image/jpeg"


def test_a_crash_of_the_check_is_logged_and_not_the_files_fault(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer("crashed", data=b"Traceback: NameError")
    monkeypatch.setattr(file_inspection, "_answer_of", lambda *_: answer)
    with capture_logs() as logs:
        told = refusal("a.pdf", files.pdf())
    assert "تالف" not in told and "سُجّل الخلل" in told
    assert [log["event"] for log in logs] == ["file_inspection_crashed"]


def test_an_empty_file_is_refused(context: Flask) -> None:
    assert "فارغ" in refusal("a.pdf", b"")


@pytest.mark.parametrize(
    "data",
    [
        files.pdf_with_javascript(),
        files.pdf_with_named_script(),
        files.pdf_with_launch(),
        files.pdf_with_attachment(),
        files.pdf_of_an_outside_stream(),
        files.pdf_with_hidden_name(),
    ],
    ids=["opening script", "named script", "launch", "attachment", "outside", "#4a#53"],
)
def test_a_pdf_that_does_or_carries_something_is_refused(context: Flask, data: bytes) -> None:
    assert "برنامج أو ملف آخر" in refusal("a.pdf", data)


def test_a_pdf_that_opens_only_with_a_password_is_refused(context: Flask) -> None:
    assert "محمي" in refusal("a.pdf", files.pdf_encrypted("secret"))


@pytest.mark.parametrize(
    "data",
    [
        files.truncated(files.pdf()),
        files.pdf()[:300] + b"\n%%EOF",
        b"%PDF-1.7\n%%EOF",
        files.pdf_without_pages(),
    ],
    ids=["truncated", "cut", "hollow", "no pages"],
)
def test_a_damaged_or_doubtful_pdf_is_refused_soon(context: Flask, data: bytes) -> None:
    start = time.monotonic()
    assert "تالف" in refusal("a.pdf", data)
    assert time.monotonic() - start < 10


def test_a_bomb_in_a_pdf_is_cut_out_within_the_limits() -> None:
    before = getrusage(RUSAGE_CHILDREN)
    assert len(cleaned("a.pdf", files.pdf_unpacking_to(2_000)).data) < 2_000
    used = getrusage(RUSAGE_CHILDREN)
    assert used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime < 2.4


def verdict_here(pdf: bytes) -> str:
    """The check's verdict from this process, since a crash in the worker's would only be a word."""
    return file_inspection_worker.answer_to("check_pdf", pdf, []).fault


def test_most_odd_objects_are_taken() -> None:
    verdicts = Counter(verdict_here(odd_files.odd_values(Random(seed))) for seed in range(60))
    assert verdicts[""] > 40


def entries_of(inner: st.SearchStrategy[bytes], most: int = 3) -> st.SearchStrategy[bytes]:
    """Keys with a value each, as they stand in a PDF's dictionary."""
    found = st.dictionaries(st.sampled_from(odd_files.ODD_KEYS), inner, max_size=most)
    return found.map(lambda pairs: b"".join(b"%b %b" % pair for pair in pairs.items()))


ODD = st.recursive(
    st.sampled_from(odd_files.ODD_VALUES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: b"[%b]" % b" ".join(items)),
        entries_of(inner).map(lambda entries: b"<<%b>>" % entries),
    ),
    max_leaves=5,
)


@examples(max_examples=50)
@given(st.tuples(*[entries_of(ODD)] * 4), st.lists(ODD, max_size=3))
def test_odd_objects_in_each_other_never_crash_the_check(
    entries: tuple[bytes, bytes, bytes, bytes], others: list[bytes]
) -> None:
    assert verdict_here(odd_files.pdf_with(*entries, others)) != "crashed"


def test_a_pdf_of_too_many_pages_is_refused(context: Flask) -> None:
    assert "طويل" in refusal("a.pdf", files.pdf(501))


def test_a_pdf_keeps_its_bytes() -> None:
    data = files.pdf(2)
    assert cleaned("a.pdf", data).data == data


@pytest.mark.parametrize(
    "data",
    [
        odd_files.slow_pages(12),
        odd_files.slow_pages(1, 100_000),
        odd_files.inner_dictionaries(300_000),
        odd_files.pdf_page(content=b" " * 30_000_000),
        odd_files.pdf_page(content=b"q " * 9_000_000),
    ],
    ids=["124 KB of rectangles", "few but slow", "inner dictionaries", "long content", "one page"],
)
def test_a_pdf_that_needs_too_much_is_called_complex_soon(context: Flask, data: bytes) -> None:
    before = getrusage(RUSAGE_CHILDREN)
    assert "معقّد" in refusal("a.pdf", data)
    used = getrusage(RUSAGE_CHILDREN)
    assert used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime < 2.4


def test_a_file_is_not_blamed_for_a_slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_inspection, "WALL_SECONDS", 0.001)
    for name, data in (("a.pdf", files.pdf()), ("a.png", files.png())):
        with pytest.raises(file_inspection.Busy):
            cleaned(name, data)


def test_the_picture_loses_place_camera_and_comment_and_stands_upright() -> None:
    original = files.jpeg_with_place()
    assert b"CameraOfTheTest" in original
    data = cleaned("a.jpg", original).data
    for trace in (b"CameraOfTheTest", b"Exif", b"written-by-a-test", b"GPS"):
        assert trace not in data
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (200, 400)
        assert not picture.getexif()


def test_text_in_a_png_goes() -> None:
    original = files.png_with_text()
    assert b"secret-in-a-chunk" in original
    assert b"secret-in-a-chunk" not in cleaned("a.png", original).data


def test_what_hides_behind_a_picture_goes() -> None:
    data = cleaned("a.jpg", files.jpeg_with_html()).data
    assert b"<script>" not in data
    assert b"PK\x03\x04" not in data
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_pictures_of_every_kind_stay_what_they_show(mode: str) -> None:
    form, name = ("JPEG", "a.jpg") if mode == "CMYK" else ("PNG", "a.png")
    out = io.BytesIO()
    source = files.photo(40, 50)
    (Image.new("I;16", (40, 50), 900) if mode == "I;16" else source.convert(mode)).save(out, form)
    with Image.open(io.BytesIO(cleaned(name, out.getvalue()).data)) as picture:
        assert picture.size == (40, 50)
        picture.convert("RGB").load()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jpg", files.truncated(files.jpeg(), 0.3)),
        ("a.png", files.truncated(files.png())),
        ("a.png", files.png()[:60] + b"\xff" * 400),
        ("a.jpg", files.jpeg()[:20]),
    ],
)
def test_a_damaged_picture_is_refused(context: Flask, name: str, data: bytes) -> None:
    assert "الصورة تالفة" in refusal(name, data)


def test_a_picture_that_unpacks_to_too_much_is_refused_before_it_does(context: Flask) -> None:
    bomb = files.pixel_bomb()
    assert len(bomb) < 100_000
    assert "40 مليون" in refusal("a.png", bomb)
    assert "40 مليون" in refusal("a.png", files.png_claiming(60_000, 60_000))
    assert "64 مليون" in refusal("a.jpg", odd_files.jpeg_claiming(9000, 9000))


def test_sixteen_bits_a_colour_count_twice(context: Flask) -> None:
    assert "16 بت" in refusal("a.png", odd_files.plain_png((8000, 4999), 16, 6))
    assert cleaned("a.png", odd_files.plain_png((3000, 2000), 16, 6)).pages == 1


@pytest.mark.parametrize(
    ("colour", "kept"), [(0, (8000, 5000)), (2, (4000, 2500)), (6, (4000, 2500))]
)
def test_a_png_of_forty_million_pixels_is_taken(colour: int, kept: tuple[int, int]) -> None:
    """Made smaller where packing all of its colours would take too long."""
    clean = cleaned("a.png", odd_files.plain_png((8000, 5000), 8, colour))
    with Image.open(io.BytesIO(clean.data)) as picture:
        assert picture.size == kept


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photo_of_a_phone_of_64_megapixels_is_made_smaller(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.new("RGB", (9248, 6936), "teal").save(out, "JPEG", exif=exif.tobytes())
    with Image.open(io.BytesIO(cleaned("a.jpg", out.getvalue()).data)) as picture:
        assert sorted(picture.size) == [3468, 4624]
        assert (picture.height > picture.width) == (orientation == 6)


def test_a_picture_is_kept_within_its_bytes() -> None:
    out = io.BytesIO()
    Image.frombytes("RGB", (600, 400), random.Random(1).randbytes(720_000)).save(out, "PNG")
    clean = clean_file("a.png", out.getvalue(), 300_000)
    assert len(clean.data) <= 300_000
    with Image.open(io.BytesIO(clean.data)) as picture:
        assert picture.size == (300, 200)


def test_a_picture_that_needs_too_much_is_called_complex(context: Flask) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8000, 8000)).save(out, "JPEG", progressive=True, subsampling=0)
    assert "معقّدة" in refusal("a.jpg", out.getvalue())


@pytest.mark.parametrize("seed", range(0, 5 * len(odd_files.BUILDERS), 5))
def test_any_file_at_all_gets_a_verdict(context: Flask, seed: int) -> None:
    odd_files.verdict_on(*odd_files.odd_file(seed))


@pytest.mark.heavy
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", range(1000, 1000 + len(odd_files.BUILDERS), 20))
def test_many_hostile_files_get_a_verdict_within_the_limits(first: int) -> None:
    """Neighbours differ in kind, so that each kind comes."""
    for judged in odd_files.judge_apart(first, 20):
        assert judged.processor < 2.4, judged  # the kernel looks at the clock now and then
        assert judged.resident < 250, judged


def test_the_builders_make_pdfs_that_open() -> None:
    for data in (files.pdf_with_launch(), files.pdf_with_attachment(), files.pdf_encrypted()):
        with pikepdf.open(io.BytesIO(data)) as document:
            assert len(document.pages) == 1
