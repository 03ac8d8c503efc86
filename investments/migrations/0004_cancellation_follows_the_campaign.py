from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_validate_rules_and_sums"),
        ("investments", "0003_investor_profiles"),
    ]
    reviewed_locks = (
        "A new name and a NULL that is allowed change the catalogue only, and no release of before runs beside."
    )

    operations = [
        migrations.RenameField("investment", "cancellable_until", "reflection_ends_at"),
        migrations.AlterField("investment", "reflection_ends_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunSQL(
            "UPDATE investments_investment i SET reflection_ends_at = NULL FROM campaigns_campaign c "
            "WHERE c.id = i.campaign_id AND c.rules <> 'eu_ecspr'",
            migrations.RunSQL.noop,
        ),
    ]
