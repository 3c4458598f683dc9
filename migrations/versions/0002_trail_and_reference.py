"""Insert-only trail, name index, and the initial rows of every installation."""

from datetime import date

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSERT_ONLY = ("event", "event_seal", "access_event")

LEGAL_ENTITIES = [
    ("clearing_agent", "وكيل تخليص", "Clearing agent", True, True, False, 1),
    ("company", "شركة", "Company", False, False, True, 2),
]
BROKER_TYPES = [
    ("general", "مخلص عام", "General broker", 1),
    ("private", "مخلص خاص", "Private broker", 2),
    ("representative", "مندوب مخلص", "Broker's representative", 3),
]
DOCUMENT_KINDS = [
    ("civil_id_copy", "صورة البطاقة المدنية", "Civil ID copy"),
    ("passport_copy", "صورة جواز السفر", "Passport copy"),
    ("photo", "صورة شخصية", "Personal photo"),
    ("good_conduct", "شهادة حسن سيرة وسلوك", "Certificate of good conduct"),
    ("bank_guarantee", "الضمان البنكي", "Bank guarantee"),
    ("office_letter", "كتاب من مكتب التخليص", "Letter of the clearing office"),
    ("loss_report", "إثبات أو إقرار بالفقدان", "Report or declaration of loss"),
    ("transfer_letter", "كتاب طلب النقل من المكتب الجديد", "Request letter of the new office"),
    ("release_letter", "كتاب إخلاء طرف من المكتب الحالي", "Release letter of the present office"),
    ("other", "وثائق أخرى", "Other documents"),
]
REASONS = [
    (
        "return",
        "الوثائق المرفقة غير واضحة، يرجى إعادة تحميل نسخة واضحة.",
        "The attached documents are not legible; please upload a clear copy.",
    ),
    (
        "return",
        "البيانات لا تطابق الوثائق المرفقة، يرجى تصحيحها.",
        "The data do not match the attached documents; please correct them.",
    ),
    (
        "return",
        "ينقص الطلب وثيقة مطلوبة.",
        "A required document is missing.",
    ),
    (
        "reject",
        "لا تتوفر في مقدم الطلب الشروط المطلوبة للخدمة.",
        "The applicant does not meet the conditions of the service.",
    ),
    (
        "reject",
        "الطلب مكرر ويوجد طلب آخر قائم لنفس الغرض.",
        "The request repeats another one for the same purpose.",
    ),
]
FIXED_HOLIDAYS = [
    (1, 1, "رأس السنة الميلادية", "New Year's Day"),
    (2, 25, "العيد الوطني", "National Day"),
    (2, 26, "يوم التحرير", "Liberation Day"),
]


def upgrade() -> None:
    _make_triggers()
    _make_name_index()
    bind = op.get_bind()
    tables = sa.MetaData()
    tables.reflect(
        bind,
        only=[
            "legal_entity",
            "broker_type",
            "document_kind",
            "reason",
            "holiday",
            "chain_head",
            "service",
        ],
    )
    named = ("code", "name_ar", "name_en")
    columns = (*named, "may_hold_licences", "has_customs_account", "needs_organisation_name")
    for row in LEGAL_ENTITIES:
        _insert(tables, "legal_entity", zip((*columns, "position"), row, strict=True))
    for row in BROKER_TYPES:
        _insert(tables, "broker_type", zip((*named, "position"), row, strict=True))
    for position, row in enumerate(DOCUMENT_KINDS, 1):
        _insert(tables, "document_kind", [*zip(named, row, strict=True), ("position", position)])
    for position, row in enumerate(REASONS, 1):
        values = zip(("action", "text_ar", "text_en"), row, strict=True)
        _insert(tables, "reason", [*values, ("position", position)])
    for year in range(2026, 2036):
        for month, day, name_ar, name_en in FIXED_HOLIDAYS:
            bind.execute(
                tables.tables["holiday"]
                .insert()
                .values(day=date(year, month, day), name_ar=name_ar, name_en=name_en)
            )
    bind.execute(tables.tables["chain_head"].insert().values(id=1, position=0, hash="0" * 64))


def downgrade() -> None:
    for table in INSERT_ONLY:
        if op.get_context().dialect.name == "sqlite":
            op.execute(f"DROP TRIGGER {table}_no_update")
            op.execute(f"DROP TRIGGER {table}_no_delete")
        else:
            op.execute(f"DROP TRIGGER {table}_insert_only ON {table}")
    if op.get_context().dialect.name == "sqlite":
        for verb in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER request_names_{verb}")
        op.execute("DROP TABLE request_names")
    else:
        op.execute("DROP FUNCTION clearance_insert_only()")
        op.execute("DROP INDEX ix_request_names")
    for table in ("legal_entity", "broker_type", "document_kind", "reason", "holiday"):
        op.execute(f"DELETE FROM {table}")
    op.execute("DELETE FROM chain_head")


def _insert(tables: sa.MetaData, table: str, pairs) -> None:
    op.get_bind().execute(tables.tables[table].insert().values(is_active=True, **dict(pairs)))


def _make_name_index() -> None:
    """Create the full-text index of request names, specific to each database."""
    if op.get_context().dialect.name != "sqlite":
        op.execute(
            "CREATE INDEX ix_request_names ON request "
            "USING gin (to_tsvector('simple'::regconfig, name_folded))"
        )
        return
    op.execute(
        "CREATE VIRTUAL TABLE request_names USING fts5(name_folded, content='request', "
        "content_rowid='id', tokenize='unicode61 remove_diacritics 0', prefix='2 3', "
        "detail=none, columnsize=0)"
    )
    add = "INSERT INTO request_names(rowid, name_folded) VALUES (new.id, new.name_folded);"
    remove = (
        "INSERT INTO request_names(request_names, rowid, name_folded) "
        "VALUES ('delete', old.id, old.name_folded);"
    )
    changed = "OF name_folded ON request WHEN old.name_folded <> new.name_folded"
    for verb, moment, work in (
        ("insert", "INSERT ON request", add),
        ("update", f"UPDATE {changed}", remove + add),
        ("delete", "DELETE ON request", remove),
    ):
        op.execute(f"CREATE TRIGGER request_names_{verb} AFTER {moment} BEGIN {work} END")


def _make_triggers() -> None:
    if op.get_context().dialect.name == "sqlite":
        for table in INSERT_ONLY:
            for verb in ("update", "delete"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, 'the trail is insert-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION clearance_insert_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the trail is insert-only'; END $$"
    )
    for table in INSERT_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_insert_only BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION clearance_insert_only()"
        )
