"""The categories to begin with; more are added in the admin."""

from django.db import migrations
from django.utils import timezone
from django.utils.text import slugify

from core.data.ids import uuid7

NAMES = [
    "Technology",
    "Energy",
    "Environment",
    "Health",
    "Education",
    "Food",
    "Agriculture",
    "Real estate",
    "Finance",
    "Manufacturing",
    "Mobility",
    "Retail",
    "Fashion",
    "Media",
    "Arts",
    "Games",
    "Sports",
    "Travel",
    "Science",
    "Community",
    "Other",
]


def add(apps, schema_editor):
    category = apps.get_model("campaigns", "Category")
    for position, name in enumerate(NAMES):
        category.objects.get_or_create(
            slug=slugify(name),
            defaults={"id": uuid7(), "created_at": timezone.now(), "name": name, "position": position},
        )


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_database_rules")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
