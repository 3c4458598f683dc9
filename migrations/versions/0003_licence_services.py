"""Licence services: transfers, issued documents, reminders, dates of the register."""

import sqlalchemy as sa
from alembic import op

import clearance.models.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PURPOSES = ("contact", "factor", "reset", "verify")
LICENCE_STEPS = (
    *("cancelled", "corrected", "expired", "issued", "reactivated", "reinstated", "renewed"),
    *("suspended", "taken_from_customs", "transferred", "updated"),
)
REASONS_FOR = ("reject", "return")
OFFICE_REASONS_FOR = ("correct", "reinstate", "suspend", "void")
OFFICE_REASONS = (
    (
        "suspend",
        "عدم تجديد الضمان البنكي في موعده.",
        "The bank guarantee was not renewed in time.",
    ),
    (
        "suspend",
        "مخالفة أنظمة التخليص الجمركي إلى حين الفصل فيها.",
        "A breach of the customs clearance rules, until it is decided upon.",
    ),
    (
        "reinstate",
        "زوال سبب الإيقاف.",
        "The cause of the suspension no longer exists.",
    ),
    (
        "correct",
        "خطأ في إدخال البيانات.",
        "The data were entered wrongly.",
    ),
    (
        "void",
        "صدرت الوثيقة ببيانات غير صحيحة.",
        "The document was issued with wrong data.",
    ),
)
ONE_LIVING = sa.text("voided_at IS NULL AND kind <> 'letter'")
UNMADE = sa.text("storage_key IS NULL")
OF_GRID = sa.text("grid_key IS NOT NULL")
AT_THE_OFFICE = sa.text("decided_at IS NULL AND due_on IS NOT NULL")
OFFICE_INDEXES = (
    ("ix_request_at_office_reviewer", ["reviewer_id", "due_on", "sent_at", "id"]),
    ("ix_request_at_office_service", ["service_code", "sent_at"]),
)
REGISTER_INDEXES = (
    ("ix_broker_civil_id_expiry", "broker", "civil_id_expiry"),
    ("ix_broker_passport_expiry", "broker", "passport_expiry"),
    ("ix_broker_passport_no", "broker", "passport_no"),
    ("ix_licence_guarantee_expiry", "licence", "guarantee_expiry"),
)


def upgrade() -> None:
    _widen_requests()
    _widen_issued_documents()
    _allow_purposes((*PURPOSES, "consent"))
    _allow_reasons((*REASONS_FOR, *OFFICE_REASONS_FOR))
    _add_office_reasons()
    with op.batch_alter_table("licence") as licence:
        licence.create_check_constraint(
            op.f("ck_licence_suspended_by_whom"),
            "(status = 'suspended') = (suspended_by IS NOT NULL)",
        )
    with op.batch_alter_table("licence_change") as change:
        change.create_check_constraint(
            op.f("ck_licence_change_kind"), _one_of("kind", LICENCE_STEPS)
        )
    with op.batch_alter_table("transfer_consent") as consent:
        consent.create_unique_constraint("uq_transfer_consent_token", ["token_hash"])
    op.create_index("ix_transfer_consent_organisation_id", "transfer_consent", ["organisation_id"])
    for name, table, column in REGISTER_INDEXES:
        op.create_index(name, table, [column])
    _make_reminders()


def downgrade() -> None:
    op.drop_table("licence_reminder")
    for name, table, _column in REGISTER_INDEXES:
        op.drop_index(name, table)
    op.drop_index("ix_transfer_consent_organisation_id", "transfer_consent")
    with op.batch_alter_table("transfer_consent") as consent:
        consent.drop_constraint("uq_transfer_consent_token", type_="unique")
    with op.batch_alter_table("licence_change") as change:
        change.drop_constraint(op.f("ck_licence_change_kind"), type_="check")
    with op.batch_alter_table("licence") as licence:
        licence.drop_constraint(op.f("ck_licence_suspended_by_whom"), type_="check")
    op.execute("DELETE FROM verification_code WHERE purpose = 'consent'")
    _allow_purposes(PURPOSES)
    op.execute(f"DELETE FROM reason WHERE NOT ({_one_of('action', REASONS_FOR)})")
    _allow_reasons(REASONS_FOR)
    _narrow_issued_documents()
    for name, _columns in OFFICE_INDEXES:
        op.drop_index(name, "request")
    op.drop_index("ix_request_grid", "request")
    op.drop_index("ix_request_other_organisation", "request")
    for column in ("grid_key", "granted_expiry", "subject_seen", "other_organisation_id"):
        op.execute(f"ALTER TABLE request DROP COLUMN {column}")


