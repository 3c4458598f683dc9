"""Shipped texts about contacts, data exports and roles, in both languages."""

from __future__ import annotations

from clearance.notifications.wording.common import Wording

WORDING: dict[str, dict[str, Wording]] = {
    "account:contact:known": {
        "ar": Wording(
            label="محاولة استخدام بيانات الاتصال في حساب آخر",
            title="محاولة استخدام بيانات اتصالكم في حساب آخر",
            body=(
                "طُلب استخدام هذا البريد الإلكتروني أو رقم الهاتف في حساب آخر في البوابة، "
                "وهو مسجل في حسابكم. لم يتغير أي شيء في حسابكم.\n"
                "إن لم يكن الطلب منكم فلا يلزمكم أي إجراء. وإن كان لكم حسابان فتواصلوا مع الدعم."
            ),
            sms=(
                "بوابة التخليص الجمركي: طُلب استخدام هذا الرقم في حساب آخر وهو مسجل في حسابكم. "
                "لم يتغير أي شيء، ولا يلزمكم أي إجراء."
            ),
        ),
        "en": Wording(
            label="Your contact details tried for another account",
            title="Someone tried to use your contact details for another account",
            body=(
                "This e-mail or mobile number was asked for as the contact of another account of "
                "the portal. It is yours, and nothing in your account was changed.\n"
                "If it was not you, there is nothing you need to do. If you have two accounts, "
                "contact support."
            ),
            sms=(
                "Customs Clearance Portal: this number was asked for as the contact of another "
                "account. It is yours; nothing was changed and you need do nothing."
            ),
        ),
    },
    "account:data:ready": {
        "ar": Wording(
            label="نسخة من بياناتكم جاهزة",
            title="نسخة من بياناتكم جاهزة للتنزيل",
            body=(
                "أُعدّت نسخة من بياناتكم كما طلبتم، ويمكنكم تنزيلها من صفحة حسابي حتى {until}، "
                "ثم تُحذف.\n"
                "إن لم تطلبوها أنتم فغيّروا كلمة المرور فوراً، فتُنهى بذلك الجلسات الأخرى."
            ),
        ),
        "en": Wording(
            label="A copy of your data is ready",
            title="The copy of your data is ready",
            body=(
                "The copy of your data that you asked for was made. You can download it from your "
                "account page until {until}; then it is removed.\n"
                "If you did not ask for it, change your password at once: that ends every other "
                "session."
            ),
        ),
    },
    "staff:role:changed": {
        "ar": Wording(
            label="تغيير الدور الوظيفي",
            title="تغيّر دوركم الوظيفي في البوابة",
            body=(
                "غيّر مسؤول النظام دوركم الوظيفي في البوابة. دوركم الآن: {role}.\n"
                "أُنهيت جلساتكم المفتوحة، فيلزم تسجيل الدخول من جديد. "
                "وتبقى لديكم الطلبات التي استلمتموها إلى أن يسندها المدير إلى غيركم."
            ),
        ),
        "en": Wording(
            label="Change of role",
            title="Your role in the portal has changed",
            body=(
                "An administrator has changed your role in the portal. Your role now: {role}.\n"
                "Your sessions have ended, so sign in again. Requests that you have taken stay "
                "with you until a manager assigns them to somebody else."
            ),
        ),
    },
}
