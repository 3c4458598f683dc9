"""Shipped texts about subscriptions, in both languages; `outcome`: the office's decision."""

from __future__ import annotations

from clearance.notifications.wording.common import Wording

APPROVED = {
    "ar": "تمت الموافقة على الاشتراك، ويمكنكم الآن استخدام الخدمة ومنحها للمستخدمين.",
    "en": "The subscription was approved. You can use the service now and grant it to users.",
}
REFUSED = {
    "ar": "لم تتم الموافقة على الاشتراك. يمكنكم طلبه من جديد بعد استيفاء المطلوب.",
    "en": "The subscription was refused. You can ask again when what is missing is there.",
}

WORDING: dict[str, dict[str, Wording]] = {
    "subscription:asked": {
        "ar": Wording(
            label="طلب اشتراك بخدمة",
            title="طلب اشتراك بخدمة بانتظار القرار",
            body="طلب {organisation} الاشتراك بالخدمة: {service}.",
        ),
        "en": Wording(
            label="Subscription asked for",
            title="A subscription awaits a decision",
            body="{organisation} has asked to subscribe to the service: {service}.",
        ),
    },
    "subscription:decided": {
        "ar": Wording(
            label="القرار في طلب الاشتراك",
            title="القرار في طلب الاشتراك بالخدمة: {service}",
            body="طلب {organisation} الاشتراك بالخدمة: {service}.\n{outcome}\nالسبب: {reason}",
            sms="بوابة التخليص الجمركي: {service}: {outcome}",
        ),
        "en": Wording(
            label="Subscription decided",
            title="Decision on the subscription: {service}",
            body=(
                "{organisation} asked to subscribe to the service: {service}.\n{outcome}\n"
                "Reason: {reason}"
            ),
            sms="Customs Clearance Portal: {service}: {outcome}",
        ),
    },
    "subscription:left": {
        "ar": Wording(
            label="إنهاء الاشتراك بخدمة",
            title="أُنهي الاشتراك بالخدمة: {service}",
            body=(
                "أنهى {name} اشتراك {organisation} بالخدمة: {service}.\n"
                "انتهى منح الخدمة للمستخدمين، وتبقى مسوداتها دون إمكان إرسالها، "
                "ويمكن للمستخدم العام الاشتراك من جديد."
            ),
        ),
        "en": Wording(
            label="Subscription given up",
            title="The subscription was given up: {service}",
            body=(
                "{name} has given up the subscription of {organisation} to the service: "
                "{service}.\n"
                "Its grants have ended; its drafts stay and cannot be sent. A general user can "
                "subscribe again."
            ),
        ),
    },
}
