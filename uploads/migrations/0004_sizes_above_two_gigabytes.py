from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("uploads", "0003_validate_sealed_files")]

    reviewed_locks = "Rewrites the table of files once, before there is an installation with many."

    operations = [migrations.AlterField("storedfile", "size", models.PositiveBigIntegerField())]
