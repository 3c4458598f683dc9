"""What lists weigh: bytes of HTML, scripts, styles and fonts, as they are and compressed.

    python -m benchmarks.weights

Each page with 25 rows in the demo world, with everything that its first visit loads.
"""

from __future__ import annotations

import gzip
import re
import tempfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urljoin

import sqlalchemy as sa
from flask.testing import FlaskClient

from benchmarks import worlds
from clearance.auth import sessions
from clearance.core.clock import utc_now
from clearance.core.extensions import db
from clearance.models import User
from clearance.models.enums import SessionStage

PAGES = {
    "general@example.com": ("/my/", "/my/requests/", "/my/brokers/"),
    "reviewer@example.com": ("/office/", "/office/requests/", "/office/licences/"),
    "manager@example.com": ("/office/users/", "/office/audit/"),
}
PARTS = {"html": "HTML", ".js": "scripts", ".css": "styles", ".woff2": "fonts"}
_LINKED = re.compile(r'(?:<script[^>]* src|<link[^>]* href)="([^"]+)"')
_IN_CSS = re.compile(r"url\(\s*['\"]?([^'\")]+)")
_IMPORTED = re.compile(r"""['"](\.{0,2}/[^'"]+\.js)['"]""")


def main() -> None:
    """Print a table of all PAGES in both languages."""
    print("| kB, gzip in brackets |", " | ".join(PARTS.values()), "|")
    print("|---|" + "---:|" * len(PARTS))
    with (
        tempfile.TemporaryDirectory() as files,
        worlds.made("sqlite") as url,
    ):
        app = worlds.application(url, files)
        with app.app_context():
            worlds.fill(1000)
        for email, pages in PAGES.items():
            with app.test_request_context(method="POST"):
                user = db.session.scalars(sa.select(User).where(User.email == email)).one()
                key = sessions.open_session(user, SessionStage.FULL, utc_now())
                db.session.commit()
                db.session.remove()
            client = app.test_client()
            with client.session_transaction() as cookie:
                cookie["_user_id"] = key
                cookie["_fresh"] = True
            for page in pages:
                sizes = _sizes(client, page)
                cells = (f"{sizes[part][0]:.0f} ({sizes[part][1]:.0f})" for part in PARTS)
                print(f"| {page} | {' | '.join(cells)} |")


def _sizes(client: FlaskClient, page: str) -> dict[str, list[float]]:
    """Return kB, as they are and compressed, by kind of file."""
    sizes = {part: [0.0, 0.0] for part in PARTS}
    for path, body in _loaded(client, page):
        part = "html" if path == page else PurePosixPath(path.partition("?")[0]).suffix
        if part in sizes:
            packed = body if part == ".woff2" else gzip.compress(body)
            sizes[part][0] += len(body) / 1000
            sizes[part][1] += len(packed) / 1000
    return sizes


def _loaded(client: FlaskClient, page: str) -> Iterator[tuple[str, bytes]]:
    """Yield the page and what it makes a browser load, each once; modules loaded on need too."""
    waiting, seen = [page], {page}
    while waiting:
        url = waiting.pop()
        answer = client.get(url)
        assert answer.status_code == 200, f"{answer.status_code} {url}"
        yield url, answer.data
        suffix = PurePosixPath(url.partition("?")[0]).suffix
        find = {".css": _IN_CSS, ".js": _IMPORTED, "": _LINKED}.get(suffix)
        for reference in find.findall(answer.get_data(as_text=True)) if find else ():
            found = urljoin(url, reference.partition("#")[0])
            if found.startswith("/") and found not in seen and PurePosixPath(found).suffix:
                seen.add(found)
                waiting.append(found)


if __name__ == "__main__":
    main()
