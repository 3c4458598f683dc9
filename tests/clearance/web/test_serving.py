"""Real servers: slow clients do not stop them, broken exports are seen as broken."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from clearance.web import serving
from tests.support import servers, serving_extension

CROWD = 120
THREADS = 16  # of both workers
FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
HEAD = b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\nemail="


@pytest.fixture(scope="module", params=servers.KINDS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Host and port of the portal behind one of its servers."""
    folder = tmp_path_factory.mktemp(request.param)
    database = f"sqlite:///{folder / 'served.sqlite'}"
    with servers.served(
        request.param, database, folder, EXTENSIONS="tests.support.serving_extension"
    ) as url:
        yield urlsplit(url).netloc


def connect(server: str) -> socket.socket:
    host, port = server.split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def get(server: str, path: str) -> Any:
    connection = http.client.HTTPConnection(server, timeout=30)
    connection.request("GET", path)
    return connection.getresponse()


def ask_as_1_0(server: str, path: str) -> tuple[bytes, bytes]:
    """Head and body of an answer in HTTP/1.0, read until the connection ends."""
    with connect(server) as asking:
        asking.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
        with asking.makefile("rb") as answer:
            head, _end, body = answer.read().partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("beginning", [HEAD, BODY], ids=["head", "body"])
def test_many_slow_clients_keep_nobody_waiting(server: str, beginning: bytes) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(server)) for _ in range(CROWD)]
        for each in slow:
            each.sendall(beginning)
        for _ in range(3):
            began = time.monotonic()
            assert get(server, "/healthz").status == 200
            assert time.monotonic() - began < serving_extension.GRACE_SECONDS
            for each in slow:
                each.send(b"a")


@pytest.mark.parametrize("beginning", [b"", HEAD, BODY], ids=["nothing", "head", "body"])
def test_a_request_that_comes_too_slowly_is_given_up(server: str, beginning: bytes) -> None:
    began = time.monotonic()
    with connect(server) as slow:
        slow.sendall(beginning)
        slow.settimeout(0.2)
        while time.monotonic() - began < 30:
            try:
                if not slow.recv(100):
                    break
            except TimeoutError:
                slow.send(b"a" if beginning else b"")
            except ConnectionError:
                break
    assert serving_extension.GRACE_SECONDS < time.monotonic() - began < 30


def test_the_patience_grows_with_what_came() -> None:
    assert not serving.is_too_slow(serving.GRACE_SECONDS, 0)
    assert serving.is_too_slow(serving.GRACE_SECONDS + 1, 40)
    assert not serving.is_too_slow(300, 3 * 1024 * 1024)
    assert serving.is_too_slow(3000, 3 * 1024 * 1024)


def test_clients_that_never_close_keep_nobody_waiting(server: str) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(connect(server)) for _ in range(30)]
        for each in idle:
            each.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert each.recv(100).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        assert get(server, "/healthz").status == 200
        assert time.monotonic() - began < serving_extension.GRACE_SECONDS


def test_clients_that_do_not_read_keep_nobody_waiting(server: str) -> None:
    with ExitStack() as stack:
        for _ in range(THREADS + 4):
            deaf = stack.enter_context(socket.socket())
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            host, port = server.split(":")
            deaf.connect((host, int(port)))
            deaf.sendall(b"GET /static/clearance.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        began = time.monotonic()
        assert get(server, "/healthz").status == 200
        assert time.monotonic() - began < serving_extension.GRACE_SECONDS


@pytest.mark.parametrize("size", [0, 10, 300_000, 3_000_000])
def test_a_body_arrives_as_it_was_sent_however_it_is_cut(server: str, size: int) -> None:
    body = os.urandom(size)
    with connect(server) as sending:
        head = f"POST /trial/digest HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n"
        whole = head.encode() + FORM + b"\r\n" + body
        sending.sendall(whole[:30])
        time.sleep(0.05)
        sending.sendall(whole[30:])
        answer = http.client.HTTPResponse(sending)
        answer.begin()
        assert answer.read().decode() == hashlib.sha256(body).hexdigest()


def test_a_body_too_large_is_refused_with_a_page_before_it_is_sent(server: str) -> None:
    with connect(server) as sending:
        sending.sendall(
            b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30000000\r\n"
            + FORM
            + b"\r\n"
        )
        sending.sendall(b"x" * 30_000_000)
        answer = http.client.HTTPResponse(sending)
        answer.begin()
        assert answer.status in {400, 413}
        assert b"<html" in answer.read()


def test_an_export_that_breaks_off_is_an_error_for_the_client(server: str) -> None:
    answer = get(server, "/trial/broken.csv")
    assert answer.status == 200
    with pytest.raises(http.client.IncompleteRead):
        answer.read()


def test_an_export_that_breaks_off_is_an_error_for_old_proxies_too(server: str) -> None:
    assert ask_as_1_0(server, "/trial/broken.csv")[0].split()[1] == b"500"


def test_an_honest_export_comes_whole(server: str) -> None:
    whole = get(server, "/trial/whole.csv").read()
    assert whole.count(b"\r\n") == serving_extension.ROWS_BEFORE_FAULT + 1
    head, body = ask_as_1_0(server, "/trial/whole.csv")
    assert body == whole
    assert f"content-length: {len(whole)}".encode() in head.lower()
