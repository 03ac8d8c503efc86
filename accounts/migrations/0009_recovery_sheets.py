import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import core.data.ids


def give_each_app_a_sheet(apps, schema_editor):
    sheets, codes = apps.get_model("accounts", "RecoverySheet"), apps.get_model("accounts", "RecoveryCode")
    confirmed = apps.get_model("accounts", "AuthenticatorApp").objects.filter(recovery_salt__isnull=False)
    for app in confirmed.iterator(chunk_size=500):
        sheet = sheets.objects.create(user_id=app.user_id, salt=app.recovery_salt, created_at=app.created_at)
        codes.objects.filter(app_id=app.pk).update(sheet=sheet)


def give_sheets_back(apps, schema_editor):
    codes = apps.get_model("accounts", "RecoveryCode")
    for app in apps.get_model("accounts", "AuthenticatorApp").objects.iterator(chunk_size=500):
        sheet = apps.get_model("accounts", "RecoverySheet").objects.filter(user_id=app.user_id).first()
        if sheet is not None:
            app.recovery_salt = sheet.salt
            app.save(update_fields=["recovery_salt"])
            codes.objects.filter(sheet=sheet).update(app=app)
    codes.objects.filter(app__isnull=True).delete()


class Migration(migrations.Migration):
    """Recovery codes belong to the person and not to the authenticator app, since passkeys need them too."""

    dependencies = [
        ("accounts", "0008_oauth3_identities"),
    ]

    operations = [
        migrations.CreateModel(
            name="RecoverySheet",
            fields=[
                (
                    "id",
                    models.UUIDField(default=core.data.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("salt", models.BinaryField(max_length=16)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="recovery_sheet",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.AddField(
            model_name="recoverycode",
            name="sheet",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="codes",
                to="accounts.recoverysheet",
            ),
        ),
        migrations.RemoveConstraint(model_name="recoverycode", name="recovery_code_is_unique"),
        migrations.AlterField(
            model_name="recoverycode",
            name="app",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="recovery_codes",
                to="accounts.authenticatorapp",
            ),
        ),
        migrations.RunPython(give_each_app_a_sheet, give_sheets_back),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.AlterField(
            model_name="recoverycode",
            name="sheet",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="codes", to="accounts.recoverysheet"
            ),
        ),
        migrations.RemoveField(model_name="recoverycode", name="app"),
        migrations.RemoveField(model_name="authenticatorapp", name="recovery_salt"),
        migrations.AddConstraint(
            model_name="recoverycode",
            constraint=models.UniqueConstraint(fields=("sheet", "digest"), name="recovery_code_is_unique"),
        ),
    ]
