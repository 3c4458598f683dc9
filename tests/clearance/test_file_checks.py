"""Which uploaded files are taken, what is cleaned out of them, and what is said of the others."""

from __future__ import annotations

import io
import time

import pikepdf
import pytest
from flask import Flask
from PIL import Image

from clearance import pdf_process
from clearance.file_checks import BadFile, clean_file
from tests import files


def refusal(name: str, data: bytes) -> str:
    with pytest.raises(BadFile) as caught:
        clean_file(name, data)
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
    clean = clean_file(name, data)
    assert (clean.media_type, clean.pages) == (media_type, pages)


@pytest.mark.parametrize("name", ["x.exe", "x.svg", "x.html", "x.pdf.js", "pdf", "x.", "", "x.gif"])
def test_other_endings_are_refused(context: Flask, name: str) -> None:
    assert "أو JPEG أو PNG، فالأنواع" in refusal(name, files.pdf())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("photo.jpg", files.png()),
        ("photo.png", files.jpeg()),
        ("scan.pdf", files.jpeg()),
        ("scan.jpg", files.pdf()),
        ("page.pdf", files.HTML),
        ("page.png", files.HTML),
        ("late.pdf", files.HTML + files.pdf()),
        ("noise.jpg", b"\x00" * 500),
    ],
)
def test_content_that_is_not_what_the_name_says_is_refused(
    context: Flask, name: str, data: bytes
) -> None:
    assert "محتوى هذا الملف لا يطابق ما يدل عليه اسمه" in refusal(name, data)


def test_an_empty_file_is_refused(context: Flask) -> None:
    assert "فارغ" in refusal("a.pdf", b"")


@pytest.mark.parametrize(
    "data",
    [
        files.pdf_with_javascript(),
        files.pdf_with_named_script(),
        files.pdf_with_launch(),
        files.pdf_with_attachment(),
        files.pdf_with_page_action(),
        files.pdf_with_hidden_name(),
    ],
    ids=["opening script", "named script", "launch", "attachment", "page action", "#4a#53"],
)
def test_a_pdf_that_does_or_carries_something_is_refused(context: Flask, data: bytes) -> None:
    assert "برنامج أو ملف آخر" in refusal("a.pdf", data)


@pytest.mark.parametrize("data", [files.pdf_encrypted(), files.pdf_encrypted("secret")])
def test_a_protected_pdf_is_refused(context: Flask, data: bytes) -> None:
    assert "محمي" in refusal("a.pdf", data)


@pytest.mark.parametrize(
    "data",
    [
        files.truncated(files.pdf()),
        files.pdf()[:300] + b"\n%%EOF",
        b"%PDF-1.7\n%%EOF",
        files.pdf_with_archive(),
        files.pdf_unpacking_to(2_000),
        files.pdf_without_pages(),
    ],
    ids=["truncated", "cut", "hollow", "polyglot", "bomb", "no pages"],
)
def test_a_damaged_or_doubtful_pdf_is_refused_soon(context: Flask, data: bytes) -> None:
    start = time.monotonic()
    assert "تالف" in refusal("a.pdf", data)
    assert time.monotonic() - start < 10


def test_a_pdf_of_too_many_pages_is_refused(context: Flask) -> None:
    assert "طويل" in refusal("a.pdf", files.pdf(501))


def test_a_pdf_keeps_its_bytes() -> None:
    data = files.pdf(2)
    assert clean_file("a.pdf", data).data == data


def test_a_pdf_that_ends_its_process_is_only_refused(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_process, "TIMEOUT_SECONDS", 0.001)
    assert "تالف" in refusal("a.pdf", files.pdf())


def test_the_picture_loses_place_camera_and_comment_and_stands_upright() -> None:
    original = files.jpeg_with_place()
    assert b"CameraOfTheTest" in original
    data = clean_file("a.jpg", original).data
    for trace in (b"CameraOfTheTest", b"Exif", b"written-by-a-test", b"GPS"):
        assert trace not in data
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (200, 400)
        assert not picture.getexif()


def test_text_in_a_png_goes() -> None:
    original = files.png_with_text()
    assert b"secret-in-a-chunk" in original
    assert b"secret-in-a-chunk" not in clean_file("a.png", original).data


def test_what_hides_behind_a_picture_goes() -> None:
    data = clean_file("a.jpg", files.jpeg_with_html()).data
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
    with Image.open(io.BytesIO(clean_file(name, out.getvalue()).data)) as picture:
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
    assert "40 مليون بكسل" in refusal("a.png", bomb)
    assert "40 مليون بكسل" in refusal("a.png", files.png_claiming(60_000, 60_000))


def test_a_picture_of_forty_million_pixels_is_taken() -> None:
    assert clean_file("a.png", files.pixel_bomb(8000, 5000)).media_type == "image/png"


def test_the_builders_make_pdfs_that_open() -> None:
    for data in (files.pdf_with_launch(), files.pdf_with_attachment(), files.pdf_encrypted()):
        with pikepdf.open(io.BytesIO(data)) as document:
            assert len(document.pages) == 1
