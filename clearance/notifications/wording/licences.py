"""Shipped texts about licences, in both languages: expiries, suspensions, corrections."""

from __future__ import annotations

from clearance.models.enums import ValidityLink
from clearance.notifications.wording.common import Wording

# What expires (`what`), worded to follow «صلاحية» in Arabic and “the” in English.
LINK_NAMES: dict[str, dict[str, str]] = {
    ValidityLink.LICENCE: {"ar": "الرخصة", "en": "licence"},
    ValidityLink.GUARANTEE: {"ar": "الضمان البنكي", "en": "bank guarantee"},
    ValidityLink.CIVIL_ID: {"ar": "البطاقة المدنية", "en": "civil ID card"},
    ValidityLink.PASSPORT: {"ar": "جواز السفر", "en": "passport"},
}

WORDING: dict[str, dict[str, Wording]] = {
    "licence:expiring": {
        "ar": Wording(
            label="قرب انتهاء صلاحية رخصة",
            title="رخصة التخليص رقم {licence}: قرب انتهاء صلاحية {what}",
            body=(
                "تنتهي صلاحية {what} بنهاية يوم {date}، وبانتهائها تنقضي صلاحية رخصة التخليص "
                "رقم {licence} للمخلص {name}.\n"
                "عدد الأيام المتبقية: {days}.\n"
                "يرجى استكمال إجراءات التجديد من خلال البوابة قبل هذا التاريخ."
            ),
            sms=(
                "بوابة التخليص الجمركي: رخصة التخليص رقم {licence}، تنتهي صلاحية {what} في {date}. "
                "يرجى التجديد قبل ذلك."
            ),
        ),
        "en": Wording(
            label="Licence about to expire",
            title="Licence {licence}: the {what} is about to expire",
            body=(
                "The {what} expires at the end of {date}; from then on clearance licence "
                "{licence} of {name} is no longer valid.\n"
                "Days left: {days}.\n"
                "Please complete the renewal in the portal before that date."
            ),
            sms=(
                "Customs Clearance Portal: the {what} of licence {licence} expires on {date}. "
                "Please renew before then."
            ),
        ),
    },
    "licence:expired": {
        "ar": Wording(
            label="انتهاء صلاحية رخصة",
            title="انتهت صلاحية رخصة التخليص رقم {licence}",
            body=(
                "انتهت صلاحية رخصة التخليص رقم {licence} للمخلص {name} بنهاية يوم {date}، "
                "ولا يجوز مزاولة أعمال التخليص بموجبها قبل تجديدها.\n"
                "يمكنكم تقديم طلب التجديد من خلال البوابة."
            ),
            sms=(
                "بوابة التخليص الجمركي: انتهت صلاحية رخصة التخليص رقم {licence} في {date}. "
                "يمكنكم طلب تجديدها من خلال البوابة."
            ),
        ),
        "en": Wording(
            label="Licence expired",
            title="Clearance licence {licence} has expired",
            body=(
                "Clearance licence {licence} of {name} expired at the end of {date}. No clearance "
                "work may be done under it until it is renewed.\n"
                "You can ask for its renewal in the portal."
            ),
            sms=(
                "Customs Clearance Portal: licence {licence} expired on {date}. "
                "You can ask for its renewal in the portal."
            ),
        ),
    },
    "licence:suspended": {
        "ar": Wording(
            label="إيقاف رخصة من قبل المكتب",
            title="إيقاف رخصة التخليص رقم {licence}",
            body=(
                "قرر مكتب شؤون المخلصين إيقاف رخصة التخليص رقم {licence} للمخلص {name}.\n"
                "السبب: {reason}\n"
                "لا يجوز مزاولة أعمال التخليص بموجبها حتى إشعار آخر من المكتب."
            ),
            sms=(
                "بوابة التخليص الجمركي: قرر المكتب إيقاف رخصة التخليص رقم {licence}. "
                "السبب في صفحة المخلص بالبوابة."
            ),
        ),
        "en": Wording(
            label="Licence suspended by the office",
            title="Clearance licence {licence} was suspended",
            body=(
                "The office has suspended clearance licence {licence} of {name}.\n"
                "Reason: {reason}\n"
                "No clearance work may be done under it until the office tells you otherwise."
            ),
            sms=(
                "Customs Clearance Portal: the office has suspended licence {licence}. "
                "The reason is on the broker's page in the portal."
            ),
        ),
    },
    "licence:reinstated": {
        "ar": Wording(
            label="رفع إيقاف رخصة من قبل المكتب",
            title="رفع الإيقاف عن رخصة التخليص رقم {licence}",
            body=(
                "قرر مكتب شؤون المخلصين رفع الإيقاف عن رخصة التخليص رقم {licence} "
                "للمخلص {name}.\n"
                "السبب: {reason}\n"
                "حالة الرخصة وتاريخ انتهائها مبينان في صفحة المخلص بالبوابة."
            ),
            sms=(
                "بوابة التخليص الجمركي: قرر المكتب رفع الإيقاف عن رخصة التخليص رقم {licence}. "
                "التفاصيل في البوابة."
            ),
        ),
        "en": Wording(
            label="Suspension lifted by the office",
            title="The suspension of clearance licence {licence} was lifted",
            body=(
                "The office has lifted the suspension of clearance licence {licence} of {name}.\n"
                "Reason: {reason}\n"
                "The licence's status and expiry are on the broker's page in the portal."
            ),
            sms=(
                "Customs Clearance Portal: the office has lifted the suspension of licence "
                "{licence}. See the portal for details."
            ),
        ),
    },
    "licence:corrected": {
        "ar": Wording(
            label="تصحيح بيانات رخصة من قبل المكتب",
            title="تصحيح بيانات رخصة التخليص رقم {licence}",
            body=(
                "صحح مكتب شؤون المخلصين بيانات مسجلة للمخلص {name} أو لرخصته رقم {licence}.\n"
                "السبب: {reason}\n"
                "البيانات قبل التصحيح وبعده مبينة في سجل المخلص بالبوابة."
            ),
            sms=(
                "بوابة التخليص الجمركي: صحح المكتب بيانات رخصة التخليص رقم {licence}. "
                "التفاصيل في البوابة."
            ),
        ),
        "en": Wording(
            label="Register corrected by the office",
            title="The register of clearance licence {licence} was corrected",
            body=(
                "The office has corrected what the register says of {name} or of licence "
                "{licence}.\n"
                "Reason: {reason}\n"
                "What it said before and says now is in the broker's history in the portal."
            ),
            sms=(
                "Customs Clearance Portal: the office has corrected the register of licence "
                "{licence}. See the portal for details."
            ),
        ),
    },
    "licence:voided": {
        "ar": Wording(
            label="إلغاء وثيقة صادرة من قبل المكتب",
            title="رخصة التخليص رقم {licence}: إلغاء وثيقة صادرة ({document})",
            body=(
                "ألغى مكتب شؤون المخلصين وثيقة صادرة للمخلص {name} بموجب رخصة التخليص رقم "
                "{licence}: {document}.\n"
                "السبب: {reason}\n"
                "لم تعد الوثيقة صالحة، ولا يمس ذلك الرخصة نفسها."
            ),
            sms=(
                "بوابة التخليص الجمركي: ألغى المكتب وثيقة صادرة بموجب رخصة التخليص رقم {licence}: "
                "{document}. السبب: {reason}"
            ),
        ),
        "en": Wording(
            label="Issued document made void by the office",
            title="Clearance licence {licence}: an issued document is void ({document})",
            body=(
                "The office has made a document void that was issued to {name} for clearance "
                "licence {licence}: {document}.\n"
                "Reason: {reason}\n"
                "The document is worth nothing any more; the licence itself is not affected."
            ),
            sms=(
                "Customs Clearance Portal: the office has made a document of clearance licence "
                "{licence} void: {document}. Reason: {reason}"
            ),
        ),
    },
}
