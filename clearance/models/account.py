"""People and their access: users, registrations, sessions, organisations, memberships, codes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from clearance.models import base
from clearance.models.base import Base, Json, one_of
from clearance.models.enums import Channel, CodePurpose, Gender, Role, SessionStage
from clearance.models.names import AccountName, Named


class LegalEntity(Base):
    """Legal form of an organisation (الكيان القانوني); editable reference data."""

    __tablename__ = "legal_entity"

    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    name_ar: Mapped[base.name]
    name_en: Mapped[base.name]
    may_hold_licences: Mapped[bool] = mapped_column(default=False)
    has_customs_account: Mapped[bool] = mapped_column(default=False)
    needs_organisation_name: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)


class User(AccountName, Base):
    """A verified person who can sign in; created by confirming both codes or by invitation."""

    __tablename__ = "user"
    __table_args__ = (
        sa.UniqueConstraint("email", name="uq_user_email"),
        sa.UniqueConstraint("civil_id", name="uq_user_civil_id"),
        one_of("role", Role),
        one_of("gender", Gender),
        one_of("language", {"ar", "en"}),
    )

    id: Mapped[base.pk]
    email: Mapped[base.address]
    mobile: Mapped[base.phone | None] = mapped_column(index=True)
    civil_id: Mapped[base.civil | None]
    name_folded: Mapped[str] = mapped_column(sa.String(700))
    gender: Mapped[base.code | None]
    role: Mapped[base.code] = mapped_column(default=Role.AGENT)
    legal_entity: Mapped[base.code | None] = mapped_column(sa.ForeignKey("legal_entity.code"))
    language: Mapped[base.code] = mapped_column(default="ar")
    password_hash: Mapped[base.line]
    uses_keys: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    must_change_password: Mapped[bool] = mapped_column(default=False)
    email_proved_at: Mapped[base.instant | None]
    mobile_proved_at: Mapped[base.instant | None]
    totp_secret: Mapped[base.line | None]
    totp_last_step: Mapped[int | None]
    second_factor: Mapped[bool] = mapped_column(default=False)
    has_roomy_lists: Mapped[bool] = mapped_column(default=False)
    failures_in_a_row: Mapped[int] = mapped_column(default=0)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[base.instant]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    version: Mapped[int] = mapped_column(default=1)

    memberships: Mapped[list[Membership]] = relationship(back_populates="user")

    @property
    def is_proved(self) -> bool:
        """Whether e-mail and mobile were confirmed by code (staff: e-mail only)."""
        if self.role != Role.AGENT:
            return self.email_proved_at is not None
        return self.email_proved_at is not None and self.mobile_proved_at is not None


class Registration(AccountName, Base):
    """An unverified sign-up; becomes a user once both codes are confirmed, else is purged.

    `is_void` marks one with a known e-mail, civil number or mobile: it looks like any other but
    never completes. One with `invitation_id` was created by a general user, who chose the password
    too; its `created_at` is when it was last sent.
    """

    __tablename__ = "registration"

    id: Mapped[base.pk]
    email: Mapped[base.address] = mapped_column(index=True)
    mobile: Mapped[base.phone]
    civil_id: Mapped[base.civil]
    gender: Mapped[base.code]
    legal_entity: Mapped[base.code] = mapped_column(sa.ForeignKey("legal_entity.code"))
    organisation_name: Mapped[base.name]
    customs_data: Mapped[dict[str, Any] | None] = mapped_column(Json)
    password_hash: Mapped[base.line]
    language: Mapped[base.code] = mapped_column(default="ar")
    is_void: Mapped[bool] = mapped_column(default=False)
    invitation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invitation.id"), index=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    email_proved_at: Mapped[base.instant | None]
    mobile_proved_at: Mapped[base.instant | None]
    created_at: Mapped[base.instant] = mapped_column(index=True)
    completed_at: Mapped[base.instant | None]


class UserSession(Base):
    """One signed-in browser; the cookie holds a random key, this row its hash."""

    __tablename__ = "user_session"
    __table_args__ = (
        sa.UniqueConstraint("key_hash", name="uq_user_session_key_hash"),
        sa.CheckConstraint("(user_id IS NULL) <> (registration_id IS NULL)", name="one_owner"),
        one_of("stage", SessionStage),
    )

    id: Mapped[base.pk]
    key_hash: Mapped[base.digest]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"), index=True)
    registration_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("registration.id", ondelete="CASCADE"), index=True
    )
    stage: Mapped[base.code]
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"))
    ip: Mapped[base.code]
    user_agent: Mapped[base.line]
    created_at: Mapped[base.instant]
    last_seen_at: Mapped[base.instant]
    expires_at: Mapped[base.instant]
    ended_at: Mapped[base.instant | None]


class KnownDevice(Base):
    """A browser that signed in before; it only gets separate rate limits."""

    __tablename__ = "known_device"
    __table_args__ = (sa.UniqueConstraint("user_id", "token_hash", name="uq_known_device_token"),)

    id: Mapped[base.pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    token_hash: Mapped[base.digest]
    created_at: Mapped[base.instant]
    last_used_at: Mapped[base.instant]


class RecoveryCode(Base):
    """A spare second factor, kept as a keyed hash and usable once."""

    __tablename__ = "recovery_code"

    id: Mapped[base.pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), index=True)
    code_hash: Mapped[base.digest]
    used_at: Mapped[base.instant | None]


class Organisation(Named, Base):
    """A clearing office or company, the holder of brokers, requests and subscriptions."""

    __tablename__ = "organisation"

    id: Mapped[base.pk]
    legal_entity: Mapped[base.code] = mapped_column(sa.ForeignKey("legal_entity.code"))
    name_ar: Mapped[base.name]
    name_en: Mapped[base.name]
    name_folded: Mapped[str] = mapped_column(sa.String(700), index=True)
    licence_no: Mapped[base.short | None] = mapped_column(unique=True)
    general_broker_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("broker.id", use_alter=True, name="fk_organisation_general_broker_id")
    )
    address: Mapped[base.line] = mapped_column(default="")
    phone: Mapped[base.phone] = mapped_column(default="")
    email: Mapped[base.address] = mapped_column(default="")
    stored_bytes: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    created_at: Mapped[base.instant]
    version: Mapped[int] = mapped_column(default=1)

    memberships: Mapped[list[Membership]] = relationship(back_populates="organisation")


class Membership(Base):
    """A user in an organisation: general (everything) or additional (granted services)."""

    __tablename__ = "membership"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "organisation_id", name="uq_membership_user_organisation"),
        sa.Index("ix_membership_organisation", "organisation_id", "is_active"),
    )

    id: Mapped[base.pk]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    is_general: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[base.instant]
    version: Mapped[int] = mapped_column(default=1)

    user: Mapped[User] = relationship(back_populates="memberships")
    organisation: Mapped[Organisation] = relationship(back_populates="memberships")
    grants: Mapped[list[Grant]] = relationship(
        back_populates="membership", cascade="all, delete-orphan"
    )


class Grant(Base):
    """One service that an additional user may use for that organisation."""

    __tablename__ = "membership_grant"

    membership_id: Mapped[int] = mapped_column(
        sa.ForeignKey("membership.id", ondelete="CASCADE"), primary_key=True
    )
    service_code: Mapped[str] = mapped_column(
        sa.String(40), sa.ForeignKey("service.code"), primary_key=True
    )

    membership: Mapped[Membership] = relationship(back_populates="grants")


class Invitation(Base):
    """An offer to join the office with a role, or an organisation.

    `email` is as typed. `user_id` is the invited user, if one exists. Neither it nor `refused_at`
    is disclosed to the inviting person. `teams` are those that an invited reviewer joins.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        sa.UniqueConstraint("token_hash", name="uq_invitation_token_hash"),
        one_of("role", Role),
    )

    id: Mapped[base.pk]
    email: Mapped[base.address] = mapped_column(index=True)
    role: Mapped[base.code]
    organisation_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("organisation.id"), index=True
    )
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"), index=True)
    is_general: Mapped[bool] = mapped_column(default=False)
    services: Mapped[list[str]] = mapped_column(Json, default=list)
    teams: Mapped[list[str]] = mapped_column(Json, default=list, server_default="[]")
    token_hash: Mapped[base.digest]
    invited_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    created_at: Mapped[base.instant]
    expires_at: Mapped[base.instant]
    accepted_at: Mapped[base.instant | None]
    refused_at: Mapped[base.instant | None]
    withdrawn_at: Mapped[base.instant | None]


