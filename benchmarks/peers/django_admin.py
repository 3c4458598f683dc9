"""Django's admin over the same tables, signed in; its own tables are in a SQLite file aside."""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings

DATABASE = os.environ["PEERS_DATABASE"]


def _database(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:///")}
    import psycopg.conninfo

    parts = psycopg.conninfo.conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://"))
    names = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    known = {names[key]: value for key, value in parts.items() if key in names}
    return {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": None, **known}


class Router:
    """The portal's tables in one database, Django's own in another."""

    def db_for_read(self, model: Any, **_hints: Any) -> str:
        """Choose by the application of the model."""
        return "world" if model._meta.app_label == "peers" else "default"

    db_for_write = db_for_read

    def allow_relation(self, *_args: Any, **_hints: Any) -> bool:
        """Allow all."""
        return True

    def allow_migrate(self, alias: str, *_args: Any, **_hints: Any) -> bool:
        """Make tables in Django's own database only."""
        return alias == "default"


settings.configure(
    SECRET_KEY="benchmark" * 4,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["PEERS_DJANGO"]},
        "world": _database(DATABASE),
    },
    DATABASE_ROUTERS=[f"{__name__}.Router"],
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "benchmarks.peers",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    STATIC_URL="static/",
)
django.setup()

from django.contrib import admin  # noqa: E402 -- after the settings
from django.core.management import call_command  # noqa: E402 -- likewise
from django.core.wsgi import get_wsgi_application  # noqa: E402 -- likewise
from django.db import models  # noqa: E402 -- likewise
from django.urls import path  # noqa: E402 -- likewise


class Organisation(models.Model):
    """An organisation."""

    name_ar = models.CharField(max_length=150)

    class Meta:
        """Read only."""

        app_label, db_table, managed = "peers", "organisation", False

    def __str__(self) -> str:
        return self.name_ar


class Reviewer(models.Model):
    """A reviewer."""

    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)

    class Meta:
        """Read only."""

        app_label, db_table, managed = "peers", "user", False

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Request(models.Model):
    """A request."""

    number = models.CharField(max_length=40, null=True)
    service_code = models.CharField(max_length=40)
    name_ar_1 = models.CharField(max_length=80)
    name_ar_2 = models.CharField(max_length=80)
    name_ar_3 = models.CharField(max_length=80)
    name_ar_4 = models.CharField(max_length=80)
    name_folded = models.CharField(max_length=700)
    civil_id = models.CharField(max_length=12, null=True)
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING)
    status = models.CharField(max_length=40)
    reviewer = models.ForeignKey(Reviewer, models.DO_NOTHING, null=True)
    sent_at = models.DateTimeField(null=True)
    due_on = models.DateField(null=True)

    class Meta:
        """Read only."""

        app_label, db_table, managed = "peers", "request", False


@admin.register(Request)
class Requests(admin.ModelAdmin):
    """The list, configured as its documentation says."""

    list_display = (
        *("number", "service_code", "name", "civil_id", "organisation", "status", "reviewer"),
        *("sent_at", "due_on"),
    )
    list_select_related = ("organisation", "reviewer")
    list_filter = ("status",)
    list_per_page = 25
    ordering = ("-sent_at",)
    search_fields = ("number", "civil_id", "name_folded")

    @admin.display
    def name(self, row: Request) -> str:
        """Join the parts of the name."""
        return " ".join(filter(None, (row.name_ar_1, row.name_ar_2, row.name_ar_3, row.name_ar_4)))

    def get_queryset(self, request: Any) -> Any:
        """Leave the drafts out."""
        return super().get_queryset(request).exclude(status="draft")


urlpatterns = [path("admin/", admin.site.urls)]
application = get_wsgi_application()


def sign_in() -> str:
    """Make Django's tables and a superuser; return the cookie of a session."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_superuser("staff", "", "staff")
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"
