"""Shipped texts of common notifications, and the e-mail letter, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """An event's texts in one language.

    label: its name in lists. title and body: for the portal, and subject and body of the e-mail.
    sms: the short form; "" for events that never go by SMS.
    """

    label: str
    title: str
    body: str
    sms: str = ""


@dataclass(frozen=True)
class Letter:
    """The text around the body of every e-mail in one language."""

    greeting: str
    greeting_unnamed: str
    closing: str


LETTERS = {
    "ar": Letter(
        greeting="السيد/ة {recipient} المحترم/ة،",
        greeting_unnamed="تحية طيبة وبعد،",
        closing=(
            "مكتب شؤون المخلصين\nهذه رسالة آلية من بوابة التخليص الجمركي، يرجى عدم الرد عليها."
        ),
    ),
    "en": Letter(
        greeting="Dear {recipient},",
        greeting_unnamed="Hello,",
        closing=(
            "Clearance Agents Affairs Office\n"
            "This message was sent automatically by the Customs Clearance Portal. "
            "Please do not reply to it."
        ),
    ),
}

WORDING: dict[str, dict[str, Wording]] = {
    "account:registration:known": {
        "ar": Wording(
            label="محاولة تسجيل ببيانات مسجلة من قبل",
            title="محاولة تسجيل حساب جديد ببياناتكم",
            body=(
                "طُلب تسجيل حساب جديد في البوابة ببيانات مسجلة لدينا باسمكم، "
                "ولم يُنشأ أي حساب.\n"
                "إن كان الطلب منكم فسجّلوا الدخول بحسابكم الحالي، أو أعيدوا ضبط كلمة المرور "
                "إن نسيتموها. وإن لم يكن منكم فلا يلزمكم أي إجراء."
            ),
            sms=(
                "بوابة التخليص الجمركي: طُلب تسجيل حساب ببيانات مسجلة باسمكم ولم يُنشأ حساب. "
                "إن كنتم صاحب الطلب فسجّلوا الدخول بحسابكم الحالي."
            ),
        ),
        "en": Wording(
            label="Sign-up with details already known",
            title="Someone tried to register with your details",
            body=(
                "A new account was asked for with details that are already registered in your "
                "name. No account was made.\n"
                "If it was you, sign in with the account you have, or reset your password if you "
                "have forgotten it. If it was not you, there is nothing you need to do."
            ),
            sms=(
                "Customs Clearance Portal: an account was asked for with your details and none was "
                "made. If it was you, sign in with the account you have."
            ),
        ),
    },
    "account:verified": {
        "ar": Wording(
            label="تفعيل الحساب",
            title="تم تفعيل حسابكم",
            body=(
                "تم التحقق من بريدكم الإلكتروني ورقم هاتفكم الجوال، وأصبح حسابكم جاهزاً لاستخدام "
                "خدمات البوابة."
            ),
        ),
        "en": Wording(
            label="Account verified",
            title="Your account is ready",
            body=(
                "Your e-mail address and mobile number have been verified. You can now use the "
                "services of the portal."
            ),
        ),
    },
    "account:invited": {
        "ar": Wording(
            label="دعوة للانضمام إلى شركة",
            title="دعوة للانضمام إلى {organisation}",
            body=(
                "دُعيتم للعمل في البوابة باسم {organisation}. سجّلوا الدخول بحسابكم الحالي "
                "لقبول الدعوة أو رفضها."
            ),
        ),
        "en": Wording(
            label="Invitation to join an organisation",
            title="You are invited to join {organisation}",
            body=(
                "You have been invited to work in the portal for {organisation}. Sign in with the "
                "account you have to accept or decline."
            ),
        ),
    },
    "account:password:changed": {
        "ar": Wording(
            label="تغيير كلمة المرور",
            title="تم تغيير كلمة المرور",
            body=(
                "تم تغيير كلمة المرور لحسابكم في {at}، وأُنهيت جلسات الدخول الأخرى.\n"
                "إن لم تقوموا بذلك فأعيدوا ضبط كلمة المرور فوراً من صفحة الدخول "
                "وتواصلوا مع الدعم الفني."
            ),
            sms=(
                "بوابة التخليص الجمركي: تم تغيير كلمة المرور لحسابكم في {at}. "
                "إن لم تقوموا بذلك فأعيدوا ضبطها فوراً."
            ),
        ),
        "en": Wording(
            label="Password changed",
            title="Your password was changed",
            body=(
                "The password of your account was changed on {at}, and your other sessions were "
                "ended.\n"
                "If it was not you, reset your password at once from the sign-in page and contact "
                "support."
            ),
            sms=(
                "Customs Clearance Portal: your password was changed on {at}. "
                "If it was not you, reset it at once."
            ),
        ),
    },
    "account:contact:changed": {
        "ar": Wording(
            label="تغيير بيانات الاتصال",
            title="تم تغيير بيانات الاتصال في حسابكم",
            body=(
                "تم تغيير {contact} في حسابكم إلى {address} في {at}.\n"
                "إن لم تقوموا بذلك فأعيدوا ضبط كلمة المرور فوراً وتواصلوا مع الدعم الفني."
            ),
            sms=(
                "بوابة التخليص الجمركي: تم تغيير {contact} في حسابكم إلى {address}. "
                "إن لم تقوموا بذلك فتواصلوا مع الدعم."
            ),
        ),
        "en": Wording(
            label="Contact details changed",
            title="The contact details of your account were changed",
            body=(
                "The {contact} of your account was changed to {address} on {at}.\n"
                "If it was not you, reset your password at once and contact support."
            ),
            sms=(
                "Customs Clearance Portal: the {contact} of your account was changed to {address}. "
                "If it was not you, contact support."
            ),
        ),
    },
    "account:device:new": {
        "ar": Wording(
            label="تسجيل دخول من جهاز جديد",
            title="تسجيل دخول من جهاز جديد",
            body=(
                "تم الدخول إلى حسابكم في {at} من جهاز لم يُستخدم من قبل.\n"
                "الجهاز: {device}\n"
                "عنوان الإنترنت: {ip}\n"
                "إن لم تكونوا أنتم فغيّروا كلمة المرور فوراً، فتُنهى بذلك الجلسات الأخرى."
            ),
        ),
        "en": Wording(
            label="Sign-in from a new device",
            title="Sign-in from a new device",
            body=(
                "Your account was signed in to on {at} from a device not used before.\n"
                "Device: {device}\n"
                "Internet address: {ip}\n"
                "If it was not you, change your password at once; this ends the other sessions."
            ),
        ),
    },
    "account:factor:changed": {
        "ar": Wording(
            label="تغيير وسيلة التحقق الثانية",
            title="تم تغيير وسيلة التحقق الثانية",
            body=(
                "تم تغيير وسيلة التحقق الثانية لحسابكم في {at}.\n"
                "إن لم تقوموا بذلك فغيّروا كلمة المرور فوراً وتواصلوا مع الدعم الفني."
            ),
            sms=(
                "بوابة التخليص الجمركي: تم تغيير وسيلة التحقق الثانية لحسابكم في {at}. "
                "إن لم تقوموا بذلك فتواصلوا مع الدعم."
            ),
        ),
        "en": Wording(
            label="Second factor changed",
            title="Your second factor was changed",
            body=(
                "The second factor of your account was changed on {at}.\n"
                "If it was not you, change your password at once and contact support."
            ),
            sms=(
                "Customs Clearance Portal: your second factor was changed on {at}. "
                "If it was not you, contact support."
            ),
        ),
    },
    "staff:invited": {
        "ar": Wording(
            label="دعوة موظف",
            title="دعوة للعمل في بوابة التخليص الجمركي",
            body=(
                "دُعيتم للعمل في البوابة بصفة {role}.\n"
                "افتحوا الرابط أدناه لاختيار كلمة المرور وتفعيل حسابكم. "
                "الرابط شخصي فلا تعطوه لغيركم.\n"
                "تنتهي صلاحية الرابط في {expires}."
            ),
        ),
        "en": Wording(
            label="Invitation of staff",
            title="Invitation to work in the Customs Clearance Portal",
            body=(
                "You have been invited to work in the portal. Your role: {role}.\n"
                "Open the link below to choose a password and set up your account. "
                "The link is yours alone: do not pass it on.\n"
                "The link is valid until {expires}."
            ),
        ),
    },
    "request:sent": {
        "ar": Wording(
            label="إرسال الطلب",
            title="تم إرسال الطلب {number}",
            body=(
                "تم إرسال «{service}» برقم {number}، وسيراجعه مكتب شؤون المخلصين. "
                "يمكنكم متابعة حالته في صفحة طلباتي."
            ),
            sms="بوابة التخليص الجمركي: تم إرسال طلبكم رقم {number} وهو قيد المراجعة.",
        ),
        "en": Wording(
            label="Request sent",
            title="Request {number} was sent",
            body=(
                "Your “{service}” was sent under number {number}. The Clearance Agents Affairs "
                "Office will review it; you can follow it under My requests."
            ),
            sms="Customs Clearance Portal: your request {number} was sent and will be reviewed.",
        ),
    },
    "request:returned": {
        "ar": Wording(
            label="إعادة الطلب للاستكمال",
            title="الطلب {number} معاد للاستكمال",
            body=(
                "أعاد مكتب شؤون المخلصين «{service}» رقم {number} للاستكمال.\n"
                "السبب: {reason}\n"
                "افتحوا الطلب وصحّحوا ما كُتبت عليه ملاحظات ثم أعيدوا إرساله بالرقم نفسه."
            ),
            sms=(
                "بوابة التخليص الجمركي: طلبكم رقم {number} معاد للاستكمال. "
                "السبب والملاحظات في صفحة الطلب."
            ),
        ),
        "en": Wording(
            label="Request returned for completion",
            title="Request {number} was returned for completion",
            body=(
                "The Clearance Agents Affairs Office returned your “{service}” {number} for "
                "completion.\n"
                "Reason: {reason}\n"
                "Open the request, correct what the remarks are about, and send it again; it keeps "
                "its number."
            ),
            sms=(
                "Customs Clearance Portal: your request {number} was returned for completion. "
                "The reason is on its page."
            ),
        ),
    },
    "request:approved": {
        "ar": Wording(
            label="الموافقة على الطلب",
            title="تمت الموافقة على الطلب {number}",
            body="تمت الموافقة على «{service}» رقم {number}.\nملاحظة المكتب: {reason}",
            sms="بوابة التخليص الجمركي: تمت الموافقة على طلبكم رقم {number}.",
        ),
        "en": Wording(
            label="Request approved",
            title="Request {number} was approved",
            body="Your “{service}” {number} was approved.\nNote of the office: {reason}",
            sms="Customs Clearance Portal: your request {number} was approved.",
        ),
    },
    "request:rejected": {
        "ar": Wording(
            label="رفض الطلب",
            title="تم رفض الطلب {number}",
            body="نأسف لإبلاغكم برفض «{service}» رقم {number}.\nالسبب: {reason}",
            sms="بوابة التخليص الجمركي: تم رفض طلبكم رقم {number}. السبب في صفحة الطلب.",
        ),
        "en": Wording(
            label="Request rejected",
            title="Request {number} was rejected",
            body=(
                "We regret to tell you that your “{service}” {number} was rejected.\n"
                "Reason: {reason}"
            ),
            sms=(
                "Customs Clearance Portal: your request {number} was rejected. "
                "The reason is on its page."
            ),
        ),
    },
    "request:preapproved": {
        "ar": Wording(
            label="الموافقة المبدئية",
            title="موافقة مبدئية على الطلب {number}",
            body=(
                "حصل «{service}» رقم {number} على موافقة مبدئية، "
                "وسنبلغكم بموعد الاختبار فور الإعلان عنه.\n"
                "ملاحظة المكتب: {reason}"
            ),
            sms=(
                "بوابة التخليص الجمركي: موافقة مبدئية على طلبكم رقم {number}. "
                "سنبلغكم بموعد الاختبار."
            ),
        ),
        "en": Wording(
            label="Preliminary approval",
            title="Preliminary approval of request {number}",
            body=(
                "Your “{service}” {number} has preliminary approval. We will tell you the date of "
                "the exam as soon as it is announced.\n"
                "Note of the office: {reason}"
            ),
            sms=(
                "Customs Clearance Portal: preliminary approval of your request {number}. "
                "We will tell you the date of the exam."
            ),
        ),
    },
    "request:withdrawn": {
        "ar": Wording(
            label="سحب الطلب",
            title="تم سحب الطلب {number}",
            body="تم سحب «{service}» رقم {number} بناءً على طلب جهتكم.\nالسبب: {reason}",
        ),
        "en": Wording(
            label="Request withdrawn",
            title="Request {number} was withdrawn",
            body=("Your “{service}” {number} was withdrawn as your side asked.\nReason: {reason}"),
        ),
    },
    "request:lapsed": {
        "ar": Wording(
            label="انتهاء مهلة الطلب",
            title="انتهت مهلة الطلب {number}",
            body=(
                "انتهت المهلة المحددة لاستكمال «{service}» رقم {number} دون إعادة إرساله، "
                "فأُغلق الطلب. يمكنكم تقديم طلب جديد.\n"
                "السبب: {reason}"
            ),
            sms=(
                "بوابة التخليص الجمركي: انتهت مهلة استكمال طلبكم رقم {number} وأُغلق. "
                "يمكنكم تقديم طلب جديد."
            ),
        ),
        "en": Wording(
            label="Request lapsed",
            title="Request {number} has lapsed",
            body=(
                "The time for completing your “{service}” {number} has run out without its being "
                "sent again, so it was closed. You can make a new request.\n"
                "Reason: {reason}"
            ),
            sms=(
                "Customs Clearance Portal: the time for completing request {number} has run out "
                "and it was closed. You can make a new one."
            ),
        ),
    },
    "request:message": {
        "ar": Wording(
            label="رسالة من المكتب",
            title="رسالة بشأن الطلب {number}",
            body="كتب إليكم مكتب شؤون المخلصين رسالة بشأن «{service}» رقم {number}.",
        ),
        "en": Wording(
            label="Message from the office",
            title="Message about request {number}",
            body=(
                "The Clearance Agents Affairs Office wrote you a message about your “{service}” "
                "{number}."
            ),
        ),
    },
    "exam:announced": {
        "ar": Wording(
            label="الترشيح للاختبار",
            title="ترشيحكم للاختبار بتاريخ {date}",
            body=(
                "تم ترشيحكم للاختبار بموجب «{service}» رقم {number}.\n"
                "التاريخ: {date}\n"
                "الوقت: {time}\n"
                "المكان: {place}\n"
                "يرجى تأكيد الحضور من صفحة الطلب في موعد أقصاه {confirm_by}، "
                "وإلا أُتيح المقعد لغيركم في هذا الاختبار."
            ),
            sms=(
                "بوابة التخليص الجمركي: تم ترشيحكم للاختبار يوم {date} الساعة {time}. "
                "أكدوا الحضور قبل نهاية {confirm_by}."
            ),
        ),
        "en": Wording(
            label="Nominated for the exam",
            title="You are nominated for the exam on {date}",
            body=(
                "You have been nominated for the exam under your “{service}” {number}.\n"
                "Date: {date}\n"
                "Time: {time}\n"
                "Place: {place}\n"
                "Please confirm your attendance on the request's page by {confirm_by} at the "
                "latest; otherwise the seat is given to someone else."
            ),
            sms=(
                "Customs Clearance Portal: you are nominated for the exam on {date} at {time}. "
                "Confirm your attendance by {confirm_by}."
            ),
        ),
    },
    "exam:changed": {
        "ar": Wording(
            label="تعديل موعد الاختبار أو مكانه",
            title="تعديل في الاختبار: الموعد {date} الساعة {time}",
            body=(
                "جرى تعديل في الاختبار المرشحين له بموجب «{service}» رقم {number}. "
                "البيانات المعتمدة الآن:\n"
                "التاريخ: {date}\n"
                "الوقت: {time}\n"
                "المكان: {place}\n"
                "آخر يوم لتأكيد الحضور: {confirm_by}."
            ),
            sms=(
                "بوابة التخليص الجمركي: تعديل في موعد الاختبار أو مكانه. "
                "الموعد المعتمد: {date} الساعة {time}. التفاصيل في البوابة."
            ),
        ),
        "en": Wording(
            label="Change of an exam's date or place",
            title="Change to your exam: now on {date} at {time}",
            body=(
                "The exam you are nominated for under your “{service}” {number} has changed. "
                "What holds now:\n"
                "Date: {date}\n"
                "Time: {time}\n"
                "Place: {place}\n"
                "Last day to confirm attendance: {confirm_by}."
            ),
            sms=(
                "Customs Clearance Portal: the date or place of your exam has changed. It is now "
                "on {date} at {time}. See the portal for details."
            ),
        ),
    },
    "exam:reminder": {
        "ar": Wording(
            label="تذكير بتأكيد الحضور",
            title="تذكير: تأكيد حضور الاختبار قبل نهاية {confirm_by}",
            body=(
                "لم يصلنا تأكيد حضوركم للاختبار بموجب «{service}» رقم {number}.\n"
                "التاريخ: {date}\n"
                "الوقت: {time}\n"
                "المكان: {place}\n"
                "آخر يوم لتأكيد الحضور: {confirm_by}."
            ),
            sms=(
                "بوابة التخليص الجمركي: تذكير بتأكيد حضور اختبار يوم {date}. "
                "آخر يوم للتأكيد {confirm_by}."
            ),
        ),
        "en": Wording(
            label="Reminder to confirm attendance",
            title="Reminder: confirm your exam attendance by {confirm_by}",
            body=(
                "You have not yet confirmed your attendance at the exam under your “{service}” "
                "{number}.\n"
                "Date: {date}\n"
                "Time: {time}\n"
                "Place: {place}\n"
                "Last day to confirm: {confirm_by}."
            ),
            sms=(
                "Customs Clearance Portal: please confirm your attendance at the exam on {date}. "
                "Last day: {confirm_by}."
            ),
        ),
    },
    "exam:confirmed": {
        "ar": Wording(
            label="تأكيد حضور الاختبار",
            title="تم تأكيد حضوركم للاختبار بتاريخ {date}",
            body=(
                "تم تأكيد حضوركم للاختبار بموجب «{service}» رقم {number}.\n"
                "التاريخ: {date}\n"
                "الوقت: {time}\n"
                "المكان: {place}\n"
                "يرجى إحضار البطاقة المدنية الأصلية والحضور قبل الموعد."
            ),
            sms="بوابة التخليص الجمركي: تم تأكيد حضوركم للاختبار يوم {date} الساعة {time}.",
        ),
        "en": Wording(
            label="Attendance confirmed",
            title="Your attendance at the exam on {date} is confirmed",
            body=(
                "Your attendance at the exam under your “{service}” {number} is confirmed.\n"
                "Date: {date}\n"
                "Time: {time}\n"
                "Place: {place}\n"
                "Please bring your original civil ID card and come in good time."
            ),
            sms=(
                "Customs Clearance Portal: your attendance at the exam on {date} at {time} is "
                "confirmed."
            ),
        ),
    },
    "exam:released": {
        "ar": Wording(
            label="إلغاء مقعد الاختبار",
            title="أُلغي مقعدكم في اختبار {date}",
            body=(
                "أُلغي مقعدكم في اختبار {date} بموجب «{service}» رقم {number}. "
                "تبقى الموافقة المبدئية سارية، وسنبلغكم بموعد الاختبار القادم."
            ),
            sms=(
                "بوابة التخليص الجمركي: أُلغي مقعدكم في اختبار {date}، وموافقتكم المبدئية سارية "
                "للاختبار القادم."
            ),
        ),
        "en": Wording(
            label="Exam seat released",
            title="Your seat in the exam on {date} was released",
            body=(
                "Your seat in the exam on {date} under your “{service}” {number} was released. "
                "The preliminary approval stands, and we will tell you the date of the next exam."
            ),
            sms=(
                "Customs Clearance Portal: your seat in the exam on {date} was released. "
                "Your preliminary approval stands for the next one."
            ),
        ),
    },
    "exam:passed": {
        "ar": Wording(
            label="النجاح في الاختبار",
            title="نبارك لكم اجتياز الاختبار",
            body=(
                "نبارك لكم النجاح في اختبار {date} بموجب «{service}» رقم {number}.\n"
                "ملاحظة المكتب: {reason}"
            ),
            sms="بوابة التخليص الجمركي: نبارك لكم النجاح في اختبار {date}، الطلب رقم {number}.",
        ),
        "en": Wording(
            label="Exam passed",
            title="Congratulations, you passed the exam",
            body=(
                "You passed the exam of {date} under your “{service}” {number}.\n"
                "Note of the office: {reason}"
            ),
            sms=(
                "Customs Clearance Portal: congratulations, you passed the exam of {date} "
                "(request {number})."
            ),
        ),
    },
    "exam:failed": {
        "ar": Wording(
            label="عدم اجتياز الاختبار",
            title="نتيجة الاختبار: لم يُجتز",
            body=(
                "نأسف لإبلاغكم بعدم اجتياز اختبار {date} بموجب «{service}» رقم {number}. "
                "يمكنكم التقدم بطلب جديد وفق الضوابط المعمول بها.\n"
                "ملاحظة المكتب: {reason}"
            ),
            sms=(
                "بوابة التخليص الجمركي: لم تجتازوا اختبار {date}، الطلب رقم {number}. "
                "يمكنكم التقدم بطلب جديد."
            ),
        ),
        "en": Wording(
            label="Exam not passed",
            title="Exam result: not passed",
            body=(
                "We regret to tell you that the exam of {date} under your “{service}” {number} "
                "was not passed. You may make a new request under the rules in force.\n"
                "Note of the office: {reason}"
            ),
            sms=(
                "Customs Clearance Portal: the exam of {date} was not passed (request {number}). "
                "You may make a new request."
            ),
        ),
    },
    "exam:absent": {
        "ar": Wording(
            label="الغياب عن الاختبار",
            title="سُجّل غيابكم عن اختبار {date}",
            body=(
                "سُجّل غيابكم عن اختبار {date} بموجب «{service}» رقم {number}. "
                "يمكنكم التقدم بطلب جديد وفق الضوابط المعمول بها.\n"
                "ملاحظة المكتب: {reason}"
            ),
            sms="بوابة التخليص الجمركي: سُجّل غيابكم عن اختبار {date}، الطلب رقم {number}.",
        ),
        "en": Wording(
            label="Absent from the exam",
            title="You were recorded as absent from the exam on {date}",
            body=(
                "You were recorded as absent from the exam of {date} under your “{service}” "
                "{number}. You may make a new request under the rules in force.\n"
                "Note of the office: {reason}"
            ),
            sms=(
                "Customs Clearance Portal: you were recorded as absent from the exam of {date} "
                "(request {number})."
            ),
        ),
    },
    "office:assigned": {
        "ar": Wording(
            label="إسناد طلب",
            title="أُسند إليكم الطلب {number}",
            body="أُسند إليكم «{service}» رقم {number} للمراجعة.",
        ),
        "en": Wording(
            label="Request assigned",
            title="Request {number} was assigned to you",
            body="“{service}” {number} was assigned to you for review.",
        ),
    },
    "office:late": {
        "ar": Wording(
            label="تأخر طلب",
            title="تجاوز الطلب {number} موعد الإنجاز",
            body="تجاوز «{service}» رقم {number} موعد الإنجاز المحدد ولم يُبتّ فيه بعد.",
        ),
        "en": Wording(
            label="Request late",
            title="Request {number} is past its due date",
            body="“{service}” {number} is past its due date and has not been decided.",
        ),
    },
    "office:message": {
        "ar": Wording(
            label="رسالة من مقدم الطلب",
            title="رسالة من مقدم الطلب {number}",
            body="كتب مقدم «{service}» رقم {number} رسالة جديدة.",
        ),
        "en": Wording(
            label="Message from the applicant",
            title="Message from the applicant of {number}",
            body="The applicant of “{service}” {number} wrote a new message.",
        ),
    },
    "code:verify": {
        "ar": Wording(
            label="رمز التحقق",
            title="رمز التحقق من حسابكم",
            body=(
                "رمز التحقق: {code}\n"
                "يُستخدم الرمز مرة واحدة خلال {lifetime} من طلبه. "
                "لا تعطوه لأحد؛ لن يطلبه منكم موظفو البوابة."
            ),
            sms="رمز التحقق في بوابة التخليص الجمركي: {code} صالح لمدة {lifetime}. لا تعطه لأحد.",
        ),
        "en": Wording(
            label="Verification code",
            title="The verification code of your account",
            body=(
                "Verification code: {code}\n"
                "It can be used once within {lifetime} of being asked for. "
                "Give it to nobody; the portal's staff will never ask for it."
            ),
            sms=(
                "Customs Clearance Portal verification code: {code} valid for {lifetime}. "
                "Give it to nobody."
            ),
        ),
    },
    "code:reset": {
        "ar": Wording(
            label="رمز إعادة ضبط كلمة المرور",
            title="إعادة ضبط كلمة المرور",
            body=(
                "طُلبت إعادة ضبط كلمة المرور لحسابكم.\n"
                "رمز إعادة الضبط: {code}\n"
                "افتحوا الرابط أدناه واكتبوا الرمز وكلمة المرور الجديدة خلال {lifetime}.\n"
                "إن لم تطلبوا ذلك فتجاهلوا هذه الرسالة، وتبقى كلمة المرور كما هي."
            ),
            sms="رمز إعادة ضبط كلمة المرور في بوابة التخليص الجمركي: {code} صالح لمدة {lifetime}.",
        ),
        "en": Wording(
            label="Password reset code",
            title="Reset your password",
            body=(
                "A new password was asked for your account.\n"
                "Reset code: {code}\n"
                "Open the link below and enter the code and a new password within "
                "{lifetime}.\n"
                "If it was not you, ignore this message; your password stays as it is."
            ),
            sms=("Customs Clearance Portal password reset code: {code} valid for {lifetime}."),
        ),
    },
    "code:factor": {
        "ar": Wording(
            label="رمز الدخول",
            title="رمز الدخول إلى حسابكم",
            body=(
                "رمز الدخول: {code}\n"
                "يُستخدم الرمز مرة واحدة خلال {lifetime}. "
                "إن لم تكونوا بصدد الدخول الآن فغيّروا كلمة المرور، فقد عرفها غيركم."
            ),
            sms="رمز الدخول إلى بوابة التخليص الجمركي: {code} صالح لمدة {lifetime}. لا تعطه لأحد.",
        ),
        "en": Wording(
            label="Sign-in code",
            title="Your sign-in code",
            body=(
                "Sign-in code: {code}\n"
                "It can be used once within {lifetime}. "
                "If you are not signing in now, change your password: someone else knows it."
            ),
            sms=(
                "Customs Clearance Portal sign-in code: {code} valid for {lifetime}. "
                "Give it to nobody."
            ),
        ),
    },
    "code:contact": {
        "ar": Wording(
            label="رمز تأكيد بيانات الاتصال",
            title="رمز تأكيد بيانات الاتصال الجديدة",
            body=(
                "رمز التأكيد: {code}\n"
                "يُستخدم الرمز مرة واحدة خلال {lifetime} لتأكيد بيانات الاتصال الجديدة "
                "في حسابكم. إن لم تطلبوا ذلك فتجاهلوا هذه الرسالة."
            ),
            sms=(
                "رمز تأكيد رقم الجوال الجديد في بوابة التخليص الجمركي: {code} صالح لمدة {lifetime}."
            ),
        ),
        "en": Wording(
            label="Contact confirmation code",
            title="Confirm your new contact details",
            body=(
                "Confirmation code: {code}\n"
                "It can be used once within {lifetime} to confirm the new contact details "
                "of your account. If it was not you, ignore this message."
            ),
            sms=(
                "Customs Clearance Portal code for your new mobile number: {code} valid for "
                "{lifetime}."
            ),
        ),
    },
}
