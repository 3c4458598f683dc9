"""The matrix of who gets what at every address: walking it, writing it, reading it.

`python -m tests.support.access` writes tests/access_matrix.txt and tests/statement_counts.txt as
the portal answers now. What is kept in those files was read line by line before it was kept: a new
word or a higher number there is a decision, not a result.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from werkzeug.test import TestResponse

from tests.support.access_cases import SAFE, Case, all_cases
from tests.support.access_world import ROLES, World, build

FILE = Path(__file__).parents[1] / "access_matrix.txt"
COUNTS_FILE = FILE.with_name("statement_counts.txt")
HEADER = """\
# Who gets what at every address of the portal: one line per method, address and row, one word per
# role. docs/access.md says how to read it; tests/test_access.py fails for an address without a
# line, a line without an address, and a word that is not what the portal answers.
"""
COUNTS_HEADER = """\
# How many statements each page of the access matrix sends to read the database, for each role that
# gets the page; short writings of their own (sessions, counters, access events) are not counted.
# tests/test_access.py fails where a page takes more, and where it takes fewer.
"""
NO_PAGE = "-"
PORTAL = "the portal"
# Answered without a look at who asks: files, and what whoever holds a code or a link may see.
OWN_MISSING_PAGES = {
    "static": "files",
    "public.check": "documents",
    "public.receipt_issued": "issued files",
    "public.consent": "consents",
    "public.consent_code": "consents",
}
WORDS = {200: "page", 404: "gone"}
Table = dict[str, tuple[str, ...]]


@dataclass
class Walk:
    """What one role was answered everywhere.

    written_by_reading: the tables that differ after everything that only reads. written_by_refusal:
    the refused lines that changed something, and tables that differ after everything.
    missing_pages: the different texts of its missing pages, by whose pages they are (PORTAL and
    OWN_MISSING_PAGES). leaks: line → the words of rows that are not the reader's in its answer.
    reads: line of a page → the statements that read for it, some for what the process keeps then.
    """

    words: dict[str, str] = field(default_factory=dict)
    written_by_reading: list[str] = field(default_factory=list)
    written_by_refusal: list[str] = field(default_factory=list)
    missing_pages: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    leaks: dict[str, set[bytes]] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)


def walk(world: World, who: str, cases: Iterable[Case]) -> Walk:
    """Ask everything as `who`, first what only reads; the world is as before afterwards."""
    result, asked = Walk(), list(cases)
    for case in asked:
        if case.method in SAFE:
            _note(result, world, who, case)
    result.written_by_reading = world.changed()
    for case in asked:
        if case.method not in SAFE:
            _note(result, world, who, case)
    result.written_by_refusal += world.changed()  # what no statement of the application told of
    world.restore()
    return result


def _note(result: Walk, world: World, who: str, case: Case) -> None:
    before = world.reads
    response = ask(world, who, case)
    word, text = word_of(response), response.get_data()
    if word == "gone":
        result.missing_pages[OWN_MISSING_PAGES.get(case.endpoint, PORTAL)].add(comparable(response))
    if word == "page" and case.method in SAFE:
        result.reads[case.name] = world.reads - before
    if leaked := {word for word in world.secrets.get(who, ()) if word in text}:
        result.leaks[case.name] = leaked
    if case.method not in SAFE and world.changed(everywhere=False):
        if response.status_code < 400:
            word = "does"
        else:
            result.written_by_refusal.append(case.name)
        world.restore()
    result.words[case.name] = word
    response.close()


def ask(world: World, who: str, case: Case) -> TestResponse:
    """Ask one thing as `who`, with the token that belongs to the browser."""
    if case.method in SAFE:
        return world.open(who, case.method, case.address)
    body = case.body(world.browsers[who].token)
    return world.open(who, case.method, case.address, data=body)


def word_of(response: TestResponse) -> str:
    """page, gone, login, verify, factor, away (any other redirect) or the status."""
    if response.status_code in {301, 302, 303, 307, 308}:
        path = re.sub(r"^http://[^/]+", "", response.location or "").partition("?")[0]
        doors = {"/login": "login", "/verify": "verify", "/login/factor": "factor"}
        return doors.get(path, "away")
    return WORDS.get(response.status_code, str(response.status_code))


def comparable(response: TestResponse) -> str:
    """Status, headers and text of an answer without its reference number, token and address."""
    text = response.get_data(as_text=True)
    text = re.sub(r'(?<=csrf-token" content=")[^"]*|(?<=name="csrf_token" value=")[^"]*', "", text)
    text = text.replace(response.headers["X-Request-ID"], "")
    text = re.sub(r'(?<=name="next" value=")[^"]*', "", text)
    names = sorted(set(response.headers.keys()) - {"Content-Length", "Set-Cookie"})
    return f"{response.status} {names} {response.content_type}\n{text}"


def reads_of(world: World, who: str, case: Case) -> int:
    """The statements that read for a page, asked for again: what the process keeps is there."""
    before = world.reads
    ask(world, who, case).close()
    return world.reads - before


def read_file(file: Path = FILE) -> Table:
    """The kept table: line's name → words in the order of ROLES."""
    table: Table = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _bar, words = line.partition(" | ")
            table[name.strip()] = tuple(words.split())
    return table


def text_of(table: Table, header: str = HEADER) -> str:
    """The table as the file has it: aligned, in the order of the addresses."""
    width = max(len(name) for name in table)
    columns = [
        max(len(role), *(len(words[place]) for words in table.values()))
        for place, role in enumerate(ROLES)
    ]

    def line(name: str, words: Iterable[str]) -> str:
        cells = " ".join(word.ljust(size) for word, size in zip(words, columns, strict=True))
        return f"{name.ljust(width)} | {cells}".rstrip()

    head = line("# METHOD address [row]", ROLES)
    return "\n".join([header + head, *(line(name, table[name]) for name in table)]) + "\n"


def _counts(cases: Iterable[Case], reads: Sequence[Mapping[str, int]]) -> Table:
    found = {case.name: [of_role.get(case.name) for of_role in reads] for case in cases}
    return {
        name: tuple(NO_PAGE if number is None else str(number) for number in numbers)
        for name, numbers in found.items()
        if any(number is not None for number in numbers)
    }


def present() -> tuple[Table, Table]:
    """Both tables as the portal answers now."""
    with tempfile.TemporaryDirectory() as folder:
        world = build(Path(folder))
        cases = all_cases(world.app, world.rows)
        words, reads = [], []
        for who in ROLES:
            found = walk(world, who, cases)
            words.append(found.words)
            pages = [case for case in cases if case.name in found.reads]
            reads.append({case.name: reads_of(world, who, case) for case in pages})
        matrix = {case.name: tuple(each[case.name] for each in words) for case in cases}
        return matrix, _counts(cases, reads)


if __name__ == "__main__":
    matrix, counts = present()
    FILE.write_text(text_of(matrix), encoding="utf-8")
    COUNTS_FILE.write_text(text_of(counts, COUNTS_HEADER), encoding="utf-8")
