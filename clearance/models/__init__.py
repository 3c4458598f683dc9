"""All models; import them from here."""

from clearance.models.account import (
    Captcha,
    CustomsAccount,
    Grant,
    Invitation,
    KnownDevice,
    LegalEntity,
    Membership,
    NoticePreference,
    OneTimeKey,
    Organisation,
    PasswordReset,
    RecoveryCode,
    Registration,
    ThrottleCount,
    User,
    UserSession,
    VerificationCode,
)
from clearance.models.audit import AccessEvent, ChainHead, Event, EventSeal
from clearance.models.base import Base, UtcDateTime
from clearance.models.exam import Exam, ExamSeat
from clearance.models.figure import Figure, FigureState
from clearance.models.issued import IssuedDocument, ReceiptKey
from clearance.models.job import Hold, JobRun
from clearance.models.list_export import ListExport
from clearance.models.lists import ListLayout, SavedView
from clearance.models.notice import Announcement, Delivery, MessageText, Notice
from clearance.models.own_data import DataCopy
from clearance.models.reference import ChangeStamp, Counter, Holiday, Setting
from clearance.models.register import (
    Broker,
    BrokerType,
    Licence,
    LicenceChange,
    LicenceReminder,
    Nationality,
)
from clearance.models.request import (
    Document,
    InternalNote,
    Message,
    Remark,
    Request,
    TransferConsent,
)
from clearance.models.retention import LegalHold, Purge
from clearance.models.service import (
    ChoiceList,
    DocumentKind,
    Reason,
    Service,
    ServiceDraft,
    ServiceDraftChange,
    ServicePilot,
    ServiceVersion,
    Subscription,
)
from clearance.models.team import Team, TeamMember

__all__ = [
    "AccessEvent",
    "Announcement",
    "Base",
    "Broker",
    "BrokerType",
    "Captcha",
    "ChainHead",
    "ChangeStamp",
    "ChoiceList",
    "Counter",
    "CustomsAccount",
    "DataCopy",
    "Delivery",
    "Document",
    "DocumentKind",
    "Event",
    "EventSeal",
    "Exam",
    "ExamSeat",
    "Figure",
    "FigureState",
    "Grant",
    "Hold",
    "Holiday",
    "InternalNote",
    "Invitation",
    "IssuedDocument",
    "JobRun",
    "KnownDevice",
    "LegalEntity",
    "LegalHold",
    "Licence",
    "LicenceChange",
    "LicenceReminder",
    "ListExport",
    "ListLayout",
    "Membership",
    "Message",
    "MessageText",
    "Nationality",
    "Notice",
    "NoticePreference",
    "OneTimeKey",
    "Organisation",
    "PasswordReset",
    "Purge",
    "Reason",
    "ReceiptKey",
    "RecoveryCode",
    "Registration",
    "Remark",
    "Request",
    "SavedView",
    "Service",
    "ServiceDraft",
    "ServiceDraftChange",
    "ServicePilot",
    "ServiceVersion",
    "Setting",
    "Subscription",
    "Team",
    "TeamMember",
    "ThrottleCount",
    "TransferConsent",
    "User",
    "UserSession",
    "UtcDateTime",
    "VerificationCode",
]
