"""The archive of somebody's own data: JSON and the documents they uploaded.

It holds no password, code, key or hash, and of other people only what stands in requests that the
owner reads in the portal anyway. Whoever calls has begun `database.reading`.
"""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

import sqlalchemy as sa

from clearance.accounts import data_account, data_documents, data_requests
from clearance.accounts.data_zip import Archive
from clearance.auth import permissions
from clearance.core.actor import Actor
from clearance.models import Document, User

READ_ME = """\
نسخة من بياناتكم في بوابة التخليص الجمركي
Copy of your data in the Customs Clearance Portal

profile.json      بيانات الحساب / your account
memberships.json  الشركات والخدمات الممنوحة / your organisations and the services granted
requests.json     الطلبات التي يمكنكم الاطلاع عليها / the requests you may see
notices.json      الإشعارات / what the portal told you
sessions.json     جلسات الدخول / your sessions
access.json       سجل الدخول والاستخدام / sign-ins and other access by your account
documents.json    الوثائق التي حمّلتموها / the documents you uploaded; the files are in documents/

جميع الأوقات بالتوقيت العالمي. / All times are UTC.
"""


def write(target: BinaryIO, user: User, actor: Actor, now: datetime) -> None:
    """Write the ZIP into `target`. actor: the user as the rules of access see them.

    Its size in memory does not grow with the archive. A document whose file is gone or damaged is
    told of in documents.json and does not keep the rest.
    """
    # Ids and plain values only: loaded objects are let go while the archive is written.
    profile, user_id, language = data_account.profile(user), user.id, user.language
    seen = sa.false() if actor.is_staff else permissions.requests_visible_to(actor)
    own = sa.and_(seen, Document.uploaded_by_id == user_id)
    with Archive(target, now) as archive:
        archive.write_text("read-me.txt", READ_ME)
        archive.write_object("profile.json", profile)
        archive.write_list("memberships.json", data_account.memberships(user_id))
        archive.write_list("requests.json", data_requests.requests(seen, user_id))
        archive.write_list("notices.json", data_account.told(user_id, language))
        archive.write_list("sessions.json", data_account.sessions(user_id))
        archive.write_list("access.json", data_account.access(user_id))
        damaged = data_documents.write_files(archive, own)
        archive.write_list("documents.json", data_documents.listed(own, damaged))
