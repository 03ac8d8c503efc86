from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("uploads", "0002_renditions_and_quota")]

    operations = [ValidateConstraint("storedfile", "private_file_is_sealed_or_moving")]
