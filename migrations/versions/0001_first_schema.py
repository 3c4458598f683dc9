"""The first schema."""

import sqlalchemy as sa
from alembic import op

import clearance.models.base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("ip", sa.String(length=40), nullable=False),
        sa.Column("session_hash", sa.String(length=40), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(length=80), nullable=False),
        sa.Column("result", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=250), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_event")),
    )
    with op.batch_alter_table("access_event", schema=None) as batch_op:
        batch_op.create_index("ix_access_event_kind", ["kind", "id"], unique=False)
        batch_op.create_index("ix_access_event_user", ["user_id", "id"], unique=False)

    op.create_table(
        "broker_type",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_ar", sa.String(length=150), nullable=False),
        sa.Column("name_en", sa.String(length=150), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_broker_type")),
    )
    op.create_table(
        "captcha",
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("image_text", sa.String(length=40), nullable=False),
        sa.Column("spoken_digits", sa.String(length=40), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("spent_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_captcha")),
    )
    with op.batch_alter_table("captcha", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_captcha_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "chain_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_chain_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_head")),
    )
    op.create_table(
        "counter",
        sa.Column("prefix", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", "year", name=op.f("pk_counter")),
    )
    op.create_table(
        "customs_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("licence_no", sa.String(length=80), nullable=False),
        sa.Column("customs_user", sa.String(length=80), nullable=False),
        sa.Column("password_hash", sa.String(length=250), nullable=False),
        sa.Column("answer", clearance.models.base.Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customs_account")),
        sa.UniqueConstraint("licence_no", "customs_user", name="uq_customs_account_user"),
    )
    op.create_table(
        "document_kind",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_ar", sa.String(length=150), nullable=False),
        sa.Column("name_en", sa.String(length=150), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_document_kind")),
    )
    op.create_table(
        "holiday",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name_ar", sa.String(length=150), nullable=False),
        sa.Column("name_en", sa.String(length=150), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_holiday")),
    )
    op.create_table(
        "legal_entity",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name_ar", sa.String(length=150), nullable=False),
        sa.Column("name_en", sa.String(length=150), nullable=False),
        sa.Column("may_hold_licences", sa.Boolean(), nullable=False),
        sa.Column("has_customs_account", sa.Boolean(), nullable=False),
        sa.Column("needs_organisation_name", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_legal_entity")),
    )
    op.create_table(
        "message_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=250), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_text")),
        sa.UniqueConstraint("event", "channel", "language", name="uq_message_text_event"),
    )
    op.create_table(
        "one_time_key",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("result", sa.String(length=250), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_one_time_key")),
    )
    with op.batch_alter_table("one_time_key", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_one_time_key_created_at"), ["created_at"], unique=False
        )

    op.create_table(
        "reason",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("text_ar", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint("action IN ('reject', 'return')", name=op.f("ck_reason_action")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reason")),
    )
    op.create_table(
        "service",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("prefix", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_service")),
        sa.UniqueConstraint("prefix", name="uq_service_prefix"),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("value", clearance.models.base.Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "throttle_count",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("expires_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle_count")),
    )
    with op.batch_alter_table("throttle_count", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_throttle_count_expires_at"), ["expires_at"], unique=False
        )

    op.create_table(
        "verification_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("used_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("voided_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "channel IN ('email', 'sms')", name=op.f("ck_verification_code_channel")
        ),
        sa.CheckConstraint(
            "purpose IN ('contact', 'factor', 'reset', 'verify')",
            name=op.f("ck_verification_code_purpose"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_code")),
    )
    with op.batch_alter_table("verification_code", schema=None) as batch_op:
        batch_op.create_index(
            "ix_verification_code_owner", ["owner", "purpose", "channel"], unique=False
        )

    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("legal_entity", sa.String(length=40), nullable=False),
        sa.Column("name_ar", sa.String(length=150), nullable=False),
        sa.Column("name_en", sa.String(length=150), nullable=False),
        sa.Column("name_folded", sa.String(length=700), nullable=False),
        sa.Column("licence_no", sa.String(length=80), nullable=True),
        sa.Column("general_broker_id", sa.Integer(), nullable=True),
        sa.Column("address", sa.String(length=250), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["general_broker_id"],
            ["broker.id"],
            name="fk_organisation_general_broker_id",
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(
            ["legal_entity"], ["legal_entity.code"], name=op.f("fk_organisation_legal_entity")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("licence_no", name=op.f("uq_organisation_licence_no")),
    )
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_organisation_name_folded"), ["name_folded"], unique=False
        )

    op.create_table(
        "registration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=False),
        sa.Column("civil_id", sa.String(length=12), nullable=False),
        sa.Column("first_name", sa.String(length=80), nullable=False),
        sa.Column("last_name", sa.String(length=80), nullable=False),
        sa.Column("gender", sa.String(length=40), nullable=False),
        sa.Column("legal_entity", sa.String(length=40), nullable=False),
        sa.Column("organisation_name", sa.String(length=150), nullable=False),
        sa.Column("customs_data", clearance.models.base.Json, nullable=True),
        sa.Column("password_hash", sa.String(length=250), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.Column("email_proved_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("mobile_proved_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("completed_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["legal_entity"], ["legal_entity.code"], name=op.f("fk_registration_legal_entity")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
    )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_registration_created_at"), ["created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_registration_email"), ["email"], unique=False)

    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=True),
        sa.Column("civil_id", sa.String(length=12), nullable=True),
        sa.Column("first_name", sa.String(length=80), nullable=False),
        sa.Column("last_name", sa.String(length=80), nullable=False),
        sa.Column("name_folded", sa.String(length=700), nullable=False),
        sa.Column("gender", sa.String(length=40), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("legal_entity", sa.String(length=40), nullable=True),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.String(length=250), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("email_proved_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("mobile_proved_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("totp_secret", sa.String(length=250), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("failures_in_a_row", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("gender IN ('female', 'male')", name=op.f("ck_user_gender")),
        sa.CheckConstraint("language IN ('ar', 'en')", name=op.f("ck_user_language")),
        sa.CheckConstraint(
            "role IN ('administrator', 'agent', 'manager', 'reviewer')", name=op.f("ck_user_role")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_user_created_by_id")),
        sa.ForeignKeyConstraint(
            ["legal_entity"], ["legal_entity.code"], name=op.f("fk_user_legal_entity")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("civil_id", name="uq_user_civil_id"),
        sa.UniqueConstraint("email", name="uq_user_email"),
    )
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_mobile"), ["mobile"], unique=False)

    op.create_table(
        "broker",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("broker_type", sa.String(length=40), nullable=False),
        sa.Column("name_ar_1", sa.String(length=80), nullable=False),
        sa.Column("name_ar_2", sa.String(length=80), nullable=False),
        sa.Column("name_ar_3", sa.String(length=80), nullable=False),
        sa.Column("name_ar_4", sa.String(length=80), nullable=False),
        sa.Column("name_en_1", sa.String(length=80), nullable=False),
        sa.Column("name_en_2", sa.String(length=80), nullable=False),
        sa.Column("name_en_3", sa.String(length=80), nullable=False),
        sa.Column("name_en_4", sa.String(length=80), nullable=False),
        sa.Column("name_folded", sa.String(length=700), nullable=False),
        sa.Column("nationality", sa.String(length=40), nullable=False),
        sa.Column("civil_id", sa.String(length=12), nullable=False),
        sa.Column("civil_id_expiry", sa.Date(), nullable=False),
        sa.Column("passport_no", sa.String(length=40), nullable=False),
        sa.Column("passport_expiry", sa.Date(), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=250), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broker_type"], ["broker_type.code"], name=op.f("fk_broker_broker_type")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_broker_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broker")),
        sa.UniqueConstraint("civil_id", name="uq_broker_civil_id"),
    )
    with op.batch_alter_table("broker", schema=None) as batch_op:
        batch_op.create_index(
            "ix_broker_organisation", ["organisation_id", "name_folded"], unique=False
        )

    op.create_table(
        "exam",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("held_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("place_ar", sa.String(length=250), nullable=False),
        sa.Column("place_en", sa.String(length=250), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("seats_taken", sa.Integer(), nullable=False),
        sa.Column("confirm_by", sa.Date(), nullable=False),
        sa.Column("announced_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("final_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("form_key", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("seats > 0", name=op.f("ck_exam_seats")),
        sa.CheckConstraint("seats_taken BETWEEN 0 AND seats", name=op.f("ck_exam_never_oversold")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user.id"], name=op.f("fk_exam_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam")),
        sa.UniqueConstraint("form_key", name="uq_exam_form_key"),
    )
    with op.batch_alter_table("exam", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exam_held_at"), ["held_at"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("is_general", sa.Boolean(), nullable=False),
        sa.Column("services", clearance.models.base.Json, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("accepted_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("withdrawn_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "role IN ('administrator', 'agent', 'manager', 'reviewer')",
            name=op.f("ck_invitation_role"),
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["user.id"], name=op.f("fk_invitation_invited_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_invitation_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name="uq_invitation_token_hash"),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_email"), ["email"], unique=False)

    op.create_table(
        "known_device",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("last_used_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_known_device_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_device")),
        sa.UniqueConstraint("user_id", "token_hash", name="uq_known_device_token"),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("is_general", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_membership_organisation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_membership_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("user_id", "organisation_id", name="uq_membership_user_organisation"),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(
            "ix_membership_organisation", ["organisation_id", "is_active"], unique=False
        )

    op.create_table(
        "notice_preference",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("is_wanted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_notice_preference_user_id")
        ),
        sa.PrimaryKeyConstraint("user_id", "event", "channel", name=op.f("pk_notice_preference")),
    )
    op.create_table(
        "password_reset",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=80), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("used_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_password_reset_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_reset")),
        sa.UniqueConstraint("ref", name=op.f("uq_password_reset_ref")),
    )
    with op.batch_alter_table("password_reset", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_password_reset_user_id"), ["user_id"], unique=False)

    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_code_user_id"), ["user_id"], unique=False)

    op.create_table(
        "service_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_code", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("definition", clearance.models.base.Json, nullable=False),
        sa.Column("published_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("published_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["published_by_id"], ["user.id"], name=op.f("fk_service_version_published_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_service_version_service_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_version")),
        sa.UniqueConstraint("service_code", "number", name="uq_service_version_number"),
    )
    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("service_code", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("decided_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'asked', 'left', 'refused')", name=op.f("ck_subscription_status")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_subscription_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_subscription_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_subscription_service_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("organisation_id", "service_code", name="uq_subscription_service"),
    )
    op.create_table(
        "user_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("registration_id", sa.Integer(), nullable=True),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("ip", sa.String(length=40), nullable=False),
        sa.Column("user_agent", sa.String(length=250), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("expires_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("ended_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "stage IN ('factor', 'full', 'password', 'verify')", name=op.f("ck_user_session_stage")
        ),
        sa.CheckConstraint(
            "(user_id IS NULL) <> (registration_id IS NULL)", name=op.f("ck_user_session_one_owner")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_user_session_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_user_session_registration_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("key_hash", name="uq_user_session_key_hash"),
    )
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_user_session_registration_id"), ["registration_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_user_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "announcement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title_ar", sa.String(length=250), nullable=False),
        sa.Column("title_en", sa.String(length=250), nullable=False),
        sa.Column("body_ar", sa.Text(), nullable=False),
        sa.Column("body_en", sa.Text(), nullable=False),
        sa.Column("exam_id", sa.Integer(), nullable=True),
        sa.Column("published_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("ends_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_announcement_exam_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    with op.batch_alter_table("announcement", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_announcement_published_at"), ["published_at"], unique=False
        )

    op.create_table(
        "licence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("broker_id", sa.Integer(), nullable=False),
        sa.Column("guarantee_no", sa.String(length=80), nullable=False),
        sa.Column("guarantee_expiry", sa.Date(), nullable=False),
        sa.Column("issued", sa.Date(), nullable=False),
        sa.Column("expires", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("suspended_by", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'cancelled', 'expired', 'suspended')",
            name=op.f("ck_licence_status"),
        ),
        sa.CheckConstraint(
            "suspended_by IN ('office', 'holder')", name=op.f("ck_licence_suspended_by")
        ),
        sa.ForeignKeyConstraint(["broker_id"], ["broker.id"], name=op.f("fk_licence_broker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence")),
        sa.UniqueConstraint("number", name="uq_licence_number"),
    )
    with op.batch_alter_table("licence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_licence_broker_id"), ["broker_id"], unique=False)
        batch_op.create_index("ix_licence_status_expires", ["status", "expires"], unique=False)
        batch_op.create_index(
            "uq_licence_one_living",
            ["broker_id"],
            unique=True,
            sqlite_where=sa.text("status <> 'cancelled'"),
            postgresql_where=sa.text("status <> 'cancelled'"),
        )

    op.create_table(
        "membership_grant",
        sa.Column("membership_id", sa.Integer(), nullable=False),
        sa.Column("service_code", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"],
            ["membership.id"],
            name=op.f("fk_membership_grant_membership_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_membership_grant_service_code")
        ),
        sa.PrimaryKeyConstraint("membership_id", "service_code", name=op.f("pk_membership_grant")),
    )
    op.create_table(
        "request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_code", sa.String(length=40), nullable=False),
        sa.Column("service_version_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("sender_id", sa.Integer(), nullable=True),
        sa.Column("reviewer_id", sa.Integer(), nullable=True),
        sa.Column("first_approver_id", sa.Integer(), nullable=True),
        sa.Column("licence_id", sa.Integer(), nullable=True),
        sa.Column("broker_id", sa.Integer(), nullable=True),
        sa.Column("exclusive_key", sa.String(length=80), nullable=True),
        sa.Column("form_key", sa.String(length=64), nullable=True),
        sa.Column("broker_type", sa.String(length=40), nullable=True),
        sa.Column("name_ar_1", sa.String(length=80), nullable=False),
        sa.Column("name_ar_2", sa.String(length=80), nullable=False),
        sa.Column("name_ar_3", sa.String(length=80), nullable=False),
        sa.Column("name_ar_4", sa.String(length=80), nullable=False),
        sa.Column("name_en_1", sa.String(length=80), nullable=False),
        sa.Column("name_en_2", sa.String(length=80), nullable=False),
        sa.Column("name_en_3", sa.String(length=80), nullable=False),
        sa.Column("name_en_4", sa.String(length=80), nullable=False),
        sa.Column("name_folded", sa.String(length=700), nullable=False),
        sa.Column("nationality", sa.String(length=40), nullable=True),
        sa.Column("civil_id", sa.String(length=12), nullable=True),
        sa.Column("civil_id_expiry", sa.Date(), nullable=True),
        sa.Column("passport_no", sa.String(length=40), nullable=False),
        sa.Column("passport_expiry", sa.Date(), nullable=True),
        sa.Column("licence_expiry", sa.Date(), nullable=True),
        sa.Column("guarantee_no", sa.String(length=80), nullable=False),
        sa.Column("guarantee_expiry", sa.Date(), nullable=True),
        sa.Column("mobile", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=250), nullable=False),
        sa.Column("answers", clearance.models.base.Json, nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("saved_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("sent_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("returned_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("decided_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("late_told_for", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(status = 'draft') = (number IS NULL)", name=op.f("ck_request_number_when_sent")
        ),
        sa.CheckConstraint(
            "status IN ('absent', 'approved', 'awaiting_broker', 'awaiting_other_party', 'confirmed', 'declined', 'draft', 'failed', 'lapsed', 'passed', 'preapproved', 'rejected', 'returned', 'seated', 'submitted', 'under_review', 'withdrawn')",
            name=op.f("ck_request_status"),
        ),
        sa.ForeignKeyConstraint(["broker_id"], ["broker.id"], name=op.f("fk_request_broker_id")),
        sa.ForeignKeyConstraint(
            ["broker_type"], ["broker_type.code"], name=op.f("fk_request_broker_type")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user.id"], name=op.f("fk_request_created_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["first_approver_id"], ["user.id"], name=op.f("fk_request_first_approver_id")
        ),
        sa.ForeignKeyConstraint(["licence_id"], ["licence.id"], name=op.f("fk_request_licence_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_request_organisation_id")
        ),
        sa.ForeignKeyConstraint(["reviewer_id"], ["user.id"], name=op.f("fk_request_reviewer_id")),
        sa.ForeignKeyConstraint(["sender_id"], ["user.id"], name=op.f("fk_request_sender_id")),
        sa.ForeignKeyConstraint(
            ["service_code"], ["service.code"], name=op.f("fk_request_service_code")
        ),
        sa.ForeignKeyConstraint(
            ["service_version_id"],
            ["service_version.id"],
            name=op.f("fk_request_service_version_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sa.UniqueConstraint("exclusive_key", name="uq_request_exclusive_key"),
        sa.UniqueConstraint("form_key", name="uq_request_form_key"),
        sa.UniqueConstraint("number", name="uq_request_number"),
    )
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.create_index(
            "ix_request_civil_service", ["civil_id", "service_code", "status"], unique=False
        )
        batch_op.create_index(
            "ix_request_decided",
            ["decided_at"],
            unique=False,
            sqlite_where=sa.text("decided_at IS NOT NULL"),
            postgresql_where=sa.text("decided_at IS NOT NULL"),
        )
        batch_op.create_index("ix_request_due", ["status", "due_on"], unique=False)
        batch_op.create_index("ix_request_licence", ["licence_id", "status"], unique=False)
        batch_op.create_index("ix_request_mobile", ["mobile"], unique=False)
        batch_op.create_index(
            "ix_request_organisation", ["organisation_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_request_organisation_status",
            ["organisation_id", "status", "created_at", "id"],
            unique=False,
        )
        batch_op.create_index("ix_request_queue", ["sent_at", "id"], unique=False)
        batch_op.create_index(
            "ix_request_reviewer_sent", ["reviewer_id", "sent_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_request_reviewer_status", ["reviewer_id", "status", "sent_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_request_service_sent", ["service_code", "sent_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_request_service_status", ["service_code", "status", "sent_at", "id"], unique=False
        )
        batch_op.create_index("ix_request_status_sent", ["status", "sent_at", "id"], unique=False)
        batch_op.create_index(
            "ix_request_undecided",
            ["sent_at", "id", "status", "due_on", "reviewer_id", "service_code"],
            unique=False,
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )

    op.create_table(
        "document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=150), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=80), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("is_locked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["kind"], ["document_kind.code"], name=op.f("fk_document_kind")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_document_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"], ["user.id"], name=op.f("fk_document_uploaded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_document_request_id"), ["request_id"], unique=False)

    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("object_type", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.String(length=80), nullable=False),
        sa.Column("from_status", sa.String(length=40), nullable=True),
        sa.Column("to_status", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changes", clearance.models.base.Json, nullable=False),
        sa.Column("ip", sa.String(length=40), nullable=False),
        sa.Column("session_hash", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_event_actor_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_event_organisation_id")
        ),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_event_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_actor", ["actor_id", "id"], unique=False)
        batch_op.create_index("ix_event_object", ["object_type", "object_id", "id"], unique=False)
        batch_op.create_index("ix_event_request", ["request_id", "id"], unique=False)

    op.create_table(
        "exam_seat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("offered_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("reminded_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("confirmed_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("result", sa.String(length=40), nullable=True),
        sa.Column("result_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "result IN ('passed', 'failed', 'absent')", name=op.f("ck_exam_seat_result")
        ),
        sa.CheckConstraint(
            "status IN ('confirmed', 'offered', 'released')", name=op.f("ck_exam_seat_status")
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["exam.id"], name=op.f("fk_exam_seat_exam_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_exam_seat_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_seat")),
        sa.UniqueConstraint("exam_id", "request_id", name="uq_exam_seat_request"),
    )
    with op.batch_alter_table("exam_seat", schema=None) as batch_op:
        batch_op.create_index("ix_exam_seat_request", ["request_id"], unique=False)

    op.create_table(
        "internal_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user.id"], name=op.f("fk_internal_note_author_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_internal_note_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_internal_note")),
    )
    with op.batch_alter_table("internal_note", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_internal_note_request_id"), ["request_id"], unique=False
        )

    op.create_table(
        "issued_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("licence_id", sa.Integer(), nullable=True),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("check_code", sa.String(length=40), nullable=False),
        sa.Column("content", clearance.models.base.Json, nullable=False),
        sa.Column("storage_key", sa.String(length=80), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("issued_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("voided_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("void_reason", sa.String(length=250), nullable=False),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licence.id"], name=op.f("fk_issued_document_licence_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_issued_document_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_issued_document_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_document")),
        sa.UniqueConstraint("check_code", name="uq_issued_document_check_code"),
        sa.UniqueConstraint("request_id", "kind", name="uq_issued_document_once"),
    )
    with op.batch_alter_table("issued_document", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_issued_document_licence_id"), ["licence_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_issued_document_organisation_id"), ["organisation_id"], unique=False
        )

    op.create_table(
        "licence_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("licence_id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changes", clearance.models.base.Json, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_licence_change_actor_id")),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licence.id"], name=op.f("fk_licence_change_licence_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_licence_change_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licence_change")),
    )
    with op.batch_alter_table("licence_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_licence_change_licence_id"), ["licence_id"], unique=False
        )

    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_message_author_id")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_message_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_request_id"), ["request_id"], unique=False)

    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("event", sa.String(length=80), nullable=False),
        sa.Column("params", clearance.models.base.Json, nullable=False),
        sa.Column("url", sa.String(length=250), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("read_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_notice_organisation_id")
        ),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_notice_request_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_notice_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_request_id"), ["request_id"], unique=False)
        batch_op.create_index("ix_notice_unread", ["user_id", "read_at"], unique=False)
        batch_op.create_index("ix_notice_user", ["user_id", "id"], unique=False)

    op.create_table(
        "remark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=True),
        sa.Column("document_kind", sa.String(length=40), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("settled_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(field IS NULL) <> (document_kind IS NULL)", name=op.f("ck_remark_one_place")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_remark_author_id")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_remark_request_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark")),
    )
    with op.batch_alter_table("remark", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remark_request_id"), ["request_id"], unique=False)

    op.create_table(
        "transfer_consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("answer", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("answered_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "answer IN ('declined', 'given', 'waiting')", name=op.f("ck_transfer_consent_answer")
        ),
        sa.CheckConstraint(
            "party IN ('broker', 'receiving', 'releasing')", name=op.f("ck_transfer_consent_party")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["user.id"], name=op.f("fk_transfer_consent_answered_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_transfer_consent_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_transfer_consent_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer_consent")),
        sa.UniqueConstraint("request_id", "party", name="uq_transfer_consent_party"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=True),
        sa.Column("event", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=250), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_secret", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("next_at", clearance.models.base.UtcDateTime(), nullable=False),
        sa.Column("leased_until", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("lease", sa.String(length=40), nullable=True),
        sa.Column("expires_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("sent_at", clearance.models.base.UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=250), nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=False),
        sa.CheckConstraint("channel IN ('email', 'sms')", name=op.f("ck_delivery_channel")),
        sa.CheckConstraint(
            "status IN ('expired', 'given_up', 'queued', 'sent')", name=op.f("ck_delivery_status")
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_delivery_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("message_id", name="uq_delivery_message_id"),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_due", ["status", "priority", "next_at", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_delivery_notice_id"), ["notice_id"], unique=False)

    op.create_table(
        "event_seal",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_event_seal_event_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_event_seal")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_seal_event_id")),
    )

    if op.get_context().dialect.name == "postgresql":
        # organisation and broker reference each other; SQLite has the reference inline.
        op.create_foreign_key(
            "fk_organisation_general_broker_id",
            "organisation",
            "broker",
            ["general_broker_id"],
            ["id"],
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint("fk_organisation_general_broker_id", "organisation")
    op.drop_table("event_seal")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_notice_id"))
        batch_op.drop_index("ix_delivery_due")

    op.drop_table("delivery")
    op.drop_table("transfer_consent")
    with op.batch_alter_table("remark", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_remark_request_id"))

    op.drop_table("remark")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index("ix_notice_user")
        batch_op.drop_index("ix_notice_unread")
        batch_op.drop_index(batch_op.f("ix_notice_request_id"))

    op.drop_table("notice")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_request_id"))

    op.drop_table("message")
    with op.batch_alter_table("licence_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_licence_change_licence_id"))

    op.drop_table("licence_change")
    with op.batch_alter_table("issued_document", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issued_document_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_issued_document_licence_id"))

    op.drop_table("issued_document")
    with op.batch_alter_table("internal_note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_internal_note_request_id"))

    op.drop_table("internal_note")
    with op.batch_alter_table("exam_seat", schema=None) as batch_op:
        batch_op.drop_index("ix_exam_seat_request")

    op.drop_table("exam_seat")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("ix_event_request")
        batch_op.drop_index("ix_event_object")
        batch_op.drop_index("ix_event_actor")

    op.drop_table("event")
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_document_request_id"))

    op.drop_table("document")
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_request_undecided",
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )
        batch_op.drop_index("ix_request_status_sent")
        batch_op.drop_index("ix_request_service_status")
        batch_op.drop_index("ix_request_service_sent")
        batch_op.drop_index("ix_request_reviewer_status")
        batch_op.drop_index("ix_request_reviewer_sent")
        batch_op.drop_index("ix_request_queue")
        batch_op.drop_index("ix_request_organisation_status")
        batch_op.drop_index("ix_request_organisation")
        batch_op.drop_index("ix_request_mobile")
        batch_op.drop_index("ix_request_licence")
        batch_op.drop_index("ix_request_due")
        batch_op.drop_index(
            "ix_request_decided",
            sqlite_where=sa.text("decided_at IS NOT NULL"),
            postgresql_where=sa.text("decided_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_request_civil_service")

    op.drop_table("request")
    op.drop_table("membership_grant")
    with op.batch_alter_table("licence", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_licence_one_living",
            sqlite_where=sa.text("status <> 'cancelled'"),
            postgresql_where=sa.text("status <> 'cancelled'"),
        )
        batch_op.drop_index("ix_licence_status_expires")
        batch_op.drop_index(batch_op.f("ix_licence_broker_id"))

    op.drop_table("licence")
    with op.batch_alter_table("announcement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_announcement_published_at"))

    op.drop_table("announcement")
    with op.batch_alter_table("user_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_session_user_id"))
        batch_op.drop_index(batch_op.f("ix_user_session_registration_id"))

    op.drop_table("user_session")
    op.drop_table("subscription")
    op.drop_table("service_version")
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recovery_code_user_id"))

    op.drop_table("recovery_code")
    with op.batch_alter_table("password_reset", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_password_reset_user_id"))

    op.drop_table("password_reset")
    op.drop_table("notice_preference")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index("ix_membership_organisation")

    op.drop_table("membership")
    op.drop_table("known_device")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitation_email"))

    op.drop_table("invitation")
    with op.batch_alter_table("exam", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exam_held_at"))

    op.drop_table("exam")
    with op.batch_alter_table("broker", schema=None) as batch_op:
        batch_op.drop_index("ix_broker_organisation")

    op.drop_table("broker")
    with op.batch_alter_table("user", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_mobile"))

    op.drop_table("user")
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_registration_email"))
        batch_op.drop_index(batch_op.f("ix_registration_created_at"))

    op.drop_table("registration")
    with op.batch_alter_table("organisation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organisation_name_folded"))

    op.drop_table("organisation")
    with op.batch_alter_table("verification_code", schema=None) as batch_op:
        batch_op.drop_index("ix_verification_code_owner")

    op.drop_table("verification_code")
    with op.batch_alter_table("throttle_count", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_throttle_count_expires_at"))

    op.drop_table("throttle_count")
    op.drop_table("setting")
    op.drop_table("service")
    op.drop_table("reason")
    with op.batch_alter_table("one_time_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_key_created_at"))

    op.drop_table("one_time_key")
    op.drop_table("message_text")
    op.drop_table("legal_entity")
    op.drop_table("holiday")
    op.drop_table("document_kind")
    op.drop_table("customs_account")
    op.drop_table("counter")
    op.drop_table("chain_head")
    with op.batch_alter_table("captcha", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_captcha_expires_at"))

    op.drop_table("captcha")
    op.drop_table("broker_type")
    with op.batch_alter_table("access_event", schema=None) as batch_op:
        batch_op.drop_index("ix_access_event_user")
        batch_op.drop_index("ix_access_event_kind")

    op.drop_table("access_event")
