"""Shipped texts about access to organisations, in both languages; `changes`: see `change_lines`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clearance.notifications.wording.common import Wording

Bilingual = Mapping[str, str]

BECAME_GENERAL: Bilingual = {
    "ar": "أصبحتم مستخدماً عاماً: لكم جميع الخدمات المشترك بها وإدارة المستخدمين.",
    "en": "You are a general user now: you have every subscribed service and manage the users.",
}
BECAME_ADDITIONAL: Bilingual = {
    "ar": "أصبحتم مستخدماً إضافياً: لكم الخدمات الممنوحة لكم فقط.",
    "en": "You are an additional user now: only the services granted to you are yours.",
}
ENABLED: Bilingual = {
    "ar": "أُعيد تفعيل صلاحيتكم.",
    "en": "Your access was enabled again.",
}
JOINED: Bilingual = {
    "ar": "أُضيفت لكم هذه الشركة إلى الشركات المتاحة.",
    "en": "This organisation was added to those available to you.",
}
_GRANTED = {"ar": "مُنحت لكم الخدمة: {service}", "en": "Granted to you: {service}"}
_TAKEN = {"ar": "سُحبت منكم الخدمة: {service}", "en": "Taken from you: {service}"}

WORDING: dict[str, dict[str, Wording]] = {
    "account:added": {
        "ar": Wording(
            label="إضافة مستخدم جديد",
            title="أُضيف حساب لكم في بوابة التخليص الجمركي",
            body=(
                "أضافكم {organisation} مستخدماً في البوابة.\n"
                "سجّلوا الدخول بهذا البريد الإلكتروني وكلمة المرور التي يعطيكم إياها المستخدم العام "
                "في {organisation}، ثم اختاروا كلمة مرور خاصة بكم وأدخلوا رمزي التحقق "
                "المرسلين إلى بريدكم وهاتفكم.\n"
                "تنتهي الدعوة في {expires}. إن كنتم لا تعرفون مرسلها فلا يلزمكم أي إجراء."
            ),
        ),
        "en": Wording(
            label="New user added",
            title="An account for you in the Customs Clearance Portal",
            body=(
                "{organisation} has added you as a user of the portal.\n"
                "Sign in with this e-mail and the password that the general user of {organisation} "
                "gives you. Then choose a password of your own, and type the two codes sent to "
                "your e-mail and your mobile.\n"
                "The invitation ends on {expires}. If you do not know who sent it, you need do "
                "nothing."
            ),
        ),
    },
    "account:access:changed": {
        "ar": Wording(
            label="تغيير صلاحياتكم في شركة",
            title="تغيّرت صلاحياتكم في {organisation}",
            body="تغيّرت صلاحياتكم في {organisation}، والتغيير سارٍ من الآن:\n{changes}",
        ),
        "en": Wording(
            label="Your access to an organisation changed",
            title="Your access to {organisation} changed",
            body="Your access to {organisation} has changed, with effect from now:\n{changes}",
        ),
    },
    "account:member:disabled": {
        "ar": Wording(
            label="إيقاف صلاحيتكم في شركة",
            title="أُوقفت صلاحيتكم في {organisation}",
            body=(
                "أوقف المستخدم العام صلاحيتكم في {organisation}، "
                "فلم يعد بإمكانكم استخدام خدماتها.\n"
                "للاستفسار يرجى التواصل مع المستخدم العام في الشركة."
            ),
            sms=(
                "بوابة التخليص الجمركي: أُوقفت صلاحيتكم في {organisation}. للاستفسار تواصلوا مع "
                "المستخدم العام في الشركة."
            ),
        ),
        "en": Wording(
            label="Your access to an organisation ended",
            title="Your access to {organisation} was disabled",
            body=(
                "The general user has disabled your access to {organisation}; you can no longer "
                "use its services.\n"
                "If you have a question, please ask the general user of the organisation."
            ),
            sms=(
                "Customs Clearance Portal: your access to {organisation} was disabled. If you have "
                "a question, ask its general user."
            ),
        ),
    },
    "account:member:joined": {
        "ar": Wording(
            label="انضمام مستخدم إلى شركتكم",
            title="انضم {name} إلى {organisation}",
            body="أتم {name} خطوات الانضمام، وهو الآن من مستخدمي {organisation}.",
        ),
        "en": Wording(
            label="A user joined your organisation",
            title="{name} joined {organisation}",
            body="{name} has completed every step and is a user of {organisation} now.",
        ),
    },
    "account:work:handed": {
        "ar": Wording(
            label="تسليمكم طلبات زميل",
            title="سُلّمت إليكم طلبات {name}",
            body=(
                "أُوقفت صلاحية {name} في {organisation}، وسُلّمت إليكم متابعة طلباته المفتوحة "
                "ومسوداته.\nعددها: {count}\nأرقام الطلبات: {numbers}"
            ),
        ),
        "en": Wording(
            label="A colleague's requests handed to you",
            title="The requests of {name} were handed to you",
            body=(
                "The access of {name} to {organisation} was disabled, and the open requests and "
                "drafts are yours to follow up now.\nHow many: {count}\nNumbers: {numbers}"
            ),
        ),
    },
}


def change_lines(
    *,
    head: Iterable[Bilingual] = (),
    granted: Iterable[Bilingual] = (),
    taken: Iterable[Bilingual] = (),
) -> dict[str, str]:
    """Return what changed in a user's access, one line per change, in both languages.

    head: lines of this module. granted, taken: titles of services.
    """
    lines: dict[str, list[str]] = {"ar": [], "en": []}
    for lang, into in lines.items():
        into += [text[lang] for text in head]
        into += [_GRANTED[lang].replace("{service}", title[lang]) for title in granted]
        into += [_TAKEN[lang].replace("{service}", title[lang]) for title in taken]
    return {lang: "\n".join(f"- {line}" for line in into) for lang, into in lines.items()}
