"""The drill of installing: operations.md word by word on a bare Debian, to the first decision.

    python -m tests.drills.install FOLDER

FOLDER: where the bare Debian is kept for the next time. Needs what `bare_debian` needs, and
Chromium. Carries out the code of the chapters "Install" and "Proxy and time limits" with the
names of example.kw as they are; mail and SMS arrive at gateways of this process. Then, in
browsers: the invited administrator invites a reviewer, an agent registers and asks for the exam,
the reviewer decides. Prints how long each part took.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import time
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from clearance.core.settings import ROOT
from tests.browser import people
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.visits import Portal, Visit
from tests.drills import bare_debian
from tests.support.gateways import SmsGateway, SmtpGateway, text_of

NAME = "clearance.example.kw"
PAGE = ROOT / "docs" / "operations.md"
PASSWORD = "Marsa-4-Lulu!"
READY = f"curl -sf --retry 30 --retry-all-errors -H 'Host: {NAME}' http://127.0.0.1:8000/readyz"
UNITS = {
    "reload": f"systemctl reload clearance-web; {READY}",
    "kill -9 of both": f"""
        systemctl kill --signal=KILL --kill-who=all clearance-web clearance-jobs
        sleep 4
        systemctl is-active clearance-web clearance-jobs
        {READY}""",
    "the nightly backup": """
        install -d -o clearance -g clearance -m 700 /var/backups/clearance
        systemctl enable --now clearance-backup.timer
        systemctl start clearance-backup
        ls /var/backups/clearance""",
    "stop": """
        systemctl stop clearance-web clearance-jobs
        ! systemctl is-failed clearance-web clearance-jobs
        systemctl --failed --no-legend""",
    "exposure, of 10": "systemd-analyze security clearance-web | tail -1",
    "errors in the log": """
        journalctl --output=cat --unit='clearance-*' | grep '"level": "error"' || true""",
}
CAPTCHA = "SELECT image_text FROM captcha WHERE spent_at IS NULL ORDER BY created_at DESC LIMIT 1"


def main() -> None:
    """Make the Debian, install, walk, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    timed("a bare Debian", lambda: bare_debian.make(folder / "bookworm"))
    with (
        SmtpGateway() as mail,
        SmsGateway() as sms,
        bare_debian.copied(folder / "bookworm") as root,
        bare_debian.entered(root) as inside,
    ):
        bare_debian.put_release(root)
        for chapter in ("1 Install", "3 Proxy and time limits"):
            for code in bare_debian.blocks(PAGE, chapter):
                here = with_gateways(code, mail, sms)
                timed(code.split("\n", 1)[0], lambda here=here: bare_debian.run(inside, here))
        timed("to the first decision", lambda: walk(inside, mail, sms))
        for what, code in UNITS.items():
            timed(what, lambda code=code: print(*bare_debian.run(inside, code), sep="", end=""))


def timed(what: str, act: object) -> None:
    """Do something and print how long it took."""
    began = time.monotonic()
    assert callable(act)
    act()
    print(f"{time.monotonic() - began:7.1f} s  {what}", flush=True)


def with_gateways(code: str, mail: SmtpGateway, sms: SmsGateway) -> str:
    """Return the code with this process in the place of the ministry's mail and SMS servers."""
    code = code.replace(
        "MAIL_SERVER=mail.example.kw", f"MAIL_SERVER=127.0.0.1\nMAIL_PORT={mail.port}"
    )
    return code.replace("json://sms.example.kw/", f"json://127.0.0.1:{sms.port}/")


def walk(inside: subprocess.Popen[str], mail: SmtpGateway, sms: SmsGateway) -> None:
    """Go from the invitation in the mail to the first request decided."""
    portal = Portal(f"https://{NAME}", mail, sms, Path("/nonexistent"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        )
        with closing(browser):
            head = opened(browser, portal, "en")
            accept(head, "head@example.kw")
            invite(head, "reviewer@example.kw")
            reviewer = opened(browser, portal, "en")
            accept(reviewer, "reviewer@example.kw")
            agent = opened(browser, portal, "ar")
            address, number, request_id = ask(inside, agent)
            people.decide(reviewer, request_id, "preapprove")
            expect(agent.open(address).locator("h1 .badge").first).to_contain_text("موافقة")
            print(f"{number}: {agent.page.locator('h1 .badge').first.inner_text()}")


def opened(browser: Browser, portal: Portal, lang: str) -> Visit:
    """One more person's browser; the certificate is one that nobody signed."""
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    made = Visit(context.new_page(), context, portal, lang, 1280)
    made.speak(lang)
    return made


def accept(visit: Visit, email: str) -> None:
    """Open the link of the invitation, choose a password and sign in with the code by mail."""
    text = people.arrived(lambda: text_of(visit.portal.mail.to(email)[-1]))
    found = re.search(rf"https://{NAME}(/\S+)", text)
    assert found, text
    visit.open(found[1])
    names = {"first_name": "هند", "last_name": "المطيري", "latin_name": "Hind Almutairi"}
    people.fill(visit.page, names | {"password": PASSWORD, "password_confirm": PASSWORD})
    visit.page.locator("[name=accept_terms]").check()
    people.press(visit.page)
    people.sign_in_with_factor(visit, email, PASSWORD)


def invite(visit: Visit, email: str) -> None:
    """Invite a reviewer."""
    page: Page = visit.open("/office/staff/invite")
    people.fill(page, {"email": email, "role": "reviewer"})
    people.press(page, "#invitation .button-primary")


def ask(inside: subprocess.Popen[str], agent: Visit) -> tuple[str, str, int]:
    """Register as an agent, whose picture's letters the database tells, and ask for the exam."""
    person = people.newcomer()
    people.register(agent, person, captcha=lambda: letters(inside))
    people.sign_in(agent, person.email, person.password)
    people.prove(agent, person)
    return people.apply_for_exam(agent, person)


def letters(inside: subprocess.Popen[str]) -> str:
    """The letters of the newest picture."""
    return bare_debian.run(inside, f'su postgres -c "psql -At clearance -c \\"{CAPTCHA}\\""')[
        0
    ].strip()


if __name__ == "__main__":
    main()