def _widen_requests() -> None:
    """Add columns in place; rebuilding the table would be slow and lose its triggers."""
    json = "JSONB" if op.get_context().dialect.name == "postgresql" else "JSON"
    op.execute(
        "ALTER TABLE request ADD COLUMN other_organisation_id INTEGER "
        "CONSTRAINT fk_request_other_organisation_id REFERENCES organisation (id)"
    )
    op.execute(f"ALTER TABLE request ADD COLUMN subject_seen {json} NOT NULL DEFAULT '{{}}'")
    op.execute("ALTER TABLE request ADD COLUMN granted_expiry DATE")
    op.execute("ALTER TABLE request ADD COLUMN grid_key VARCHAR(64)")
    op.create_index("ix_request_other_organisation", "request", ["other_organisation_id", "status"])
    op.create_index(
        "ix_request_grid",
        "request",
        ["grid_key"],
        sqlite_where=OF_GRID,
        postgresql_where=OF_GRID,
    )
    for name, columns in OFFICE_INDEXES:
        op.create_index(
            name,
            "request",
            columns,
            sqlite_where=AT_THE_OFFICE,
            postgresql_where=AT_THE_OFFICE,
        )


def _widen_issued_documents() -> None:
    with op.batch_alter_table("issued_document") as issued:
        issued.drop_index("ix_issued_document_organisation_id")
        issued.add_column(sa.Column("language", sa.String(40), nullable=False, server_default="ar"))
        issued.add_column(sa.Column("valid_until", sa.Date()))
        issued.create_check_constraint(
            op.f("ck_issued_document_kind"), _one_of("kind", ("card", "certificate", "letter"))
        )
    with op.batch_alter_table("issued_document") as issued:
        issued.alter_column("language", server_default=None)
    op.create_index(
        "ix_issued_document_organisation", "issued_document", ["organisation_id", "issued_at", "id"]
    )
    op.create_index("ix_issued_document_issued", "issued_document", ["issued_at", "id"])
    op.create_index(
        "ix_issued_document_unmade",
        "issued_document",
        ["id"],
        sqlite_where=UNMADE,
        postgresql_where=UNMADE,
    )
    op.create_index(
        "uq_issued_document_one_living",
        "issued_document",
        ["licence_id", "kind"],
        unique=True,
        sqlite_where=ONE_LIVING,
        postgresql_where=ONE_LIVING,
    )


def _narrow_issued_documents() -> None:
    for name in (
        "uq_issued_document_one_living",
        "ix_issued_document_unmade",
        "ix_issued_document_issued",
        "ix_issued_document_organisation",
    ):
        op.drop_index(name, "issued_document")
    with op.batch_alter_table("issued_document") as issued:
        issued.drop_constraint(op.f("ck_issued_document_kind"), type_="check")
        issued.drop_column("valid_until")
        issued.drop_column("language")
        issued.create_index("ix_issued_document_organisation_id", ["organisation_id"])


def _allow_purposes(purposes: tuple[str, ...]) -> None:
    with op.batch_alter_table("verification_code") as codes:
        codes.drop_constraint(op.f("ck_verification_code_purpose"), type_="check")
        codes.create_check_constraint(
            op.f("ck_verification_code_purpose"), _one_of("purpose", purposes)
        )


def _allow_reasons(actions: tuple[str, ...]) -> None:
    with op.batch_alter_table("reason") as reasons:
        reasons.drop_constraint(op.f("ck_reason_action"), type_="check")
        reasons.create_check_constraint(op.f("ck_reason_action"), _one_of("action", actions))


def _add_office_reasons() -> None:
    names = ("action", "text_ar", "text_en", "position", "is_active")
    reasons = sa.table("reason", *(sa.column(name) for name in names))
    rows = [
        dict(zip(names, (*texts, position, True), strict=True))
        for position, texts in enumerate(OFFICE_REASONS, 1)
    ]
    op.bulk_insert(reasons, rows)


def _make_reminders() -> None:
    op.create_table(
        "licence_reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("licence_id", sa.Integer(), nullable=False),
        sa.Column("link", sa.String(40), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("told_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            _one_of("link", ("civil_id", "guarantee", "licence", "passport")),
            name=op.f("ck_licence_reminder_link"),
        ),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licence.id"], name=op.f("fk_licence_reminder_licence_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence_reminder")),
        sa.UniqueConstraint("licence_id", "link", "ends", "days", name="uq_licence_reminder_once"),
    )


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in sorted(values))})"
