"""Made-up values for every placeholder of the registered messages, for previews of their texts."""

from __future__ import annotations

from typing import Any

SAMPLES: dict[str, Any] = {
    "address": "s•••@example.com",
    "answer_by": "15/03/2026",
    "at": "13/03/2026 08:15",
    "broker": {"ar": "سالم العتيبي", "en": "Salem Alotaibi"},
    "changes": {"ar": "أُضيفت الخدمة: طلب تجديد.", "en": "Service added: Request renewal."},
    "code": "123456",
    "confirm_by": "10/03/2026",
    "contact": {"ar": "البريد الإلكتروني", "en": "e-mail"},
    "count": "2",
    "date": "15/03/2026",
    "days": "30",
    "device": "Chrome, Windows",
    "document": {"ar": "شهادة ترخيص", "en": "Licence certificate"},
    "expires": "20/03/2026 12:00",
    "ip": "192.0.2.7",
    "licence": "KW-70001",
    "lifetime": {"ar": "10 دقائق", "en": "10 minutes"},
    "link": "https://example.com/",
    "name": {"ar": "فهد العجمي", "en": "Fahad Alajmi"},
    "next": {"ar": "الطلب الآن لدى المكتب.", "en": "The request is with the office now."},
    "number": "CE/8/26",
    "numbers": "CE/8/26, LR/12/26",
    "organisation": {"ar": "مكتب الخليج للتخليص", "en": "Gulf Clearing Office"},
    "outcome": {"ar": "تمت الموافقة.", "en": "It was approved."},
    "party": {"ar": "مكتب المرسى للتخليص", "en": "Marsa Clearing Office"},
    "place": {"ar": "قاعة الامتحانات، الشويخ", "en": "Examination Hall, Shuwaikh"},
    "reason": {"ar": "صورة البطاقة غير واضحة.", "en": "The copy of the card is not readable."},
    "receiving": {"ar": "مكتب المرسى للتخليص", "en": "Marsa Clearing Office"},
    "recipient": {"ar": "سالم العتيبي", "en": "Salem Alotaibi"},
    "releasing": {"ar": "مكتب الخليج للتخليص", "en": "Gulf Clearing Office"},
    "role": {"ar": "مراجع", "en": "Reviewer"},
    "service": {"ar": "طلب امتحان وكلاء التخليص", "en": "Clearing Agent Exam Request"},
    "time": "09:30",
    "until": "20/03/2026 12:00",
    "what": {"ar": "الضمان البنكي", "en": "bank guarantee"},
}
