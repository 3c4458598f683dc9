"""Files in a process of their own: verdicts, pictures, limits, and how many wait for it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from PIL import Image

from clearance.files import file_inspection, file_inspection_worker, pdf_inspection_worker
from clearance.files.file_inspection import Busy
from clearance.files.file_inspection_worker import Answer
from clearance.web import serving
from tests.support import files, odd_files

pytestmark = pytest.mark.usefixtures("patient")


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (files.pdf(3), Answer(pages=3)),
        (files.pdf_with_bookmark_opening(), Answer(pages=1)),
        (odd_files.pdf_page(b"[+.5 <</A +1.5>> -.2 (+.5)]"), Answer(pages=1)),
        (odd_files.pdf_page(b"[+.5 <</S/JavaScript>>]"), Answer("active")),
        (files.pdf_with_javascript(), Answer("active")),
        (files.pdf_with_launch(), Answer("active")),
        (files.pdf_with_attachment(), Answer("active")),
        (files.pdf_encrypted("secret"), Answer("encrypted")),
        (files.pdf(501), Answer("long")),
        (odd_files.inner_dictionaries(300_000), Answer("complex")),
        (odd_files.slow_pages(12), Answer("complex")),
        (files.truncated(files.pdf()), Answer("broken")),
        (files.HTML, Answer("broken")),
    ],
)
def test_the_worker_judges_alone_as_in_its_process(data: bytes, answer: Answer) -> None:
    assert file_inspection_worker.answer_to("check_pdf", data, []) == answer
    assert file_inspection.check_pdf(data, "") == answer


def test_a_page_is_drawn_as_wide_as_asked() -> None:
    data = files.pdf(2)
    assert pdf_inspection_worker.draw_page(data, "2", "300") == file_inspection.draw_page(
        data, 2, 300, ""
    )
    with Image.open(io.BytesIO(file_inspection.draw_page(data, 1, 300, "").data)) as picture:
        assert abs(picture.width - 300) <= 1


def test_a_page_of_a_mile_stays_within_bounds() -> None:
    answer = file_inspection.draw_page(files.pdf_strip(), 1, 1200, "")
    assert Image.open(io.BytesIO(answer.data)).height <= pdf_inspection_worker.MAX_PIXELS_HIGH


@pytest.mark.parametrize(("width", "size"), [(240, (240, 60)), (1200, (1200, 300))])
def test_a_picture_is_drawn_as_wide_as_asked(width: int, size: tuple[int, int]) -> None:
    for data in (files.jpeg(2400, 600), files.png(2400, 600)):
        answer = file_inspection.draw_picture(data, width, "")
        assert Image.open(io.BytesIO(answer.data)).size == size


def test_a_worker_is_ended_by_its_limits_and_the_file_called_complex() -> None:
    slow = odd_files.late_slow_pages()
    assert file_inspection.draw_page(slow, odd_files.LATE + 1, 1200, "") == Answer("complex")
    large = odd_files.plain_png((9000, 9000), 8, 6)
    assert file_inspection.draw_picture(large, 240, "") == Answer("complex")


def test_memory_is_limited_to_what_a_file_may_add(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[int, Any] = {}
    monkeypatch.setattr(file_inspection_worker.resource, "setrlimit", limits.__setitem__)
    file_inspection_worker.limit_growth()
    mapped = file_inspection_worker._mapped_bytes()
    [(most, hardest)] = limits.values()
    assert most == hardest
    assert abs(most - mapped - 200 * 1024 * 1024) < 32 * 1024 * 1024


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[str]], int]]:
    """Workers that never end: asks for a page for each account at once; returns how many were sent
    away while the others ran or waited.
    """
    end, threads = Event(), []

    def run(*_args: Any, **_options: Any) -> Any:
        end.wait(60)
        raise file_inspection.subprocess.TimeoutExpired("worker", 10)

    def ask_all(accounts: list[str]) -> int:
        sent_away: list[str] = []
        before = file_inspection._inside[""]

        def ask(account: str) -> None:
            try:
                file_inspection.draw_page(b"", 1, 240, account)
            except Busy:
                sent_away.append(account)

        threads.extend(Thread(target=ask, args=(account,)) for account in accounts)
        for thread in threads[-len(accounts) :]:
            thread.start()
        deadline = monotonic() + 30
        while len(sent_away) + file_inspection._inside[""] - before < len(accounts):
            assert monotonic() < deadline
            sleep(0.01)
        return len(sent_away)

    monkeypatch.setattr(file_inspection.subprocess, "run", run)
    yield ask_all
    end.set()
    for thread in threads:
        thread.join()


def test_no_more_than_some_threads_wait_for_pictures(house: Callable[[list[str]], int]) -> None:
    """And so pictures leave places for uploads."""
    drawing = file_inspection.INSIDE_A_TASK["draw"]
    assert house([f"user:{number}" for number in range(20)]) == 20 - drawing
    assert drawing < file_inspection.INSIDE < serving.WEB_THREADS


def test_one_account_leaves_a_place_for_another(house: Callable[[list[str]], int]) -> None:
    assert house(["user:1"] * 20) == 20 - file_inspection.INSIDE_AN_ACCOUNT
    assert house(["user:2"]) == 0


def test_nobody_waits_without_end(
    house: Callable[[list[str]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_inspection, "WAIT_SECONDS", 0.1)
    house(["user:1", "user:2"])
    start = monotonic()
    with pytest.raises(Busy):
        file_inspection.draw_page(b"", 1, 240, "user:3")
    assert 0.1 <= monotonic() - start < 30


def test_places_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for _time in range(2 * file_inspection.INSIDE):
        assert file_inspection.draw_page(files.pdf(), 1, 240, "user:1").fault == ""
    with monkeypatch.context() as patch:
        patch.setattr(file_inspection, "WALL_SECONDS", 0.001)
        for _time in range(2 * file_inspection.INSIDE):
            with pytest.raises(Busy):
                file_inspection.check_pdf(files.pdf(), "user:1")
    assert not any(file_inspection._inside.values())
    assert file_inspection.check_pdf(files.pdf(), "user:1").pages == 1
