from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("social", "0001_initial"), ("uploads", "0002_renditions_and_quota")]

    operations = [migrations.RemoveField(model_name="postmedia", name="alt")]
