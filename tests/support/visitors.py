"""People who open public pages all the time, while something is done to the server."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from urllib.error import HTTPError
from urllib.request import urlopen

PAGES = ("/", "/guide", "/login", "/check", "/readyz")


class Visitors:
    """Some people who open pages all the time; what came of it is counted."""

    def __init__(self, url: str, number: int = 4) -> None:
        self.outcomes: Counter[str] = Counter()
        self.longest = 0.0
        self._url, self._ended = url, threading.Event()
        self._threads = [threading.Thread(target=self._go) for _ in range(number)]

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def open_more(self, number: int) -> None:
        """Wait until they have opened so many more pages."""
        enough = self.outcomes.total() + number
        while self.outcomes.total() < enough:
            time.sleep(0.1)

    def _go(self) -> None:
        while not self._ended.is_set():
            for page in PAGES:
                began = time.monotonic()
                self.outcomes[self._open(page)] += 1
                self.longest = max(self.longest, time.monotonic() - began)

    def _open(self, page: str) -> str:
        try:
            with urlopen(self._url + page, timeout=60) as answer:
                answer.read()
                return str(answer.status)
        except HTTPError as refused:
            return f"{refused.code} of {page}"
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__} of {page}"
