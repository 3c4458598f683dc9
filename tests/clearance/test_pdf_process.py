"""Looking into PDFs in a process of its own: verdicts, page pictures, and ends of that process."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from PIL import Image

from clearance import pdf_process, pdf_worker, previews
from clearance.errors import ServiceUnavailable
from tests import files


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        (files.pdf(3), {"pages": 3}),
        (files.pdf_with_bookmark_opening(), {"pages": 1}),
        (files.pdf_with_javascript(), {"fault": "active"}),
        (files.pdf_with_launch(), {"fault": "active"}),
        (files.pdf_with_attachment(), {"fault": "active"}),
        (files.pdf_encrypted(), {"fault": "encrypted"}),
        (files.pdf_encrypted("secret"), {"fault": "encrypted"}),
        (files.pdf(501), {"fault": "long"}),
        (files.truncated(files.pdf()), {"fault": "broken"}),
        (files.pdf_unpacking_to(80), {"fault": "broken"}),
        (files.HTML, {"fault": "broken"}),
    ],
)
def test_the_worker_judges_alone_as_in_its_process(data: bytes, verdict: dict[str, object]) -> None:
    assert pdf_worker.verdict(data) == verdict
    assert pdf_process.check(data) == pdf_process.Verdict(**verdict)


def test_a_page_is_drawn_as_wide_as_asked() -> None:
    data = files.pdf(2)
    assert pdf_worker.page_image(data, 2, 300) == pdf_process.render(data, 2, 300)
    with Image.open(io.BytesIO(pdf_process.render(data, 1, 300))) as picture:
        assert abs(picture.width - 300) <= 1


def test_a_page_of_a_mile_stays_within_bounds() -> None:
    picture = Image.open(io.BytesIO(pdf_process.render(files.pdf_strip(), 1, 1200)))
    assert picture.height <= pdf_worker.MAX_PIXELS_HIGH


def test_a_process_that_fails_or_takes_too_long_ends_in_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(pdf_process.PdfFailure):
        pdf_process.render(files.HTML, 1, 300)
    monkeypatch.setattr(pdf_process, "TIMEOUT_SECONDS", 0.001)
    with pytest.raises(pdf_process.PdfFailure):
        pdf_process.check(files.pdf())


def test_a_page_that_cannot_be_drawn_says_to_download_it(context: Flask) -> None:
    with pytest.raises(ServiceUnavailable) as caught:
        previews.draw(files.HTML, "application/pdf", 1, 240)
    assert "تنزيل الوثيقة" in str(caught.value.message)