class VerificationCode(Base):
    """A one-time code (رمز التحقق) as a keyed hash, bound to owner, purpose, channel, address."""

    __tablename__ = "verification_code"
    __table_args__ = (
        one_of("purpose", CodePurpose),
        one_of("channel", Channel),
        sa.Index("ix_verification_code_owner", "owner", "purpose", "channel"),
    )

    id: Mapped[base.pk]
    owner: Mapped[base.short]
    purpose: Mapped[base.code]
    channel: Mapped[base.code]
    address: Mapped[base.address]
    code_hash: Mapped[base.digest]
    created_at: Mapped[base.instant]
    expires_at: Mapped[base.instant]
    tries_left: Mapped[int] = mapped_column(default=5)
    used_at: Mapped[base.instant | None]
    voided_at: Mapped[base.instant | None]


class PasswordReset(Base):
    """A password reset; created for known (user_id set) and unknown addresses alike."""

    __tablename__ = "password_reset"

    id: Mapped[base.pk]
    ref: Mapped[base.short] = mapped_column(unique=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"), index=True)
    created_at: Mapped[base.instant]
    expires_at: Mapped[base.instant]
    used_at: Mapped[base.instant | None]


class Captcha(Base):
    """An image CAPTCHA and its audio version; one submission uses up both."""

    __tablename__ = "captcha"

    ref: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    form: Mapped[base.code]
    image_text: Mapped[base.code]
    spoken_digits: Mapped[base.code]
    created_at: Mapped[base.instant]
    expires_at: Mapped[base.instant] = mapped_column(index=True)
    spent_at: Mapped[base.instant | None]


class ThrottleCount(Base):
    """Hits in the window of a rate limit; shared by all workers."""

    __tablename__ = "throttle_count"

    key: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    hits: Mapped[int]
    expires_at: Mapped[base.instant] = mapped_column(index=True)


class OneTimeKey(Base):
    """The key of a form that creates something; a repeated key gives the first result."""

    __tablename__ = "one_time_key"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    owner: Mapped[base.short]
    result: Mapped[base.line] = mapped_column(default="")
    created_at: Mapped[base.instant] = mapped_column(index=True)


class CustomsAccount(Base):
    """Broker account in the embedded register of the automated customs system."""

    __tablename__ = "customs_account"
    __table_args__ = (
        sa.UniqueConstraint("licence_no", "customs_user", name="uq_customs_account_user"),
    )

    id: Mapped[base.pk]
    licence_no: Mapped[base.short]
    customs_user: Mapped[base.short]
    password_hash: Mapped[base.line]
    answer: Mapped[base.data]


class NoticePreference(Base):
    """Whether a user wants an event by a channel; absent means yes, or no for one by choice."""

    __tablename__ = "notice_preference"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"), primary_key=True)
    event: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    channel: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    is_wanted: Mapped[bool] = mapped_column(default=True)
