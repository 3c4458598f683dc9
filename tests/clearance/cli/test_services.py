"""`flask services`: what it prints, publishes and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from flask import Flask

from clearance.core.extensions import db
from clearance.models import Event, Notice, Request
from clearance.services import versions
from tests.support import factories
from tests.support import request_factories as requests
from tests.support.permit import PERMIT, begin


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["services", *arguments])
    return result.exit_code, result.output


def test_shipped_definitions_are_sound(app: Flask) -> None:
    assert run(app, "check") == (0, "All definitions are valid.\n")


def test_check_tells_every_fault_of_every_file(app: Flask, tmp_path: Path) -> None:
    sound, broken, unreadable = (tmp_path / f"{name}.yaml" for name in ("a", "b", "c"))
    sound.write_text(requests.TRIVIAL, encoding="utf-8")
    broken.write_text(requests.TRIVIAL.replace("flow: standard", "flow: round"), encoding="utf-8")
    unreadable.write_text("{", encoding="utf-8")
    code, output = run(app, "check", str(sound), str(broken), str(unreadable))
    assert code == 1
    assert "b.yaml: flow: The portal knows no decision process “round”." in output
    assert "c.yaml: Line 2: This is not valid YAML." in output
    assert "a.yaml" not in output


def test_check_tells_a_prefix_that_is_taken_or_changed(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        requests.publish(requests.TRIVIAL)
    taken, changed = tmp_path / "taken.yaml", tmp_path / "changed.yaml"
    taken.write_text(requests.TRIVIAL.replace("greeting", "other"), encoding="utf-8")
    changed.write_text(requests.TRIVIAL.replace("prefix: GR", "prefix: GX"), encoding="utf-8")
    assert run(app, "check", str(taken), str(changed)) == (
        1,
        "taken.yaml: prefix: Other numbers have the prefix GR.\n"
        "changed.yaml: prefix: The prefix stays GR, since numbers were given with it.\n",
    )


def test_check_of_published_versions_names_those_that_cannot_be_carried_out(app: Flask) -> None:
    run(app, "load")
    assert run(app, "check", "--published") == (0, "All definitions are valid.\n")
    with app.app_context():
        requests.store(on_approval=["gone"])
        requests.store(flow="round", title={"en": "Greeting"})
    code, output = run(app, "check", "--published")
    assert code == 1
    assert output.splitlines() == [
        "greeting version 2: title.ar: Title in Arabic: This is missing.",
        "greeting version 2: flow: The portal knows no decision process “round”.",
    ]


@pytest.mark.parametrize(
    ("status", "is_named"), [("draft", True), ("submitted", True), ("withdrawn", False)]
)
def test_check_of_published_versions_names_older_ones_of_undecided_requests(
    app: Flask, status: str, is_named: bool
) -> None:
    with app.app_context():
        old = requests.publish(requests.TRIVIAL)
        requests.make_request(factories.make_agent(), status, code="greeting", words="سلام")
        requests.publish(requests.TRIVIAL)
        assert run(app, "check", "--published")[0] == 0
        requests.rewrite(old, guards={"approval": ["gone"]})
    code, output = run(app, "check", "--published")
    assert code == int(is_named)
    assert (
        "greeting version 1: guards.approval: The portal knows no check or effect “gone”." in output
    ) is is_named


def test_check_takes_either_files_or_what_is_published(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(requests.TRIVIAL, encoding="utf-8")
    code, output = run(app, "check", "--published", str(file))
    assert code == 2 and "either FILES or --published" in output


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("check", "--published"),
        ("load",),
        ("load", "exam"),
        ("export", "exam"),
        ("list",),
        ("stop", "exam"),
    ],
)
@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nowhere/at/all.sqlite",
        "sqlite:///{folder}/empty.sqlite",
        "postgresql+psycopg://nobody@127.0.0.1:1/nothing",
    ],
)
def test_commands_without_a_database_say_so_in_one_line(
    make_app: Callable[..., Flask], tmp_path: Path, url: str, command: tuple[str, ...]
) -> None:
    app = make_app(database_url=url.format(folder=tmp_path))
    assert run(app, *command) == (
        1,
        "Error: The database does not answer or is not migrated; see `flask db upgrade`.\n",
    )


def test_load_publishes_unknown_services_and_changed_files(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, output = run(app, "load")
    assert code == 0 and "exam" in output
    assert run(app, "load") == (0, "Nothing to publish.\n")
    assert run(app, "load", "exam") == (0, "Nothing to publish.\n")
    with app.app_context():
        service = versions.current("exam").definition
        changed = service.model_copy(update={"processing_days": 9})
        text = yaml.safe_dump(versions.document_of(changed))
        (tmp_path / "exam.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(versions.publish_if_changed, "__defaults__", (tmp_path,))
    assert run(app, "load", "exam") == (0, "Published: exam.\n")
    with app.app_context():
        assert versions.current("exam").definition.processing_days == 9


def test_load_of_an_unknown_file_says_so(app: Flask) -> None:
    code, output = run(app, "load", "nothing")
    assert code == 1 and "nothing.yaml" in output


def test_export_writes_what_check_and_load_read(app: Flask, tmp_path: Path) -> None:
    run(app, "load")
    code, printed = run(app, "export", "exam")
    assert code == 0 and "طلب امتحان وكلاء التخليص" in printed
    file = tmp_path / "exam.yaml"
    assert run(app, "export", "exam", "--output", str(file))[0] == 0
    assert file.read_text(encoding="utf-8") == printed
    assert run(app, "check", str(file))[0] == 0
    assert run(app, "export", "nothing")[0] == 1


def test_upgrade_of_the_schema_publishes_what_is_missing(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["db", "upgrade"])
    assert result.exit_code == 0
    with app.app_context():
        assert versions.current("exam").definition.prefix == "CE"
        db.session.remove()


def test_export_of_an_earlier_version_and_of_none(app: Flask) -> None:
    with app.app_context():
        requests.publish(requests.TRIVIAL)
        requests.publish(requests.TRIVIAL, processing_days=9)
    assert "processing_days: 9" in run(app, "export", "greeting")[1]
    assert "processing_days: 3" in run(app, "export", "greeting", "--version", "1")[1]
    assert run(app, "export", "greeting", "--version", "3") == (
        1,
        "Error: There is no version 3 of greeting.\n",
    )


def test_services_are_listed_stopped_and_started(app: Flask) -> None:
    with app.app_context():
        requests.publish(requests.TRIVIAL)
    assert run(app, "list") == (0, "greeting: in_use, version 1, 0 open\n")
    code, output = run(app, "stop", "greeting", "--why", "Holiday")
    assert code == 0 and output.startswith("greeting: stopped from 20")
    assert run(app, "list")[1] == "greeting: stopped, version 1, 0 open\n"
    _code, output = run(app, "start", "greeting", "--on", "2095-01-31")
    assert output.endswith(" until 2095-01-31.\n")
    assert run(app, "start", "greeting") == (0, "greeting: in use.\n")
    with app.app_context():
        reasons = db.session.scalars(sa.select(Event.reason).where(Event.reason != "")).all()
    assert reasons == ["Holiday"]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("stop", "gone"), 1, "Error: There is no service gone."),
        (("start", "greeting"), 1, "Error: This service is in use already."),
        (("stop", "greeting", "--on", "2020-01-31"), 1, "Error: This day has passed."),
        (("stop", "greeting", "--on", "31/01/2095"), 2, "Give a day as 2027-01-31."),
    ],
)
def test_stop_and_start_say_why_not(
    app: Flask, arguments: tuple[str, ...], status: int, told: str
) -> None:
    with app.app_context():
        requests.publish(requests.TRIVIAL)
    code, output = run(app, *arguments)
    assert code == status and told in output
    assert "in_use" in run(app, "list")[1]


@pytest.fixture
def permit_file(app: Flask, tmp_path: Path) -> Path:
    """The definition of a service that the portal does not have; with its administrator."""
    with app.app_context():
        factories.make_staff("administrator", email="huda@example.com")
        db.session.commit()
    file = tmp_path / "permit.yaml"
    file.write_text(PERMIT, encoding="utf-8")
    return file


BY = ("--by", "Huda@example.com")


def test_a_file_becomes_a_draft_with_its_check_up(app: Flask, permit_file: Path) -> None:
    kinds = PERMIT.replace("kind: photo", "kind: ghost")
    permit_file.write_text(kinds, encoding="utf-8")
    assert run(app, "load", str(permit_file), *BY) == (
        0,
        "temporary_permit: the draft was made.\n"
        "  documents[2].kind: There is no document type “ghost”.\n",
    )
    assert run(app, "list") == (0, "")
    exported = run(app, "export", "temporary_permit", "--draft")
    assert exported[0] == 0 and "kind: ghost" in exported[1]


def test_a_draft_is_replaced_only_when_asked(app: Flask, permit_file: Path) -> None:
    with app.app_context():
        requests.publish(PERMIT)
    assert run(app, "load", str(permit_file), *BY) == (0, "temporary_permit: nothing changes.\n")
    for days, options, told in (
        (7, (), "the draft was made."),
        (8, (), "there is a draft already; see --replace"),
        (8, ("--replace",), "the draft was made."),
    ):
        text = PERMIT.replace("processing_days: 3", f"processing_days: {days}")
        permit_file.write_text(text, encoding="utf-8")
        assert told in run(app, "load", str(permit_file), *BY, *options)[1]
    assert "processing_days: 8" in run(app, "export", "temporary_permit", "--draft")[1]
    assert "processing_days: 3" in run(app, "export", "temporary_permit")[1]
    code, output = run(app, "load", "--publish", str(permit_file))
    assert code == 1 and "there is a draft; publish it in the panel, or discard it" in output


@pytest.mark.parametrize("by", [(), ("--by", "nobody@example.com"), ("--by", "omar@example.com")])
def test_a_draft_has_an_administrator(app: Flask, permit_file: Path, by: tuple[str, ...]) -> None:
    with app.app_context():
        factories.make_staff("manager", email="omar@example.com")
        db.session.commit()
    code, output = run(app, "load", str(permit_file), *by)
    assert code == 2 and "--by EMAIL" in output


def test_a_file_is_published_where_no_fault_is_open(app: Flask, permit_file: Path) -> None:
    assert run(app, "load", "--publish", str(permit_file)) == (0, "Published: temporary_permit.\n")
    assert run(app, "load", "--publish", str(permit_file)) == (0, "Nothing to publish.\n")
    for faulty in ("processing_days: 0", "processing_days: 3\nposition: 99999999999"):
        permit_file.write_text(PERMIT.replace("processing_days: 3", faulty), encoding="utf-8")
        code, output = run(app, "load", "--publish", str(permit_file))
        assert code == 1 and faulty.split("\n")[-1].partition(":")[0] in output
    assert run(app, "list")[1] == "temporary_permit: in_use, version 1, 0 open\n"


@pytest.mark.parametrize(("on", "moved"), [((), 1), (("--drafts-on", "2026-01-01"), 2)])
def test_publishing_a_file_moves_drafts_from_a_day_and_notifies_reviewers(
    app: Flask, permit_file: Path, on: tuple[str, ...], moved: int
) -> None:
    with app.app_context():
        factories.make_staff()
        begin(factories.make_agent())
        db.session.commit()
    permit_file.write_text(PERMIT.replace("processing_days: 3", "processing_days: 4"), "utf-8")
    assert run(app, "load", "--publish", str(permit_file), *on)[0] == 0
    with app.app_context():
        (req,) = db.session.scalars(sa.select(Request))
        assert versions.numbered("temporary_permit", moved).id == req.service_version_id
        (notice,) = db.session.scalars(sa.select(Notice).where(Notice.event == "service:changed"))
        assert "Working days to respond" in notice.params["changes"]["en"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "permit.yaml: No such file or directory"),
        ("[1]", "permit.yaml: This file does not contain a service."),
        ("a: 1\na: 2", "permit.yaml: Line 2: “a” is given twice."),
    ],
)
def test_a_file_that_is_no_pack_is_refused_in_one_line(
    app: Flask, permit_file: Path, content: str | None, told: str
) -> None:
    permit_file.unlink()
    if content is not None:
        permit_file.write_text(content, encoding="utf-8")
    assert run(app, "load", str(permit_file), *BY) == (1, f"Error: {told}\n")
