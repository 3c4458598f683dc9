"""Shipped texts about transfers for both organisations and the broker, in both languages.

`party`: who answered, an organisation's name or the broker. `next`: the next step.
"""

from __future__ import annotations

from clearance.notifications.wording.common import Wording

BROKER = {"ar": "المخلص", "en": "the broker"}
BROKER_IS_NEXT = {
    "ar": "أُرسل رابط الموافقة إلى هاتف المخلص الجوال المسجل، ولا ينظر المكتب في الطلب قبل موافقته.",
    "en": (
        "A link was sent to the broker's registered mobile. The office looks at the request once "
        "he has consented."
    ),
}
OFFICE_IS_NEXT = {
    "ar": "الطلب الآن لدى مكتب شؤون المخلصين للمراجعة.",
    "en": "The request is now with the Clearance Agents Affairs Office.",
}

WORDING: dict[str, dict[str, Wording]] = {
    "transfer:asked": {
        "ar": Wording(
            label="طلب نقل مخلص بانتظار ردكم",
            title="طلب نقل المخلص {broker} بانتظار ردكم",
            body=(
                "قدّم {organisation} الطلب رقم {number} لنقل المخلص {broker} "
                "(رخصة التخليص رقم {licence}).\n"
                "من: {releasing}\n"
                "إلى: {receiving}\n"
                "يرجى قبول النقل أو رفضه من خلال البوابة حتى {answer_by}، وإلا عُدّ الطلب لاغياً."
            ),
            sms=(
                "بوابة التخليص الجمركي: الطلب {number} لنقل المخلص {broker} بانتظار ردكم حتى "
                "{answer_by}."
            ),
        ),
        "en": Wording(
            label="Transfer of a broker awaits your answer",
            title="The transfer of {broker} awaits your answer",
            body=(
                "{organisation} has sent request {number} to transfer the broker {broker} "
                "(clearance licence {licence}).\n"
                "From: {releasing}\n"
                "To: {receiving}\n"
                "Please accept or decline in the portal by {answer_by}; after that the request "
                "lapses."
            ),
            sms=(
                "Customs Clearance Portal: request {number} to transfer the broker {broker} awaits "
                "your answer by {answer_by}."
            ),
        ),
    },
    "transfer:consent": {
        "ar": Wording(
            label="طلب موافقة المخلص على نقله",
            title="موافقتكم مطلوبة على نقلكم إلى {receiving}",
            body=(
                "اتفق {releasing} و{receiving} على نقلكم من الأول إلى الثاني برخصة التخليص رقم "
                "{licence}، ولا يتم النقل إلا بموافقتكم.\n"
                "افتحوا الرابط أدناه حتى {answer_by}، واطلبوا رمزاً يُرسل إلى هاتفكم الجوال المسجل، "
                "ثم وافقوا على النقل أو ارفضوه. لا تعطوا الرابط أو الرمز لأحد."
            ),
            sms=(
                "بوابة التخليص الجمركي: موافقتكم مطلوبة على نقلكم من {releasing} إلى {receiving} "
                "حتى {answer_by}: {link}"
            ),
        ),
        "en": Wording(
            label="Broker's consent to his transfer",
            title="Your consent to your transfer to {receiving} is needed",
            body=(
                "{releasing} and {receiving} have agreed to transfer you from the former to the "
                "latter with clearance licence {licence}. It happens only with your consent.\n"
                "Open the link below by {answer_by}, ask for a code to be sent to your registered "
                "mobile, and consent or refuse. Give the link and the code to nobody."
            ),
            sms=(
                "Customs Clearance Portal: your consent to your transfer from {releasing} to "
                "{receiving} is needed by {answer_by}: {link}"
            ),
        ),
    },
    "transfer:accepted": {
        "ar": Wording(
            label="قبول نقل مخلص",
            title="قبول نقل المخلص {broker}",
            body="وافق {party} على نقل المخلص {broker} بموجب الطلب رقم {number}.\n{next}",
            sms="بوابة التخليص الجمركي: وافق {party} على نقل المخلص {broker} (الطلب {number}).",
        ),
        "en": Wording(
            label="Transfer accepted",
            title="The transfer of {broker} was accepted",
            body="The transfer of {broker} by request {number} was accepted by {party}.\n{next}",
            sms=(
                "Customs Clearance Portal: the transfer of {broker} (request {number}) was "
                "accepted by {party}."
            ),
        ),
    },
    "transfer:declined": {
        "ar": Wording(
            label="رفض نقل مخلص",
            title="رُفض نقل المخلص {broker} من قِبل {party}",
            body=(
                "رفض {party} نقل المخلص {broker} بموجب الطلب رقم {number}، وأُغلق الطلب.\n"
                "السبب: {reason}\n"
                "يبقى المخلص مسجلاً لدى مكتبه الحالي."
            ),
            sms="بوابة التخليص الجمركي: رفض {party} نقل المخلص {broker} (الطلب {number}).",
        ),
        "en": Wording(
            label="Transfer declined",
            title="The transfer of {broker} was declined by {party}",
            body=(
                "The transfer of {broker} by request {number} was declined by {party}, and the "
                "request is closed.\n"
                "Reason: {reason}\n"
                "The broker stays with his present office."
            ),
            sms=(
                "Customs Clearance Portal: the transfer of {broker} (request {number}) was "
                "declined by {party}."
            ),
        ),
    },
    "transfer:lapsed": {
        "ar": Wording(
            label="انقضاء مهلة نقل مخلص",
            title="انقضت مهلة نقل المخلص {broker}",
            body=(
                "انقضت مهلة الرد على الطلب رقم {number} لنقل المخلص {broker} دون رد من {party}، "
                "وأُغلق الطلب. يمكن تقديم طلب جديد."
            ),
            sms=(
                "بوابة التخليص الجمركي: انقضت مهلة الطلب {number} لنقل المخلص {broker} دون رد، "
                "وأُغلق الطلب."
            ),
        ),
        "en": Wording(
            label="Transfer lapsed",
            title="The transfer of {broker} has lapsed",
            body=(
                "The time to answer request {number} for the transfer of {broker} is over without "
                "an answer from {party}. The request is closed; a new one can be sent."
            ),
            sms=(
                "Customs Clearance Portal: request {number} for the transfer of {broker} has "
                "lapsed without an answer."
            ),
        ),
    },
    "transfer:closed": {
        "ar": Wording(
            label="إغلاق طلب نقل مخلص لدى الجهة الأخرى",
            title="أُغلق طلب نقل المخلص {broker}",
            body=(
                "أُغلق الطلب رقم {number} لنقل المخلص {broker}، وحالته الآن: {outcome}.\n"
                "لم يعد مطلوباً منكم أي إجراء، ويبقى المخلص مسجلاً لدى مكتبه الحالي."
            ),
            sms=(
                "بوابة التخليص الجمركي: أُغلق الطلب {number} لنقل المخلص {broker}. "
                "الحالة: {outcome}."
            ),
        ),
        "en": Wording(
            label="Transfer closed on the other side",
            title="The request to transfer {broker} is closed",
            body=(
                "Request {number} for the transfer of {broker} is closed; its state now: "
                "{outcome}.\n"
                "Nothing is left for you to do. The broker stays with his present office."
            ),
            sms=(
                "Customs Clearance Portal: request {number} for the transfer of {broker} is "
                "closed. State: {outcome}."
            ),
        ),
    },
    "transfer:done": {
        "ar": Wording(
            label="إتمام نقل مخلص",
            title="تم نقل المخلص {broker}",
            body=(
                "تم نقل المخلص {broker} برخصة التخليص رقم {licence} بموجب الطلب رقم {number}.\n"
                "من: {releasing}\n"
                "إلى: {receiving}\n"
                "يبقى رقم الرخصة كما هو، وصدرت بطاقة هوية جديدة."
            ),
            sms=(
                "بوابة التخليص الجمركي: تم نقل المخلص {broker} (الرخصة {licence}) من {releasing} "
                "إلى {receiving}."
            ),
        ),
        "en": Wording(
            label="Broker transferred",
            title="{broker} was transferred",
            body=(
                "The broker {broker} with clearance licence {licence} was transferred by request "
                "{number}.\n"
                "From: {releasing}\n"
                "To: {receiving}\n"
                "The licence keeps its number, and a new identity card was issued."
            ),
            sms=(
                "Customs Clearance Portal: the broker {broker} (licence {licence}) was transferred "
                "from {releasing} to {receiving}."
            ),
        ),
    },
    "code:consent": {
        "ar": Wording(
            label="رمز موافقة المخلص على نقله",
            title="رمز الموافقة على النقل",
            body="رمز الموافقة على نقلكم أو رفضه: {code}\nصلاحية الرمز: {lifetime}.",
            sms=(
                "بوابة التخليص الجمركي: رمز الرد على طلب نقلكم {code} وصلاحيته {lifetime}. "
                "لا تعطوه لأحد."
            ),
        ),
        "en": Wording(
            label="Code by which a broker answers his transfer",
            title="Code to answer your transfer",
            body="The code to answer your transfer: {code}\nIt is valid for {lifetime}.",
            sms=(
                "Customs Clearance Portal: code to answer your transfer: {code}, valid for "
                "{lifetime}. Give it to nobody."
            ),
        ),
    },
}
