"""The models of the packages that we use (core.privacy)."""

from datetime import timedelta

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session

from core.privacy import DeleteAfter, Kept, Withheld, declare, declare_impersonal

declare(
    LogEntry,
    person="user_id",
    export=("action_time", "object_repr", "change_message"),
    erase=Kept("says what staff changed in the admin, for an account without a name"),
    retention=Kept("a log of what staff changed"),
)
declare(
    Session,
    export=Withheld("a secret: the admin's cookie"),
    erase=Kept("it ends fifteen minutes after its last use"),
    retention=DeleteAfter(timedelta(days=1), since="expire_date"),
)
for label in ("auth", "contenttypes", "django_celery_beat"):
    for model in apps.get_app_config(label).get_models(include_auto_created=True):
        declare_impersonal(model, about="a table of Django or Celery", retention=Kept("part of the platform"))
for label in ("account", "socialaccount"):
    for model in apps.get_app_config(label).get_models():
        declare(
            model,
            export=Withheld("nothing is ever written to it (docs/adr/0008-allauth-for-openid-connect.md)"),
            erase=Kept("nothing is ever written to it"),
            retention=Kept("nothing is ever written to it"),
        )
